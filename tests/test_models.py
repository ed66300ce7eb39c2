"""The typed models, the editor schema and llmcfg's own schema stage give the same verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import pytest

pytest.importorskip("pydantic")

import llmcfg_models
from jsonschema import Draft202012Validator
from llmcfg_models import Config, PytorchQuantizationBitsandbytes, VllmEngine, VllmSampling, VllmSection
from pydantic import BaseModel, ValidationError

import llmcfg
from llmcfg.catalog import backends, bundle
from llmcfg.checking import checker
from llmcfg.checking.validate import validate
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import Diagnostic, has_errors
from tests.support.documents import documents
from tests.support.mutations import mutations
from tests.support.parameters import check

VALID = 2000
SEED = 20261123
# Codes of the schema stage; the name of the GPU is looked up in its table, with a code of its own.
SCHEMA_CODES = {"L101", "L102", "L103", "L104", "L105", "L106", "L303"}
# Where the models are meant to differ: what they take beyond the schema, and why.
TAKEN_BY_MODELS = {
    "the Python name of a key that is no name of Python": {"structured_outputs": {"json_": "{}"}},
}


@cache
def drawn() -> tuple[dict[str, Any], ...]:
    """Valid documents, and for each two that are one mistake away."""
    random = Random(SEED)  # noqa: S311
    valid = list(documents(SEED, VALID, whole_floats=0.1))
    mutated = [item.data for data in valid for item in mutations(data, random, 1)]
    return (*valid, *mutated)


@cache
def judge() -> Draft202012Validator:
    return Draft202012Validator(bundle())


def model_takes(data: dict[str, Any]) -> bool:
    try:
        Config.model_validate(data)
    except ValidationError:
        return False
    return True


def refused_by_llmcfg(data: dict[str, Any]) -> bool:
    return any(item.code in SCHEMA_CODES for item in check(data).diagnostics)


def test_models_and_schema_agree() -> None:
    differing = [data for data in drawn() if model_takes(data) != judge().is_valid(data)]
    assert not differing, differing[:3]


def test_llmcfg_and_schema_agree() -> None:
    differing = [data for data in drawn() if refused_by_llmcfg(data) == judge().is_valid(data)]
    assert not differing, differing[:3]


def test_both_verdicts_are_common() -> None:
    taken = sum(map(model_takes, drawn()))
    assert VALID <= taken < 1.05 * VALID
    assert len(drawn()) >= 3000


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide jsonschema-rs, as on a platform that it has no wheel for."""
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    forget_validators()
    yield
    forget_validators()


def forget_validators() -> None:
    for function in (checker._validator, checker._small_validator, checker._conditions_validator):
        function.cache_clear()


def diagnostics(data: dict[str, Any]) -> list[Diagnostic]:
    found = validate("root", data, ())
    for backend in backends():
        found += validate(backend, data.get(backend), (backend,))
    return sorted(found, key=repr)


def test_the_fallback_says_the_same(request: pytest.FixtureRequest) -> None:
    mutated = drawn()[VALID:]
    with_wheel = [diagnostics(data) for data in mutated]
    request.getfixturevalue("without_wheel")
    assert [diagnostics(data) for data in mutated] == with_wheel


def dumped(model: BaseModel) -> Any:
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


def test_the_fallback_reads_patterns_alike(request: pytest.FixtureRequest) -> None:
    data = {"model": "some/model", "pytorch": {"generate": {"dola_layers": "low\n"}}}
    with_wheel = diagnostics(data)
    request.getfixturevalue("without_wheel")
    assert diagnostics(data) == with_wheel
    assert [item.code for item in with_wheel] == ["L103"]


def test_a_dump_is_the_document() -> None:
    for data in drawn()[:VALID]:
        assert dumped(Config.model_validate(data)) == data


def as_text(compiled: list[Compiled]) -> str:
    """Write native objects so that 1 and 1.0 differ; a model dumps its fields in the schema's order."""
    return json.dumps([ordered({**item.native, "env": item.env}) for item in compiled])


def ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): ordered(value[key]) for key in sorted(value, key=str)}
    return [ordered(item) for item in value] if isinstance(value, list) else value


def test_a_model_compiles_to_what_its_document_does() -> None:
    compiled = 0
    for data in drawn()[:VALID]:
        written = check(data, backend="all")
        if not has_errors(written.diagnostics):
            again = check(dumped(Config.model_validate(data)), backend="all")
            assert as_text(again.compiled) == as_text(written.compiled)
            compiled += 1
    assert compiled > VALID / 2


def test_a_model_is_an_argument_of_compile() -> None:
    engine = VllmEngine(tensor_parallel_size=2, max_model_len=8192)
    config = Config(model="some/model", vllm=VllmSection(engine=engine, sampling=VllmSampling(stop=["a"])))
    assert llmcfg.compile(config).native == {
        "EngineArgs": {"model": "some/model", "tensor_parallel_size": 2, "max_model_len": 8192},
        "SamplingParams": {"stop": ["a"]},
    }


def test_python_names_become_the_keys() -> None:
    parameters = llmcfg_models.VllmStructuredOutputsParams(json_={"type": "object"})
    assert dumped(parameters) == {"json": {"type": "object"}}


@pytest.mark.parametrize(
    "value",
    [{"tensor_parallel_size": None}, {"max_num_seqs": True}, {"max_num_seqs": "5"}, {"max_num_seqs": 1.5},
     {"enforce_eager": 1}, {"enforce_eager": "true"}, {"gpu_memory_utilization": "0.5"},
     {"gpu_memory_utilization": True}, {"device_ids": [1, 1]}, {"compilation_config": {"mode": True}},
     {"compilation_config": {"cudagraph_capture_sizes": [0]}}, {"no_such_key": 1}, {"dtype": None}],
)  # fmt: skip
def test_models_are_strict(value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VllmEngine.model_validate(value)


@pytest.mark.parametrize("value", TAKEN_BY_MODELS.values(), ids=TAKEN_BY_MODELS)
def test_known_differences(value: dict[str, Any]) -> None:
    data = {"model": "some/model", "vllm": {"sampling": value}}
    assert model_takes(data)
    assert not judge().is_valid(data)


def test_classes_are_documented_and_plainly_named() -> None:
    classes = [
        value
        for value in vars(llmcfg_models).values()
        if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == "llmcfg_models"
    ]
    assert {item.__name__ for item in classes} == {"Config", *bundle()["$defs"]}
    assert all(item.__doc__ for item in classes)
    assert PytorchQuantizationBitsandbytes.model_fields["load_in_4bit"].description


def test_importing_the_models_builds_no_validators() -> None:
    assert llmcfg_models.TensorrtLlmSparseDsa.model_config["defer_build"]
