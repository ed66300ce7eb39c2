"""Every rule about vLLM, replayed: the installed vLLM refuses or changes what breaks it, not what is mended.

Nothing is started. vLLM's own classes are constructed and resolved, for a model without weights, on this
machine and on a card that only its driver's answers describe. What cannot be seen that way is listed, with
the reason, in ``tests/data/replay/vllm.json``; the list is exact.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("vllm")

from llmcfg.checking.versions import in_range
from tests.support.breaking import example, hints
from tests.support.rule_judge import Rule, rules_of
from tests.support.vllm_judge import INSTALLED
from tests.support.vllm_server import CARD, Case, serve
from tests.support.vllm_verdict import Verdict, judged

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.vllm_replay import Outcome

pytestmark = pytest.mark.vllm

RULES = [
    rule
    for rule in rules_of("vllm")
    if in_range(INSTALLED, rule.facts.get("x-since"), rule.facts.get("x-until"))
]
UNSEEN = hints("vllm")["not_replayable"]
SETUPS = {name: setup for setup, names in hints("vllm")["setups"].items() for name in names}
DEFAULT = f"{CARD} dense"


def cases(rule: Rule) -> tuple[Case, Case]:
    machine, model = SETUPS.get(rule.id, DEFAULT).split()
    found = example(rule)
    assert found is not None
    return Case(machine, model, found.violating), Case(machine, model, found.mended)


@pytest.fixture(scope="module")
def outcomes(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Outcome]]:
    """What became of every rule's two configs; each machine is a process of its own."""
    models = str(tmp_path_factory.mktemp("models"))
    asked = {rule.id: cases(rule) for rule in RULES}
    context = multiprocessing.get_context("spawn")
    answers: dict[str, list[Outcome]] = {}
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        running = {}
        for machine in sorted({pair[0].machine for pair in asked.values()}):
            here = {name: pair for name, pair in asked.items() if pair[0].machine == machine}
            running[machine] = pool.submit(serve, machine, here, models, str(tiny_model))
        for future in running.values():
            answers.update(future.result())
    return answers


def verdict(rule: Rule, outcomes: dict[str, list[Outcome]]) -> Verdict:
    return judged(rule, *outcomes[rule.id])


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_vllm_does_what_the_rule_says(rule: Rule, outcomes: dict[str, list[Outcome]]) -> None:
    seen = verdict(rule, outcomes)
    if rule.id in UNSEEN:
        assert not seen.confirmed, f"can be replayed: {seen.how}"
    else:
        assert seen.confirmed, seen.how


def test_only_known_rules_are_listed() -> None:
    known = {rule.id for rule in RULES}
    assert UNSEEN.keys() | SETUPS.keys() <= known
    assert not UNSEEN.keys() & SETUPS.keys()


def test_a_rule_that_vllm_does_not_know_is_not_confirmed(outcomes: dict[str, list[Outcome]]) -> None:
    rule = next(rule for rule in RULES if rule.id == "vllm-max-model-len-zero")
    broken, mended = outcomes[rule.id]
    assert not judged(rule, mended, mended).confirmed
    assert not judged(rule, broken, broken).confirmed
