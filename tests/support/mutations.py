"""One mistake in a document: what was done, and the path that a diagnostic must name."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from llmcfg.catalog import bundle
from tests.support.documents import Path, Schema, target
from tests.support.parameters import get, kinds

UNKNOWN = "no_such_key"
WRONG = (True, 3, 2.5, "no such value", ["no such value"], {"no such key": 1}, None)
LIMITS = {
    "minimum": lambda limit: limit - 1,
    "maximum": lambda limit: limit + 1,
    "exclusiveMinimum": lambda limit: limit,
    "exclusiveMaximum": lambda limit: limit,
}


class Mutation(NamedTuple):
    """A document with one mistake."""

    kind: str
    path: Path
    data: dict[str, Any]


class Spot(NamedTuple):
    """A value of a document and its schema, with the type it follows where it is an object of one."""

    path: Path
    schema: Schema
    value: Any
    type: str | None


def mutations(data: dict[str, Any], random: Random, count: int) -> Iterator[Mutation]:
    """Yield ``count`` documents that are one mistake away from a valid one."""
    possible = [(kind, spot) for spot in spots(data) for kind, fits in KINDS.items() if fits(spot)]
    kinds_here = sorted({kind for kind, _ in possible})
    for _ in range(count):
        kind = random.choice(kinds_here)
        spot = random.choice([spot for other, spot in possible if other == kind])
        mutated = copy.deepcopy(data)
        yield Mutation(kind, APPLY[kind](mutated, spot, random), mutated)


def spots(data: dict[str, Any]) -> Iterator[Spot]:
    """Yield every value of a document that the schema speaks of."""
    yield Spot((), bundle(), data, "")
    for name, value in data.items():
        yield from _below((name,), bundle()["properties"][name], value)


def _below(path: Path, schema: Schema, value: Any) -> Iterator[Spot]:
    name = _type(schema, value)
    yield Spot(path, schema, value, name)
    if isinstance(value, dict):
        known = bundle()["$defs"][name]["properties"] if name else {}
        others = schema.get("additionalProperties")
        for key, item in value.items():
            inner = known.get(key, others)
            if isinstance(inner, dict) and not (name and key == "extra"):
                yield from _below((*path, key), inner, item)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for position, item in enumerate(value):
            yield from _below((*path, position), schema["items"], item)


def _type(schema: Schema, value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    for choice in schema.get("allOf", ()):
        if "then" not in choice:
            return target(choice)
        ((name, condition),) = choice["if"]["properties"].items()
        if value.get(name) in condition["enum"]:
            return target(choice["then"])
    return None


def _definition(spot: Spot) -> Schema:
    found: Schema = bundle()["$defs"][spot.type] if spot.type else bundle()
    return found


def has_kind(value: Any, allowed: list[str]) -> bool:
    """Tell whether a JSON value is of one of the types."""
    if isinstance(value, bool):
        return "boolean" in allowed
    if isinstance(value, (int, float)):
        return "number" in allowed or ("integer" in allowed and float(value).is_integer())
    names = {str: "string", list: "array", dict: "object", type(None): "null"}
    return names[type(value)] in allowed


def _limits(spot: Spot) -> list[str]:
    number = isinstance(spot.value, (int, float)) and not isinstance(spot.value, bool)
    return [name for name in LIMITS if number and "enum" not in spot.schema and name in spot.schema]


KINDS = {
    "unknown key": lambda spot: spot.type is not None,
    "missing key": lambda spot: spot.type is not None and bool(_definition(spot).get("required")),
    "wrong type": lambda spot: bool(spot.path) and bool(_wrong(spot)),
    "bad enum": lambda spot: "enum" in spot.schema and "string" in kinds(spot.schema),
    "out of range": lambda spot: bool(_limits(spot)),
}


def _wrong(spot: Spot) -> list[Any]:
    return [value for value in WRONG if "type" in spot.schema and not has_kind(value, kinds(spot.schema))]


def _replace(data: Any, path: Path, value: Any) -> Path:
    get(data, path[:-1])[path[-1]] = value
    return path


def _unknown_key(data: Any, spot: Spot, random: Random) -> Path:
    get(data, spot.path)[UNKNOWN] = random.choice(WRONG)
    return (*spot.path, UNKNOWN)


def _missing_key(data: Any, spot: Spot, random: Random) -> Path:
    del get(data, spot.path)[random.choice(_definition(spot)["required"])]
    return spot.path


def _wrong_type(data: Any, spot: Spot, random: Random) -> Path:
    return _replace(data, spot.path, copy.deepcopy(random.choice(_wrong(spot))))


def _bad_enum(data: Any, spot: Spot, random: Random) -> Path:
    return _replace(data, spot.path, "no such value")


def _out_of_range(data: Any, spot: Spot, random: Random) -> Path:
    name = random.choice(_limits(spot))
    return _replace(data, spot.path, LIMITS[name](spot.schema[name]))


APPLY = {
    "unknown key": _unknown_key,
    "missing key": _missing_key,
    "wrong type": _wrong_type,
    "bad enum": _bad_enum,
    "out of range": _out_of_range,
}
