"""A native object's keyword arguments: a plain mapping that knows the class it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class NativeObject(dict[str, Any]):
    """Keyword arguments of ``cls`` (a dotted Python path), or a plain mapping where ``cls`` is None."""

    __slots__ = ("cls",)

    def __init__(self, cls: str | None = None) -> None:
        super().__init__()
        self.cls = cls


def construct(value: Any, make: Callable[[str, dict[str, Any]], Any]) -> Any:
    """Rebuild a native value bottom-up, with ``make(class path, keyword arguments)`` for each object."""
    if isinstance(value, dict):
        items = {key: construct(item, make) for key, item in value.items()}
        cls = getattr(value, "cls", None)
        return items if cls is None else make(cls, items)
    if isinstance(value, list):
        return [construct(item, make) for item in value]
    return value


def instance(cls: str, arguments: dict[str, Any]) -> Any:
    """Import the class and construct it.

    Raises:
        ImportError: if the engine is not installed, or has no such class.
    """
    from importlib import import_module

    module, _, name = cls.rpartition(".")
    return getattr(import_module(module), name)(**arguments)
