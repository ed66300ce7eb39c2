"""When a rule applies."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llmcfg.checking.checker import satisfies
from llmcfg.resolve.tensorrt_llm.operands import value
from llmcfg.resolve.tensorrt_llm.state import ABSENT, State
from llmcfg.resolve.tensorrt_llm.table import Comparison, Json, Step

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "!=": operator.ne,
}


def applies(step: Step, state: State) -> bool:
    """Tell whether a rule applies to what is there.

    Raises:
        Exception: what `llmcfg.resolve.tensorrt_llm.operands.value` raises, from a comparison.
    """
    if not any(holds(condition, state) for condition in step.alternatives):
        return False
    return step.comparison is None or _compares(step.comparison, state)


def holds(condition: Json, state: State) -> bool:
    """Tell whether every path of a condition is there and satisfies its schema; false: is not there."""
    return all(_is_so(state.get(path), schema) for path, schema in condition.items())


def _is_so(found: Any, schema: Any) -> bool:
    if schema is False:
        return found is ABSENT
    if isinstance(found, dict):
        found = {str(key): item for key, item in found.items()}
    return found is not ABSENT and satisfies(schema, found)


def _compares(comparison: Comparison, state: State) -> bool:
    return _SIGNS[comparison.sign](value(comparison.left, state), value(comparison.right, state))
