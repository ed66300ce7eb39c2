"""The index of rules finds what reading every rule, as it is written in the schema, would find."""

from __future__ import annotations

import pytest

from llmcfg.catalog import backends
from llmcfg.checking.rules import broken_rules
from llmcfg.checking.versions import in_range
from llmcfg.lower import lower
from tests.support.documents import documents
from tests.support.rule_judge import is_broken, rules_of


@pytest.mark.parametrize("backend", list(backends()))
def test_the_index_finds_every_broken_rule(backend: str) -> None:
    version = backends()[backend]["reference"]
    seen = set()
    for document in documents(seed=7, count=400, only=[backend]):
        section = document.get(backend)
        if not isinstance(section, dict):
            continue
        for name, data, path in lower(backend, section, "m").ruled:
            expected = {
                rule.id
                for rule in rules_of(backend)
                if rule.type == name
                and in_range(version, rule.facts.get("x-since"), rule.facts.get("x-until"))
                and is_broken(rule, data)
            }
            assert {item.rule for item in broken_rules(backend, name, data, path, version)} == expected
            seen |= expected
    assert len(seen) > 10
