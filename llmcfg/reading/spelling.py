"""How the user wrote a number: ``1e5`` and ``0x10`` are told as such, not as what they were read as."""

from __future__ import annotations

import re
from functools import cached_property

from llmcfg.diagnostics import Path
from llmcfg.document import Document, lines_of
from llmcfg.reading.scalars import BadScalar, plain_scalar

_WORD = re.compile(r"(?:&\S+\s+)?([^\s,\[\]{}]+)")
"""A bare scalar, behind its anchor if it has one."""


class _Integer(int):
    written: str

    def __str__(self) -> str:
        return self.written


class _Float(float):
    written: str

    def __str__(self) -> str:
        return self.written


class Spelling:
    """Looks numbers up in the text that they were read from."""

    def __init__(self, document: Document | None) -> None:
        self._document = document

    def of(self, value: object, path: Path) -> object:
        """Return a number that shows itself as it was written; anything else as it is."""
        if type(value) not in (int, float) or self._document is None:
            return value
        written = self._written(path)
        if written is None or _read(written) != value:
            return value
        told = _Integer(value) if isinstance(value, int) else _Float(value)  # type: ignore[arg-type]
        told.written = written
        return told

    def _written(self, path: Path) -> str | None:
        assert self._document is not None  # noqa: S101 - for mypy
        place = self._document.values.get(path)
        if place is None or place.line > len(self._lines):
            return None
        found = _WORD.match(self._lines[place.line - 1], place.column - 1)
        return found[1] if found else None

    @cached_property
    def _lines(self) -> list[str]:
        return lines_of(self._document.text) if self._document else []


def _read(word: str) -> object:
    try:
        return plain_scalar(word)
    except BadScalar:
        return None
