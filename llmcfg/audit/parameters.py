"""Every parameter of the schema, the values that a user might write, and the smallest config that holds one.

Derived from the generated editor schema alone: a parameter that is added there is found here.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from llmcfg.catalog import bundle

MODEL = "some/model"
Json = dict[str, Any]
Step = str | int
Place = tuple[Step, ...]
Given = tuple[tuple[Place, Any], ...]
"""Settings, by the path that leads to each from the backend's section."""

ANY_KEY = "some_key"
"""Stands for a key that the user chooses, in an open mapping."""


class Parameter(NamedTuple):
    """A parameter, the keys that lead to it, and what its parents require beside it.

    ``tags`` are the choices among types on the way: how many keys lead to the object, and what is chosen.
    """

    backend: str
    path: Place
    schema: Json
    owner: str
    beside: Given
    partners: Given
    tags: tuple[tuple[int, str], ...] = ()

    @property
    def name(self) -> str:
        """The dotted path: ``vllm.engine.dtype``."""
        return ".".join(map(str, (self.backend, *self.path)))

    @property
    def key(self) -> str:
        """The name, with the choices among types on the way: ``pytorch.quantization:awq.bits``."""
        chosen = dict(self.tags)
        steps = (f"{step}:{chosen[i]}" if i in chosen else str(step) for i, step in enumerate(self.path, 1))
        return ".".join((self.backend, *steps))

    def document(self, value: Any, partners: bool = False) -> Json:
        """Return the smallest config that sets the parameter."""
        data: Json = {"model": MODEL, self.backend: {}}
        for path, other in (*self.beside, *(self.partners if partners else ())):
            put(data, (self.backend, *path), other)
        put(data, (self.backend, *self.path), value)
        return data


def put(data: Any, path: Place, value: Any) -> None:
    """Set a value deep in a document; an integer step is the first item of a list."""
    for step, following in itertools.pairwise(path):
        fresh: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not data:
                data.append(fresh)
            data = data[0]
        else:
            if not isinstance(data.get(step), (dict, list)):
                data[step] = fresh
            data = data[step]
    if isinstance(path[-1], int):
        data.append(value)
    else:
        data[path[-1]] = copy.deepcopy(value)


@cache
def parameters(backend: str) -> tuple[Parameter, ...]:
    """Return all parameters of a backend, each once for every type that has it."""
    first: dict[tuple[str, Step], Parameter] = {}
    for parameter in everywhere(backend):
        first.setdefault((parameter.owner, parameter.path[-1]), parameter)
    return tuple(first.values())


@cache
def everywhere(backend: str) -> tuple[Parameter, ...]:
    """Return all parameters of a backend, at every place where an object of their type may stand."""
    section = bundle()["properties"][backend]
    return tuple(_walk(_Holder(backend, _target(section["allOf"][0]))))


class _Holder(NamedTuple):
    """An object on the way, of type ``owner``, and the types that hold it."""

    backend: str
    owner: str
    path: Place = ()
    beside: Given = ()
    partners: Given = ()
    tags: tuple[tuple[int, str], ...] = ()
    above: frozenset[str] = frozenset()


def _walk(holder: _Holder) -> Iterator[Parameter]:
    required: Given = tuple(((*holder.path, key), value) for key, value in _required(holder.owner).items())
    beside = (*holder.beside, *required)
    for name, schema in bundle()["$defs"][holder.owner]["properties"].items():
        if name == "extra":
            continue
        here = (*holder.path, name)
        others = tuple((where, value) for where, value in beside if where != here)
        own = (*holder.partners, *partners_of(schema, holder.path))
        yield Parameter(holder.backend, here, schema, holder.owner, others, own, holder.tags)
        above = holder.above | {holder.owner}
        for inner, steps, tag in _nested(schema):
            if inner not in above:
                yield from _walk(_below(holder._replace(partners=own, above=above), inner, here, steps, tag))


def _below(holder: _Holder, inner: str, here: Place, steps: Place, tag: Json) -> _Holder:
    path = (*here, *steps)
    required: Given = tuple(((*holder.path, key), value) for key, value in _required(holder.owner).items())
    tags: Given = tuple(((*path, key), value) for key, value in tag.items())
    properties = bundle()["$defs"][inner]["properties"]
    of_tag = (partner for key in tag for partner in partners_of(properties[key], path))
    return holder._replace(
        owner=inner,
        path=path,
        beside=(*holder.beside, *required, *tags),
        partners=(*holder.partners, *of_tag),
        tags=(*holder.tags, *((len(path), str(value)) for value in tag.values())),
    )


def partners_of(schema: Json, path: Place) -> list[tuple[Place, Any]]:
    """Read ``x-audit.with``: paths from the object that holds the parameter, or from the section (/)."""
    return [
        (tuple(key[1:].split(".")) if key.startswith("/") else (*path, *key.split(".")), value)
        for key, value in schema.get("x-audit", {}).get("with", {}).items()
    ]


def _required(owner: str) -> Json:
    schema = bundle()["$defs"][owner]
    return {name: first_sample(schema["properties"][name]) for name in schema.get("required", ())}


def _nested(schema: Json) -> Iterator[tuple[str, Place, Json]]:
    for item in schema.get("allOf", ()):
        if "then" in item:
            (name, condition), *_ = item["if"]["properties"].items()
            yield _target(item["then"]), (), {name: condition["enum"][0]}
        else:
            yield _target(item), (), {}
    for key, step in (("items", 0), ("additionalProperties", ANY_KEY)):
        nested = schema.get(key)
        if isinstance(nested, dict) and "allOf" in nested:
            yield _target(nested["allOf"][0]), (step,), {}


def _target(reference: dict[str, str]) -> str:
    return reference["$ref"].removeprefix("#/$defs/")


def is_object(schema: Json) -> bool:
    """Tell whether the parameter is an object of a nested type."""
    return "allOf" in schema


def kinds(schema: Json) -> list[str]:
    """Return the JSON types that a parameter takes."""
    declared = schema["type"]
    return [declared] if isinstance(declared, str) else list(declared)


def first_sample(schema: Json) -> Any:
    """Return a value that a user might write."""
    return samples(schema)[0]


def samples(schema: Json) -> list[Any]:
    """Return values that a user might write: every enum value, the examples, the edges of the range."""
    audit = schema.get("x-audit", {}).get("values", [])
    if "enum" in schema:
        return list(schema["enum"])
    values = [*schema.get("examples", []), *audit]
    if is_object(schema):
        return values or [_smallest(schema)]
    if "boolean" in kinds(schema):
        values += [True, False]
    if not values and ({"integer", "number"} & set(kinds(schema))):
        values += _numbers(schema)
    if "null" in kinds(schema):
        values.append(None)
    return values


def _smallest(schema: Json) -> Json:
    """Return the smallest object of a nested type: what it requires, and no more."""
    inner, _, tag = next(_nested(schema))
    return {**_required(inner), **tag}


def _numbers(schema: Json) -> list[Any]:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if "number" in kinds(schema):
        if low is not None and high is not None:
            return [(low + high) / 2]
        return [low + 0.5 if low is not None else 0.5]
    step = schema.get("multipleOf", 1)
    start = int(low) + (1 if "exclusiveMinimum" in schema else 0) if low is not None else 0
    start = -(-start // step) * step
    return [start, start + step] if high is None or start + step <= high else [start]
