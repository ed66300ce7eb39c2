"""The editor schema: one file, with every text that a completion or a hover shows."""

from __future__ import annotations

import json
from typing import Any

from llmcfg.document import copied
from llmcfg.generator.rules import mentions
from llmcfg.generator.shapes import discriminator, kinds, pointer, render_nested, render_reference
from llmcfg.generator.source import Json, Source, Type, section_name
from llmcfg.generator.texts import enum_texts, parameter_text
from llmcfg.generator.validator import DIALECT

_COPIED = (
    "type", "enum", "default", "examples", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "pattern", "patternErrorMessage", "minItems",
    "maxItems", "uniqueItems", "minProperties", "propertyNames", "deprecated", "x-native",
    "x-requires", "x-values", "x-impact", "x-since", "x-until", "x-renamed-from", "x-replaced-by",
    "x-former-default", "x-differs", "x-resolves", "x-audit", "x-source",
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
        properties["extra"] = copied(EXTRA)
    rendered: Json = {
        "title": item.head["title"],
        "description": item.head["description"],
        "type": kinds(item.name, types),
        "properties": properties,
        "additionalProperties": False,
    }
    if item.required:
        rendered["required"] = item.required
    for key in ("x-native", "x-requires", "x-since", "x-until", "x-replaced-by", "x-source"):
        if key in item.head:
            rendered[key] = copied(item.head[key])
    if item.rules:
        rendered["x-rules"] = [_rule(rule) for rule in item.rules]
    return rendered


def _rule(rule: Json) -> Json:
    """Keep what a reader wants to know of a rule: what it says, and which keys and values it speaks of."""
    told = {key: value for key, value in copied(rule).items() if key not in ("if", "then", "compare")}
    return {**told, "mentions": mentions(rule)}


def _parameter(parameter: Json, types: dict[str, Type], theme: str | None = None) -> Json:
    rendered: Json = {"title": parameter["title"], "description": parameter["description"]}
    rendered["markdownDescription"] = parameter_text(parameter)
    rendered |= {key: copied(parameter[key]) for key in _COPIED if key in parameter}
    if "enum" in parameter:
        rendered["enumDescriptions"] = enum_texts(parameter)
        rendered["x-values"] = {
            value: {key: item for key, item in about.items() if key != "description"}
            for value, about in rendered["x-values"].items()
        }
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
    rendered = {key: copied(nested[key]) for key in _COPIED if key in nested}
    rendered |= render_nested(nested, lambda deeper, _: _shape(deeper, types))
    return render_reference(nested, rendered, types)


def _discriminator(parameter: Json, types: dict[str, Type]) -> Json:
    name = parameter["discriminator"]["propertyName"]
    heads = [types[choice] for choice in parameter["$types"]]
    texts = [f"{item.head['title']}: {item.head['description']}" for item in heads]
    first = heads[0].properties[name]
    kinds = f"Chooses between {len(heads)} kinds, each with keys of its own."
    return {
        "title": first["title"],
        "description": f"{kinds} {parameter['description']}",
        **discriminator(parameter, types),
        "enumDescriptions": texts,
    }


def as_text(schema: Json) -> str:
    """Write the schema with one type per line: small enough for an editor, and diffs name the type."""
    head = {key: value for key, value in schema.items() if key != "$defs"}
    types = (f"{json.dumps(name)}: {_dump(item)}" for name, item in schema["$defs"].items())
    return _dump(head)[:-1] + ',\n"$defs": {\n' + ",\n".join(types) + "\n}}\n"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
