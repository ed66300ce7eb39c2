"""Cross-parameter rules: conditions that the validator has evaluated, and comparisons of two values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from llmcfg.catalog import Facts, backend_catalog, rule_texts
from llmcfg.checker import Violation, satisfies
from llmcfg.diagnostics import Diagnostic, Path
from llmcfg.versions import in_range

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "multiple_of": lambda left, right: right == 0 or left % right == 0,
}


def broken_conditions(backend: str, found: Iterable[Violation], version: str) -> Iterator[Diagnostic]:
    """Yield one diagnostic for each rule that the validator found broken."""
    seen = set()
    for violation in found:
        name, number = str(violation.where[1]), violation.where[3]
        owner = _owner(violation)
        if (name, number, owner) in seen:
            continue
        seen.add((name, number, owner))
        position = backend_catalog(backend)["types"][name]["conditions"][int(number)]
        yield from _diagnostic(backend, name, position, (backend, *owner), version)


def broken_comparisons(
    backend: str, name: str, comparisons: list[Any], data: dict[str, Any], path: Path, version: str
) -> Iterator[Diagnostic]:
    """Yield one diagnostic for each comparison of a type that ``data``, an object of it, breaks."""
    for number, comparison in comparisons:
        left = _operand(comparison["left"], data)
        right = _operand(comparison["right"], data)
        if left is None or right is None:
            continue
        if not _COMPARISONS[comparison["is"]](left, right) and _applies(backend, name, number, data):
            yield from _diagnostic(backend, name, number, path, version)


def _applies(backend: str, name: str, number: int, data: dict[str, Any]) -> bool:
    condition = rule_texts(backend)[name][number].get("if")
    return condition is None or satisfies(condition, data)


def _owner(violation: Violation) -> Path:
    """Return the path of the object that the rule is about.

    The broken keyword may sit deeper in the rule's ``then``: each ``properties`` or ``items`` step
    of the schema path leads one step down from the object.
    """
    inside = violation.where[5:]
    steps = 0
    index = 0
    while index < len(inside):
        if inside[index] == "properties":
            steps += 1
            index += 2
        else:
            steps += inside[index] in ("items", "contains")
            index += 1
    return violation.path[: len(violation.path) - steps] if steps else violation.path


def _operand(operand: str | float, data: Any) -> Any:
    if not isinstance(operand, str):
        return operand
    for key in operand.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data if isinstance(data, (int, float)) and not isinstance(data, bool) else None


def _diagnostic(backend: str, name: str, number: int, path: Path, version: str) -> Iterator[Diagnostic]:
    rule: Facts = rule_texts(backend)[name][number]
    if not in_range(version, rule.get("since"), rule.get("until")):
        return
    at = path + tuple(rule["at"].split("."))
    also = [path + tuple(key.split(".")) for key in rule.get("also", ())]
    yield Diagnostic(
        "L201",
        rule["message"].rstrip("."),
        at,
        severity=rule["severity"],
        hint=rule["hint"],
        rule=rule["id"],
        related=tuple((".".join(str(p) for p in other), None) for other in also),
    )
