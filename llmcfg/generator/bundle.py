"""The editor schema: one file, with every text that a completion or a hover shows."""

from __future__ import annotations

import json
from typing import Any

from llmcfg.generator.shapes import discriminator, plain, pointer, render_nested, render_reference
from llmcfg.generator.source import Json, Source, Type, section_name
from llmcfg.generator.texts import enum_texts, parameter_text
from llmcfg.generator.validator import DIALECT

_COPIED = (
    "type", "enum", "default", "examples", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "pattern", "patternErrorMessage", "minItems",
    "maxItems", "uniqueItems", "minProperties", "propertyNames", "deprecated", "x-native",
    "x-requires", "x-values", "x-impact", "x-since", "x-until", "x-renamed-from", "x-replaced-by",
    "x-resolves", "x-audit", "x-source",
)  # fmt: skip
EXTRA: Json = {
    "title": "Passed on as it is",
    "description": "What the schema does not know: merged into this object last, key by key, "
    "unchecked and unchanged.",
    "type": ["object", "null"],
    "additionalProperties": True,
}


def bundle(source: Source) -> Json:
    """Return the whole editor schema."""
    properties: Json = {"$schema": {"type": "string", "title": "Schema of this file"}}
    properties |= {
        name: _parameter(_filled(name, parameter, source), {})
        for name, parameter in source.root["properties"].items()
    }
    for backend in source.backends:
        head = source.types[backend][section_name(backend)].head
        properties[backend] = {
            "title": head["title"],
            "description": head["description"],
            "type": ["object", "null"],
            "allOf": [pointer(section_name(backend))],
        }
    defs = {name: _object(item, types) for types in source.types.values() for name, item in types.items()}
    return {
        "$schema": DIALECT,
        "title": source.root["title"],
        "description": source.root["description"],
        "type": "object",
        "properties": properties,
        "required": source.root["required"],
        "additionalProperties": False,
        "$defs": defs,
    }


def _filled(name: str, parameter: Json, source: Source) -> Json:
    """Complete the two parameters whose values are tables: the backends, and the GPUs."""
    if name == "backend":
        values = {key: {"description": facts["description"]} for key, facts in source.backends.items()}
        return {**parameter, "enum": list(values), "x-values": values}
    if name == "gpu":
        values = {key: {"description": gpu["title"]} for key, gpu in source.gpus["gpus"].items()}
        values |= parameter["x-values"]
        return {**parameter, "enum": list(values), "x-values": values}
    return parameter


def _object(item: Type, types: dict[str, Type]) -> Json:
    properties = {
        name: _parameter(value, types, item.themes[name]) for name, value in item.properties.items()
    }
    if item.is_native:
        properties["extra"] = plain(EXTRA)
    rendered: Json = {
        "title": item.head["title"],
        "description": item.head["description"],
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": False,
    }
    if item.required:
        rendered["required"] = item.required
    for key in ("x-native", "x-requires", "x-since", "x-until", "x-replaced-by", "x-source"):
        if key in item.head:
            rendered[key] = plain(item.head[key])
    if item.rules:
        rendered["x-rules"] = plain(item.rules)
    return rendered


def _parameter(parameter: Json, types: dict[str, Type], theme: str | None = None) -> Json:
    rendered: Json = {"title": parameter["title"], "description": parameter["description"]}
    rendered["markdownDescription"] = parameter_text(parameter)
    rendered |= {key: plain(parameter[key]) for key in _COPIED if key in parameter}
    if "enum" in parameter:
        texts = enum_texts(parameter)
        rendered["enumDescriptions"] = texts
        rendered["markdownEnumDescriptions"] = texts
    if parameter.get("deprecated"):
        rendered["deprecationMessage"] = parameter.get("x-replaced-by", "Deprecated by the engine.")
    if theme is not None:
        rendered["x-theme"] = theme
    rendered |= render_nested(parameter, lambda nested, _: _shape(nested, types))
    render_reference(parameter, rendered, types)
    if "$types" in parameter:
        rendered["properties"] = {
            parameter["discriminator"]["propertyName"]: _discriminator(parameter, types)
        }
    return rendered


def _shape(nested: Json, types: dict[str, Type]) -> Json:
    rendered = {key: plain(nested[key]) for key in _COPIED if key in nested}
    rendered |= render_nested(nested, lambda deeper, _: _shape(deeper, types))
    return render_reference(nested, rendered, types)


def _discriminator(parameter: Json, types: dict[str, Type]) -> Json:
    name = parameter["discriminator"]["propertyName"]
    heads = [types[choice] for choice in parameter["$types"]]
    texts = [f"{item.head['title']}: {item.head['description']}" for item in heads]
    first = heads[0].properties[name]
    return {
        "title": first["title"],
        "description": first["description"],
        **discriminator(parameter, types),
        "enumDescriptions": texts,
        "markdownEnumDescriptions": texts,
    }


def as_text(value: Any) -> str:
    """Write JSON as every generated file has it: indented, unsorted (the schema's own order)."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
