"""Read rules literally, as the schema writes them: the independent judge of what llmcfg finds broken."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema

from llmcfg.generator.source import Json, load

SOURCE = load(Path(__file__).resolve().parents[2] / "schema")


class Rule(NamedTuple):
    """A cross-parameter rule, and the type whose objects it judges."""

    backend: str
    type: str
    number: int

    @property
    def facts(self) -> Json:
        return SOURCE.types[self.backend][self.type].rules[self.number]

    @property
    def id(self) -> str:
        return str(self.facts["id"])

    def __str__(self) -> str:
        return self.id


@cache
def rules_of(backend: str) -> tuple[Rule, ...]:
    """Return every rule of a backend, in the order of the schema."""
    return tuple(_rules(backend))


def _rules(backend: str) -> Iterator[Rule]:
    for name, kind in SOURCE.types[backend].items():
        for number in range(len(kind.rules)):
            yield Rule(backend, name, number)


def is_broken(rule: Rule, data: Json) -> bool:
    """Read a rule literally: broken where ``if`` holds and ``then``, or the comparison, does not."""
    facts = rule.facts
    if not _judge(rule, "if").is_valid(data):
        return False
    if "then" in facts:
        return not _judge(rule, "then").is_valid(data)
    compare = facts["compare"]
    left, right = (operand(compare[side], data) for side in ("left", "right"))
    if left is None or right is None or isinstance(left, str) != isinstance(right, str):
        return False
    return not holds(left, compare["is"], right)


@cache
def _judge(rule: Rule, part: str) -> Any:
    return jsonschema.Draft202012Validator(rule.facts.get(part, True))


def operand(path: Any, data: Any) -> Any:
    """Return what a comparison compares: a number, or what stands at a dotted path; None if nothing."""
    if not isinstance(path, str):
        return path
    for key in path.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return None if isinstance(data, (bool, dict, list)) else data


def holds(left: Any, sign: str, right: Any) -> bool:
    """Compare two numbers or texts."""
    if sign == "multiple_of":
        return right == 0 or left % right == 0
    return bool(
        {"==": left == right, "!=": left != right}.get(sign)
        if sign in ("==", "!=")
        else {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]
    )
