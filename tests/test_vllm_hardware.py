"""What the schema says that values need, against what vLLM's own code answers for every kind of GPU.

Both are asked about one GPU for each compute capability of the table of GPUs, vLLM on a virtual machine of
`tests.support.vllm_cards`. With ``LLMCFG_VLLM_SOURCE`` set, another release's
sources are asked instead of the installed ones.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

pytest.importorskip("vllm")

from llmcfg.checking.versions import in_range
from llmcfg.gpus import Gpu, find, table
from tests.support.parameters import Parameter, check, parameters
from tests.support.vllm_cards import QueryFailed, on_cards
from tests.support.vllm_differences import BEYOND, DIFFERENCES, UNSAID
from tests.support.vllm_hardware import AREAS, everything, failing
from tests.support.vllm_platforms import attention_backends, quantization_methods
from tests.support.vllm_switches import SWITCHES

pytestmark = pytest.mark.vllm

Capability = tuple[int, int]

# What is asked about, and the parameters that take its values.
PLACES = {
    "quantization": ("engine.quantization", "engine.speculative_config.quantization"),
    "dtype": ("engine.dtype",),
    "attention_backend": (
        "engine.attention_backend", "engine.attention_config.backend",
        "engine.speculative_config.attention_backend",
    ),
    "kv_cache_dtype": ("engine.kv_cache_dtype", "engine.speculative_config.kv_cache_dtype"),
    "mla_prefill_backend": ("engine.attention_config.mla_prefill_backend",),
    "flash_attn_version": ("engine.attention_config.flash_attn_version",),
    "moe_backend": (
        "engine.moe_backend", "engine.kernel_config.moe_backend", "engine.speculative_config.moe_backend",
    ),
    "linear_backend": ("engine.linear_backend", "engine.kernel_config.linear_backend"),
}  # fmt: skip
PAIRS = [(area, place) for area, places in PLACES.items() for place in places]


@cache
def gpus() -> dict[Capability, Gpu]:
    """Return a GPU for each compute capability."""
    return {gpu.capability: gpu for gpu in sorted(table(), key=lambda gpu: gpu.capability)}


@cache
def answers() -> dict[Capability, dict[str, Any]]:
    return {card.capability: answer for card, answer in on_cards(everything, gpus().values()).items()}


def test_one_gpu_can_stand_for_all_of_its_compute_capability() -> None:
    assert {(gpu.capability, gpu.architecture) for gpu in table()} == {
        (gpu.capability, gpu.architecture) for gpu in gpus().values()
    }


def version() -> str:
    return str(next(iter(answers().values()))["version"])


def said(area: str, value: str) -> dict[Capability, Any]:
    return {capability: answer[area][value] for capability, answer in answers().items()}


@cache
def parameter(name: str) -> Parameter:
    return next(item for item in parameters("vllm") if item.name == f"vllm.{name}")


def codes(place: Parameter, value: Any, gpu: Gpu) -> set[str]:
    result = check(place.document(value), backend="vllm", gpu=gpu.name, version=version())
    return {item.code for item in result.diagnostics}


def values_of(place: Parameter) -> dict[str, Any]:
    """Return the values that this release has, under the names that it is asked by."""
    texts = place.schema["x-values"]
    return {
        str(value): value
        for value in place.schema["enum"]
        if value is not None
        and in_range(version(), texts[str(value)].get("x-since"), texts[str(value)].get("x-until"))
    }


def expected(area: str, values: set[str]) -> dict[str, set[Capability]]:
    return {
        value: {capability for capability in gpus() if item.where(capability)}
        for item in DIFFERENCES.get(area, ())
        for value in item.values
        if value in values
    }


@pytest.mark.parametrize(("area", "place"), PAIRS)
def test_a_value_is_refused_exactly_where_vllm_cannot_take_it(area: str, place: str) -> None:
    where = parameter(place)
    common = {name: value for name, value in values_of(where).items() if name in answers()[9, 0][area]}
    differing: dict[str, set[Capability]] = {}
    for name, value in common.items():
        told = said(area, name)
        for capability, gpu in gpus().items():
            if (not {"L301", "L304"} & codes(where, value, gpu)) != (told[capability] is True):
                differing.setdefault(name, set()).add(capability)
    assert common
    assert differing == expected(area, set(common))


@pytest.mark.parametrize(("area", "place"), PAIRS)
def test_schema_and_vllm_know_the_same_values(area: str, place: str) -> None:
    known = set(values_of(parameter(place)))
    assert known - set(answers()[9, 0][area]) == UNSAID.get(area, frozenset()) & known
    assert set(answers()[9, 0][area]) <= known


@pytest.mark.parametrize("name", SWITCHES)
def test_a_feature_is_native_exactly_where_vllm_uses_it(name: str) -> None:
    place, _, text = name.partition(":")
    value = json.loads(text) if text in ("true", "false") else text
    told = said("switches", name)
    assert told == {
        capability: not {"L301", "L302", "L304"} & codes(parameter(place), value, gpu)
        for capability, gpu in gpus().items()
    }


def test_every_question_was_answered() -> None:
    unanswered = {
        value: answer
        for answer_of_card in answers().values()
        for area in AREAS
        for value, answer in answer_of_card[area].items()
        if not isinstance(answer, bool)
    }
    assert list(unanswered) == ["NO_ATTENTION"]


def accepts(place: str, platform: str) -> set[str]:
    """Return the values that some alternative of their requirements gives to a platform, with effect."""
    where = parameter(place)
    texts = where.schema["x-values"]
    return {name for name in values_of(where) if platform in _platforms(texts[name].get("x-requires", [{}]))}


def _platforms(requires: Any) -> set[str]:
    alternatives = [requires] if isinstance(requires, dict) else requires
    every = ("cuda", "rocm", "xpu", "cpu", "tpu", "hpu")
    used = [item for item in alternatives if item.get("level") != "ignored"]
    return {name for item in used for name in (item.get("platform", every) if item else every)}


def beyond(platform: str, area: str) -> set[str]:
    return {
        value
        for item in BEYOND
        if (item.platform, item.area) == (platform, area) and in_range(version(), None, item.until)
        for value in item.values
    }


@pytest.mark.parametrize("platform", ["rocm", "xpu"])
def test_quantization_methods_are_those_that_the_platform_lists(platform: str) -> None:
    named = quantization_methods(platform) | beyond(platform, "quantization")
    assert accepts("engine.quantization", platform) == named


@pytest.mark.parametrize("platform", ["cuda", "rocm", "xpu", "cpu"])
def test_no_backend_that_a_platform_chooses_is_refused_there(platform: str) -> None:
    assert attention_backends(platform) <= accepts("engine.attention_backend", platform)


@pytest.mark.parametrize("platform", ["xpu", "cpu"])
def test_a_platform_with_a_closed_list_takes_no_other_backend(platform: str) -> None:
    neutral = UNSAID["attention_backend"] | {"NO_ATTENTION"}
    named = attention_backends(platform) | beyond(platform, "attention_backend")
    assert accepts("engine.attention_backend", platform) - neutral == named


@pytest.mark.parametrize("platform", ["cuda", "rocm", "xpu", "cpu"])
def test_linear_backends_have_a_kernel_on_the_platforms_that_are_named(platform: str) -> None:
    having = {name for name, platforms in answers()[9, 0]["platforms"].items() if platform in platforms}
    assert accepts("engine.linear_backend", platform) - {"auto"} == having


def test_a_question_that_fails_is_told() -> None:
    with pytest.raises(QueryFailed, match="ZeroDivisionError"):
        on_cards(failing, [find("h100")])


def test_differences_name_their_reason_and_source() -> None:
    for item in (item for items in DIFFERENCES.values() for item in items):
        assert item.reason
        assert item.source.startswith("vllm/")
