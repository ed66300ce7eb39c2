"""One mistake, one diagnostic: drop what later stages say of what was refused, or said, before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmcfg.diagnostics import Diagnostic, Path, dotted

_UNKNOWN, _MISSING, _BROKEN_RULE, _DEPRECATED = "L101", "L104", "L201", "L404"
_ABSENT = frozenset(("L401", "L402"))
"""Codes of what a release does not have."""
_ENDING = _ABSENT | {_BROKEN_RULE, "L302", "L304", _DEPRECATED}
"""Codes of what needs no mending any more where a release does not have the thing."""


def without_echoes(later: Iterable[Diagnostic], refused: list[Diagnostic], data: Any) -> list[Diagnostic]:
    """Return the findings that are not about a refused value, nor about a key that may only be misspelled."""
    return [
        item
        for item in later
        if _is_of_key(item)
        or not any(_echoes(text, other, data) for text in _mentioned(item) for other in refused)
    ]


def told_once(found: list[Diagnostic]) -> list[Diagnostic]:
    """Return the findings without what follows from another one: what a release lacks, or a rule."""
    if len(found) < 2:
        return found
    absent = [item for item in found if item.code in _ABSENT]
    explained = {item.path for item in found if item.code == _BROKEN_RULE and not item.related}
    return [
        item
        for item in found
        if not (item.code == _DEPRECATED and item.path in explained)
        and not any(_follows(item, other) for other in absent)
    ]


def _is_of_key(item: Diagnostic) -> bool:
    """Tell whether it is about releases that have the key: so it holds for whatever value."""
    return item.code in (*_ABSENT, _DEPRECATED) and not item.of_value


def _follows(item: Diagnostic, absent: Diagnostic) -> bool:
    """Tell whether it is about what is absent, and ends with it."""
    ends = item.code in _ENDING and _rank(item) > _rank(absent)
    return ends and any(_leads_to(dotted(absent.path), text) for text in _mentioned(item))


def _rank(item: Diagnostic) -> tuple[bool, int, bool]:
    """Sort what a release lacks first, from the outside inwards, a key before its value."""
    return item.code not in _ABSENT, len(item.path), item.of_value


def _mentioned(item: Diagnostic) -> list[str]:
    return [dotted(item.path), *(text for text, _ in item.related)]


def _echoes(text: str, other: Diagnostic, data: Any) -> bool:
    if other.code in (_UNKNOWN, _MISSING):
        owner = other.path[:-1] if other.code == _UNKNOWN else other.path
        return text == dotted(owner) or _is_absent(text, owner, data)
    return _leads_to(dotted(_list_of(other.path)), text)


def _list_of(path: Path) -> Path:
    """Return the path of the list that an item stands in; any other path as it is."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return path


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
