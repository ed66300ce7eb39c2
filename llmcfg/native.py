"""A native object's keyword arguments: a plain mapping that knows the class it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class NativeObject(dict[str, Any]):
    """Keyword arguments of ``cls`` (a dotted Python path), or a plain mapping where ``cls`` is None.

    ``tag`` is the key that chose the class among several: the class itself does not take it.
    """

    __slots__ = ("cls", "tag")

    def __init__(self, cls: str | None = None, tag: str | None = None) -> None:
        super().__init__()
        self.cls = cls
        self.tag = tag


def class_of(value: Any) -> str | None:
    """Return the class that a native value is an instance of once it is built."""
    return value.cls if isinstance(value, NativeObject) else None


def arguments(value: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of an object's constructor."""
    tag = value.tag if isinstance(value, NativeObject) else None
    return {key: item for key, item in value.items() if key != tag}


def forget_classes(value: Any) -> None:
    """Make an object, and what is in it, plain mappings: the engine builds the instances itself."""
    if isinstance(value, NativeObject):
        value.cls = None
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        forget_classes(item)


def construct(value: Any, make: Callable[[str, dict[str, Any]], Any]) -> Any:
    """Rebuild a native value bottom-up, with ``make(class path, keyword arguments)`` for each object."""
    if isinstance(value, dict):
        cls = class_of(value)
        if cls is None:
            return {key: construct(item, make) for key, item in value.items()}
        return make(cls, {key: construct(item, make) for key, item in arguments(value).items()})
    if isinstance(value, list):
        return [construct(item, make) for item in value]
    return value


def takes_mapping(cls: str) -> bool:
    """Tell whether the class is built by a ``from_dict`` that takes its arguments as one mapping."""
    return cls.endswith(".from_dict")


def instance(cls: str, keywords: dict[str, Any]) -> Any:
    """Import the class and construct it.

    Raises:
        ImportError: if the engine is not installed, or has no such class.
    """
    from importlib import import_module

    module, _, name = cls.removesuffix(".from_dict").rpartition(".")
    constructor = getattr(import_module(module), name)
    return constructor.from_dict(keywords) if takes_mapping(cls) else constructor(**keywords)
