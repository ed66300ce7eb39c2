"""Whether an engine holds what was asked of it, whichever form it holds it in."""

from __future__ import annotations

import re
from typing import Any

_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kmgtKMGT])")
_POWERS = {unit: power for power, unit in enumerate("kmgt", start=1)}
_NAMES = {"half": "float16", "fp16": "float16", "bf16": "bfloat16", "float": "float32", "fp32": "float32"}


def holds(got: Any, asked: Any) -> bool:
    """Tell whether ``got`` means what was asked.

    A mapping may have more keys than the asked ones, and a list another order; one value may stand for a
    list of one. Texts are compared without case, ``half`` is ``float16``, ``1k`` is 1000 and ``1K`` is 1024.
    """
    if isinstance(asked, dict):
        return isinstance(got, dict) and all(key in got and holds(got[key], asked[key]) for key in asked)
    if isinstance(asked, list) or isinstance(got, list):
        return _same_items(_listed(got), _listed(asked))
    if type(got) is bool or type(asked) is bool or got is None or asked is None:
        return got is asked
    return bool(_reduced(got) == _reduced(asked))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _same_items(got: list[Any], asked: list[Any]) -> bool:
    if len(got) != len(asked):
        return False
    return all(map(holds, got, asked)) or sorted(map(str, got)) == sorted(map(str, asked))


def _reduced(value: Any) -> Any:
    """Return a number for what can be read as one, else a text in one spelling."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        pass
    if size := _SIZE.fullmatch(value):
        number, unit = size.groups()
        return float(number) * (1000 if unit.islower() else 1024) ** _POWERS[unit.lower()]
    text = value.casefold().removeprefix("torch.")
    return _NAMES.get(text, text)
