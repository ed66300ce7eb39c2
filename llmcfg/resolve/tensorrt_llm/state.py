"""What the rules look at and change: everything that is known of a config, under dotted paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmcfg.resolve.tensorrt_llm.table import Json, inventory, table

ABSENT: Any = object()
ENGINE_BACKEND = "tensorrt"
_ARGUMENTS = {ENGINE_BACKEND: "TrtLlmArgs"}
_DEFAULT_ARGUMENTS = "TorchLlmArgs"
_ENGINE_ONLY = ("BuildConfig", "QuantConfig", "CalibConfig")


class State:
    """The native objects with their defaults, the facts, and which of the facts were looked at."""

    def __init__(self, native: dict[str, Json], env: dict[str, str], facts: dict[str, Json]) -> None:
        self.data: Json = {**_filled(native), "asked": native, "env": env, "engine": {}, **facts}
        self.looked_at: set[str] = set()

    def get(self, path: str) -> Any:
        """Return what is held at a dotted path; ABSENT where there is nothing."""
        self.looked_at.add(path)
        return lookup(self.data, path)

    def put(self, path: str, value: Any) -> None:
        """Set a value; what is above it and is no mapping becomes one."""
        *parents, last = path.split(".")
        holder = self.data
        for key in parents:
            if not isinstance(holder.get(key), dict):
                holder[key] = {}
            holder = holder[key]
        holder[last] = value


def lookup(data: Any, path: str) -> Any:
    """Return what is at a dotted path; ABSENT where there is nothing."""
    for key in path.split("."):
        if not isinstance(data, dict) or key not in data:
            return ABSENT
        data = data[key]
    return data


def leaves(value: Any, path: str) -> Iterator[str]:
    """Yield the dotted paths of what is inside of mappings; one that is empty, or by numbers, is a value."""
    if isinstance(value, dict) and value and all(isinstance(key, str) for key in value):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    else:
        yield path


def _filled(native: dict[str, Json]) -> dict[str, Json]:
    """Return the objects that the engine makes, with the defaults of their classes."""
    arguments = native.get("LlmArgs", {})
    backend = arguments.get("backend")
    found = {"LlmArgs": _object(_ARGUMENTS.get(str(backend), _DEFAULT_ARGUMENTS), arguments)}
    if backend == ENGINE_BACKEND:
        found |= {name: _object(name, native.get(name, {})) for name in _ENGINE_ONLY}
    if "SamplingParams" in native:
        found["SamplingParams"] = _object("SamplingParams", native["SamplingParams"])
    return found


def _object(name: str, given: Json) -> Json:
    fields = inventory().objects[name].fields
    filled = {key: facts.default for key, facts in fields.items() if facts.has_default}
    filled |= given
    for key, facts in fields.items():
        if isinstance(filled.get(key), dict) and facts.objects:
            filled[key] = _nested(key, facts.objects, filled[key])
    return filled


def _nested(key: str, classes: list[str], given: Json) -> Json:
    variant = table()["variants"].get(key)
    name = variant["classes"].get(given.get(variant["tag"])) if variant else classes[0]
    return _object(name, given) if name else dict(given)
