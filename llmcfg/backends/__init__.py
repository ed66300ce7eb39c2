"""The table of backends: one module each, which knows how its engine is started."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple, Protocol

from llmcfg.compiled import Compiled
from llmcfg.diagnostics import Diagnostic


class Emission(NamedTuple):
    """What a format holds, and what it could not carry.

    ``value`` is a list of commands (argv), a mapping (yaml) or a text (python).
    """

    value: Any
    diagnostics: list[Diagnostic]


class Backend(Protocol):
    """What a backend's module provides."""

    def argv(self, compiled: Compiled) -> Emission:
        """Return the commands that start the engine, each a list of words."""

    def document(self, compiled: Compiled) -> Emission:
        """Return the mapping that the engine's own reader of YAML files takes."""

    def script(self, compiled: Compiled) -> str:
        """Return a Python file that constructs the native objects."""

    def build(self, compiled: Compiled) -> dict[str, Any]:
        """Return the native objects themselves."""


_MODULES = {
    "vllm": "llmcfg.backends.vllm",
    "tensorrt_llm": "llmcfg.backends.tensorrt_llm",
    "pytorch": "llmcfg.backends.pytorch",
}


def module(name: str) -> Backend:
    """Import the module of a backend."""
    backend: Backend = import_module(_MODULES[name])
    return backend
