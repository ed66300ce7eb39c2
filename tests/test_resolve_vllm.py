"""What vLLM resolves on cards that are not there, against what its sources say of each of them."""

from __future__ import annotations

import ast
import dataclasses
import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("vllm")

from llmcfg.gpus import find
from llmcfg.resolve.client import EngineProcess
from llmcfg.resolve.kinds import kinds
from llmcfg.resolve.question import Answer, Choice, Machine, Model, Question
from tests.support.vllm_expected import CARDS, HELD, METHODS, ROWS, UNASKED, Expected, Kept, Source
from tests.support.vllm_platforms import package

pytestmark = [pytest.mark.vllm, pytest.mark.slow]

COUNT = 8
ASKED = [(row, card) for row in ROWS for card in row.answers]


def question(kind: str, engine: dict[str, Any], config: Path | None = None) -> Question:
    model = Model(f"kind:{kind}") if config is None else Model(config.stem, str(config))
    return Question({"EngineArgs": dict(engine)}, {}, model)


def key(kind: str, engine: dict[str, Any]) -> str:
    return json.dumps([kind, engine], sort_keys=True)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Answer]]:
    """All answers of every card; each card is a process of its own, one after the other."""
    folder = tmp_path_factory.mktemp("models")
    return {card: on_card(card, folder) for card in CARDS}


def on_card(card: str, folder: Path) -> dict[str, Answer]:
    questions = {
        key(row.kind, row.engine): question(row.kind, row.engine) for row in ROWS if card in row.answers
    }
    if card == "h100":
        questions |= {key("dense", nested(row)): question("dense", nested(row)) for row in HELD}
    for name, method in METHODS.items():
        config = {**kinds()[method.kind]["config"]}
        if method.checkpoint is not None:
            config["quantization_config"] = method.checkpoint
        (folder / f"{name}.json").write_text(json.dumps(config))
        questions[name] = question(method.kind, method.engine, folder / f"{name}.json")
    with EngineProcess("vllm", Machine(card, COUNT)) as process:
        return {name: process.ask(item) for name, item in questions.items()}


def found(answer: Answer, topic: str) -> Any:
    if answer.refusal is not None:
        return f"refused:{answer.refusal.text}"
    return next((choice.value for choice in answer.chosen if choice.topic == topic), None)


@pytest.mark.parametrize(("row", "card"), ASKED, ids=lambda item: getattr(item, "topic", item))
def test_the_answer_is_what_the_sources_say(row: Expected, card: str, answers: Any) -> None:
    expected, answer = row.answers[card], answers[card][key(row.kind, row.engine)]
    got = found(answer, row.topic)
    if str(expected).startswith("refused:"):
        assert str(got).startswith("refused:")
        assert expected.removeprefix("refused:") in got
    else:
        assert got == expected
    assert not row.says or any(row.says in said.text for said in answer.said)


@cache
def pieces(file: str) -> dict[str, ast.stmt]:
    """Return the functions and tables of a file of vLLM, by qualified name."""
    named: dict[str, ast.stmt] = {}
    for node in ast.parse((package() / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            named[node.name] = node
        elif isinstance(node, ast.ClassDef):
            inner = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            named |= {f"{node.name}.{item.name}": item for item in inner}
        elif isinstance(node, ast.Assign):
            named[ast.unparse(node.targets[0])] = node
    return named


def stands_in(node: ast.AST) -> set[Any]:
    """Return the constants and names of a piece of code."""
    parts = list(ast.walk(node))
    constants = {part.value for part in parts if isinstance(part, ast.Constant)}
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return constants | names | {part.attr for part in parts if isinstance(part, ast.Attribute)}


SOURCES = sorted({row.source for row in ROWS}, key=str)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.function)
def test_the_sources_still_say_it(source: Source) -> None:
    piece = pieces(source.file)[source.function]
    assert piece.lineno == source.line
    assert set(source.holds) <= stands_in(piece)


# --- what is held -------------------------------------------------------------------------------------


def nested(row: Kept) -> dict[str, Any]:
    """Return the EngineArgs of a row."""
    *outer, name = row.path.split(".")
    inner: Any = {name: row.asked}
    for step in reversed(outer):
        inner = {step: inner}
    return {**row.beside, **inner}


@pytest.mark.parametrize("row", HELD, ids=lambda row: f"{row.path}={row.asked}")
def test_a_value_is_found_where_vllm_holds_it(row: Kept, answers: Any) -> None:
    held = answers["h100"][key("dense", nested(row))].held[f"EngineArgs.{row.path}"]
    assert (held.place, held.value) == (row.place, row.value)


def test_a_value_is_known_in_the_form_that_vllm_gives_it() -> None:
    import numpy
    from vllm.config.multimodal import ImageDummyOptions

    from llmcfg.resolve.vllm.held import held

    owner = SimpleNamespace(
        ids=numpy.array([[1, 2]]), image=ImageDummyOptions(4), wide=ImageDummyOptions(4, 8)
    )
    asked = {"ids": [[1, 2]], "image": 4, "wide": 4}
    found = {name: item.value for name, item in held({"SamplingParams": asked}, None, None, owner).items()}
    assert found["SamplingParams.ids"] == [[1, 2]]
    assert found["SamplingParams.image"] == 4
    assert found["SamplingParams.wide"] == {"count": 4, "width": 8, "height": None}


def test_every_field_of_the_arguments_has_a_place() -> None:
    from vllm import EngineArgs

    from llmcfg.resolve.vllm.places import ONLY_THERE, fields

    names = {field.name for field in dataclasses.fields(EngineArgs)}
    assert names == set(fields()) | ONLY_THERE


# --- reasons ------------------------------------------------------------------------------------------


def choice(answers: Any, card: str, kind: str, engine: dict[str, Any], topic: str) -> Choice:
    chosen: tuple[Choice, ...] = answers[card][key(kind, engine)].chosen
    return next(item for item in chosen if item.topic == topic)


@pytest.mark.parametrize(
    ("card", "backend", "reason"),
    [
        ("a100", "FLASH_ATTN", "FP8 KV cache requires FA3 on SM90"),
        ("a100", "FLEX_ATTENTION", "kv_cache_dtype not supported"),
        ("a100", "TRITON_ATTN", "possible, after FLASHINFER"),
        ("l4", "FLASH_ATTN", "FP8 KV cache requires FA3 on SM90"),
        ("h100", "FLASHINFER", "possible, after FLASH_ATTN"),
        ("b200", "FLEX_ATTENTION", "kv_cache_dtype not supported"),
    ],
)
def test_other_attention_backends_come_with_the_reasons_against_them(
    card: str, backend: str, reason: str, answers: Any
) -> None:
    chosen = choice(answers, card, "dense", {"kv_cache_dtype": "fp8"}, "attention backend")
    assert reason in chosen.against[backend]


@pytest.mark.parametrize(("card", "backend"), [("v100", "FLASHINFER"), ("t4", "FLASH_ATTN")])
def test_an_old_card_is_a_reason(card: str, backend: str, answers: Any) -> None:
    chosen = choice(answers, card, "dense", {}, "attention backend")
    assert chosen.against[backend] == "compute capability not supported"


def test_kernels_that_were_passed_over_come_with_reasons(answers: Any) -> None:
    chosen = choice(answers, "a100", "fp8", {}, "linear kernel")
    assert "CUTLASS" in chosen.against["CutlassFP8ScaledMMLinearKernel"]


# --- quantization -------------------------------------------------------------------------------------


def number(card: str) -> int:
    major, minor = find(card).capability
    return major * 10 + minor


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_refused_below_its_minimum_and_nowhere_else(name: str, card: str, answers: Any) -> None:
    refusal = answers[card][name].refusal
    is_below = number(card) < METHODS[name].minimum
    assert ("Minimum capability" in (refusal.text if refusal else "")) == is_below


def test_minima_are_vllms_own() -> None:
    from vllm.model_executor.layers.quantization import QUANTIZATION_METHODS, get_quantization_config

    told = {name: get_quantization_config(name).get_min_capability() for name in QUANTIZATION_METHODS}
    assert {name: method.minimum for name, method in METHODS.items()} == {
        name: minimum for name, minimum in told.items() if name not in UNASKED
    }


def test_there_are_cards_on_both_sides_of_each_minimum_that_a_card_can_miss() -> None:
    capabilities = [number(card) for card in CARDS]
    for minimum in {method.minimum for method in METHODS.values()} - {60, 70}:
        assert min(capabilities) < minimum <= max(capabilities)
