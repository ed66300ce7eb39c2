"""A process that imports vLLM once, for one machine, and replays configs in forked children."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from llmcfg.audit.solver import Json
from llmcfg.resolve.question import Machine
from tests.support.breaking import lowered
from tests.support.forked import Crashed, forked

CARD, HERE = "h100", "cpu"
_CARDS = 64
_SECONDS = 120.0


class Case(NamedTuple):
    """A config to replay: on which machine, for which kind of model."""

    machine: str
    model: str
    document: Json


def serve(machine: str, asked: dict[str, tuple[Case, Case]], models: str, tokenizer: str) -> dict[str, Any]:
    """Replay the pairs of configs, all of one machine; called once in a fresh process."""
    os.environ.update(
        {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CACHE_ROOT": models}
    )
    if machine == CARD:
        from tests.support.vllm_cards import become

        become(Machine(CARD, _CARDS), Path(models))
    from tests.support.model_configs import make_models
    from tests.support.vllm_replay import warm_up

    make_models(Path(models), Path(tokenizer))
    for kind in sorted({case.model for pair in asked.values() for case in pair}):
        warm_up(models, kind)
    return {name: [_replayed(name, case, models) for case in pair] for name, pair in asked.items()}


def _replayed(name: str, case: Case, models: str) -> Any:
    from tests.support.vllm_replay import Outcome, replay

    native: Json = {**lowered(case.document, "vllm").native}
    env = {**native.pop("env", {})}
    native.setdefault("EngineArgs", {}).setdefault("model", case.document["model"])
    try:
        return forked(replay, native, env, models, case.model, name, seconds=_SECONDS)
    except Crashed as crash:
        return Outcome("crashed", str(crash), (), (), {})
