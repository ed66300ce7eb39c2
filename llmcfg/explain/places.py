"""Every parameter of the editor schema with the places where a user writes it, the shallowest first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from llmcfg.catalog import backends, bundle

Facts = dict[str, Any]


class Inside(NamedTuple):
    """A type that a place lies in: the object at ``depth`` keys from the root is of it.

    ``choice`` is the key, and its value, that chose the type among several.
    """

    type: str
    depth: int
    choice: tuple[str, str] | None = None

    @property
    def facts(self) -> Facts:
        """Return the type's entry of the schema."""
        entry: Facts = bundle()["$defs"][self.type]
        return entry

    @property
    def conditions(self) -> Facts:
        """Return the type's entry, with what the value that chose it adds."""
        if self.choice is None:
            return self.facts
        key, value = self.choice
        return {**self.facts["properties"][key].get("x-values", {}).get(value, {}), **self.facts}


class Place(NamedTuple):
    """A parameter where a user writes it: the path, the schema at each key of it, the types around it."""

    path: tuple[str, ...]
    schemas: tuple[Facts, ...]
    inside: tuple[Inside, ...]

    @property
    def schema(self) -> Facts:
        """Return the parameter's own schema."""
        return self.schemas[-1]

    @property
    def name(self) -> str:
        """Return the parameter's own key."""
        return self.path[-1]

    @property
    def backend(self) -> str | None:
        """Return the backend whose section holds the parameter; None at the top level."""
        return self.path[0] if self.path[0] in backends() else None

    @property
    def holders(self) -> list[Inside]:
        """Return the types that declare the parameter: several where it chooses among them."""
        depth = len(self.path) - 1
        return [item for item in self.inside if item.depth == depth]

    def chosen(self, value: Any) -> Place:
        """Return the place with the one type around it that the value chooses, where it chooses one."""
        depth = len(self.path) - 1
        kept = (
            item for item in self.inside if item.depth < depth or item.choice in (None, (self.name, value))
        )
        return self._replace(inside=tuple(kept)) if len(self.holders) > 1 else self

    @property
    def choices(self) -> dict[str, str]:
        """Return which keys must have which values for the parameter to be there."""
        depth = len(self.path) - 1
        chosen = {item.choice for item in self.inside if item.choice and item.depth <= depth}
        return dict(choice for choice in chosen if choice[0] != self.name)


@cache
def places() -> tuple[Place, ...]:
    """Return the places of all parameters, those at the top level and the sections included."""
    found = [
        place
        for key, schema in bundle()["properties"].items()
        if key != "$schema"
        for place in _below(Place((key,), (schema,), ()))
    ]
    return tuple(sorted(found, key=lambda place: len(place.path)))


def nested(schema: Facts) -> list[tuple[str, tuple[str, str] | None]]:
    """Return the types that a parameter's mapping may be of, each with the choice that makes it so."""
    own = [_reference(item) for item in schema.get("allOf", ())]
    inner = [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    return own + [item for part in inner for item in nested(part)]


def _reference(item: Facts) -> tuple[str, tuple[str, str] | None]:
    if "then" not in item:
        return _name(item), None
    ((key, condition),) = item["if"]["properties"].items()
    return _name(item["then"]), (key, condition["enum"][0])


def _name(reference: Facts) -> str:
    return str(reference["$ref"]).removeprefix("#/$defs/")


def _below(place: Place) -> Iterator[Place]:
    yield place
    around = {item.type for item in place.inside}
    targets = [Inside(name, len(place.path), choice) for name, choice in nested(place.schema)]
    if targets and targets[0].choice:
        yield _discriminator(place, targets)
    for target in targets:
        if target.type not in around:
            yield from _parameters(place, target)


def _parameters(place: Place, target: Inside) -> Iterator[Place]:
    for key, schema in target.facts["properties"].items():
        if key != "extra" and (target.choice is None or key != target.choice[0]):
            yield from _below(Place((*place.path, key), (*place.schemas, schema), (*place.inside, target)))


def _discriminator(place: Place, targets: list[Inside]) -> Place:
    """Join what the types say of the key that chooses among them."""
    key = targets[0].choice[0] if targets[0].choice else ""
    declared = [target.facts["properties"][key] for target in targets]
    joined = {
        **{name: declared[0][name] for name in ("x-impact", "x-native", "x-theme") if name in declared[0]},
        **place.schema["properties"][key],
        "x-values": {target.choice[1]: _chosen(target, key) for target in targets if target.choice},
        "x-source": _sources(declared),
    }
    return Place((*place.path, key), (*place.schemas, joined), (*place.inside, *targets))


def _chosen(target: Inside, key: str) -> Facts:
    """Return the conditions of one choice: its own, else those of its type."""
    kept = ("x-requires", "x-since", "x-until", "x-replaced-by", "x-source", "x-native")
    own: Facts = target.facts["properties"][key].get("x-values", {})
    about: Facts = next(iter(own.values()), {})
    return {**{name: target.facts[name] for name in kept if name in target.facts}, **about}


def _sources(declared: list[Facts]) -> list[str]:
    listed = [line for schema in declared for line in lines(schema.get("x-source", []))]
    return list(dict.fromkeys(listed))


def lines(value: Any) -> list[Any]:
    """Return a list, also of what stands alone."""
    return value if isinstance(value, list) else [value]
