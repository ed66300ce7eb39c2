"""Objects of transformers and torch as plain data, in the words that a config uses for them."""

from __future__ import annotations

import enum
from typing import Any

NOTHING: Any = object()


def plain(value: Any) -> Any:
    """Reduce a value to JSON data; ``NOTHING`` where it has no plain form."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return _all({_key(key): plain(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return _all([plain(item) for item in value])
    if isinstance(value, (set, frozenset)):
        return _all(sorted((plain(item) for item in value), key=str))
    if type(value).__module__ == "torch" and type(value).__name__ in ("dtype", "device"):
        return str(value).removeprefix("torch.")
    if hasattr(value, "tolist"):
        return value.tolist()
    return plain(value.to_dict()) if hasattr(value, "to_dict") else NOTHING


def at(data: Any, path: tuple[str, ...]) -> Any:
    """Follow keys and attributes; ``NOTHING`` where there is none."""
    for key in path:
        if isinstance(data, dict):
            data = {_key(name): item for name, item in data.items()}.get(key, NOTHING)
        else:
            data = getattr(data, key, NOTHING)
        if data is NOTHING:
            return NOTHING
    return data


def _key(key: Any) -> str:
    return str(key)


def _all(items: Any) -> Any:
    values = items.values() if isinstance(items, dict) else items
    return NOTHING if any(item is NOTHING for item in values) else items
