"""What llmcfg has to say about a config: one frozen record per problem, and the table of codes."""

from __future__ import annotations

from typing import Any, NamedTuple

Path = tuple["str | int", ...]
"""Where a value sits in the document: keys and list indexes from the root."""

ERROR, WARNING, INFO = "error", "warning", "info"
MOST_PROBLEMS = 100
"""How many problems of a file are shown: the work for more would have no bound, and nobody reads it."""


class Place(NamedTuple):
    """A position in a file; line and column count from 1, in Unicode code points."""

    line: int
    column: int


class Diagnostic(NamedTuple):
    """One problem, or one thing worth knowing.

    ``message`` is a short phrase that can stand alone; the way out is the ``hint``.
    ``place`` is unknown (None) where the config did not come from a file. ``of_value`` tells that the value
    is meant, not its key, where the code leaves that open.
    """

    code: str
    message: str
    path: Path = ()
    severity: str = ERROR
    hint: str | None = None
    place: Place | None = None
    rule: str | None = None
    related: tuple[tuple[str, Place | None], ...] = ()
    of_value: bool = False

    def as_json(self, file: str | None = None, end: Place | None = None) -> dict[str, Any]:
        """Return the record as JSON data, the form of ``--format json``; ``end`` is that of the token."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "path": dotted(self.path),
            "file": file,
            "line": self.place.line if self.place else None,
            "column": self.place.column if self.place else None,
            "end_line": end.line if end else None,
            "end_column": end.column if end else None,
            "rule": self.rule,
            "related": [
                {
                    "message": text,
                    "line": place.line if place else None,
                    "column": place.column if place else None,
                }
                for text, place in self.related
            ],
        }


class ConfigError(Exception):
    """A config that cannot be compiled; ``diagnostics`` holds every problem found in it."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        self.diagnostics = diagnostics
        errors = [item for item in diagnostics if item.severity == ERROR]
        super().__init__("\n".join(one_line(item) for item in errors))


def dotted(path: Path) -> str:
    """Write a path as a user would: ``vllm.engine.cudagraph_capture_sizes[2]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def one_line(item: Diagnostic) -> str:
    """Write a diagnostic without its hint, for exception texts."""
    where = f"{dotted(item.path)}: " if item.path else ""
    return f"{where}{item.severity}[{item.code}] {item.message}"


def has_errors(diagnostics: list[Diagnostic], *, strict: bool = False) -> bool:
    """Tell whether the config must be refused; ``strict`` counts warnings as errors."""
    return any(item.severity == ERROR or (strict and item.severity == WARNING) for item in diagnostics)
