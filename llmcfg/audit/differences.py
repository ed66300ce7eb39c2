"""Where a parameter of the schema and the native field it sets say different things."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from llmcfg.audit.facts import Field, Inventory, Json
from llmcfg.audit.natives import Native
from llmcfg.checking.versions import in_range
from llmcfg.editions import default_of

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_WHOLE = {"exclusiveMinimum": ("minimum", 1), "exclusiveMaximum": ("maximum", -1)}
_TRUTH = {"true", "false"}
_AS_VARIABLE = {"boolean": "integer", "array": "string", "number": "integer", "object": "string"}


class Difference(NamedTuple):
    """What the schema says, and what the engine declares, about one question."""

    question: str
    schema: Any
    engine: Any


class _Pair(NamedTuple):
    """A parameter and its native field, in one release."""

    schema: Json
    field: Field
    version: str
    enums: dict[str, Json]
    is_variable: bool

    def has(self, value: Any) -> bool:
        """Tell whether the release has a value of the parameter's enum."""
        name = value if isinstance(value, str) else json.dumps(value)
        about = self.schema.get("x-values", {}).get(name, {})
        return in_range(self.version, about.get("x-since"), about.get("x-until"))


def differences(native: Native, field: Field, inventory: Inventory) -> Iterator[Difference]:
    """Yield what differs for this release; the deliberate differences (``x-differs``) are among them."""
    pair = _Pair(native.schema, field, inventory.version, inventory.enums, native.object == "env")
    for question, compare in _QUESTIONS.items():
        found = compare(pair)
        if found is not None:
            yield Difference(question, *found)


def _default(pair: _Pair) -> tuple[Any, Any] | None:
    schema, field = pair.schema, pair.field
    if field.required and "default" in schema:
        return schema["default"], "required"
    if not field.has_default:
        return None
    if "default" not in schema:
        is_absent = field.default in (None, {}) or field.objects or "allOf" in schema
        return None if is_absent else ("none", field.default)
    own = default_of(schema, pair.version)
    return None if _plain(own, pair) == _plain(field.default, pair) else (own, field.default)


def _plain(value: Any, pair: _Pair) -> str:
    """Write a default so that equal ones read alike: a set has no order, a variable no type."""
    if isinstance(value, list) and "set[" in str(pair.field.annotation).lower():
        value = sorted(map(str, value))
    if pair.is_variable:
        return _variable(value)
    for name in pair.field.enums:
        spelled = {member.lower(): content for member, content in pair.enums.get(name, {}).items()}
        if isinstance(value, str) and value.lower() in spelled:
            return json.dumps(spelled[value.lower()])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def _variable(value: Any) -> str:
    """Write a value as an environment variable holds it, a number or a switch as a number."""
    if isinstance(value, list):
        value = ",".join(map(str, value))
    if str(value).lower() in _TRUTH:
        value = str(value).lower() == "true"
    is_number = isinstance(value, (bool, int, float)) or str(value).isdecimal()
    return json.dumps(float(value) if is_number else value)


def _types(pair: _Pair) -> tuple[Any, Any] | None:
    """Compare JSON types. What only Python code can hold is left out, and so is an unset variable."""
    declared = pair.schema.get("type", [])
    own = {declared} if isinstance(declared, str) else set(declared)
    native = set(pair.field.types)
    if not native or "any" in native:
        return None
    if pair.field.has_default and pair.field.default is None and "null" not in native:
        own.discard("null")  # a default outside its own type: whether it may also be written varies
    for adapt in _ADAPTED:
        own, native = adapt(own, native, pair)
    return None if own == native else (sorted(own), sorted(native))


_Types = set[str]


def _numbers(own: _Types, native: _Types, _: _Pair) -> tuple[_Types, _Types]:
    return (own - {"integer"}, native - {"integer"}) if "number" in native else (own, native)


def _names(own: _Types, native: _Types, pair: _Pair) -> tuple[_Types, _Types]:
    """Take the members of enumerations by their names or their values."""
    scalars = {"string", "integer"}
    return (own - scalars, native - scalars) if pair.field.enums and own & scalars else (own, native)


def _variables(own: _Types, native: _Types, pair: _Pair) -> tuple[_Types, _Types]:
    """Environment variables are texts: 1 is true, a list is joined, an object is JSON, and null is not set.

    A number beside a text is that text without quotation marks; what is read undeclared is any text.
    """
    if not pair.is_variable:
        return own, native
    own, native = ({_AS_VARIABLE.get(kind, kind) for kind in side} - {"null"} for side in (own, native))
    is_loose = native == {"string"} and ("string" in own or pair.field.annotation is None)
    return (own - {"integer"} | native, native) if is_loose else (own, native)


_ADAPTED = (_numbers, _names, _variables)


def _choices(pair: _Pair) -> tuple[Any, Any] | None:
    """Compare the values of a closed list; an open one only has to hold what the engine names."""
    native = {json.dumps(value): _spellings(value, pair) for value in pair.field.choices}
    if not native or set(native) <= _TRUTH:
        return None
    listed = pair.schema.get("enum") or pair.schema.get("items", {}).get("enum", ())
    enum = [value for value in listed if value is not None and pair.has(value)]
    own = {json.dumps(_text(value) if pair.is_variable else value) for value in enum}
    if not own:
        return None if pair.field.is_open else ([], sorted(native))
    known = set().union(*native.values())
    lacking = sorted(value for value, spelled in native.items() if not spelled & own)
    surplus = [] if pair.field.is_open else sorted(own - known)
    return (surplus, lacking) if surplus or lacking else None


def _text(value: Any) -> str:
    """Write a choice as an environment variable holds it."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _spellings(value: Any, pair: _Pair) -> set[str]:
    """Return how a choice may be written: a member of an enumeration also by its name, in any case."""
    spelled = {json.dumps(value)} | ({json.dumps(_text(value))} if pair.is_variable else set())
    for name in pair.field.enums:
        for member, content in pair.enums.get(name, {}).items():
            if content == value:
                spelled |= {json.dumps(member), json.dumps(member.lower()), json.dumps(member.upper())}
    return spelled


def _bounds(pair: _Pair) -> tuple[Any, Any] | None:
    native = _whole({key: value for key, value in pair.field.bounds.items() if key in _BOUNDS}, pair)
    own = _whole({key: pair.schema[key] for key in _BOUNDS if key in pair.schema}, pair)
    return None if all(own.get(key) == value for key, value in native.items()) else (own, native)


def _whole(bounds: dict[str, float], pair: _Pair) -> dict[str, float]:
    """Write the bounds of integers one way: above 0 is at least 1."""
    if "number" in pair.field.types:
        return bounds
    steps = {key: _WHOLE.get(key, (key, 0)) for key in bounds}
    return {steps[key][0]: value + steps[key][1] for key, value in bounds.items()}


_QUESTIONS: dict[str, Callable[[_Pair], tuple[Any, Any] | None]] = {
    "default": _default,
    "type": _types,
    "choices": _choices,
    "bounds": _bounds,
}
