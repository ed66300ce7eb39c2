"""The editor schema as text: how it is written for editors, and read for the facts in it.

Editors write defaults and examples into the file. A choice called "Default value" that writes ``null`` or
``[]`` helps nobody, and a number that JavaScript cannot hold comes out as another one: both are written
under names that editors do not read.
"""

from __future__ import annotations

import json
from typing import Any

Facts = dict[str, Any]
_HIDDEN = {"default": "x-default", "examples": "x-examples"}
_SHOWN = {hidden: name for name, hidden in _HIDDEN.items()}
_EXACT = 2**53
"""The largest integer up to which JavaScript holds every one."""


def written(schema: Facts) -> str:
    """Write the schema with one type per line: small enough for an editor, and diffs name the type."""
    head = {key: value for key, value in _hidden(schema).items() if key != "$defs"}
    types = (f"{json.dumps(name)}: {_dump(_hidden(item))}" for name, item in schema["$defs"].items())
    return _dump(head)[:-1] + ',\n"$defs": {\n' + ",\n".join(types) + "\n}}\n"


def read(text: str) -> Facts:
    """Read what ``written`` wrote, everything under its own name again."""
    facts: Facts = json.loads(text)
    for item in (facts, *facts["$defs"].values()):
        for parameter in item["properties"].values():
            for hidden in _SHOWN.keys() & parameter.keys():
                parameter[_SHOWN[hidden]] = parameter.pop(hidden)
    return facts


def _hidden(item: Facts) -> Facts:
    shown = {name: _parameter(parameter) for name, parameter in item["properties"].items()}
    return {**item, "properties": shown}


def _parameter(parameter: Facts) -> Facts:
    return {_HIDDEN.get(key, key) if _misleads(value) else key: value for key, value in parameter.items()}


def _misleads(value: Any) -> bool:
    return value in (None, [], {}) or (isinstance(value, list) and any(map(_is_inexact, value)))


def _is_inexact(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > _EXACT


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
