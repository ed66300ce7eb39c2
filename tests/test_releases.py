"""What a release lacks: told once, at the key or at the value, whatever else is wrong there."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from llmcfg.catalog import backends
from llmcfg.diagnostics import Diagnostic, Path
from llmcfg.pipeline import Request, run
from llmcfg.reading.reader import parse
from tests.support.parameters import Parameter, accepted, check, every_parameter

ENGINE = "model: m\nvllm: {engine: {►}}\n"
LLM = "model: m\ntensorrt_llm: {►}\n"
LOAD = "model: m\npytorch: {►}\n"
REMOVED = {"vllm": "0.32.0", "tensorrt_llm": "1.3.0rc21", "pytorch": "5.23.0"}
ASIDE = {"L403", "L701", "L702"}
"""Codes that say something about any config, beside what is wrong with it."""
HARDWARE = {"L301", "L302", "L304"}
"""Codes of a second fact about the same value."""

FINDINGS: list[tuple[str, str, list[str]]] = [
    # a document, what stands in it, and the code with the words that it points at, in order
    (ENGINE, "kv_cache_dtype: octave_k3v4", ["L401 octave_k3v4"]),
    (ENGINE, "attention_config: {backend: STEP5_DSA}", ["L401 STEP5_DSA"]),
    (ENGINE, "all2all_backend: naive", ["L404 naive"]),
    (ENGINE, "mamba_cache_mode: null", ["L401 null"]),
    (ENGINE, "watchdog_config: {timeout: 3}", ["L401 watchdog_config"]),
    (ENGINE, "watchdog_config: {timeot: 3}", ["L401 watchdog_config", "L101 timeot"]),
    (ENGINE, "monokernel: yes", ["L401 monokernel", "L102 yes"]),
    (ENGINE, "monokernel: 017", ["L401 monokernel", "L006 017"]),
    (ENGINE, "kv_cache_dtype: octave_k3v5", ["L103 octave_k3v5"]),
    (LLM, "llm: {backend: tensorrt}", ["L402 tensorrt"]),
    (LLM, "llm: {enable_tqdm: true, fast_build: true}", ["L402 enable_tqdm", "L402 fast_build"]),
    (LLM, "build: {max_batch_size: 3, foo: 1}", ["L402 build", "L101 foo"]),
    (
        LLM,
        "llm: {speculative_config: {decoding_type: Medusa, max_draft_len: 3}}",
        ["L402 speculative_config"],
    ),
    (LOAD, "load: {low_cpu_mem_usage: true}", ["L201 low_cpu_mem_usage"]),
    (LOAD, "load: {proxies: {}}", ["L201 proxies"]),
    (LOAD, "load: {proxies: {a: 1}}", ["L201 proxies", "L102 1}"]),
    (LOAD, "load: {tp_plan: auto}", ["L404 tp_plan"]),
    (LOAD, "generate: {cache_implementation: hybrid}", ["L201 cache_implementation"]),
    (LOAD, "load: {attn_implementation: paged|sdpa}", ["L404 paged|sdpa"]),
]


def judged(text: str, backend: str, **asked: Any) -> list[Diagnostic]:
    found = run(parse(text.encode(), "c.yaml"), Request(backend=backend, **asked)).diagnostics
    return [item for item in found if item.code not in ASIDE]


@pytest.mark.parametrize(("frame", "inner", "expected"), FINDINGS, ids=[inner for _, inner, _ in FINDINGS])
def test_a_finding_points_at_what_the_release_lacks(frame: str, inner: str, expected: list[str]) -> None:
    text = frame.replace("►", inner)
    backend = next(name for name in backends() if f"\n{name}:" in text)
    found = judged(text, backend, version=REMOVED[backend])
    lines = text.split("\n")
    pointed = [
        (item.code, lines[item.place.line - 1][item.place.column - 1 :]) for item in found if item.place
    ]
    assert [code for code, _ in pointed] == [words.split(" ")[0] for words in expected]
    for (_, rest), words in zip(pointed, expected, strict=True):
        assert rest.startswith(words.partition(" ")[2])


def repeated(parameter: Parameter, **asked: Any) -> list[tuple[Path, list[str]]]:
    """Return the places of a parameter's samples about which more than one thing is said."""
    several = []
    for _, document, _ in accepted(parameter):
        said = defaultdict(list)
        for item in check(document, backend=parameter.backend, **asked).diagnostics:
            if item.code not in ASIDE | HARDWARE:
                said[item.path].append(item.code)
        several += [(path, codes) for path, codes in said.items() if len(codes) > 1]
    return several


@pytest.mark.parametrize(
    ("backend", "version"),
    sorted(
        {*((name, version) for name in backends() for version in backends()[name]["versions"])}
        | {*REMOVED.items()}
    ),
)
def test_no_sample_of_any_parameter_is_told_twice(backend: str, version: str) -> None:
    own = [parameter for parameter in every_parameter() if parameter.backend == backend]
    assert [found for parameter in own for found in repeated(parameter, version=version)] == []


def test_hardware_of_a_key_covers_that_of_its_value() -> None:
    found = judged("model: m\nvllm: {env: {VLLM_MARLIN_INPUT_DTYPE: fp8}}\n", "vllm", gpu="none")
    assert [item.code for item in found] == ["L301"]


@pytest.mark.parametrize(
    ("backend", "package"), [(name, facts["package"]) for name, facts in backends().items()]
)
def test_releases_are_those_of_the_package(backend: str, package: str) -> None:
    found = check({"model": "m", backend: {}}, backend=backend, version="99").diagnostics
    assert [item.message.partition(" is not")[0] for item in found] == [f"{package} 99"]


def test_a_rule_is_silent_about_a_list_with_a_refused_item() -> None:
    found = judged('model: m\nvllm: {engine: {numa_bind_cpus: ["a-b"]}}\n', "vllm")
    assert [item.code for item in found] == ["L103"]
