"""Every parameter of the schema, with values to try and the smallest document that holds one.

Derived from the generated editor schema alone, so a parameter that is added there is tested here.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from llmcfg.catalog import backends, bundle
from llmcfg.diagnostics import has_errors
from llmcfg.document import Document
from llmcfg.pipeline import Request, Result, run
from llmcfg.versions import in_range

MODEL = "some/model"
Step = str | int
ANY_KEY = "some_key"
"""Stands for a key that the user chooses, in an open mapping."""


class Parameter(NamedTuple):
    """A parameter, the keys that lead to it, and what its parents require beside it."""

    backend: str
    path: tuple[Step, ...]
    schema: dict[str, Any]
    owner: str
    beside: tuple[tuple[tuple[Step, ...], Any], ...]
    partners: tuple[tuple[tuple[Step, ...], Any], ...]

    @property
    def name(self) -> str:
        return ".".join(map(str, (self.backend, *self.path)))

    def document(self, value: Any, partners: bool = False) -> dict[str, Any]:
        """Return the smallest config that sets the parameter."""
        data: dict[str, Any] = {"model": MODEL, self.backend: {}}
        for path, other in self.beside:
            put(data, (self.backend, *path), other)
        for path, other in self.partners if partners else ():
            put(data, (self.backend, *path), other)
        put(data, (self.backend, *self.path), value)
        return data


def put(data: Any, path: tuple[Step, ...], value: Any) -> None:
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


def get(data: Any, path: tuple[Step, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


@cache
def parameters(backend: str) -> tuple[Parameter, ...]:
    """Return all parameters of a backend, each once for every type that has it."""
    section = bundle()["properties"][backend]
    return tuple(_walk(backend, _target(section["allOf"][0]), (), (), (), set()))


def every_parameter() -> list[Parameter]:
    return [parameter for backend in backends() for parameter in parameters(backend)]


def _walk(
    backend: str, owner: str, path: tuple[Step, ...], beside: Any, partners: Any, seen: set[str]
) -> Iterator[Parameter]:
    if owner in seen:
        return
    seen.add(owner)
    properties = bundle()["$defs"][owner]["properties"]
    required = [((*path, key), value) for key, value in _required(owner).items()]
    for name, schema in properties.items():
        if name == "extra":
            continue
        here = (*path, name)
        others = tuple((where, value) for where, value in (*beside, *required) if where != here)
        own = (*partners, *partners_of(schema, path))
        yield Parameter(backend, here, schema, owner, others, own)
        for inner, steps, tag in _nested(schema):
            below = (*here, *steps)
            tags = [((*below, key), value) for key, value in tag.items()]
            of_tag = [
                partner
                for key in tag
                for partner in partners_of(bundle()["$defs"][inner]["properties"][key], below)
            ]
            yield from _walk(backend, inner, below, (*beside, *required, *tags), (*own, *of_tag), seen)


def partners_of(schema: dict[str, Any], path: tuple[Step, ...]) -> list[tuple[tuple[Step, ...], Any]]:
    """Read ``x-audit.with``: paths from the object that holds the parameter, or from the section (/)."""
    return [
        (tuple(key[1:].split(".")) if key.startswith("/") else (*path, *key.split(".")), value)
        for key, value in schema.get("x-audit", {}).get("with", {}).items()
    ]


def _required(owner: str) -> dict[str, Any]:
    schema = bundle()["$defs"][owner]
    return {name: first_sample(schema["properties"][name]) for name in schema.get("required", ())}


def _nested(schema: dict[str, Any]) -> Iterator[tuple[str, tuple[Step, ...], dict[str, Any]]]:
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


def is_object(schema: dict[str, Any]) -> bool:
    """Tell whether the parameter is an object of a nested type."""
    return "allOf" in schema


def kinds(schema: dict[str, Any]) -> list[str]:
    declared = schema["type"]
    return [declared] if isinstance(declared, str) else list(declared)


def first_sample(schema: dict[str, Any]) -> Any:
    return samples(schema)[0]


def samples(schema: dict[str, Any]) -> list[Any]:
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


def _smallest(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the smallest object of a nested type: what it requires, and no more."""
    inner, _, tag = next(_nested(schema))
    return {**_required(inner), **tag}


def _numbers(schema: dict[str, Any]) -> list[Any]:
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


def check(document: dict[str, Any], **wanted: Any) -> Result:
    """Run the pipeline on a document in memory."""
    return run(Document(document), Request(**wanted))


def release_with(parameter: Parameter, value: Any) -> str:
    """Return the newest audited release that has the parameter, and the value of it."""
    facts = [parameter.schema, bundle()["$defs"][parameter.owner]]
    facts.append(parameter.schema.get("x-values", {}).get(str(value), {}))
    for version in reversed(backends()[parameter.backend]["versions"]):
        if all(in_range(version, about.get("x-since"), about.get("x-until")) for about in facts):
            return version
    raise AssertionError(f"no audited release has {parameter.name}")


def accepted(parameter: Parameter) -> Iterator[tuple[Any, dict[str, Any], Result]]:
    """Yield the values that llmcfg accepts, alone or with the partners that the schema names."""
    for value in samples(parameter.schema):
        for partners in (False, True):
            document = parameter.document(value, partners)
            result = check(document, backend=parameter.backend, version=release_with(parameter, value))
            if not has_errors(result.diagnostics):
                yield value, document, result
                break
