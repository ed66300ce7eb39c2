"""Keyword arguments that a function takes out of its ``**kwargs``, and never names in its signature."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from llmcfg.audit.facts import Field
from llmcfg.audit.static.values import UnknownValueError

Evaluate = Callable[[ast.expr], Any]
_TAKES = ("pop", "get", "setdefault")


def keywords(function: ast.FunctionDef, names: tuple[str, ...], evaluate: Evaluate) -> dict[str, Field]:
    """Return what is popped or got, by a constant key, from the mappings called ``names``.

    A key that is popped and thrown away has the status ``tolerated``.
    """
    found: dict[str, Field] = {}
    thrown = _thrown_away(function)
    calls = [(key, call) for call in _takes(function, names) for key in _keys(call.args[0], function)]
    used = {key for key, call in calls if id(call) not in thrown}
    for key, call in calls:
        if not key.startswith("_") and not (key in found and found[key].has_default):
            found[key] = _fact(call, None if key in used else "tolerated", evaluate)
    for key in _indexed(function, names):
        if not key.startswith("_"):
            found.setdefault(key, Field())
    return found


def _fact(call: ast.Call, status: str | None, evaluate: Evaluate) -> Field:
    if len(call.args) < 2:
        return Field(status=status)
    try:
        return Field(default=evaluate(call.args[1]), has_default=True, status=status)
    except UnknownValueError:
        return Field(expression=ast.unparse(call.args[1]), status=status)


def _takes(function: ast.FunctionDef, names: tuple[str, ...]) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _TAKES
            and node.args
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in names
        ):
            yield node


def _keys(node: ast.expr, function: ast.FunctionDef) -> list[str]:
    """Return the constant key, or all keys of the list that a loop takes it from."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if not isinstance(node, ast.Name):
        return []
    return [
        item.value
        for loop in ast.walk(function)
        if isinstance(loop, (ast.For, ast.comprehension))
        and isinstance(loop.target, ast.Name)
        and loop.target.id == node.id
        for item in _listed(loop.iter, function)
        if isinstance(item, ast.Constant) and isinstance(item.value, str)
    ]


def _listed(node: ast.expr, function: ast.FunctionDef) -> list[ast.expr]:
    """Return the items of a list that is written in place, or under a name of the function."""
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    if isinstance(node, ast.Name):
        for item in ast.walk(function):
            if isinstance(item, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == node.id for target in item.targets
            ):
                return _listed(item.value, function)
    return []


def _indexed(function: ast.FunctionDef, names: tuple[str, ...]) -> Iterator[str]:
    """Yield keys of ``"key" in kwargs``."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Compare)
            and isinstance(node.ops[0], (ast.In, ast.NotIn))
            and isinstance(node.left, ast.Constant)
            and isinstance(node.left.value, str)
            and isinstance(node.comparators[0], ast.Name)
            and node.comparators[0].id in names
        ):
            yield node.left.value


def _thrown_away(function: ast.FunctionDef) -> set[int]:
    """Return the identities of the calls whose result goes into nothing, or into ``_``."""
    thrown = set()
    for node in ast.walk(function):
        match node:
            case ast.Expr(value=value) | ast.Assign(targets=[ast.Name(id="_")], value=value):
                thrown.add(id(value))
    return thrown
