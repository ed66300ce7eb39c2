"""The values to try of a parameter, read off its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from llmcfg.audit.parameters import Json, is_object, kinds, samples

VALUE, DEFAULT, FORBIDDEN = "value", "default", "forbidden"
NO_SUCH_VALUE = "llmcfg_no_such_value"
_NUMBERS = {"integer", "number"}


class Value(NamedTuple):
    """A value, and why it is tried.

    ``value``: it may be written; ``default``: the engine's own, as a control; ``forbidden``: the schema
    does not take it, and the engine should not either.
    """

    value: Any
    role: str


def values(schema: Json) -> Iterator[Value]:
    """Yield the values to try, each once: the default first, those that are forbidden last."""
    seen = set()
    for item in _values(schema):
        number = type(item.value) is float and item.value.is_integer()
        mark = json.dumps(int(item.value) if number else item.value)
        if mark not in seen:
            seen.add(mark)
            yield item


def _values(schema: Json) -> Iterator[Value]:
    if "default" in schema:
        yield Value(schema["default"], DEFAULT)
    for value in _allowed(schema):
        yield Value(value, VALUE)
    for value in _beyond(schema):
        yield Value(value, FORBIDDEN)


def _allowed(schema: Json) -> Iterator[Any]:
    yield from samples(schema)
    yield from schema.get("x-audit", {}).get("values", ())
    if "enum" in schema:
        return
    if _is_number(schema):
        yield from _edges(schema)
        yield from _typical(schema)
    items = schema.get("items")
    if isinstance(items, dict) and schema.get("minItems", 0) <= 1:
        yield from ([item] for item in items.get("enum", ()))
    if "null" in kinds(schema):
        yield None


def _is_number(schema: Json) -> bool:
    return not is_object(schema) and bool(_NUMBERS & set(kinds(schema)))


def _edges(schema: Json) -> Iterator[Any]:
    """Yield the least and the greatest number, where the range has such."""
    if "minimum" in schema:
        yield schema["minimum"]
    elif "exclusiveMinimum" in schema and "integer" in kinds(schema):
        yield schema["exclusiveMinimum"] + 1
    if "maximum" in schema:
        yield schema["maximum"]
    elif "exclusiveMaximum" in schema and "integer" in kinds(schema):
        yield schema["exclusiveMaximum"] - 1


def _typical(schema: Json) -> Iterator[Any]:
    """Yield the double of the default, or its half: something that it isn't."""
    default = schema.get("default")
    if type(default) not in (int, float) or not default:
        return
    for value in (default * 2, default // 2 if isinstance(default, int) else default / 2):
        if _lies_within(value, schema) and value not in (schema.get("minimum"), schema.get("maximum")):
            yield value
            return


def _lies_within(value: Any, schema: Json) -> bool:
    return (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
        and not value <= schema.get("exclusiveMinimum", value - 1)
        and not value >= schema.get("exclusiveMaximum", value + 1)
        and value % schema.get("multipleOf", 1) in (0, value % 1)
    )


def _beyond(schema: Json) -> Iterator[Any]:
    if "enum" in schema:
        if "string" in kinds(schema):
            yield NO_SUCH_VALUE
    elif _is_number(schema):
        yield from (schema[key] - 1 for key in ("minimum",) if key in schema)
        yield from (schema[key] + 1 for key in ("maximum",) if key in schema)
        yield from (schema[key] for key in ("exclusiveMinimum", "exclusiveMaximum") if key in schema)
