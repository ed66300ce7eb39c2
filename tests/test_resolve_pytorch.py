"""What `resolve` says about a config for PyTorch is what transformers and torch say themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

import accelerate.utils
import torch
import transformers
from transformers.generation import GenerationMode
from transformers.integrations.accelerate import (
    compute_module_sizes,
    get_balanced_memory,
    infer_auto_device_map,
)
from transformers.modeling_flash_attention_utils import FLASH_ATTENTION_COMPATIBILITY_MATRIX
from transformers.quantizers.auto import AutoHfQuantizer
from transformers.utils import import_utils

from llmcfg.gpus import find
from llmcfg.lower import lower
from llmcfg.resolve.client import EngineProcess
from llmcfg.resolve.pytorch.facts import facts
from llmcfg.resolve.question import Answer, Machine, Model, Question

pytestmark = pytest.mark.transformers

Json = dict[str, Any]
DENSE = Model("kind:dense")
GIB = 1 << 30
MACHINES: dict[str, Machine] = {
    "here": Machine(),
    "cpu": Machine("none"),
    "v100": Machine("v100"),
    "a100": Machine("a100"),
    "2 a100": Machine("a100", 2),
    "h100": Machine("h100"),
    "2 h100": Machine("h100", 2),
    "8 h100": Machine("h100", 8),
    "v100+": Machine("v100", 1, ("flash-attn", "kernels")),
    "t4+": Machine("t4", 1, ("kernels", "fbgemm-gpu", "compressed-tensors")),
    "h100+": Machine("h100", 1, ("flash-attn", "bitsandbytes", "optimum-quanto", "fbgemm-gpu")),
}
BIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 128256,
    "hidden_size": 8192,
    "intermediate_size": 28672,
    "num_hidden_layers": 80,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
    "dtype": "bfloat16",
    "bos_token_id": 128000,
    "eos_token_id": 128001,
}
"""The shape of a model of 70 billion parameters."""


class Engines:
    """One process for each machine, begun when it is first asked."""

    def __init__(self) -> None:
        self._running: dict[str, EngineProcess] = {}

    def process(self, machine: str) -> EngineProcess:
        if machine not in self._running:
            self._running[machine] = EngineProcess("pytorch", MACHINES[machine]).__enter__()
        return self._running[machine]

    def ask(self, machine: str, section: Json, model: Model = DENSE) -> Answer:
        native = dict(lower("pytorch", section, model.name).native)
        env = native.pop("env", {})
        return self.process(machine).ask(Question(native, dict(env), model))

    def close(self) -> None:
        for process in self._running.values():
            process.__exit__()


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    found = Engines()
    yield found
    found.close()


def chosen(answer: Answer, topic: str) -> Any:
    return next(item.value for item in answer.chosen if item.topic == topic)


def against(answer: Answer, topic: str) -> dict[str, str]:
    return next(item.against for item in answer.chosen if item.topic == topic)


def texts(answer: Answer) -> str:
    return "\n".join(item.text for item in answer.said)


def refusal(step: Callable[[], Any]) -> str:
    """Return what the library itself raises."""
    with pytest.raises((ValueError, ImportError, RuntimeError)) as caught:
        step()
    return str(caught.value)


def model_on_meta(config: Json, **arguments: Any) -> Any:
    """Return a model without weights, made by transformers without llmcfg."""
    with torch.device("meta"):
        return transformers.AutoModelForCausalLM.from_config(
            transformers.AutoConfig.for_model(**config), **arguments
        )


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("big") / "config.json"
    path.write_text(json.dumps(BIG))
    return Model("some/70b", str(path))


def configured(tmp_path: Path, **changes: Any) -> Model:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**BIG, "num_hidden_layers": 2, **changes}))
    return Model("some/model", str(path))


# --- who answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machine", "platform", "device"),
    [
        ("here", "cpu", "CPU"),
        ("cpu", "cpu", "CPU"),
        ("h100", "virtual cuda", "H100"),
        ("2 h100", "virtual cuda", "2 x"),
    ],
)
def test_the_engine_says_what_it_is(engines: Engines, machine: str, platform: str, device: str) -> None:
    engine = engines.process(machine).engine
    if machine == "here" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert (engine.package, engine.version, engine.platform) == (
        "transformers",
        transformers.__version__,
        platform,
    )
    assert device in engine.device
    assert engine.packages["torch"] == torch.__version__


# --- values that go through ---------------------------------------------------------------------------

HELD: list[tuple[str, Json, Json]] = [
    ("cpu", {"load": {"dtype": "float16"}}, {"from_pretrained.dtype": "float16"}),
    ("cpu", {"load": {"dtype": "auto"}}, {"from_pretrained.dtype": "bfloat16"}),
    ("v100", {"load": {"dtype": "auto"}}, {"from_pretrained.dtype": "bfloat16"}),
    ("a100", {"load": {"attn_implementation": "eager"}}, {"from_pretrained.attn_implementation": "eager"}),
    (
        "a100",
        {"load": {"attn_implementation": "flex_attention"}},
        {"from_pretrained.attn_implementation": "flex_attention"},
    ),
    (
        "h100+",
        {"load": {"attn_implementation": "flash_attention_2"}},
        {"from_pretrained.attn_implementation": "flash_attention_2"},
    ),
    ("h100", {"load": {"device_map": "cuda"}}, {"from_pretrained.device_map": "cuda"}),
    (
        "h100",
        {"load": {"device_map": {"model": 0, "lm_head": "cpu"}}},
        {"from_pretrained.device_map.model": 0, "from_pretrained.device_map.lm_head": "cpu"},
    ),
    ("2 a100", {"load": {"tp_size": 2}}, {"from_pretrained.tp_size": 2}),
    (
        "h100",
        {"quantization": {"method": "fp8", "weight_block_size": [64, 64]}, "load": {"device_map": "cuda"}},
        {"quantization_config.weight_block_size": [64, 64], "quantization_config.quant_method": "fp8"},
    ),
    (
        "cpu",
        {"generate": {"do_sample": True, "temperature": 0.5, "top_p": 0.9}},
        {
            "GenerationConfig.do_sample": True,
            "GenerationConfig.temperature": 0.5,
            "GenerationConfig.top_p": 0.9,
        },
    ),
    (
        "cpu",
        {"generate": {"max_length": 50, "max_new_tokens": 6}},
        {"GenerationConfig.max_new_tokens": 6, "GenerationConfig.max_length": 10},
    ),
    ("cpu", {"generate": {"min_new_tokens": 3, "max_new_tokens": 6}}, {"GenerationConfig.min_new_tokens": 3}),
    (
        "h100",
        {"generate": {"continuous_batching_config": {"max_blocks_per_request": 8}}},
        {"GenerationConfig.continuous_batching_config.max_blocks_per_request": 0},
    ),
    (
        "h100",
        {"generate": {"continuous_batching_config": {"use_cuda_graph": True}}},
        {"GenerationConfig.continuous_batching_config.use_cuda_graph": True},
    ),
    (
        "cpu",
        {"generate": {"continuous_batching_config": {"use_cuda_graph": True}}},
        {"GenerationConfig.continuous_batching_config.use_cuda_graph": [False, False]},
    ),
    (
        "cpu",
        {"compile": {"fullgraph": True, "dynamic": False}},
        {"torch.compile.fullgraph": True, "torch.compile.dynamic": False},
    ),
    ("cpu", {"generate": {"stop_strings": ["end"]}}, {"GenerationConfig.stop_strings": ["end"]}),
    ("cpu", {"compile": {"mode": "reduce-overhead"}}, {"torch.compile.mode": "reduce-overhead"}),
    ("cpu", {"compile": {"options": {"max_autotune": True}}}, {"torch.compile.options.max_autotune": True}),
    (
        "cpu",
        {"runtime": {"float32_matmul_precision": "high", "seed": 7}},
        {"torch.set_float32_matmul_precision": "high", "torch.manual_seed": 7},
    ),
    (
        "h100",
        {"runtime": {"cudnn_benchmark": True, "enable_flash_sdp": False}},
        {"torch.backends.cudnn.benchmark": True, "torch.backends.cuda.enable_flash_sdp": False},
    ),
    ("h100", {"runtime": {"default_device": "cuda"}}, {"torch.set_default_device": "cuda"}),
]


@pytest.mark.parametrize(("machine", "section", "expected"), HELD, ids=[f"{m}: {s}" for m, s, _ in HELD])
def test_held(engines: Engines, machine: str, section: Json, expected: Json) -> None:
    answer = engines.ask(machine, section)
    assert answer.refusal is None
    assert answer.stage == "accepted"
    assert {key: answer.held[key].value for key in expected} == expected


def test_every_place_is_named(engines: Engines) -> None:
    for machine, section, expected in HELD:
        if machine == "cpu":
            answer = engines.ask(machine, section)
            assert all(answer.held[key].place for key in expected)


# --- choices ------------------------------------------------------------------------------------------

CHOSEN: list[tuple[str, Json, str, Any]] = [
    ("cpu", {}, "attention implementation", "sdpa"),
    ("cpu", {}, "device", "cpu"),
    ("h100", {"load": {"device_map": "auto"}}, "device", "cuda:0"),
    ("h100", {"runtime": {"default_device": "cuda"}}, "device", "cuda:0"),
    ("cpu", {}, "generation mode", GenerationMode.GREEDY_SEARCH.value),
    ("cpu", {"generate": {"do_sample": True}}, "generation mode", GenerationMode.SAMPLE.value),
    ("cpu", {"generate": {"num_beams": 4}}, "generation mode", GenerationMode.BEAM_SEARCH.value),
    (
        "cpu",
        {"generate": {"num_beams": 4, "do_sample": True}},
        "generation mode",
        GenerationMode.BEAM_SAMPLE.value,
    ),
    (
        "cpu",
        {"generate": {"prompt_lookup_num_tokens": 2}},
        "generation mode",
        GenerationMode.ASSISTED_GENERATION.value,
    ),
    ("cpu", {"generate": {"use_cache": False}}, "cache", None),
    (
        "cpu",
        {"generate": {"repetition_penalty": 1.2}},
        "logits processors",
        [transformers.RepetitionPenaltyLogitsProcessor.__name__],
    ),
    ("cpu", {"generate": {"temperature": 0.5}}, "logits processors", []),
    (
        "cpu",
        {"generate": {"temperature": 0.5, "do_sample": True, "top_k": 5}},
        "logits processors",
        [transformers.TemperatureLogitsWarper.__name__, transformers.TopKLogitsWarper.__name__],
    ),
    ("cpu", {"generate": {"cache_implementation": "static"}}, "automatic compilation", False),
    ("h100", {"generate": {"cache_implementation": "static"}}, "automatic compilation", False),
    (
        "h100",
        {"generate": {"cache_implementation": "static"}, "load": {"device_map": "cuda"}},
        "automatic compilation",
        True,
    ),
    (
        "h100",
        {
            "generate": {"cache_implementation": "static", "disable_compile": True},
            "load": {"device_map": "cuda"},
        },
        "automatic compilation",
        False,
    ),
    (
        "h100",
        {"generate": {"cache_implementation": "dynamic"}, "load": {"device_map": "cuda"}},
        "automatic compilation",
        False,
    ),
    (
        "h100",
        {"quantization": {"method": "fp8"}, "load": {"device_map": "cuda"}},
        "quantizer",
        "FineGrainedFP8HfQuantizer",
    ),
    ("cpu", {"compile": {"backend": "eager"}}, "compiler backend", "eager"),
]


@pytest.mark.parametrize(
    ("machine", "section", "topic", "value"), CHOSEN, ids=[f"{m}: {s}" for m, s, *_ in CHOSEN]
)
def test_chosen(engines: Engines, machine: str, section: Json, topic: str, value: Any) -> None:
    answer = engines.ask(machine, section)
    assert answer.refusal is None
    assert chosen(answer, topic) == value


@pytest.mark.parametrize(
    ("asked", "kind", "offloaded"),
    [
        (None, transformers.DynamicCache, False),
        ("dynamic", transformers.DynamicCache, False),
        ("offloaded", transformers.DynamicCache, True),
        ("static", transformers.StaticCache, False),
        ("offloaded_static", transformers.StaticCache, True),
    ],
)
def test_cache_class(engines: Engines, asked: str | None, kind: type, offloaded: bool) -> None:
    section = {"generate": {"cache_implementation": asked, "max_new_tokens": 60}} if asked else {}
    cache = chosen(engines.ask("cpu", section), "cache")
    assert (cache["class"], cache["offloaded"]) == (kind.__name__, offloaded)
    if kind is transformers.StaticCache:
        assert cache["length"] == 4 + 60 - 1  # the last token needs no place


def test_sliding_window_of_the_model_reaches_the_cache(engines: Engines, tmp_path: Path) -> None:
    model = configured(
        tmp_path, model_type="mistral", architectures=["MistralForCausalLM"], sliding_window=512
    )
    cache = chosen(engines.ask("cpu", {}, model), "cache")
    expected = transformers.DynamicCache(
        config=transformers.MistralConfig(sliding_window=512, num_hidden_layers=2)
    )
    assert cache["layers"] == {type(expected.layers[0]).__name__: 2}
    assert cache["sliding window"] == 512


@pytest.mark.parametrize("mode", sorted(torch._inductor.list_mode_options()))
def test_settings_of_a_compile_mode(engines: Engines, mode: str) -> None:
    answer = engines.ask("cpu", {"compile": {"mode": mode}})
    assert chosen(answer, "compiler settings") == torch._inductor.list_mode_options()[mode]


def test_tensor_parallel_plan_is_applied(engines: Engines) -> None:
    answer = engines.ask("2 a100", {"load": {"tp_size": 2}})
    assert answer.refusal is None
    assert chosen(answer, "device") == "cuda:0"
    assert any("torchrun" in item.question for item in answer.assumed)


# --- refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", sorted(FLASH_ATTENTION_COMPATIBILITY_MATRIX))
@pytest.mark.parametrize("machine", ["v100", "h100"])
def test_flash_attention_without_its_package(engines: Engines, machine: str, version: int) -> None:
    model = model_on_meta({**BIG, "num_hidden_layers": 1})
    own = refusal(lambda: model._flash_attn_can_dispatch(version, is_init_check=True))
    answer = engines.ask(machine, {"load": {"attn_implementation": f"flash_attention_{version}"}})
    assert answer.refusal is not None
    assert (answer.refusal.kind, answer.refusal.text) == ("ImportError", own)
    assert answer.refusal.where == "transformers/modeling_utils.py:_flash_attn_import_error"
    assert against(engines.ask(machine, {}), "attention implementation")[f"flash_attention_{version}"] == own


def test_flash_attention_on_a_card_that_is_too_old_is_no_pass(engines: Engines) -> None:
    answer = engines.ask("v100+", {"load": {"attn_implementation": "flash_attention_2"}})
    assert answer.refusal is None  # transformers does not ask
    assert any(text.startswith("flash_attention_2 on capability 7.0") for text in answer.unknown)
    assert not engines.ask("h100+", {"load": {"attn_implementation": "flash_attention_2"}}).unknown


@pytest.mark.parametrize("version", [3, 4])
def test_borders_of_flash_attention_are_those_of_transformers(version: int) -> None:
    major = FLASH_ATTENTION_COMPATIBILITY_MATRIX[version]["cuda_min_major_version"]
    assert facts("kernels")[f"flash_attention_{version}"]["capability"] == f"{major}.0"


REFUSED: list[tuple[str, Json, str, str]] = [
    ("cpu", {"load": {"attn_implementation": "nonsense"}}, "ValueError", 'attn_implementation="nonsense"'),
    ("cpu", {"load": {"device_map": "nowhere"}}, "ValueError", "device_map as a string"),
    ("cpu", {"load": {"dtype": "float13"}}, "AttributeError", "float13"),
    ("cpu", {"load": {"use_kernels": True}}, "ValueError", import_utils.KERNELS_MIN_VERSION),
    (
        "h100",
        {"quantization": {"method": "bitsandbytes", "load_in_8bit": True}},
        "ImportError",
        f"bitsandbytes>={import_utils.BITSANDBYTES_MIN_VERSION}",
    ),
    ("h100", {"quantization": {"method": "gptq", "bits": 4}}, "ImportError", "optimum"),
    ("h100", {"quantization": {"method": "awq"}}, "ImportError", "gptqmodel"),
    ("h100", {"quantization": {"method": "mxfp4"}}, "ValueError", "`kernels` package"),
    ("cpu", {"quantization": {"method": "fp8"}}, "RuntimeError", "No GPU or XPU found"),
    ("2 a100", {"load": {"tp_size": 4}}, "RuntimeError", "requires 4 processes, but world_size is 2"),
    ("2 a100", {"load": {"tp_size": 2, "device_map": "auto"}}, "ValueError", "mutually exclusive"),
    ("cpu", {"generate": {"cache_implementation": "quantized"}}, "ImportError", "optimum-quanto"),
    ("cpu", {"generate": {"penalty_alpha": 0.6, "top_k": 4}}, "ValueError", "trust_remote_code"),
    ("cpu", {"generate": {"num_return_sequences": 2}}, "ValueError", "num_return_sequences"),
    ("cpu", {"compile": {"backend": "nonsense"}}, "InvalidBackend", "nonsense"),
    ("cpu", {"compile": {"options": {"nonsense": 1}}}, "RuntimeError", "nonsense"),
    (
        "cpu",
        {"compile": {"mode": "max-autotune", "options": {"max_autotune": True}}},
        "RuntimeError",
        "mode or options",
    ),
]


@pytest.mark.parametrize(
    ("machine", "section", "kind", "part"), REFUSED, ids=[f"{m}: {s}" for m, s, *_ in REFUSED]
)
def test_refused(engines: Engines, machine: str, section: Json, kind: str, part: str) -> None:
    answer = engines.ask(machine, section)
    assert answer.refusal is not None, texts(answer)
    assert answer.refusal.kind == kind
    assert part in answer.refusal.text
    assert answer.refusal.where.startswith(("transformers/", "torch/"))
    assert answer.stage != "accepted"


# --- quantization methods and the cards' capabilities --------------------------------------------------

QUANTIZATION: list[tuple[str, Json, list[str]]] = [
    ("FineGrainedFP8Config", {"method": "fp8"}, ["v100", "a100", "h100"]),
    ("Mxfp4Config", {"method": "mxfp4"}, ["v100+", "t4+"]),
    ("FbgemmFp8Config", {"method": "fbgemm_fp8"}, ["t4+"]),
]


def own_verdict(config: Any, machine: Machine, patch: pytest.MonkeyPatch) -> tuple[str, bool | None]:
    """Return what the quantizer says about a card: its refusal, and whether it would dequantize."""
    capability = find(machine.gpu or "").capability
    patch.setattr(torch.cuda, "is_available", lambda: True)
    patch.setattr(torch.cuda, "get_device_capability", lambda *_: capability)
    quantizer = AutoHfQuantizer.from_config(config, pre_quantized=False)
    module = __import__(type(quantizer).__module__, fromlist=["_"])
    for name in (
        "is_kernels_available",
        "is_torch_cuda_available",
        "is_fbgemm_gpu_available",
        "is_triton_available",
    ):
        patch.setattr(module, name, lambda *_: True, raising=False)
    patch.setattr(type(quantizer), "_lazy_import_kernels", lambda self: None, raising=False)
    try:
        quantizer.validate_environment(device_map=None)
    except (ValueError, ImportError, RuntimeError) as error:
        return str(error), None
    return "", getattr(quantizer.quantization_config, "dequantize", None)


@pytest.mark.parametrize(
    ("name", "section", "machine"),
    [(name, section, machine) for name, section, machines in QUANTIZATION for machine in machines],
)
def test_capability_of_a_quantizer(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, name: str, section: Json, machine: str
) -> None:
    with monkeypatch.context() as patch:
        own, dequantized = own_verdict(getattr(transformers, name)(), MACHINES[machine], patch)
    answer = engines.ask(machine, {"quantization": section})
    assert (answer.refusal.text if answer.refusal else "") == own
    assert any("get_device_capability" in item.question for item in answer.assumed)
    if dequantized:
        assert "We will default to dequantizing" in texts(answer)
        assert chosen(answer, "layers of the quantizer") == {}


def test_fp8_puts_its_layers_in_from_ada_on(engines: Engines) -> None:
    section = {"quantization": {"method": "fp8"}, "load": {"device_map": "auto"}}
    new, old = engines.ask("h100", section), engines.ask("a100", section)
    assert chosen(new, "layers of the quantizer") == {"FP8Linear": 32 * 7}
    assert chosen(new, "weights in GiB") < 0.6 * chosen(old, "weights in GiB")


# --- messages -----------------------------------------------------------------------------------------

SAID: list[tuple[Json, str, str]] = [
    ({"generate": {"temperature": 0.5}}, "WARNING", "['temperature']"),
    ({"generate": {"temperature": 0.5}}, "INFO", "only used in sample-based generation modes"),
    ({"generate": {"length_penalty": 2.0}}, "WARNING", "['length_penalty']"),
    (
        {"generate": {"max_length": 50, "max_new_tokens": 6}},
        "WARNING",
        "`max_new_tokens` will take precedence",
    ),
    (
        {"generate": {"compile_config": {"mode": "default"}}},
        "WARNING",
        "unable to meet the criteria for compilation",
    ),
    (
        {"generate": {"prompt_lookup_num_tokens": 2, "num_beams": 2}},
        "WARNING",
        "only supported with Greedy Search",
    ),
    ({"load": {"tp_plan": "auto"}}, "WARNING", "deprecated"),
    ({}, "INFO", "Will use dtype=torch.bfloat16 as defined in model's config object"),
]


@pytest.mark.parametrize(("section", "level", "part"), SAID, ids=[f"{s} {level}" for s, level, _ in SAID])
def test_said(engines: Engines, section: Json, level: str, part: str) -> None:
    answer = engines.ask("cpu", section)
    assert [item for item in answer.said if item.level == level and part in item.text]
    assert all(not item.where.startswith("/") and os.sep + "tmp" not in item.text for item in answer.said)


def test_said_as_the_library_says_it(engines: Engines) -> None:
    config = transformers.GenerationConfig(temperature=0.5)
    own = []
    logger = transformers.utils.logging.get_logger("transformers.generation.configuration_utils")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logger, "warning_once", own.append)
        patch.setattr(logger, "info", own.append)
        config.validate()
    assert own
    assert {str(text).strip() for text in own} <= {
        item.text for item in engines.ask("cpu", {"generate": {"temperature": 0.5}}).said
    }


# --- memory and placement ------------------------------------------------------------------------------


@pytest.mark.parametrize(("machine", "fits"), [("h100", False), ("2 h100", True), ("8 h100", True)])
def test_device_map_of_a_big_model(engines: Engines, big: Model, machine: str, fits: bool) -> None:
    gpu, count = find("h100"), MACHINES[machine].cards
    answer = engines.ask(machine, {"load": {"device_map": "auto"}}, big)
    model = model_on_meta(BIG, dtype=torch.bfloat16)
    given: dict[int | str, int] = dict.fromkeys(range(count), int(gpu.memory * GIB))
    given["cpu"] = 2 * sum(given.values())
    own_memory = own_balance(model, given)
    own_map = infer_auto_device_map(
        model, max_memory=own_memory, no_split_module_classes=model._no_split_modules
    )
    sizes, _ = compute_module_sizes(model)
    per_device = chosen(answer, "weights per device in GiB")
    assert chosen(answer, "weights in GiB") == round(sizes[""] / GIB, 2)
    assert set(per_device) == {f"cuda:{item}" if isinstance(item, int) else item for item in own_map.values()}
    assert chosen(answer, "weights fit")["all on GPUs"] is fits
    assert chosen(answer, "weights fit")["on one GPU"] is False


def own_balance(model: Any, given: dict[int | str, int]) -> Any:
    """Balance the memory as transformers does for a machine with this much."""
    from transformers.integrations import accelerate as integration

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            integration, "accelerate_max_memory", lambda _: accelerate.utils.get_max_memory(dict(given))
        )
        return get_balanced_memory(model, None, model._no_split_modules)


def test_the_memory_that_the_user_sets_is_respected(engines: Engines) -> None:
    section = {"load": {"device_map": "auto", "max_memory": {"0": "4GiB", "cpu": "100GiB"}}}
    per_device = chosen(engines.ask("h100", section), "weights per device in GiB")
    assert per_device["cuda:0"] <= 4
    assert per_device["cpu"] > 8


# --- what nobody can answer ----------------------------------------------------------------------------

UNKNOWN: list[tuple[str, Json, str]] = [
    ("h100", {"runtime": {"per_process_memory_fraction": 0.5}}, "set_per_process_memory_fraction"),
    (
        "h100+",
        {"quantization": {"method": "bitsandbytes", "load_in_4bit": True}},
        "bitsandbytes.nn.Linear4bit",
    ),
    ("h100+", {"generate": {"cache_implementation": "quantized"}}, "optimum.quanto"),
    ("h100+", {"quantization": {"method": "fbgemm_fp8"}}, "fbgemm"),
    ("h100", {"runtime": {"tunable_enable": True}}, "cuda.tunable.enable"),
    ("h100", {"runtime": {"cublas_workspace_size": 4194304}}, "has no CUDA"),
    ("h100", {"load": {"gguf_file": "model.gguf"}}, "GGUF"),
    ("cpu", {"generate": {"token_healing": True}}, "healed"),
    ("v100+", {"load": {"use_kernels": True}}, "kernels."),
    ("v100+", {"load": {"attn_implementation": "kernels-community/flash-attn2"}}, "kernels."),
]


@pytest.mark.parametrize(("machine", "section", "part"), UNKNOWN, ids=[f"{m}: {s}" for m, s, _ in UNKNOWN])
def test_unknown_is_no_pass(engines: Engines, machine: str, section: Json, part: str) -> None:
    answer = engines.ask(machine, section)
    assert any(part in text for text in answer.unknown)
    assert answer.refusal is None


def test_the_dtype_of_weights_that_are_not_there_is_unknown(engines: Engines, tmp_path: Path) -> None:
    without = {key: item for key, item in BIG.items() if key != "dtype"}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**without, "num_hidden_layers": 1}))
    model = Model("some/model", str(path))
    assert "dtype of the weights" in engines.ask("cpu", {}, model).unknown[0]
    assert not engines.ask("cpu", {"load": {"dtype": "bfloat16"}}, model).unknown


def test_nothing_is_unknown_about_a_plain_config(engines: Engines) -> None:
    for machine in ("cpu", "v100", "h100"):
        assert not engines.ask(machine, {}).unknown


def test_every_assumption_names_its_source(engines: Engines) -> None:
    answer = engines.ask("h100", {"load": {"device_map": "auto"}, "quantization": {"method": "fp8"}})
    assumed = {item.question: item.answer for item in answer.assumed}
    assert assumed["torch.cuda.get_device_capability"] == [9, 0]
    assert assumed["is flash_attn installed"] is False
    assert all(item.source for item in answer.assumed)
    assert not engines.ask("cpu", {"load": {"device_map": "auto"}}).assumed


def test_a_plain_installation_has_what_its_metadata_asks_for(engines: Engines) -> None:
    answer = engines.ask("h100", {"quantization": {"method": "compressed-tensors"}})
    assert answer.refusal is not None  # it is installed here, but not there


# --- variables -----------------------------------------------------------------------------------------


def test_variables_are_read_at_import(engines: Engines) -> None:
    section = {"env": {"TORCH_COMPILE_DISABLE": "1", "USE_HUB_KERNELS": "0"}}
    answer = engines.ask("cpu", section)
    assert answer.stage == "accepted"
    assert answer.held["env.TORCH_COMPILE_DISABLE"].value == "1"
    assert not engines.ask("cpu", {}).held


# --- the same as here, for real --------------------------------------------------------------------------

REAL: list[Json] = [
    *({"load": {"dtype": dtype}} for dtype in ("auto", "bfloat16", "float16", "float32")),
    *({"load": {"attn_implementation": name}} for name in ("sdpa", "eager", "flex_attention")),
    *({"load": {"device_map": device}} for device in ("cpu", "auto")),
    *(
        {"generate": {"max_new_tokens": 4, **one}}
        for one in (
            {"do_sample": True, "temperature": 0.5},
            {"do_sample": True, "top_k": 5},
            {"do_sample": True, "top_p": 0.5},
            {"do_sample": True, "min_p": 0.1},
            {"do_sample": True, "typical_p": 0.9},
            {"temperature": 0.7},
            {"num_beams": 2},
            {"num_beams": 2, "length_penalty": 0.5},
            {"num_beams": 2, "early_stopping": True},
            {"num_beams": 2, "num_return_sequences": 2},
            {"repetition_penalty": 1.3},
            {"no_repeat_ngram_size": 2},
            {"min_new_tokens": 2},
            {"min_length": 6},
            {"max_length": 100},
            {"use_cache": False},
            {"cache_implementation": "static"},
            {"cache_implementation": "hybrid"},
            {"eos_token_id": [5, 6]},
            {"pad_token_id": 3},
            {"bad_words_ids": [[7]]},
            {"suppress_tokens": [9]},
            {"return_dict_in_generate": True, "output_scores": True},
            {"prompt_lookup_num_tokens": 2},
            {"max_time": 5.0},
            {"renormalize_logits": True},
            {"disable_compile": True},
        )
    ),
    *(
        {"runtime": one}
        for one in (
            {"float32_matmul_precision": "medium"},
            {"deterministic_algorithms": True},
            {"num_threads": 1},
            {"seed": 11},
            {"enable_math_sdp": False},
            {"cudnn_deterministic": True},
            {"default_dtype": "bfloat16"},
            {"dynamo_recompile_limit": 3},
            {"inductor_max_autotune": True},
            {"mkldnn_enabled": False},
            {"cuda_matmul_allow_tf32": True},
            {"grad_enabled": False},
            {"opt_einsum_enabled": False},
        )
    ),
]


@pytest.fixture(scope="module")
def really(tiny_model: Path) -> list[Json]:
    """What the loaded model holds, for each of the sections."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.pytorch_held", str(tiny_model)],
        input="".join(f"{json.dumps(section)}\n" for section in REAL),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # a process with threads does not survive the fork
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("index", range(len(REAL)), ids=lambda index: str(REAL[index]))
def test_resolved_is_what_the_loaded_model_holds(
    engines: Engines, tiny_model: Path, really: list[Json], index: int
) -> None:
    section, real = REAL[index], dict(really[index])
    answer = engines.ask("here", section, Model(str(tiny_model)))
    assert answer.refusal is None
    assert not answer.unknown
    assert chosen(answer, "device") == real.pop("from_pretrained.device")
    held = {key: item.value for key, item in answer.held.items() if key in real}
    assert held == real


def test_enough_values_are_compared_with_the_loaded_model() -> None:
    assert sum(len(part) for section in REAL for part in section.values()) >= 30


# --- speed -----------------------------------------------------------------------------------------------


def test_an_answer_takes_a_moment(engines: Engines) -> None:
    engines.ask("cpu", {})
    start = time.perf_counter()
    engines.ask("cpu", {"load": {"dtype": "float16"}})
    assert time.perf_counter() - start < 5
