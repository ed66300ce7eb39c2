"""Every rule of the PyTorch schema is replayed: the engine does what the rule says."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from transformers import GenerationConfig, SynthIDTextWatermarkingConfig, WatermarkingConfig
from transformers.generation import configuration_utils

from llmcfg.catalog import backends
from llmcfg.checking.versions import in_range
from llmcfg.diagnostics import has_errors
from llmcfg.lower import lower
from llmcfg.native import construct, instance
from tests.support.breaking import Example, example, hints
from tests.support.parameters import MODEL, check
from tests.support.pytorch_evidence import EVIDENCE, Case, Evidence, Gone, Outcomes, Refused
from tests.support.pytorch_replay import PROCESSES
from tests.support.rule_judge import Rule, rules_of

pytestmark = pytest.mark.transformers

ROOT = Path(__file__).parents[1]
INSTALLED = backends()["pytorch"]["versions"][0]
ALL = {rule.id: rule for rule in rules_of("pytorch")}
# Rules of later releases have their turn when that release is installed.
RULES = {
    name: rule
    for name, rule in ALL.items()
    if in_range(INSTALLED, rule.facts.get("x-since"), rule.facts.get("x-until"))
}
NOT_REPLAYABLE: dict[str, str] = hints("pytorch")["not_replayable"]
MOST_NOT_YET = 16
NOT_YET: list[str] = hints("pytorch").get("not_yet_replayed", [])
"""Rules that could be replayed and have no evidence yet; the list may only get shorter."""
WRITTEN: dict[str, Any] = hints("pytorch")["examples"]
REPLAYED = sorted(RULES.keys() & EVIDENCE.keys())


def example_of(rule: Rule) -> Example:
    found = example(rule)
    assert found is not None, f"{rule.id} has no example: write one in tests/data/replay/pytorch.json"
    return found


def case_of(name: str) -> Case:
    found = example_of(RULES[name])
    alive = WRITTEN.get(name, {}).get("alive")
    return Case(found.violating["pytorch"], found.mended["pytorch"], alive)


# --- replay -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def replayed() -> dict[str, Outcomes]:
    """Run every section of every rule, each in a process of its own."""
    wanted = {name: EVIDENCE[name].sections(case_of(name)) for name in REPLAYED}
    lines = {
        line(EVIDENCE[name], section) for name, sections in wanted.items() for section in sections.values()
    }
    found = run_all(sorted(lines))
    return {
        name: {key: found[line(EVIDENCE[name], section)] for key, section in sections.items()}
        for name, sections in wanted.items()
    }


def line(evidence: Evidence, section: dict[str, Any]) -> str:
    return json.dumps({"route": evidence.route, "section": section}, sort_keys=True)


def run_all(lines: list[str]) -> dict[str, Any]:
    parts = [lines[start::PROCESSES] for start in range(PROCESSES)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        return {key: value for found in pool.map(run_lines, parts) for key, value in found.items()}


def run_lines(lines: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.support.pytorch_replay"],
        input="".join(f"{line}\n" for line in lines),
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(lines, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", REPLAYED)
def test_the_engine_does_what_the_rule_says(name: str, replayed: dict[str, Outcomes]) -> None:
    assert EVIDENCE[name].objection(replayed[name]) is None


@pytest.mark.parametrize("name", REPLAYED)
def test_the_evidence_can_fail(name: str, replayed: dict[str, Outcomes]) -> None:
    """With the roles of the sections exchanged, nothing is proved."""
    assert EVIDENCE[name].objection(exchanged(replayed[name])) is not None


def exchanged(seen: Outcomes) -> Outcomes:
    other = "alive" if "alive" in seen else "mended"

    def renamed(key: str) -> str:
        swap = {"violating": other, other: "violating"}
        return re.sub(rf"\b(violating|{other})\b", lambda found: swap[found[0]], key)

    return {**seen, **{renamed(key): outcome for key, outcome in seen.items()}}


@pytest.mark.parametrize("name", REPLAYED)
def test_llmcfg_says_it_of_the_violating_section_only(name: str) -> None:
    found = example_of(RULES[name])
    for document, broken in ((found.violating, True), (found.mended, False)):
        result = check(document, backend="pytorch", version=INSTALLED)
        said = [item.severity for item in result.diagnostics if item.rule == name]
        assert said == ([RULES[name].facts["severity"]] if broken else []), (document, result.diagnostics)
        assert broken or not has_errors(result.diagnostics)


@pytest.mark.parametrize("name", [name for name in REPLAYED if RULES[name].facts["severity"] == "error"])
def test_errors_are_what_the_engine_refuses(name: str) -> None:
    assert isinstance(EVIDENCE[name], Refused)


# --- what is left out ---------------------------------------------------------------------------------


def test_every_rule_is_replayed_or_listed() -> None:
    assert RULES.keys() == EVIDENCE.keys() | NOT_REPLAYABLE.keys() | set(NOT_YET)
    assert not EVIDENCE.keys() & (NOT_REPLAYABLE.keys() | set(NOT_YET))
    assert len(NOT_YET) <= MOST_NOT_YET
    assert WRITTEN.keys() <= EVIDENCE.keys()
    assert len(REPLAYED) >= 160


@pytest.mark.parametrize("name", NOT_REPLAYABLE)
def test_what_a_listed_rule_needs_is_not_here(name: str) -> None:
    """A reason starts with what is missing; once it is there, the rule has to be replayed."""
    reason = NOT_REPLAYABLE[name]
    missing = re.match(r"needs (?:the package (\w+)|(?:a|several) (?:CUDA|Blackwell) GPU)", reason)
    assert missing, "say what is missing: a package, or a GPU"
    present = find_spec(missing[1]) is not None if missing[1] else torch.cuda.is_available()
    assert not present, "can be replayed now"


def test_written_examples_bring_what_their_evidence_asks_for() -> None:
    for name, pair in WRITTEN.items():
        assert pair.keys() <= {"violating", "mended", "alive"}
        assert not isinstance(EVIDENCE[name], Gone) or "alive" in pair, name


# --- GenerationConfig.validate ------------------------------------------------------------------------

CHECKS: list[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "data" / "generation_config_validate.json").read_text(encoding="utf-8")
)
VALIDATORS = (GenerationConfig, WatermarkingConfig, SynthIDTextWatermarkingConfig)


def statements(owner: Any) -> list[str]:
    """Name every check of a class's ``validate``: what it does, and about which attribute."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(owner.validate)))
    found = [label for node, around in walk(tree, ()) for label in labels(owner, tree, node, around)]
    return [f"{owner.__name__}: {label}" for label in found]


def walk(node: ast.AST, around: tuple[ast.AST, ...]) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    for child in ast.iter_child_nodes(node):
        yield child, around
        yield from walk(child, (*around, child) if isinstance(child, (ast.If, ast.For)) else around)


def labels(owner: Any, tree: ast.AST, node: ast.AST, around: tuple[ast.AST, ...]) -> Iterator[str]:
    if any(isinstance(one, ast.If) and "minor_issues" in ast.unparse(one.test) for one in around):
        return  # hands on what was found above
    verb = verb_of(node)
    if verb is None:
        return
    loops = [one for one in around if isinstance(one, ast.For)]
    for about in items(owner, tree, loops[-1].iter) if loops else [subject(node, around)]:
        yield f"{verb} {about}"


def verb_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Raise):
        return "raises"
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("minor_issues["):
        return "minor issue"
    if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger."):
        return "logs"
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".validate"):
        return "asks"
    return None


def subject(node: ast.AST, around: tuple[ast.AST, ...]) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        return ast.unparse(node.targets[0].slice).strip("'")
    test = next(one.test for one in reversed(around) if isinstance(one, ast.If))
    named = re.findall(r"self\.(\w+)", ast.unparse(test))
    return " ".join(sorted(set(named)))


def items(owner: Any, tree: ast.AST, iterated: ast.expr) -> list[str]:
    """Return what a loop goes over: a tuple, a variable that holds one, or an attribute."""
    if isinstance(iterated, ast.Attribute):
        return list(getattr(owner(), iterated.attr))
    if isinstance(iterated, ast.Name):
        assigned = [one for one in ast.walk(tree) if isinstance(one, ast.Assign)]
        iterated = next(one.value for one in assigned if ast.unparse(one.targets[0]) == iterated.id)
    return list(ast.literal_eval(iterated))


def test_every_check_of_validate_is_in_the_table() -> None:
    """A release with a new check has to be read again."""
    there = [label for owner in VALIDATORS for label in statements(owner)]
    assert sorted(there) == sorted(row["check"] for row in CHECKS)


@pytest.mark.parametrize("row", CHECKS, ids=lambda row: row["check"])
def test_a_check_of_validate_is_known_to_llmcfg(row: dict[str, Any]) -> None:
    document = {"model": MODEL, "pytorch": {"generate": row["section"]}}
    found = check(document, backend="pytorch", version=INSTALLED).diagnostics
    told = [item.rule or item.code for item in found if not item.code.startswith("L7")]
    assert told == row["says"]
    assert row["says"] or row["why"]


@pytest.mark.parametrize("row", CHECKS, ids=lambda row: row["check"])
def test_a_check_of_validate_is_made_by_the_engine(
    row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(configuration_utils.logger, "warning_once", said.append)
    native = lower("pytorch", {"generate": row["section"]}, None).native
    try:
        arguments = {**construct(dict(native.get("GenerationConfig", {})), instance), **row.get("native", {})}
        GenerationConfig(**arguments).validate(strict=True)
    except ValueError as error:
        said = [str(error)]
    else:
        assert row["check"].split()[1] == "logs", "not refused"
    assert f"`{row.get('about', row['check'].split()[-1])}`" in said[0]
