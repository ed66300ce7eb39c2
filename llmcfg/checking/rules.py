"""Cross-parameter rules: conditions over an object, and comparisons of two of its values.

The catalog says which keys a rule needs; only rules whose keys were all written are looked at.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from llmcfg.catalog import Facts, backend_catalog, rule_texts
from llmcfg.checking.checker import broken_conditions, satisfies
from llmcfg.checking.versions import in_range
from llmcfg.diagnostics import Diagnostic, Path, dotted

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "multiple_of": lambda left, right: right == 0 or left % right == 0,
}


class _Comparison(NamedTuple):
    left: Path | float
    holds: Callable[[Any, Any], bool]
    right: Path | float


def broken_rules(
    backend: str, name: str, data: dict[str, Any], path: Path, version: str
) -> Iterator[Diagnostic]:
    """Yield one diagnostic for each rule of the type ``name`` that ``data``, an object of it, breaks."""
    comparisons, conditions = _applicable(backend, name, tuple(data))
    broken = [
        number
        for number, comparison in comparisons
        if _differs(comparison, data) and _applies(backend, name, number, data)
    ]
    if conditions:
        broken += broken_conditions(backend, name, conditions, data)
    for number in broken:
        rule = rule_texts(backend)[name][number]
        if in_range(version, rule.get("since"), rule.get("until")):
            yield _diagnostic(rule, path)


@lru_cache(maxsize=4096)
def _applicable(
    backend: str, name: str, keys: tuple[str, ...]
) -> tuple[list[tuple[int, _Comparison]], tuple[int, ...]]:
    """Return the comparisons and the conditions whose keys are all written."""
    rules = backend_catalog(backend)["types"][name]["rules"]
    written = set(keys)
    candidates = (rule for key in ("", *keys) for rule in rules.get(key, ()))
    applicable = [(number, compare) for number, needs, compare in candidates if written.issuperset(needs)]
    comparisons = [(number, _comparison(compare)) for number, compare in applicable if compare is not None]
    return comparisons, tuple(number for number, comparison in applicable if comparison is None)


def _comparison(compare: Facts) -> _Comparison:
    left, right = (
        tuple(operand.split(".")) if isinstance(operand, str) else operand
        for operand in (compare["left"], compare["right"])
    )
    return _Comparison(left, _COMPARISONS[compare["is"]], right)


def _differs(comparison: _Comparison, data: dict[str, Any]) -> bool:
    left = _operand(comparison.left, data)
    right = _operand(comparison.right, data)
    if left is None or right is None or isinstance(left, str) != isinstance(right, str):
        return False
    return not comparison.holds(left, right)


def _applies(backend: str, name: str, number: int, data: dict[str, Any]) -> bool:
    condition = rule_texts(backend)[name][number].get("if")
    return condition is None or satisfies(condition, data)


def _operand(operand: Path | float, data: Any) -> Any:
    """Return a number or text to compare; None where the path is absent, or holds something else."""
    if not isinstance(operand, tuple):
        return operand
    for key in operand:
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data if isinstance(data, (int, float, str)) and not isinstance(data, bool) else None


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
