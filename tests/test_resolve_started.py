"""What `resolve` says without a GPU is what vLLM holds once it has really started on the CPU.

Engines are started inside the process that imported vLLM, which takes seconds. That way of starting itself
changes some values: what differs there is asked again of an engine started in its ordinary way.
"""

from __future__ import annotations

import hashlib
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
_ORDINARY = {"VLLM_ENABLE_V1_MULTIPROCESSING": "1", "VLLM_WORKER_MULTIPROCESSING_METHOD": "spawn"}


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


REFUSED_LATER = {
    "No common block size": "the runner chooses block sizes of the attention backends, after the start",
    "NUMA nodes": "the machine has too few nodes to bind several workers of the CPU",
    "not supported for single-process usage": "the offline class takes no data parallelism",
    "No module named": "the value names a module of somebody's own",
    "Failed to load": "the value names a plugin of somebody's own",
    "no answer within": "the engine waits for other machines",
    "must be specified": "the connector that is built at the start wants more settings",
}
"""Why an engine may refuse to start with a config that it resolved."""


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


def test_a_started_engine_holds_what_was_resolved(pairs: list[Pair], model: Path) -> None:
    both = [pair for pair in pairs if pair.started.refusal is None]
    same = [pair for pair in both if not pair.differing]
    differing = [pair for pair in both if pair.differing]
    assert len(same) >= ENOUGH
    assert len(differing) < len(same) / 10
    assert [pair for pair in _ordinarily(differing, model) if pair.started.refusal or pair.differing] == []


def _ordinarily(pairs: list[Pair], model: Path) -> Iterator[Pair]:
    """Start an engine for each in its ordinary way."""
    with EngineProcess("vllm", Machine(None), resolver=_STARTED) as started:
        for pair in pairs:
            question = _question(pair.trial, model)
            question = question._replace(env={**question.env, **_ORDINARY})
            yield pair._replace(started=started.ask(question, 2 * _SECONDS))


def test_the_way_of_starting_shows(model: Path) -> None:
    """The control: asynchronous scheduling is off in one process, and on as it was asked in two."""
    native = {"model": str(model), "enforce_eager": True, "async_scheduling": True}
    question = Question({"EngineArgs": native}, {}, Model(str(model)), False, False)
    with EngineProcess("vllm", Machine(None), resolver=_STARTED) as started:
        inside = started.ask(question, _SECONDS)
        ordinary = started.ask(question._replace(env=_ORDINARY), 2 * _SECONDS)
    assert inside.held["EngineArgs.async_scheduling"].value is False
    assert ordinary.held["EngineArgs.async_scheduling"].value is True


def test_what_is_refused_later_has_a_known_reason(pairs: list[Pair]) -> None:
    later = {pair.trial.id: pair.started.refusal.text for pair in pairs if pair.started.refusal is not None}
    unknown = {
        name: text for name, text in later.items() if not any(words in text for words in REFUSED_LATER)
    }
    assert unknown == {}
