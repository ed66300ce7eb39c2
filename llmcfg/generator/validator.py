"""The schema as the command line validates by it: no texts, one file per backend."""

from __future__ import annotations

from llmcfg.generator.shapes import kinds, pointer, render_nested, render_reference
from llmcfg.generator.source import Json, Source, Type, section_name

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KEYWORDS = (
    "type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "pattern", "patternErrorMessage", "minItems", "maxItems", "uniqueItems", "minProperties",
    "propertyNames",
)  # fmt: skip


def root_validator(source: Source) -> Json:
    """Return the schema of the top level; sections are judged by their own validators."""
    properties = {name: _shape(parameter) for name, parameter in source.root["properties"].items()}
    properties["$schema"] = {"type": "string"}
    properties["backend"]["enum"] = list(source.backends)
    del properties["gpu"]["enum"]
    properties |= {backend: {"type": ["object", "null"]} for backend in source.backends}
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": properties,
        "required": source.root["required"],
        "additionalProperties": False,
    }


def section_validator(types: dict[str, Type], backend: str) -> Json:
    """Return the schema of one backend's section."""
    return {
        "$schema": DIALECT,
        **pointer(section_name(backend)),
        "$defs": {name: _object(item, types) for name, item in types.items()},
    }


def _object(item: Type, types: dict[str, Type]) -> Json:
    properties = {name: _parameter(value, types) for name, value in item.properties.items()}
    if item.is_native:
        properties["extra"] = {"type": ["object", "null"]}
    rendered: Json = {
        "type": kinds(item.name, types),
        "properties": properties,
        "additionalProperties": False,
    }
    if item.required:
        rendered["required"] = item.required
    return rendered


def _shape(parameter: Json) -> Json:
    return {key: parameter[key] for key in _KEYWORDS if key in parameter}


def _parameter(parameter: Json, types: dict[str, Type]) -> Json:
    rendered = _shape(parameter)
    rendered |= render_nested(parameter, lambda nested, _: _parameter(nested, types))
    return render_reference(parameter, rendered, types)
