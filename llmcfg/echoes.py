"""One mistake, one diagnostic: drop what later stages say of values that the schema has refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmcfg.diagnostics import Diagnostic, Path, dotted

_UNKNOWN, _MISSING = "L101", "L104"


def without_echoes(later: Iterable[Diagnostic], refused: list[Diagnostic], data: Any) -> list[Diagnostic]:
    """Return the findings that are not about a refused value, nor about a key that may only be misspelled."""
    return [
        item
        for item in later
        if not any(_echoes(text, other, data) for text in _mentioned(item) for other in refused)
    ]


def _mentioned(item: Diagnostic) -> list[str]:
    return [dotted(item.path), *(text for text, _ in item.related)]


def _echoes(text: str, other: Diagnostic, data: Any) -> bool:
    if other.code in (_UNKNOWN, _MISSING):
        owner = other.path[:-1] if other.code == _UNKNOWN else other.path
        return text == dotted(owner) or _is_absent(text, owner, data)
    refused = dotted(other.path)
    return text == refused or text.startswith((f"{refused}.", f"{refused}["))


def _is_absent(text: str, owner: Path, data: Any) -> bool:
    """Tell whether ``text`` names a key of the object at ``owner`` that is not written there."""
    place, _, name = text.rpartition(".")
    if place != dotted(owner):
        return False
    for part in owner:
        data = data[part]
    return name not in data
