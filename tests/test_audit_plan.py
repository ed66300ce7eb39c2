"""The plan of an audit: every parameter of the schema is tried, and nothing else decides what is."""

from __future__ import annotations

import copy
import json
from functools import cache

import pytest

from llmcfg.audit.parameters import everywhere
from llmcfg.audit.plan import BASELINE, NO_SUCH_KEY, plan
from llmcfg.audit.trial import Trial, trial_id
from llmcfg.audit.values import DEFAULT, FORBIDDEN, NO_SUCH_VALUE, VALUE, values
from llmcfg.catalog import backends, bundle
from llmcfg.checking.versions import in_range
from llmcfg.diagnostics import ERROR
from llmcfg.resolve.kinds import DENSE, kinds
from tests.support.parameters import check, first_sample

RELEASES = [(backend, version) for backend in backends() for version in backends()[backend]["versions"]]
LATEST = [(backend, backends()[backend]["versions"][-1]) for backend in backends()]


@cache
def by_id(backend: str, version: str) -> dict[str, Trial]:
    return {trial.id: trial for trial in plan(backend, version)}


def errors(trial: Trial, version: str) -> set[str]:
    found = check(trial.document, backend=trial.backend, version=version).diagnostics
    return {item.rule or item.code for item in found if item.severity == ERROR}


@pytest.mark.parametrize(("backend", "version"), RELEASES)
def test_every_parameter_of_the_release_is_tried(backend: str, version: str) -> None:
    tried = {trial.parameter for trial in plan(backend, version)}
    closed = {parameter.key for parameter in everywhere(backend)} - tried
    for parameter in everywhere(backend):
        if parameter.key in closed:
            document = parameter.document(first_sample(parameter.schema))
            found = check(document, backend=backend, version=version).diagnostics
            assert {"L401", "L402"} & {item.code for item in found}, parameter.key


@pytest.mark.parametrize(("backend", "version"), RELEASES)
def test_every_enum_value_that_the_release_has_is_tried(backend: str, version: str) -> None:
    trials = by_id(backend, version)
    tried = {trial.parameter for trial in trials.values()}
    for parameter in everywhere(backend):
        known = parameter.schema.get("x-values", {})
        for value in parameter.schema.get("enum", ()) if parameter.key in tried else ():
            about = known.get(value if isinstance(value, str) else json.dumps(value), {})
            is_open = all(
                in_range(version, facts.get("x-since"), facts.get("x-until"))
                for facts in (about, parameter.schema)
            )
            assert (trial_id(parameter.key, value) in trials) is is_open, (parameter.key, value)


@pytest.mark.parametrize(("backend", "version"), RELEASES)
def test_names_are_unique_and_kinds_are_known(backend: str, version: str) -> None:
    trials = plan(backend, version)
    assert len({trial.id for trial in trials}) == len(trials)
    assert {kind for trial in trials for kind in trial.kinds} <= set(kinds())
    assert all(trial.kinds for trial in trials)


@pytest.mark.parametrize(("backend", "version"), LATEST)
def test_a_plan_is_the_same_every_time(backend: str, version: str) -> None:
    from llmcfg.audit import plan as module

    first = plan(backend, version)
    module._trials.cache_clear()
    assert plan(backend, version) == first


# Values that llmcfg refuses whatever stands beside them: what a rule says of the value itself.
REFUSED = {
    "vllm": {
        "vllm-extraction-needs-layers", "vllm-extraction-takes-one-token", "vllm-kv-connector-needs-role",
        "vllm-msa-alias-at-top-level",
    },
    "tensorrt_llm": {
        "tensorrt-llm-user-provided-needs-drafter", "tensorrt-llm-transceiver-needs-backend",
        "tensorrt-llm-balancer-needs-slots", "tensorrt_llm-quant-int8-is-for-the-cache",
        "tensorrt_llm-quant-mixed-comes-from-the-checkpoint", "tensorrt-llm-lookahead-drafts-something",
        "tensorrt-llm-lora-needs-dir-or-modules",
    },
    "pytorch": {
        "pytorch-quanto-activations", "pytorch-vptq-proxy-error", "pytorch-generate-low-memory-gone",
        "pytorch-generate-batching-max-cached-graphs", "pytorch-sinq-group-size",
        "pytorch-higgs-default-group", "pytorch-generate-constrained-on-the-hub",
        "pytorch-env-native-async-tp-any-value",
    },
}  # fmt: skip


@pytest.mark.parametrize(("backend", "version"), RELEASES)
def test_llmcfg_takes_what_is_tried_or_names_the_rule(backend: str, version: str) -> None:
    refused = {
        trial.id: found
        for trial in plan(backend, version)
        if trial.role != FORBIDDEN and (found := errors(trial, version))
    }
    assert set().union(*refused.values()) <= REFUSED[backend], refused
    assert len(refused) < 0.02 * len(plan(backend, version))


@pytest.mark.parametrize(("backend", "version"), LATEST)
def test_llmcfg_refuses_what_is_forbidden(backend: str, version: str) -> None:
    for trial in plan(backend, version):
        if trial.role == FORBIDDEN and NO_SUCH_KEY not in trial.id:
            assert errors(trial, version), trial.id


@pytest.mark.parametrize(("backend", "version"), LATEST)
def test_without_its_value_a_config_is_the_same_otherwise(backend: str, version: str) -> None:
    places = {parameter.key: (backend, *parameter.path) for parameter in everywhere(backend)}
    for trial in plan(backend, version):
        path = places.get(trial.parameter)
        if path is None:
            continue
        holder = copy.deepcopy(trial.document)
        at = holder
        for step in path[:-1]:
            at = at[step]
        assert at[path[-1]] == trial.value, trial.id
        below = trial.before
        for step in path:
            below = below[step] if isinstance(step, str) and step in below else {}
        assert below in ({}, []), trial.id


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "boolean", "default": False}, {False: DEFAULT, True: VALUE}),
        (
            {"type": "integer", "minimum": 1, "maximum": 64, "default": 16},
            {16: DEFAULT, 1: VALUE, 2: VALUE, 64: VALUE, 32: VALUE, 0: FORBIDDEN, 65: FORBIDDEN},
        ),
        (
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 0.5},
            {0.5: DEFAULT, 1: VALUE, 0.25: VALUE, 2: FORBIDDEN, 0: FORBIDDEN},
        ),
        ({"type": ["integer", "null"], "minimum": 0}, {0: VALUE, 1: VALUE, None: VALUE, -1: FORBIDDEN}),
        ({"type": "string", "enum": ["a", "b"]}, {"a": VALUE, "b": VALUE, NO_SUCH_VALUE: FORBIDDEN}),
        ({"type": "string", "examples": ["x"], "x-audit": {"values": ["y"]}}, {"x": VALUE, "y": VALUE}),
    ],
)
def test_values(schema: dict, expected: dict) -> None:
    assert {item.value: item.role for item in values({"title": "T", **schema})} == expected


@pytest.mark.parametrize(
    ("parameter", "value", "name"),
    [
        ("vllm.engine.dtype", "float16", "vllm.engine.dtype=float16"),
        ("p", True, "p=true"),
        ("p", "true", 'p="true"'),
        ("p", None, "p=null"),
        ("p", "", 'p=""'),
        ("p", [1, 2], "p=[1,2]"),
        ("p", {"a": "é"}, 'p={"a":"é"}'),
        ("p", 0.5, "p=0.5"),
        ("p", "x" * 200, f"p={'x' * 40}~47af0e86"),
    ],
)
def test_names_of_trials(parameter: str, value: object, name: str) -> None:
    if "~" in name:
        assert trial_id(parameter, value).rpartition("~")[0] == name.rpartition("~")[0]
        assert trial_id(parameter, value) != trial_id(parameter, f"{value}x")
    else:
        assert trial_id(parameter, value) == name


QUANTIZED = tuple(name for name, facts in kinds().items() if "quantized_checkpoint" in facts["fulfils"])

# What has to stand beside a value, and the kinds of models that it is for.
BESIDE = [
    ("vllm", "vllm.engine.kv_cache_dtype=fp8", {}, (DENSE,)),
    (
        "vllm", "vllm.engine.offload_backend=prefetch",
        {"engine": {"offload_group_size": 4}}, (DENSE,),
    ),
    (
        "vllm", "vllm.engine.eplb_config.window_size=1000",
        {"engine": {"enable_eplb": True, "enable_expert_parallel": True}}, ("moe", "latent"),
    ),
    (
        "vllm", "vllm.engine.structured_outputs_config.disable_any_whitespace=true",
        {"engine": {"structured_outputs_config": {"backend": "xgrammar"}}}, (DENSE,),
    ),
    ("vllm", "vllm.engine.attention_backend=FLASHINFER_MLA", {}, ("latent", "sparse")),
    ("vllm", "vllm.engine.max_loras=4", {"engine": {"enable_lora": True}}, (DENSE,)),
    ("vllm", "vllm.env.VLLM_MAX_IMAGE_PIXELS=50000000", {}, ("pictures",)),
    ("pytorch", "pytorch.quantization:awq.bits=8", {"quantization": {"method": "awq"}}, ("awq",)),
    ("pytorch", "pytorch.quantization:spqr.bits=3", {"quantization": {"method": "spqr"}}, QUANTIZED),
    ("vllm", "vllm.engine.quantization=gptq_marlin", {}, ("gptq",)),
    ("vllm", "vllm.engine.quantization=moe_wna16", {}, ("moe-gptq",)),
]  # fmt: skip


def holds(config: dict, part: dict) -> bool:
    return all(
        key in config and (holds(config[key], value) if isinstance(value, dict) else config[key] == value)
        for key, value in part.items()
    )


@pytest.mark.parametrize(("backend", "name", "beside", "models"), BESIDE)
def test_partners_follow_from_the_schema(backend: str, name: str, beside: dict, models: tuple) -> None:
    trial = by_id(backend, backends()[backend]["versions"][-1])[name]
    assert holds(trial.before[backend], beside), trial.before
    assert bool(beside) is bool(trial.before[backend])
    assert trial.kinds == models


def test_a_checkpoint_in_the_format_that_a_value_names_holds_it() -> None:
    stored = {trial.id for trial in by_id("vllm", "0.33.0").values() if trial.is_stored}
    assert {"vllm.engine.quantization=fp8", "vllm.engine.quantization=awq"} <= stored
    assert not {"vllm.engine.dtype=float16", "vllm.engine.speculative_config.quantization=awq"} & stored


def test_a_kind_of_model_that_there_is_none_of_is_named() -> None:
    trials = by_id("vllm", "0.33.0")
    lacking = {trial.parameter for trial in trials.values() if trial.lacks == "diffusion"}
    assert "vllm.engine.diffusion_config.canvas_length" in lacking


@pytest.mark.parametrize(
    ("only", "count"),
    [("vllm.engine.dtype", 1), ("vllm.engine.dtype=float16", 1), ("*.dtype*", 3), ("no.such", 0)],
)
def test_a_pattern_chooses(only: str, count: int) -> None:
    found = [trial for trial in plan("vllm", "0.33.0", only) if trial.role != BASELINE]
    assert len(found) >= count
    assert bool(found) is bool(count)


def test_a_pattern_need_not_name_the_choice_of_a_type() -> None:
    found = {trial.parameter for trial in plan("pytorch", "5.23.0", "pytorch.quantization.bits")}
    assert {"pytorch.quantization:awq.bits", "pytorch.quantization:auto-round.bits"} & found


def test_a_plan_follows_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """No parameter is listed by hand: one that the schema gains is tried."""
    from llmcfg.audit import parameters as walked

    owner = bundle()["$defs"]["VllmSampling"]["properties"]
    monkeypatch.setitem(owner, "fresh", {"title": "T", "type": "integer", "minimum": 3, "default": 5})
    walked.everywhere.cache_clear()
    try:
        keys = {parameter.key for parameter in walked.everywhere("vllm")}
    finally:
        walked.everywhere.cache_clear()
    assert "vllm.sampling.fresh" in keys


def test_kinds_of_models_are_whole() -> None:
    for name, facts in kinds().items():
        assert facts.keys() - {"holds"} == {"title", "source", "fulfils", "config"}, name
        assert ("quantization_config" in facts["config"]) is ("holds" in facts), name
        assert facts["config"]["architectures"], name
    assert next(iter(kinds())) == DENSE
