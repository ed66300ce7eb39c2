"""Operands of the rules: a path, a number, or one of a few operations on operands."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain
from typing import Any

from llmcfg.resolve.tensorrt_llm.state import ABSENT, State

_DENSE = (*range(1, 33), 64, 128)
_PADDED = (1, 2, 4, *range(8, 129, 8))


def value(operand: Any, state: State) -> Any:
    """Return the value of an operand.

    Raises:
        LookupError: if it speaks of something that is not there.
        TypeError: if a value has another type than the operation takes.
        ValueError: if a value is out of the range of the operation.
        ArithmeticError: from a division by zero.
    """
    if isinstance(operand, str):
        return _held(operand, state)
    if not isinstance(operand, dict):
        return operand
    ((name, parts),) = operand.items()
    if name == "value":
        return parts
    return OPERATIONS[name](*(value(part, state) for part in (parts if isinstance(parts, list) else [parts])))


def _held(path: str, state: State) -> Any:
    found = state.get(path)
    if found is ABSENT:
        raise LookupError(path)
    return found


def _first(*values: Any) -> Any:
    """Return the first that Python takes for true, else the last."""
    return next((item for item in values if item), values[-1])


def _tree(paths: list[list[int]]) -> list[list[int]]:
    """Return the paths of a draft tree, each once, the nodes near the root first."""
    once = [list(path) for path in {tuple(path) for path in paths}]
    return sorted(once, key=lambda path: (len(path), path))


def _graph_sizes(limit: int, has_padding: bool) -> list[int]:
    """Return the batch sizes that CUDA graphs are captured for, up to a limit."""
    powers = (2**power for power in range(8, math.ceil(math.log2(limit))))
    sizes = [size for size in chain(_PADDED if has_padding else _DENSE, powers) if size <= limit]
    return sizes if sizes[-1] == limit else [*sizes, limit]


def _fitting(sizes: list[int], ceiling: int, has_padding: bool) -> list[int]:
    """Return the sizes up to the ceiling; with padding the ceiling stands for the first above it."""
    kept = [size for size in sizes if size <= ceiling]
    is_cut = len(kept) < len(sizes)
    return [*kept, ceiling] if is_cut and has_padding and kept[-1:] != [ceiling] else kept


OPERATIONS: dict[str, Callable[..., Any]] = {
    "min": lambda *numbers: min(numbers),
    "max": lambda *numbers: max(numbers),
    "sum": lambda *numbers: sum(numbers),
    "product": lambda *numbers: math.prod(numbers),
    "quotient": lambda left, right: left // right,
    "quotient_up": lambda left, right: -(-left // right),
    "first": _first,
    "instead": lambda asked, other: other if asked == "auto" else asked,
    "joined": lambda left, right: [*left, *right],
    "sorted": sorted,
    "descending": lambda items: sorted(set(items), reverse=True),
    "largest": max,
    "smallest": min,
    "length": len,
    "total": sum,
    "depth": lambda paths: max(map(len, paths)),
    "tree": _tree,
    "graph_sizes": _graph_sizes,
    "fitting": _fitting,
}
"""Operations by name, each with one operand or a list of them."""
