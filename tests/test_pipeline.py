"""Properties of the whole pipeline, on documents drawn from the schema."""

from __future__ import annotations

import copy
import json
from collections import Counter
from functools import cache
from pathlib import Path as File
from random import Random
from typing import Any

import pytest
import yaml

import llmcfg
from llmcfg.catalog import backend_catalog, backends, nested_type
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import ERROR, Diagnostic
from tests.support.documents import documents
from tests.support.mutations import Mutation, Spot, has_kind, mutations, spots
from tests.support.parameters import Parameter, check, every_parameter, get, kinds, put

COUNT = 2000
SEED = 2026
WITH_PARTNERS = [parameter for parameter in every_parameter() if parameter.partners]
# Stages that judge more than the form of a value: rules, hardware, versions.
LATER = {"L201", "L301", "L302", "L401", "L402"}


@cache
def drawn() -> tuple[dict[str, Any], ...]:
    return tuple(documents(SEED, COUNT))


@cache
def compiled(number: int) -> tuple[Compiled, ...]:
    """Compile every section of a drawn document; none where it has errors."""
    return tuple(check(drawn()[number], backend="all").compiled)


def errors(data: dict[str, Any]) -> list[Diagnostic]:
    return [item for item in check(data, backend="all").diagnostics if item.severity == ERROR]


def without_gpu(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "gpu"}


def test_valid_documents_pass_the_schema() -> None:
    found = Counter(item.code for data in drawn() for item in errors(data))
    assert found.keys() <= LATER


def test_most_documents_keep_the_rules() -> None:
    """Rules refuse combinations that a user would not write; random documents do write them."""
    refused = sum(bool(errors(without_gpu(data))) for data in drawn())
    assert refused < 0.6 * COUNT


def test_documents_without_errors_compile() -> None:
    for number, data in enumerate(drawn()):
        chosen = [item.backend for item in compiled(number)]
        expected = [name for name in backends() if name in data] or list(backends())
        assert chosen == ([] if errors(data) else expected)


@cache
def mistakes() -> tuple[Mutation, ...]:
    random = Random(SEED)  # noqa: S311
    return tuple(item for data in drawn() for item in mutations(data, random, 2))


def test_one_mistake_is_found_where_it_is() -> None:
    missed = [item for item in mistakes() if item.path not in [problem.path for problem in errors(item.data)]]
    assert not missed, missed[:3]


def test_every_kind_of_mistake_was_made() -> None:
    made = Counter(item.kind for item in mistakes())
    assert min(made.values()) > 100
    assert set(made) == {"unknown key", "missing key", "wrong type", "bad enum", "out of range"}


def test_lowering_leaves_the_input_alone() -> None:
    for data in (*drawn(), *(item.data for item in mistakes())):
        before = copy.deepcopy(data)
        check(data, backend="all")
        assert data == before


def test_a_result_shares_nothing_with_the_mapping_it_came_from() -> None:
    for number, data in enumerate(drawn()[:500]):
        for item in compiled(number):
            before = copy.deepcopy(data)
            spoil(llmcfg.compile(data, backend=item.backend).native)
            assert data == before


def spoil(value: Any) -> None:
    """Change every mapping and list of a native config."""
    for item in list(value.values() if isinstance(value, dict) else value):
        if isinstance(item, (dict, list)):
            spoil(item)
    if isinstance(value, dict):
        value["spoilt"] = True
    else:
        value.append("spoilt")


# ``extra``


def with_extra(section: dict[str, Any]) -> Compiled:
    return llmcfg.compile({"model": "some/model", "vllm": section}, strict=False)


VERBATIM = {
    "a": True, "b": None, "c": 1.0, "d": [1.0, {"e": "é"}], "f": {"g": {}}, "h": "", "i": -0.0, "j": "16",
}  # fmt: skip


@pytest.mark.parametrize("key", VERBATIM)
@pytest.mark.parametrize(
    "place", ["engine", "sampling", "engine.compilation_config", "engine.profiler_config"]
)
def test_extra_is_passed_on_verbatim_and_last(key: str, place: str) -> None:
    section: dict[str, Any] = {"engine": {"seed": 1}, "sampling": {"seed": 1}}
    put(section, (*place.split("."), "extra"), {key: VERBATIM[key]})
    native: Any = with_extra(section).native[{"e": "EngineArgs", "s": "SamplingParams"}[place[0]]]
    for step in place.split(".")[1:]:
        native = native[step]
    assert list(native)[-1] == key
    assert repr(native[key]) == repr(VERBATIM[key])


def test_extra_wins_and_both_values_are_named() -> None:
    item = with_extra({"engine": {"max_num_seqs": 5, "extra": {"max_num_seqs": "a lot"}}})
    assert item.native["EngineArgs"]["max_num_seqs"] == "a lot"
    (warning,) = item.diagnostics
    assert (warning.code, warning.severity) == ("L501", "warning")
    assert "'a lot'" in warning.message
    assert "5" in warning.message


@pytest.mark.parametrize(
    ("backend", "section", "receiver", "given"),
    [
        (
            "pytorch",
            {"quantization": {"method": "awq"}, "load": {"extra": {"quantization_config": {"a": 1}}}},
            "from_pretrained",
            {"pretrained_model_name_or_path": "m", "quantization_config": {"a": 1}},
        ),
        (
            "tensorrt_llm",
            {"build": {"max_batch_size": 4}, "llm": {"backend": "tensorrt", "extra": {"build_config": {}}}},
            "LlmArgs",
            {"model": "m", "backend": "tensorrt", "build_config": {}},
        ),
    ],
)
def test_extra_takes_the_place_of_a_section(
    backend: str, section: dict[str, Any], receiver: str, given: dict[str, Any]
) -> None:
    compiled = llmcfg.compile({"model": "m", backend: section})
    assert compiled.native == {receiver: given}
    assert [item.related[0][0] for item in compiled.diagnostics if item.code == "L501"] == [
        f"{backend}.{next(iter(section))}"
    ]


def test_extra_of_drawn_documents_arrives_unchanged() -> None:
    seen = 0
    for number, data in enumerate(drawn()):
        for item in compiled(number):
            for spot in spots({"model": "m", item.backend: data.get(item.backend)}):
                extra = spot.value.get("extra") if isinstance(spot.value, dict) and spot.type else None
                if extra and spot.path[1] != "env" and not is_overridden(data, spot):
                    native = native_of(item, data, spot)
                    assert {key: repr(native[key]) for key in extra} == {k: repr(v) for k, v in extra.items()}
                    seen += 1
    assert seen > 100


def is_overridden(data: dict[str, Any], spot: Spot) -> bool:
    """Tell whether the extra of an object around the mapping takes its place."""
    for depth, step in enumerate(spot.path):
        around = get(data, spot.path[:depth])
        if isinstance(around, dict) and step in (around.get("extra") or {}):
            return True
    return False


def native_of(item: Compiled, data: dict[str, Any], spot: Spot) -> Any:
    """Follow the catalog from the document to the native object that a mapping has become."""
    types = backend_catalog(item.backend)["types"]
    name: str | None = backend_catalog(item.backend)["root"]
    native: Any = None
    for depth, step in enumerate(spot.path[1:], 2):
        facts = (types[name]["parameters"].get(step) if name else None) or {}
        if "object" in facts:
            native = item.env if facts["object"] == "env" else item.native.get(facts["object"])
        elif native is not None:
            native = native[facts.get("name", step)]
        value = get(data, spot.path[:depth])
        name = nested_type(facts, value) or facts.get("entries") or facts.get("items") or name
    return native


# One config, several forms


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_files_and_mappings_compile_alike(form: str, tmp_path: File) -> None:
    for number, data in enumerate(drawn()[:400]):
        if len(compiled(number)) != 1:
            continue
        file = tmp_path / f"config.{form}"
        text = yaml.safe_dump(data, allow_unicode=True) if form == "yaml" else json.dumps(data)
        file.write_text(text, encoding="utf-8")
        (expected,) = compiled(number)
        read = llmcfg.compile(file, backend=expected.backend)
        assert read.native == expected.native == llmcfg.compile(data, backend=expected.backend).native
        assert read.env == expected.env


def test_backends_do_not_touch_each_other() -> None:
    several = 0
    for number, data in enumerate(drawn()):
        if len(compiled(number)) > 1:
            several += 1
            for item in compiled(number):
                alone = {"model": data["model"], item.backend: data.get(item.backend)}
                assert check(alone).compiled[0].native == item.native
    assert several > 100


@pytest.mark.parametrize(
    "mapping", [{"model": {1, 2}}, {"model": "m", "vllm": {"engine": {"extra": {1: 2}}}}]
)
def test_what_no_file_could_hold_is_refused(mapping: dict[str, Any]) -> None:
    with pytest.raises(llmcfg.ConfigError, match="is not plain data"):
        llmcfg.compile(mapping)


def test_token_ids_may_be_numbers_in_python() -> None:
    item = llmcfg.compile({"model": "m", "vllm": {"sampling": {"logit_bias": {12: 1.5}}}})
    assert item.native["SamplingParams"]["logit_bias"] == {12: 1.5}


@pytest.mark.parametrize("key", ["12", "012", "+12", "", "a/b"])
def test_odd_keys_have_a_path(key: str) -> None:
    path = ("vllm", "sampling", "logit_bias", key)
    assert path in [
        item.path for item in errors({"model": "m", "vllm": {"sampling": {"logit_bias": {key: "x"}}}})
    ]


# Whole numbers


def test_whole_numbers_of_integers_arrive_as_integers() -> None:
    """JSON Schema takes 16.0 for an integer; the engines do not."""
    different = 0
    for data in documents(SEED, COUNT, extra=0.0, whole_floats=0.5):
        different += repr(whole(data)) != repr(data)
        for got, expected in zip(
            check(data, backend="all").compiled, check(whole(data), backend="all").compiled, strict=True
        ):
            assert repr(got.native) == repr(expected.native)
            assert got.env == expected.env
    assert different > COUNT / 4


def whole(data: dict[str, Any]) -> dict[str, Any]:
    """Replace 16.0 by 16 wherever the schema takes integers and no other numbers."""
    data = copy.deepcopy(data)
    for spot in spots(data):
        if (
            type(spot.value) is float
            and "number" not in kinds(spot.schema)
            and has_kind(spot.value, ["integer"])
        ):
            get(data, spot.path[:-1])[spot.path[-1]] = int(spot.value)
    return data


def test_a_whole_number_needs_the_hardware_of_the_integer() -> None:
    engine = {"attention_config": {"flash_attn_version": 4.0}}
    written = check({"model": "m", "gpu": "t4", "vllm": {"engine": engine}})
    engine["attention_config"]["flash_attn_version"] = 4
    assert [item.code for item in written.diagnostics] == ["L304"]
    assert written == check({"model": "m", "gpu": "t4", "vllm": {"engine": engine}})


# What the schema says about itself


@pytest.mark.parametrize("parameter", WITH_PARTNERS, ids=lambda parameter: parameter.name)
def test_partners_are_parameters(parameter: Parameter) -> None:
    """The settings that ``x-audit`` says go with a parameter exist, and take these values."""
    data: dict[str, Any] = {"model": "some/model", parameter.backend: {}}
    for path, value in (*parameter.beside, *parameter.partners):
        put(data, (parameter.backend, *path), value)
    assert not [item for item in errors(data) if item.code not in LATER | {"L104"}]
