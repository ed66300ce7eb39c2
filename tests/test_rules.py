"""The index of rules finds what reading every rule, as it is written in the schema, would find."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmcfg.catalog import backends
from llmcfg.generator.source import Json, load
from llmcfg.lower import lower
from llmcfg.rules import broken_rules
from llmcfg.versions import in_range
from tests.support.documents import documents

SOURCE = load(Path(__file__).resolve().parent.parent / "schema")


@cache
def judge(backend: str, name: str, number: int, part: str) -> Any:
    rule = SOURCE.types[backend][name].rules[number]
    return jsonschema.Draft202012Validator(rule.get(part, True))


def is_broken(backend: str, name: str, number: int, rule: Json, data: Json) -> bool:
    """Read a rule literally: broken where `if` holds and `then`, or the comparison, does not."""
    if not judge(backend, name, number, "if").is_valid(data):
        return False
    if "then" in rule:
        return not judge(backend, name, number, "then").is_valid(data)
    compare = rule["compare"]
    left, right = (operand(compare[side], data) for side in ("left", "right"))
    if left is None or right is None or isinstance(left, str) != isinstance(right, str):
        return False
    return not holds(left, compare["is"], right)


def operand(path: Any, data: Any) -> Any:
    if not isinstance(path, str):
        return path
    for key in path.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return None if isinstance(data, (bool, dict, list)) else data


def holds(left: Any, sign: str, right: Any) -> bool:
    if sign == "multiple_of":
        return right == 0 or left % right == 0
    return bool(
        {"==": left == right, "!=": left != right}.get(sign)
        if sign in ("==", "!=")
        else {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]
    )


@pytest.mark.parametrize("backend", list(backends()))
def test_the_index_finds_every_broken_rule(backend: str) -> None:
    version = backends()[backend]["reference"]
    seen = set()
    for document in documents(seed=7, count=400, only=[backend]):
        section = document.get(backend)
        if not isinstance(section, dict):
            continue
        for name, data, path in lower(backend, section, "m").ruled:
            rules = SOURCE.types[backend][name].rules
            expected = {
                rule["id"]
                for number, rule in enumerate(rules)
                if in_range(version, rule.get("x-since"), rule.get("x-until"))
                and is_broken(backend, name, number, rule, data)
            }
            assert {item.rule for item in broken_rules(backend, name, data, path, version)} == expected
            seen |= expected
    assert len(seen) > 10
