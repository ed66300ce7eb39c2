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
    return _leads_to(dotted(other.path), text)


def _is_absent(text: str, owner: Path, data: Any) -> bool:
    """Tell whether ``text`` leads through a key of the object at ``owner`` that is not written there."""
    if not text.startswith(f"{dotted(owner)}."):
        return False
    for part in owner:
        data = data[part]
    return text[len(dotted(owner)) + 1 :].partition(".")[0] not in data


def with_written(item: Diagnostic, data: Any) -> Diagnostic:
    """Leave out of the other keys that take part those that are not written."""
    return item._replace(related=tuple(other for other in item.related if _is_written(other[0], data, ())))


def _is_written(text: str, data: Any, path: Path) -> bool:
    if path and text == dotted(path):
        return True
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    inner = ((value, (*path, key)) for key, value in entries)
    return any(_is_written(text, value, below) for value, below in inner if _leads_to(dotted(below), text))


def _leads_to(place: str, text: str) -> bool:
    return text == place or text.startswith((f"{place}.", f"{place}["))
