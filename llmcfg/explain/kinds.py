"""The type and the range of a parameter, in words."""

from __future__ import annotations

from typing import Any

Facts = dict[str, Any]

_KINDS = {
    "string": "text", "integer": "integer", "number": "number", "boolean": "true or false",
    "array": "list", "object": "mapping", "null": "null",
}  # fmt: skip
_BOUNDS = {
    "minimum": "at least {}", "exclusiveMinimum": "more than {}", "maximum": "at most {}",
    "exclusiveMaximum": "less than {}", "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters", "minItems": "at least {} items", "maxItems": "at most {} items",
    "minProperties": "at least {} keys",
}  # fmt: skip
_SINGULAR = {"characters": "character", "items": "item", "keys": "key"}


def type_text(schema: Facts) -> str:
    """Return what a value may be: ``integer or null, at least 1``."""
    kinds = " or ".join(_kind(kind, schema) for kind in kinds_of(schema))
    return ", ".join([kinds or "any value", *_choices(schema), *_bounds(schema), *_form(schema)])


def kinds_of(schema: Facts) -> list[str]:
    """Return the JSON types that the schema names."""
    declared = schema.get("type", [])
    return [declared] if isinstance(declared, str) else list(declared)


def _kind(kind: str, schema: Facts) -> str:
    if kind == "array" and isinstance(items := schema.get("items"), dict):
        return f"list of ({type_text(items)})"
    if kind == "object" and isinstance(entries := schema.get("additionalProperties"), dict):
        return f"mapping to ({type_text(entries)})"
    return _KINDS[kind]


def _choices(schema: Facts) -> list[str]:
    return [f"one of {len(schema['enum'])} values"] if "enum" in schema else []


def _bounds(schema: Facts) -> list[str]:
    found = [_bound(text, schema[key]) for key, text in _BOUNDS.items() if key in schema]
    return [*found, "no item twice"] if schema.get("uniqueItems") else found


def _bound(text: str, limit: Any) -> str:
    start, _, noun = text.format(limit).rpartition(" ")
    return f"{start} {_SINGULAR[noun]}" if limit == 1 and noun in _SINGULAR else text.format(limit)


def _form(schema: Facts) -> list[str]:
    return [schema["patternErrorMessage"].rstrip(".")] if "patternErrorMessage" in schema else []
