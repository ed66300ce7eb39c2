"""Records as JSON data."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

_EMPTY: tuple[Any, ...] = (None, (), [], {}, False)
_VALUES = ("value", "default")
"""Fields where null and false are values of a parameter."""


def plain(record: Any) -> Any:
    """Return the data of a record; fields that say nothing stay away."""
    if isinstance(record, (list, tuple)):
        return [plain(item) for item in record]
    if not is_dataclass(record):
        return record
    named = ((field.name, getattr(record, field.name)) for field in fields(record))
    return {name: plain(item) for name, item in named if name in _VALUES or not _is_empty(item)}


def _is_empty(item: Any) -> bool:
    return any(item is empty or (type(item) is type(empty) and item == empty) for empty in _EMPTY)
