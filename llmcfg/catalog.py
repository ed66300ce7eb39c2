"""The generated catalog: what the compiler knows about backends, GPUs, types and parameters."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from llmcfg.data import data_text

Facts = dict[str, Any]


@cache
def index() -> Facts:
    """Return the table of backends and the table of GPUs."""
    loaded: Facts = json.loads(data_text("catalog.json"))
    return loaded


@cache
def backends() -> dict[str, Facts]:
    """Return the table of backends, by name."""
    table: dict[str, Facts] = index()["backends"]
    return table


@cache
def backend_catalog(backend: str) -> Facts:
    """Return ``{"root": name, "types": {name: facts}}`` of one backend."""
    loaded: Facts = json.loads(data_text(f"catalog/{backend}.json"))
    return loaded


@cache
def rule_texts(backend: str) -> dict[str, list[Facts]]:
    """Return the texts of a backend's rules, by type and position."""
    loaded: dict[str, list[Facts]] = json.loads(data_text(f"rules/{backend}.json"))
    return loaded


@cache
def names() -> Facts:
    """Return what people write in place of names and values; loaded only when something is unknown."""
    loaded: Facts = json.loads(data_text("names.json"))
    return loaded


@cache
def bundle() -> Facts:
    """Return the editor schema, which holds every text."""
    from llmcfg.editor_schema import read

    return read(data_text("llmcfg.schema.json"))


def nested_type(facts: Facts | None, value: Any) -> str | None:
    """Return the name of the type that a mapping written for a parameter must follow."""
    if facts is None:
        return None
    if "type" in facts:
        return str(facts["type"])
    if "variants" in facts and isinstance(value, dict):
        name, choices = facts["variants"]
        chosen = value.get(name)
        return choices.get(chosen) if isinstance(chosen, str) else None
    return None
