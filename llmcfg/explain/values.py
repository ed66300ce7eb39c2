"""One value of a parameter: its text, its conditions, and whether the parameter takes it at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from llmcfg.checking.validate import validate
from llmcfg.diagnostics import Diagnostic, has_errors
from llmcfg.explain.needs import Alternative, Verdict, verdict, ways
from llmcfg.explain.places import Place, lines
from llmcfg.explain.releases import Releases, releases
from llmcfg.explain.words import description_of
from llmcfg.gpus import Gpu
from llmcfg.reading.reader import parse

_ANY_KEY = "any"

_OFF = ("null", "false", "0")
"""Values that turn a parameter off: it then needs nothing."""


@dataclass(frozen=True)
class Value:
    """``verdict`` judges the value's own requirement on the GPU that was named."""

    value: Any
    text: str | None
    is_default: bool
    needs: tuple[Alternative, ...]
    verdict: Verdict | None
    versions: Releases
    sources: tuple[str, ...]
    chooses: str | None = None

    @property
    def turns_off(self) -> bool:
        """Tell whether the parameter's own requirement does not count with this value."""
        return written(self.value) in _OFF


class Unreadable(ValueError):
    """What was written is no YAML that a config may hold."""


def parsed(text: str) -> Any:
    """Read what was written behind the equals sign, as YAML.

    Raises:
        Unreadable: if it is not YAML that a config may hold.
    """
    document = parse(f"value: {text}\n".encode(errors="surrogateescape"), "<value>")
    if isinstance(document.data, dict) and not has_errors(list(document.problems)):
        return document.data["value"]
    problem = document.problems[0]
    raise Unreadable(f"{problem.message}. {problem.hint}" if problem.hint else problem.message)


def problems(place: Place, value: Any) -> list[Diagnostic]:
    """Say what is wrong with the value, by the validator that judges whole configs."""
    data = _around(place, value)
    name, prefix = (place.backend, place.path[:1]) if place.backend else ("root", ())
    found = validate(name, data[name] if prefix else {"model": "m", **data}, prefix)
    path = _written_path(place)
    return [item for item in found if item.path[: len(path)] == path]


def values(place: Place, gpu: Gpu | None, version: str | None) -> tuple[Value, ...]:
    """Return the values that the schema lists, in its order."""
    return tuple(about(place, value, gpu, version) for value in place.schema.get("enum", ()))


def about(place: Place, value: Any, gpu: Gpu | None, version: str | None) -> Value:
    """Gather what the schema says of one value."""
    facts = place.schema.get("x-values", {}).get(written(value), {})
    needed = ways(facts)
    return Value(
        value,
        _text(place.schema, value, facts),
        _is_default(place.schema, value),
        needed,
        verdict(needed, gpu) if gpu else None,
        releases(place.backend, facts, f"{place.name}: {written(value)}", version),
        tuple(lines(facts.get("x-source", []))),
        _class(facts.get("x-native")),
    )


def written(value: Any) -> str:
    """Write a value as the schema names it."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_default(schema: dict[str, Any], value: Any) -> bool:
    return "default" in schema and written(schema["default"]) == written(value)


def _text(schema: dict[str, Any], value: Any, facts: dict[str, Any]) -> str | None:
    for known, text in zip(schema.get("enum", ()), schema.get("enumDescriptions", ()), strict=True):
        if written(known) == written(value):
            return description_of(text, facts)
    return None


def _class(native: Any) -> str | None:
    return native.get("class") if isinstance(native, dict) else native


def _around(place: Place, value: Any) -> dict[str, Any]:
    """Return the smallest config with the value: its keys, and those that choose the types around it."""
    data: dict[str, Any] = {place.name: value}
    for depth in range(len(place.path) - 1, 0, -1):
        around = {inside.choice for inside in place.inside if inside.depth == depth and inside.choice}
        if len(around) == 1:
            data = {**dict(around), **data}
        data = {place.path[depth - 1]: {_ANY_KEY: data} if _has_keys(place, depth - 1) else data}
    return data


def _written_path(place: Place) -> tuple[str, ...]:
    """Return the path of the parameter in that config."""
    path: tuple[str, ...] = ()
    for depth, name in enumerate(place.path):
        is_last = depth == len(place.path) - 1
        path = (*path, name, _ANY_KEY) if not is_last and _has_keys(place, depth) else (*path, name)
    return path


def _has_keys(place: Place, depth: int) -> bool:
    """Tell whether what is around the parameter there maps the user's own keys to its type."""
    entries = place.schemas[depth].get("additionalProperties")
    return isinstance(entries, dict) and "allOf" in entries
