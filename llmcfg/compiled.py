"""The result: what the engine takes."""

from __future__ import annotations

from typing import Any, NamedTuple

from llmcfg.diagnostics import Diagnostic


class Compiled(NamedTuple):
    """One backend's native config.

    ``native`` maps the name of each native object (``EngineArgs``, ``SamplingParams`` …) to its
    keyword arguments; ``env`` holds the environment variables to set before the engine is imported.
    """

    backend: str
    version: str
    model: str
    native: dict[str, dict[str, Any]]
    env: dict[str, str]
    diagnostics: list[Diagnostic]

    def as_json(self) -> dict[str, Any]:
        """Return what the engine takes, and for which release it is, as JSON data."""
        return {"backend": self.backend, "version": self.version, "native": self.native, "env": self.env}

    def build(self) -> dict[str, Any]:
        """Construct the real native objects, under the keys of ``native``.

        Raises:
            ImportError: if the engine is not installed.
        """
        from llmcfg.backends import module

        return module(self.backend).build(self)
