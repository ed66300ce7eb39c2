"""Random whole documents, drawn from the generated editor schema: valid by construction, or one mistake away.

A seeded generator, not a hypothesis strategy: thousands of documents with hundreds of values each in
seconds. The same seed gives the same documents as long as the schema stays the same.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from random import Random
from typing import Any

from llmcfg.catalog import backends, bundle
from tests.support.parameters import kinds, partners_of, put

Schema = dict[str, Any]
Path = tuple["str | int", ...]

MODEL = "some/model"
# How likely each parameter of an object is written: mostly a few, sometimes most of them.
DENSITIES = (0.004, 0.01, 0.02, 0.05, 0.3)
WORDS = (
    "some text", "12", "0", "auto", "a/b", "x.y.z", "cpu", "cuda", "null", "true", "low", "-1", "+rms_norm",
    "é ü 漢", "with 'quotes' and \"more\"", "[[0], [0, 1]]", '{"a": 1}', "c4", "  spaced", "a: b # c",
    "kernels/activation:Silu", "4 GB",
)  # fmt: skip
OPEN_VALUES = (True, False, 0, 7, 0.5, "text", None, [1, 2], {"nested": {"deep": [True]}})


def documents(seed: int, count: int, only: Sequence[str] = (), **options: Any) -> Iterator[dict[str, Any]]:
    """Yield ``count`` valid documents with sections for some backends (or for exactly the named ones)."""
    draw = Draw(Random(seed), **options)  # noqa: S311
    for _ in range(count):
        yield draw.document(only)


class NoWord(Exception):
    """A text must match a pattern that no word of WORDS matches; an example around it has to do."""


class Draw:
    """Draws values that the schema allows; ``extra`` and whole floats for integers where asked for."""

    def __init__(
        self, random: Random, *, extra: float = 0.1, null: float = 0.15, whole_floats: float = 0.0
    ) -> None:
        self.random = random
        self.extra = extra
        self.null = null
        self.whole_floats = whole_floats

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def document(self, only: Sequence[str] = ()) -> dict[str, Any]:
        chosen = list(only) or [name for name in backends() if self.chance(0.5)]
        data: dict[str, Any] = {"model": MODEL}
        if chosen and self.chance(0.3):
            data["backend"] = self.random.choice(chosen)
        elif not chosen:
            data["backend"] = self.random.choice(list(backends()))
        if self.chance(0.2):
            data["gpu"] = self.value(bundle()["properties"]["gpu"])
        for name in chosen:
            self._section(data, name)
        return data

    def _section(self, data: dict[str, Any], backend: str) -> None:
        if self.chance(0.03):
            data[backend] = None
            return
        data[backend] = section = {}
        partners: list[tuple[Path, Any]] = []
        for name, schema in properties(section_type(backend)).items():
            if self.chance(0.6):
                section[name] = self._parameter(schema, (name,), partners)
        for path, value in partners:
            if self.chance(0.7):
                _put_if_free(section, path, value)

    def _parameter(self, schema: Schema, path: Path, partners: list[tuple[Path, Any]]) -> Any:
        name, beside = self._type(schema)
        if name is None:
            return self.value(schema)
        if "null" in kinds(schema) and self.chance(self.null / 3):
            return None
        if len(path) > 1 and self.chance(0.3) and (given := _samples(schema)):
            return copy.deepcopy(self.random.choice(given))
        return beside | self.object(name, path, partners)

    def _type(self, schema: Schema) -> tuple[str | None, dict[str, Any]]:
        """Choose the nested type of a parameter, and the key that says which it is."""
        choices = schema.get("allOf")
        if not choices:
            return None, {}
        choice = self.random.choice(choices)
        if "then" not in choice:
            return target(choice), {}
        ((name, condition),) = choice["if"]["properties"].items()
        return target(choice["then"]), {name: condition["enum"][0]}

    def object(self, name: str, path: Path, partners: list[tuple[Path, Any]]) -> dict[str, Any]:
        definition = bundle()["$defs"][name]
        required = definition.get("required", ())
        names = [key for key in definition["properties"] if key != "extra"]
        if len(path) == 1:
            density = self.random.choice(DENSITIES)
            chosen = [key for key in names if self.chance(density)]
        else:
            chosen = self.random.sample(names, min(len(names), self.random.choice((1, 1, 2, 3, 6))))
        data = {}
        for key in sorted({*required, *chosen}, key=names.index):
            schema = definition["properties"][key]
            data[key] = self._parameter(schema, (*path, key), partners)
            partners += partners_of(schema, path)
        if "extra" in definition["properties"] and self.chance(self.extra):
            data["extra"] = self._extra(names)
        return data

    def _extra(self, names: list[str]) -> dict[str, Any] | None:
        if self.chance(0.1):
            return None
        keys = ["unmodelled", "another one", self.random.choice(names)]
        count = self.random.randint(0, 2)
        return {key: self.open_value() for key in self.random.sample(keys, count)}

    def open_value(self) -> Any:
        return copy.deepcopy(self.random.choice(OPEN_VALUES))

    def value(self, schema: Schema) -> Any:
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        allowed = kinds(schema)
        if "null" in allowed and self.chance(self.null):
            return None
        given = _samples(schema)
        if given and self.chance(0.7):
            return copy.deepcopy(self.random.choice(given))
        if not allowed:
            return self.open_value()
        try:
            return self._of_kind(self.random.choice([kind for kind in allowed if kind != "null"]), schema)
        except NoWord:
            if not given:
                raise
            return copy.deepcopy(self.random.choice(given))

    def _of_kind(self, kind: str, schema: Schema) -> Any:
        makers: dict[str, Callable[[Schema], Any]] = {
            "boolean": lambda _: self.chance(0.5),
            "integer": self._integer,
            "number": self._number,
            "string": lambda _: self.random.choice(texts(schema)),
            "array": self._array,
            "object": self._mapping,
        }
        return makers[kind](schema)

    def _integer(self, schema: Schema) -> float:
        low, high, step = *bounds(schema, 1), schema.get("multipleOf", 1)
        first, last = -(-low // step), high // step
        edges = (first, last, min(first + 1, last), self.random.randint(int(first), int(last)))
        number = int(self.random.choice(edges) * step)
        return float(number) if abs(number) < 2**53 and self.chance(self.whole_floats) else number

    def _number(self, schema: Schema) -> float:
        low, high = bounds(schema, 0.125)
        return self.random.choice((low, high, (low + high) / 2, low + (high - low) * self.random.random()))

    def _array(self, schema: Schema) -> list[Any]:
        least = schema.get("minItems", 0)
        wanted = self.random.randint(least, schema.get("maxItems", least + 3))
        items: list[Any] = []
        while len(items) < wanted:
            item = self._entry(schema.get("items"))
            if item in items and schema.get("uniqueItems"):
                wanted = max(least, wanted - 1)
            else:
                items.append(item)
        return items

    def _mapping(self, schema: Schema) -> dict[str, Any]:
        names = schema.get("propertyNames", {})
        keys = names.get("enum") or texts(names)
        least = schema.get("minProperties", 0)
        chosen = self.random.sample(keys, min(len(keys), self.random.randint(least, least + 2)))
        return {key: self._entry(schema.get("additionalProperties")) for key in chosen}

    def _entry(self, schema: Schema | bool | None) -> Any:
        if not isinstance(schema, dict):
            return self.open_value()
        name, beside = self._type(schema)
        return self.value(schema) if name is None else beside | self.object(name, ("", ""), [])


def section_type(backend: str) -> str:
    return target(bundle()["properties"][backend]["allOf"][0])


def properties(name: str) -> dict[str, Schema]:
    found: dict[str, Schema] = bundle()["$defs"][name]["properties"]
    return found


def target(reference: dict[str, str]) -> str:
    return reference["$ref"].removeprefix("#/$defs/")


def bounds(schema: Schema, step: float) -> tuple[Any, Any]:
    """Return the smallest and the largest number to draw; ``step`` leads away from an excluded one."""
    low = schema.get("minimum", schema["exclusiveMinimum"] + step if "exclusiveMinimum" in schema else None)
    high = schema.get("maximum", schema["exclusiveMaximum"] - step if "exclusiveMaximum" in schema else None)
    if low is None:
        low = -2 if high is None else high - 4096
    return low, low + 4096 if high is None else high


@cache
def _matching(pattern: str, least: int) -> list[str]:
    return [word for word in WORDS if len(word) >= least and re.search(pattern, word)]


def texts(schema: Schema) -> list[str]:
    found = _matching(schema.get("pattern", ""), schema.get("minLength", 0))
    if not found:
        raise NoWord(f"no word of WORDS matches {schema['pattern']!r}")
    return found


def _samples(schema: Schema) -> list[Any]:
    default = [schema["default"]] if "default" in schema else []
    return [*schema.get("examples", ()), *schema.get("x-audit", {}).get("values", ()), *default]


def _put_if_free(section: dict[str, Any], path: Path, value: Any) -> None:
    """Add a partner, unless something was drawn for it or for what would hold it."""
    holder: Any = section
    for step in path:
        if not isinstance(holder, dict) or holder.get(step, {}) is None:
            return
        if step not in holder:
            put(section, path, value)
            return
        holder = holder[step]
