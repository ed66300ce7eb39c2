"""The objects and parameters of the editor schema, each at the place where a user writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.editors.client import Json

Step = str | tuple[str, str]
"""A key, or the key and value that choose the type of the object."""


class Object(NamedTuple):
    """An object of a type: the steps that lead to it."""

    type: str
    steps: tuple[Step, ...]

    @property
    def path(self) -> tuple[str, ...]:
        """Return the keys that lead to the object."""
        return tuple(step for step in self.steps if isinstance(step, str))

    @property
    def chooser(self) -> str | None:
        """Return the key that chose the type, where one did."""
        last = self.steps[-1]
        return None if isinstance(last, str) else last[0]

    def config(self, inside: dict[str, Any]) -> Json:
        """Return a config with this object in it, holding what is given."""
        data: Any = dict(inside)
        for step in reversed(self.steps):
            data = {step: data} if isinstance(step, str) else {step[0]: step[1], **data}
        return {"model": "m", **data}


def objects(schema: Json) -> list[Object]:
    """Return one place for each type."""
    found: dict[str, Object] = {}
    waiting: list[tuple[tuple[Step, ...], Json]] = [
        ((name,), item) for name, item in schema["properties"].items()
    ]
    while waiting:
        steps, parameter = waiting.pop(0)
        for here in _objects(steps, parameter):
            if here.type not in found:
                found[here.type] = here
                inner = schema["$defs"][here.type]["properties"]
                waiting += [((*here.steps, name), item) for name, item in inner.items()]
    return list(found.values())


def _objects(steps: tuple[Step, ...], parameter: Json) -> Iterator[Object]:
    for reference in parameter.get("allOf", ()):
        if "then" in reference:
            ((key, condition),) = reference["if"]["properties"].items()
            yield Object(_name(reference["then"]), (*steps, (key, condition["enum"][0])))
        else:
            yield Object(_name(reference), steps)
    if isinstance(parameter.get("additionalProperties"), dict):
        yield from _objects((*steps, "any-key"), parameter["additionalProperties"])


def _name(reference: Json) -> str:
    return str(reference["$ref"]).removeprefix("#/$defs/")
