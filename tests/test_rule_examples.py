"""Every rule is broken by a document that follows from its own words, and not by the mended one."""

from __future__ import annotations

import pytest

from llmcfg.audit.solver import Json
from llmcfg.catalog import backends
from llmcfg.checking.versions import in_range
from llmcfg.diagnostics import ERROR, Diagnostic
from tests.support.breaking import example
from tests.support.parameters import check
from tests.support.rule_judge import Rule, is_broken, rules_of

RULES = [rule for backend in backends() for rule in rules_of(backend)]


def found(document: Json, rule: Rule, version: str) -> list[Diagnostic]:
    return check(document, backend=rule.backend, version=version).diagnostics


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.type}-{rule.id}")
def test_llmcfg_reports_the_rule_and_accepts_the_mended_config(rule: Rule) -> None:
    case = example(rule)
    assert case is not None
    reported = [item for item in found(case.violating, rule, case.version) if item.rule == rule.id]
    assert [(item.code, item.severity) for item in reported] == [("L201", rule.facts["severity"])]
    mended = found(case.mended, rule, case.version)
    assert [item.rule for item in mended if item.rule == rule.id or item.severity == ERROR] == []


@pytest.mark.parametrize("backend", list(backends()))
def test_examples_stay_small(backend: str) -> None:
    sizes = [len(str(case.violating)) for rule in rules_of(backend) if (case := example(rule))]
    assert sorted(sizes)[len(sizes) // 2] < 150


def test_the_judge_sees_a_rule_that_is_not_broken() -> None:
    rule = next(rule for rule in RULES if rule.id == "vllm-max-model-len-zero")
    assert is_broken(rule, {"max_model_len": 0})
    assert not is_broken(rule, {"max_model_len": 1})
    assert not is_broken(rule, {})


@pytest.mark.parametrize("backend", list(backends()))
def test_no_rule_claims_a_release_that_lacks_its_keys(backend: str) -> None:
    for rule in rules_of(backend):
        case = example(rule)
        since, until = rule.facts.get("x-since"), rule.facts.get("x-until")
        releases = [item for item in backends()[backend]["versions"] if in_range(item, since, until)]
        codes = {item.code for item in found(case.violating, rule, releases[0])} if case else set()
        assert "L401" not in codes, rule.id
