"""Cross-parameter rules: conditions over an object, and comparisons of two of its values.

The catalog says which keys a rule needs; only rules whose keys were all written are looked at.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from llmcfg.catalog import Facts, backend_catalog, rule_texts
from llmcfg.checker import broken_conditions, satisfies
from llmcfg.diagnostics import Diagnostic, Path, dotted
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


def broken_rules(
    backend: str, name: str, data: dict[str, Any], path: Path, version: str
) -> Iterator[Diagnostic]:
    """Yield one diagnostic for each rule of the type ``name`` that ``data``, an object of it, breaks."""
    broken: list[int] = []
    conditions: list[int] = []
    for number, needs, comparison in _candidates(backend_catalog(backend)["types"][name]["rules"], data):
        if not all(key in data for key in needs):
            continue
        if comparison is None:
            conditions.append(number)
        elif _differs(comparison, data) and _applies(backend, name, number, data):
            broken.append(number)
    if conditions:
        broken += broken_conditions(backend, name, tuple(conditions), data)
    for number in broken:
        rule = rule_texts(backend)[name][number]
        if in_range(version, rule.get("since"), rule.get("until")):
            yield _diagnostic(rule, path)


def _candidates(rules: Facts, data: dict[str, Any]) -> Iterator[Any]:
    """Yield the rules that are indexed under a key of ``data``, or under none."""
    for key in ("", *data):
        if key in rules:
            yield from rules[key]


def _differs(comparison: Facts, data: dict[str, Any]) -> bool:
    left = _operand(comparison["left"], data)
    right = _operand(comparison["right"], data)
    if left is None or right is None:
        return False
    return not _COMPARISONS[comparison["is"]](left, right)


def _applies(backend: str, name: str, number: int, data: dict[str, Any]) -> bool:
    condition = rule_texts(backend)[name][number].get("if")
    return condition is None or satisfies(condition, data)


def _operand(operand: str | float, data: Any) -> Any:
    if not isinstance(operand, str):
        return operand
    for key in operand.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data if isinstance(data, (int, float)) and not isinstance(data, bool) else None


def _diagnostic(rule: Facts, path: Path) -> Diagnostic:
    others = (path + tuple(key.split(".")) for key in rule.get("also", ()))
    return Diagnostic(
        "L201",
        rule["message"].rstrip("."),
        path + tuple(rule["at"].split(".")),
        severity=rule["severity"],
        hint=rule["hint"],
        rule=rule["id"],
        related=tuple((dotted(other), None) for other in others),
    )
