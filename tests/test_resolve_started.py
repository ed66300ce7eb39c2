"""What `resolve` says without a GPU is what vLLM holds once it has really started on the CPU.

Engines are started inside the process that imported vLLM, which takes seconds. One is started in its
ordinary way, with processes of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from llmcfg.audit.plan import plan
from llmcfg.audit.trial import Trial
from llmcfg.lower import ENV, lower
from llmcfg.resolve.client import EngineProcess
from llmcfg.resolve.equality import holds
from llmcfg.resolve.question import Answer, Machine, Model, Question
from tests.support.tiny_model import make_tiny_model
from tests.support.vllm_judge import INSTALLED

pytestmark = pytest.mark.vllm

SHARE = 85  # of 256 parameters
ENOUGH = 100
_PROCESSES = 2
_SECONDS = 120.0
_STARTED = "tests.support.started.resolver"


class Pair(NamedTuple):
    """What was resolved for a trial, and what a started engine holds."""

    trial: Trial
    resolved: Answer
    started: Answer

    @property
    def differing(self) -> dict[str, tuple[Any, Any]]:
        """Return what is held otherwise: resolved and started."""
        both = self.resolved.held.keys() & self.started.held.keys() - {"EngineArgs.model"}
        values = {key: (self.resolved.held[key].value, self.started.held[key].value) for key in both}
        return {key: pair for key, pair in values.items() if not holds(*pair)}


def candidates() -> list[Trial]:
    """Return a typical value of every few parameters: the choice of one does not depend on the others."""
    found: dict[str, Trial] = {}
    for trial in plan("vllm", INSTALLED, "vllm.engine.*"):
        plain = trial.kinds[0] == "dense" and not trial.lacks and not trial.is_open
        if plain and trial.role not in ("baseline", "forbidden", "default") and _is_chosen(trial.parameter):
            found.setdefault(trial.parameter, trial)
    return list(found.values())


def _is_chosen(parameter: str) -> bool:
    return hashlib.sha256(parameter.encode()).digest()[0] < SHARE


def _question(trial: Trial, model: Path) -> Question:
    native: dict[str, Any] = {**lower("vllm", trial.document["vllm"], str(model)).native}
    env = dict(native.pop(ENV, {}))
    native["EngineArgs"].setdefault("enforce_eager", True)  # no compiler is started
    return Question({"EngineArgs": native["EngineArgs"]}, env, Model(str(model)), False, False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def pairs(model: Path) -> list[Pair]:
    shares = [candidates()[part::_PROCESSES] for part in range(_PROCESSES)]
    with ThreadPoolExecutor(_PROCESSES) as pool:
        return [
            pair for share in pool.map(lambda share: list(_asked(share, model)), shares) for pair in share
        ]


def _asked(trials: list[Trial], model: Path) -> Iterator[Pair]:
    here = Machine(None)
    with EngineProcess("vllm", here) as real, EngineProcess("vllm", here, resolver=_STARTED) as started:
        for trial in trials:
            question = _question(trial, model)
            resolved = real.ask(question, _SECONDS)
            if resolved.refusal is None:
                yield Pair(trial, resolved, started.ask(question, _SECONDS))


def test_a_started_engine_holds_what_was_resolved(pairs: list[Pair]) -> None:
    both = [pair for pair in pairs if pair.started.refusal is None]
    assert {pair.trial.id: pair.differing for pair in both if pair.differing} == {}
    assert len(both) >= ENOUGH


def test_so_does_one_that_is_started_in_its_ordinary_way(model: Path) -> None:
    """Values that vLLM keeps, one that it computes, and one that its CPU platform switches off."""
    asked = {"max_num_seqs": 7, "block_size": 64, "scheduling_policy": "priority", "async_scheduling": True}
    native = {"model": str(model), "enforce_eager": True, **asked}
    question = Question({"EngineArgs": native}, {}, Model(str(model)), False, False)
    with EngineProcess("vllm", Machine(None)) as engine:
        held = engine.ask(question, _SECONDS).held
    resolved = {held[f"EngineArgs.{key}"].place: held[f"EngineArgs.{key}"].value for key in asked}
    assert resolved["scheduler_config.async_scheduling"] is False
    command = [sys.executable, "-m", "tests.support.started", json.dumps(native), *resolved]
    environment = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1"}
    started = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)
    assert started.returncode == 0, started.stderr[-2000:]
    last = next(line for line in reversed(started.stdout.splitlines()) if line.startswith("{"))
    assert json.loads(last) == resolved
