"""Write Python source that rebuilds native values from literals and constructor calls only."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from typing import Any

from llmcfg.native import arguments, class_of, takes_mapping

WIDTH = 96


class Imports:
    """The classes that a script needs, and the names under which it may use them."""

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = {}

    def name(self, cls: str) -> str:
        """Note that the class is needed, and return its bare name."""
        module, _, name = cls.rpartition(".")
        self.names.setdefault(module, set()).add(name)
        return name

    def lines(self) -> list[str]:
        """Return the import statements, sorted."""
        return [
            f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(self.names.items())
        ]


def expression(value: Any, imports: Imports, depth: int = 0) -> str:
    """Write a value: literals by ``repr``, objects as calls of their class."""
    cls = class_of(value)
    if cls is not None and takes_mapping(cls):
        owner = imports.name(cls.removesuffix(".from_dict"))
        return f"{owner}.from_dict({expression(arguments(value), imports, depth)})"
    if cls is not None:
        return call(imports.name(cls), arguments(value), imports, depth)
    if isinstance(value, dict):
        items = [f"{key!r}: {expression(item, imports, depth + 1)}" for key, item in value.items()]
        return _wrapped("{", items, "}", depth)
    if isinstance(value, list):
        return _wrapped("[", [expression(item, imports, depth + 1) for item in value], "]", depth)
    return repr(value)


def call(function: str, keywords: dict[str, Any], imports: Imports, depth: int = 0) -> str:
    """Write a call with keyword arguments; names that are no identifiers go through ``**``."""
    if all(key.isidentifier() and not keyword.iskeyword(key) for key in keywords):
        items = [f"{key}={expression(value, imports, depth + 1)}" for key, value in keywords.items()]
    else:
        items = [f"**{expression(dict(keywords), imports, depth + 1)}"]
    return _wrapped(f"{function}(", items, ")", depth)


def environment(variables: dict[str, str]) -> list[str]:
    """Return the lines that set environment variables, which must run before the engine is imported."""
    if not variables:
        return []
    return ["import os", "", f"os.environ.update({expression(variables, Imports())})", ""]


def document(header: str, lines: Iterable[str]) -> str:
    """Join the lines of a script below its header."""
    return "\n".join([header, "", *lines]).rstrip() + "\n"


def _wrapped(opening: str, items: list[str], closing: str, depth: int) -> str:
    one_line = f"{opening}{', '.join(items)}{closing}"
    if len(one_line) + 4 * depth <= WIDTH and "\n" not in one_line:
        return one_line
    indent = "    " * (depth + 1)
    body = "".join(f"{indent}{item},\n" for item in items)
    return f"{opening}\n{body}{'    ' * depth}{closing}"
