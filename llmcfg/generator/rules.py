"""The rules as the command line needs them: an index by key, the conditions, the texts, what they mention."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llmcfg.generator.source import Json, Type

_LIMITS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def rule_index(rules: list[Json]) -> Json:
    """Index a type's rules by one key that must be written for the rule to apply ("" for none).

    An entry is the rule's number, the other keys that it needs, and its comparison if it is one.
    """
    index: Json = {}
    for number, rule in enumerate(rules):
        first, *others = [*dict.fromkeys(_needs(rule))] or [""]
        index.setdefault(first, []).append([number, others, rule.get("compare")])
    return index


def conditions(types: dict[str, Type]) -> Json:
    """Return the conditions of all types as schemas, by type and number."""
    return {
        name: {str(i): _condition(rule) for i, rule in enumerate(item.rules) if "then" in rule}
        for name, item in types.items()
        if any("then" in rule for rule in item.rules)
    }


def rule_texts(types: dict[str, Type]) -> Json:
    """Return what to say about a broken rule, by type and position; loaded only when one breaks."""
    return {name: [_text(rule) for rule in item.rules] for name, item in types.items() if item.rules}


def _text(rule: Json) -> Json:
    kept = ("id", "at", "also", "severity", "message", "hint", "x-since", "x-until")
    text = {key.removeprefix("x-"): rule[key] for key in kept if key in rule}
    named = list(dict.fromkeys((rule["at"], *rule.get("also", ()), *mentions(rule))))
    if others := [key for key in named[1:] if not any(other.startswith(f"{key}.") for other in named)]:
        text["also"] = others
    if "compare" in rule and "if" in rule:
        text["if"] = rule["if"]
    return text


def _needs(rule: Json) -> Iterator[str]:
    yield from _required(rule.get("if", {}))
    for side in ("left", "right"):
        operand: Any = rule.get("compare", {}).get(side)
        if isinstance(operand, str):
            yield operand.split(".")[0]


def _required(condition: Any) -> Iterator[str]:
    if isinstance(condition, dict):
        yield from condition.get("required", ())
        for part in condition.get("allOf", ()):
            yield from _required(part)


def _condition(rule: Json) -> Json:
    """Render a rule as a schema over an object that holds all keys of the rule's index entry.

    That these keys are there needs no check any more, so `required` is left out where the index has it.
    """
    condition = _without_required(rule.get("if", {}))
    return {"if": condition, "then": rule["then"]} if condition else rule["then"]


def _without_required(condition: Any) -> Any:
    if not isinstance(condition, dict):
        return condition
    rest = {key: value for key, value in condition.items() if key not in ("required", "allOf")}
    if parts := [part for item in condition.get("allOf", ()) if (part := _without_required(item)) != {}]:
        rest["allOf"] = parts
    return rest


def mentions(rule: Json) -> Json:
    """Return the keys that a rule speaks of, as dotted paths, each with the values that it names there."""
    named: Json = {key: [] for key in (rule["at"], *rule.get("also", ()))}
    for condition in (rule.get("if"), rule.get("then")):
        _collect(condition, "", named)
    _compared(rule.get("compare", {}), named)
    return {key: _once(values) for key, values in named.items()}


def _once(values: list[Any]) -> list[Any]:
    """Drop repetitions; true and 1 are two values in JSON."""
    return list({json.dumps(value): value for value in values}.values())


def _compared(compare: Json, named: Json) -> None:
    sides = compare.get("left"), compare.get("right")
    limits = [side for side in sides if isinstance(side, (int, float))]
    for side in sides:
        if isinstance(side, str):
            named.setdefault(side, []).extend(limits)


def _collect(condition: Any, path: str, named: Json) -> None:
    if not isinstance(condition, dict):
        return
    if path:
        named.setdefault(path, []).extend(_values(condition))
    for key in condition.get("required", ()):
        named.setdefault(_below(path, key), [])
    for key, inner in condition.get("properties", {}).items():
        _collect(inner, _below(path, key), named)
    for inner in _parts(condition):
        _collect(inner, path, named)


def _values(condition: Json) -> list[Any]:
    """Return the values and limits of one condition, those of its parts aside."""
    limits = [condition[key] for key in (*_LIMITS, "const") if key in condition]
    return [*condition.get("enum", ()), *limits]


def _parts(condition: Json) -> Iterator[Any]:
    for key in ("not", "contains", "items"):
        yield condition.get(key)
    for key in ("allOf", "anyOf", "oneOf"):
        yield from condition.get(key, ())


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
