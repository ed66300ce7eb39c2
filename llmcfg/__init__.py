"""Check one YAML file for LLM inference, and compile it to exactly what the engine takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmcfg.api import compile
    from llmcfg.compiled import Compiled
    from llmcfg.diagnostics import ConfigError, Diagnostic

__version__ = "0.1.0"
__all__ = ["Compiled", "ConfigError", "Diagnostic", "__version__", "compile"]

_HOMES = {
    "compile": "llmcfg.api",
    "Compiled": "llmcfg.compiled",
    "ConfigError": "llmcfg.diagnostics",
    "Diagnostic": "llmcfg.diagnostics",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'llmcfg' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
