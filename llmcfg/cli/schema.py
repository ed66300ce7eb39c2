"""``llmcfg schema``."""

from __future__ import annotations

import json
from typing import Any

from llmcfg.catalog import backends, bundle
from llmcfg.cli.files import deliver
from llmcfg.data import data_path, data_text

NAME = "llmcfg.schema.json"


def run(backend: str | None, output: str | None, path: bool) -> int:
    """Print the editor schema, whole or for one backend."""
    if path:
        print(data_path(NAME))
        return 0
    text = data_text(NAME) if backend is None else json.dumps(for_backend(backend), indent=1) + "\n"
    deliver(text, output)
    return 0


def for_backend(backend: str) -> dict[str, Any]:
    """Return the schema without the other backends' sections and types."""
    whole = bundle()
    others = backends().keys() - {backend}
    properties = {name: schema for name, schema in whole["properties"].items() if name not in others}
    properties["backend"] = {**properties["backend"], "enum": [backend]}
    del properties["backend"]["enumDescriptions"]
    defs: dict[str, Any] = {}
    _collect(properties, whole["$defs"], defs)
    kept = {name: whole["$defs"][name] for name in whole["$defs"] if name in defs}
    return {**whole, "properties": properties, "$defs": kept}


def _collect(schema: Any, source: dict[str, Any], found: dict[str, Any]) -> None:
    if isinstance(schema, dict):
        name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
        if name in source and name not in found:
            found[name] = source[name]
            _collect(source[name], source, found)
        for value in schema.values():
            _collect(value, source, found)
    elif isinstance(schema, list):
        for value in schema:
            _collect(value, source, found)
