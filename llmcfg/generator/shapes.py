"""What the validators and the editor schema share: types as closed JSON Schema objects."""

from __future__ import annotations

from collections.abc import Callable

from llmcfg.generator.source import Json, Type

Render = Callable[[Json, str | None], Json]
"""Turns a parameter (and its name, None for items) into its JSON Schema, references aside."""


def pointer(name: str) -> Json:
    """Refer to a type of the same file."""
    return {"$ref": f"#/$defs/{name}"}


def kinds(name: str, types: dict[str, Type]) -> list[str]:
    """Return the JSON types of a type's objects: also text, where a parameter takes one instead."""
    parameters = (value for item in types.values() for value in item.properties.values())
    is_text = any("string" in value["type"] for value in parameters if value.get("$type") == name)
    return ["object", "null", *(["string"] if is_text else [])]


def render_reference(parameter: Json, rendered: Json, types: dict[str, Type]) -> Json:
    """Add what a nested type, or a choice of types, means for validation.

    A choice becomes one if/then for each type: a validator then speaks of the chosen type only.
    """
    if "$type" in parameter:
        rendered["allOf"] = [pointer(parameter["$type"])]
    if "$types" in parameter:
        name = parameter["discriminator"]["propertyName"]
        rendered["properties"] = {name: discriminator(parameter, types)}
        rendered["required"] = [name]
        rendered["allOf"] = [
            {
                "if": {"properties": {name: {"enum": [value]}}, "required": [name]},
                "then": pointer(choice),
            }
            for value, choice in variants(parameter, types).items()
        ]
    return rendered


def variants(parameter: Json, types: dict[str, Type]) -> dict[str, str]:
    """Map each value of the discriminator to the type that it chooses."""
    name = parameter["discriminator"]["propertyName"]
    return {types[choice].properties[name]["enum"][0]: choice for choice in parameter["$types"]}


def discriminator(parameter: Json, types: dict[str, Type]) -> Json:
    """Join the single-valued enums of the choices into one property."""
    name = parameter["discriminator"]["propertyName"]
    properties = [types[choice].properties[name] for choice in parameter["$types"]]
    return {"type": "string", "enum": [prop["enum"][0] for prop in properties]}


def render_nested(parameter: Json, render: Render) -> Json:
    """Render the schemas of list items and open mappings."""
    return {
        key: render(parameter[key], None) if isinstance(parameter[key], dict) else parameter[key]
        for key in ("items", "additionalProperties")
        if key in parameter
    }
