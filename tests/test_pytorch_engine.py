"""transformers' own classes judge what llmcfg says and what it emits for PyTorch."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from llmcfg.catalog import backends
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import INFO, Diagnostic, has_errors
from llmcfg.emit.formats import FORMATS
from llmcfg.lower import lower
from llmcfg.native import construct, instance
from tests.support.parameters import Parameter, accepted, check, parameters, samples
from tests.support.tiny_model import END, PROMPT

pytestmark = pytest.mark.transformers

ROOT = Path(__file__).parents[1]
INSTALLED = backends()["pytorch"]["versions"][0]
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}


def in_section(*sections: str) -> list[Parameter]:
    return [parameter for parameter in parameters("pytorch") if parameter.path[0] in sections]


def compiled(parameter: Parameter, **root: Any) -> list[tuple[Any, Compiled]]:
    """Compile every accepted value of a parameter that the installed release has."""
    found = []
    for value, document, _ in accepted(parameter):
        result = check({**document, **root}, backend="pytorch", version=INSTALLED)
        if not has_errors(result.diagnostics):
            found.append((value, result.compiled[0]))
    return found


def compile_one(document: dict[str, Any]) -> Compiled:
    result = check(document, backend="pytorch", version=INSTALLED)
    assert not has_errors(result.diagnostics), result.diagnostics
    return result.compiled[0]


def test_the_release_under_test_is_installed() -> None:
    assert transformers.__version__ == INSTALLED


def plain(value: Any) -> Any:
    """Reduce config objects to data that can be compared."""
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (str, int, float, type(None))):
        return value
    return plain(vars(value))


# --- GenerationConfig ---------------------------------------------------------------------------------

GENERATE = in_section("generate")


@pytest.mark.parametrize("parameter", GENERATE, ids=lambda parameter: parameter.name)
def test_the_generation_config_holds_each_value(parameter: Parameter) -> None:
    for _, item in compiled(parameter):
        built = item.build().get("GenerationConfig")
        for key, value in item.native.get("GenerationConfig", {}).items():
            assert plain(getattr(built, key)) == plain(construct(value, instance)), key


# GenerationConfig.validate() looks at these, but only logs: it raises for none of them, strict or not.
ONLY_LOGGED = {"pytorch-generate-max-cache-len-unused"}


@cache
def rules() -> dict[str, list[str]]:
    """Map each rule of the section to the code that it was read from."""
    found = {}
    for file in (ROOT / "schema" / "pytorch").rglob("*.json"):
        for rule in json.loads(file.read_text(encoding="utf-8")).get("x-rules", ()):
            source = rule["source"]
            found[rule["id"]] = [source] if isinstance(source, str) else source
    return found


def is_validated(rule: str | None) -> bool:
    """Tell whether strict validation knows the rule; the others are those of `generate` itself."""
    sources = rules()[rule] if rule is not None else ()
    return rule not in ONLY_LOGGED and any(one.endswith(" GenerationConfig.validate") for one in sources)


def test_rules_of_validation_and_of_generate_are_told_apart() -> None:
    known = {rule for rule in rules() if is_validated(rule)}
    assert len(known) >= 16
    assert rules().keys() > ONLY_LOGGED


def refusal(section: dict[str, Any]) -> str | None:
    """Return what transformers' strict validation says about a section, whatever llmcfg says of it."""
    native = lower("pytorch", {"generate": section}, None).native.get("GenerationConfig", {})
    try:
        transformers.GenerationConfig(**construct(dict(native), instance)).validate(strict=True)
    except ValueError as error:
        return str(error)
    return None


def validated(found: list[Diagnostic]) -> list[str | None]:
    return [item.rule for item in found if item.severity != INFO and is_validated(item.rule)]


def shape_errors(found: list[Diagnostic]) -> list[Diagnostic]:
    return [item for item in found if item.code.startswith(("L1", "L4")) and item.severity != "warning"]


@pytest.mark.parametrize("parameter", GENERATE, ids=lambda parameter: parameter.name)
def test_strict_validation_agrees_on_each_value(parameter: Parameter) -> None:
    for value in samples(parameter.schema):
        for partners in (False, True):
            document = parameter.document(value, partners)
            found = check(document, backend="pytorch", version=INSTALLED).diagnostics
            if shape_errors(found):
                continue
            refused = refusal(document["pytorch"]["generate"] or {})
            assert bool(refused) == bool(validated(found)), (value, partners, found, refused)


# Values on the edge of the rules, beside the schema's own samples.
EDGES: dict[str, list[Any]] = {
    "do_sample": [True, False],
    "temperature": [1.0, 0.5],
    "top_k": [50],
    "top_p": [1.0],
    "typical_p": [1.0],
    "epsilon_cutoff": [0.0],
    "eta_cutoff": [0.0],
    "num_beams": [1, 2, 4],
    "num_return_sequences": [1, 3, 8],
    "length_penalty": [1.0, 0.0],
    "pad_token_id": [-1],
    "eos_token_id": [-1],
    "use_cache": [False],
}


def random_section(random: Random) -> dict[str, Any]:
    """Draw up to eight parameters; the edges' own are likelier than the rest."""
    pools = {
        parameter.path[1]: samples(parameter.schema) for parameter in GENERATE if len(parameter.path) == 2
    }
    pools = {name: [*values, *EDGES.get(str(name), [])] for name, values in pools.items()}
    names = random.sample(sorted(EDGES), random.randint(0, 5)) + random.sample(
        sorted(pools), random.randint(1, 4)
    )
    return {name: random.choice(pools[name]) for name in names}


def test_strict_validation_agrees_on_random_sections() -> None:
    random = Random(5)  # noqa: S311
    compared = refusals = clean = 0
    while compared < 3000:
        section = random_section(random)
        document = {"model": "some/model", "pytorch": {"generate": section}}
        found = check(document, backend="pytorch", version=INSTALLED).diagnostics
        if shape_errors(found):
            assert any(item.code == "L401" for item in found), found
            continue
        refused = refusal(section)
        assert bool(refused) == bool(validated(found)), (section, found, refused)
        compared += 1
        refusals += refused is not None
        clean += not found
    assert refusals > 1000
    assert clean > 100


def test_what_strict_validation_knows_beyond_llmcfg() -> None:
    """A set that lies within another cannot be told by a rule of the schema: transformers has to."""
    section = {"suppress_tokens": [2, 3], "forced_eos_token_id": 2}
    document = {"model": "some/model", "pytorch": {"generate": section}}
    assert not check(document, backend="pytorch", version=INSTALLED).diagnostics
    assert "crashes generation" in str(refusal(section))


# --- quantization configs -----------------------------------------------------------------------------

QUANTIZATION = [parameter for parameter in in_section("quantization") if len(parameter.path) > 1]

# What cannot be constructed here, and the exception that says so.
NEEDS_PACKAGE: dict[str, tuple[type[Exception], str]] = {
    "torchao": (ImportError, "torchao"),  # the config class builds torchao's own config objects
    "modules_in_block_to_quantize": (ImportError, "optimum"),  # GPTQConfig asks for optimum's version
}
# Values that the class replaces by another; what becomes of a null is the schema's `x-resolves`.
REPLACED = {("backend", "autoawq"): "auto"}  # the schema calls it an old name
# CompressedTensorsConfig hands these on to the config object of its package.
INNER = {
    "config_groups", "format", "quantization_status", "kv_cache_scheme", "global_compression_ratio", "ignore",
}  # fmt: skip


@pytest.mark.parametrize(
    "parameter", QUANTIZATION, ids=lambda parameter: f"{parameter.owner}-{parameter.path[-1]}"
)
def test_the_quantization_config_holds_each_value(parameter: Parameter) -> None:
    for value, item in compiled(parameter):
        native = item.native["quantization_config"]
        failure = cannot_construct(native["quant_method"], str(parameter.path[-1]), value)
        if failure is not None:
            with pytest.raises(failure[0], match=failure[1]):
                item.build()
            continue
        built = item.build()["quantization_config"]
        assert built.quant_method == native["quant_method"]
        for key in native.keys() - {native.tag}:
            written = native[key]
            if native["quant_method"] == "compressed-tensors" and key in INNER:
                holds_inner(built.quantization_config, key, written, native)
            elif key == "run_compressed":
                assert built.dequantize is (written is False)
            elif written is not None or "x-resolves" not in parameter.schema:
                expected = REPLACED.get((key, str(written)), construct(written, instance))
                assert plain(getattr(built, key)) == plain(expected), key


def cannot_construct(method: str, name: str, value: Any) -> tuple[type[Exception], str] | None:
    failure = NEEDS_PACKAGE.get(method) or (NEEDS_PACKAGE.get(name) if value is not None else None)
    return None if failure is None or find_spec(failure[1]) else failure


def holds_inner(inner: Any, key: str, written: Any, native: dict[str, Any]) -> None:
    """The package's config exists only beside config_groups; a rule warns where it does not."""
    if not native.get("config_groups"):
        assert inner is None
    elif key == "config_groups":
        assert inner.config_groups.keys() == {"group_0"} or written.keys() == inner.config_groups.keys()
    elif key == "kv_cache_scheme":
        assert written is None or written.items() <= plain(inner.kv_cache_scheme).items()
    else:
        assert getattr(inner, key) == written


# --- loading ------------------------------------------------------------------------------------------

LOAD = [parameter for parameter in in_section("load") if len(parameter.path) > 1]

_NO_KERNELS = (Exception, "`?kernels`?|Kernels are not available")  # the package, and kernels from the hub
_TWO_PROCESSES = (OSError, "torch.distributed")  # a size of 2 is started with torchrun
# What this machine cannot load, with the exception that proves it.
CANNOT_LOAD: dict[tuple[str, Any], tuple[type[Exception], str]] = {
    ("distributed_config.tp_size", 2): _TWO_PROCESSES,
    ("distributed_config.fsdp_size", 2): _TWO_PROCESSES,
    ("distributed_config.pp_size", 2): _TWO_PROCESSES,
    ("tp_size", 2): _TWO_PROCESSES,
    **{
        ("attn_implementation", prefix + name): (ImportError, "FlashAttention[234]")  # a package and a GPU
        for prefix in ("", "paged|")
        for name in ("flash_attention_2", "flash_attention_3", "flash_attention_4")
    },
    ("experts_implementation", "grouped_mm"): (ValueError, "does not support"),  # refused by dense models
    ("use_kernels", True): _NO_KERNELS,
    ("gguf_file", "model-Q4_K_M.gguf"): (Exception, "gguf"),  # the package gguf, and such a file
}
# Families of values: hub kernels for attention, and all of kernel_config, need the package kernels.
CANNOT_LOAD_FAMILIES = {
    r"attn_implementation=kernels-community/": _NO_KERNELS,
    r"kernel_config\b": _NO_KERNELS,
}


def cannot_load(name: str, value: Any) -> tuple[type[Exception], str] | None:
    text = f"{name}={value}"
    family = (reason for pattern, reason in CANNOT_LOAD_FAMILIES.items() if re.match(pattern, text))
    return (
        next(family, None)
        if isinstance(value, dict)
        else CANNOT_LOAD.get((name, value)) or next(family, None)
    )


# Where a loaded model shows what was asked for: the expression, and what it is for a value.
ATTENTION = {None: "sdpa", "paged|sdpa": "sdpa"}
SHOWN: dict[str, Any] = {
    "dtype": lambda model, value: (
        plain(model.dtype) == (value if value not in (None, "auto") else "bfloat16")
    ),
    "attn_implementation": lambda model, value: (
        model.config._attn_implementation == ATTENTION.get(value, value)
    ),
    "experts_implementation": lambda model, value: model.config._experts_implementation == (value or "eager"),
    "device_map": lambda model, _: {one.device.type for one in model.parameters()} == {"cpu"},
    "trust_remote_code": lambda model, _: type(model).__module__.startswith("transformers."),
}
# Nothing of the loaded model tells these: they must load it unchanged.
NOT_SHOWN = {
    "weights_only": "only decides how .bin files are unpickled",
    "ignore_mismatched_sizes": "this checkpoint has no mismatches",
    "key_mapping": "the sample renames keys that this checkpoint does not have",
    "output_loading_info": "shown by the result being a pair, see load()",
    "fusion_config": "Llama has nothing that this fuses",
    "max_memory": "shown with a device_map, see test_memory_limits_send_layers_to_disk",
    "offload_folder": "see there",
    "offload_buffers": "only acts on buffers of offloaded layers",
    "distributed_config": "one process: nothing to distribute",
    "tp_size": "one process",
    "tp_plan": "one process",
    "low_cpu_mem_usage": "ignored by transformers, as a rule of llmcfg warns",
    "offload_state_dict": "ignored by transformers, as a rule of llmcfg warns",
    "use_kernels": "false is the default",
    "kernel_config": "null is the default",
    "allow_all_kernels": "no kernels here",
    "revision": "the hub's: a folder has no revisions",
    "code_revision": "the hub's",
    "subfolder": "shown by loading what only lies there",
    "variant": "shown by loading what only lies there",
    "use_safetensors": "shown by loading from a folder that has both forms",
    "gguf_file": "null is the default",
    "disable_mmap": "only decides how the file is read",
    "cache_dir": "the hub's",
    "force_download": "the hub's",
    "local_files_only": "the hub's",
    "token": "the hub's",
    "proxies": "the hub's",
    "adapter_name": "there is no adapter",
    "adapter_kwargs": "there is no adapter",
}


@pytest.fixture(scope="session")
def checkpoint(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model once more in every form that a parameter asks for: variants, .bin, a subfolder."""
    folder: Path = tmp_path_factory.mktemp("checkpoint") / "all"
    shutil.copytree(tiny_model, folder)
    shutil.copytree(tiny_model, folder / "model")
    for variant in ("fp16", "bf16"):
        shutil.copy(tiny_model / "model.safetensors", folder / f"model.{variant}.safetensors")
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_model)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return folder


def load(item: Compiled) -> Any:
    """Load the model for real; a pair where the loading info was asked for, as the kwargs say."""
    loaded = item.build()["from_pretrained"]()
    asked = item.native["from_pretrained"].get("output_loading_info", False)
    assert isinstance(loaded, tuple) == asked
    return loaded[0] if asked else loaded


def logits(model: Any, folder: Path) -> torch.Tensor:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        result: torch.Tensor = model(**tokenizer(PROMPT, return_tensors="pt")).logits.float()
    return result


@pytest.mark.parametrize("parameter", LOAD, ids=lambda parameter: parameter.name)
def test_each_value_loads_the_model(
    parameter: Parameter, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    name = ".".join(map(str, parameter.path[1:]))
    top = str(parameter.path[1])
    expected = logits(transformers.AutoModelForCausalLM.from_pretrained(checkpoint), checkpoint)
    for value, item in compiled(parameter, model=str(checkpoint)):
        failure = cannot_load(name, value)
        if failure is not None:
            with pytest.raises(failure[0], match=failure[1]):
                load(item)
            continue
        model = load(item)
        assert top in NOT_SHOWN or SHOWN[top](model, value), value
        if name == "experts_implementation" or str(value).startswith("paged|eager"):
            continue  # a forward pass needs a mixture of experts, or the cache of continuous batching
        assert torch.allclose(logits(model, checkpoint), expected, atol=0.05), value


def test_every_load_parameter_is_judged() -> None:
    assert {str(parameter.path[1]) for parameter in LOAD} == SHOWN.keys() | NOT_SHOWN.keys()
    names = {".".join(map(str, parameter.path[1:])) for parameter in LOAD}
    assert {name for name, _ in CANNOT_LOAD} <= names


def test_memory_limits_send_layers_to_disk(tiny_model: Path, tmp_path: Path) -> None:
    """device_map, max_memory and offload_folder together: what does not fit goes where it is told."""
    pytest.importorskip("accelerate")
    section = {"device_map": "auto", "max_memory": {"cpu": "600KB"}, "offload_folder": str(tmp_path)}
    item = compile_one({"model": str(tiny_model), "pytorch": {"load": section}})
    model = load(item)
    assert set(model.hf_device_map.values()) == {"cpu", "disk"}
    expected = logits(transformers.AutoModelForCausalLM.from_pretrained(tiny_model), tiny_model)
    assert torch.allclose(logits(model, tiny_model), expected, atol=0.05)


def test_a_device_map_is_followed(tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    modules = ("model.embed_tokens", "model.rotary_emb", "model.layers.0", "model.norm", "lm_head")
    places = {**dict.fromkeys(modules, "cpu"), "model.layers.1": "disk"}
    section = {"device_map": places, "offload_folder": str(tmp_path)}
    model = load(compile_one({"model": str(tiny_model), "pytorch": {"load": section}}))
    assert model.hf_device_map == places


# --- generating ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "length", "rows"),
    [
        ({"max_new_tokens": 7, "min_new_tokens": 7}, 7, 1),
        ({"max_length": 12, "min_length": 12}, None, 1),
        ({"max_new_tokens": 5, "min_new_tokens": 5, "num_beams": 2, "num_return_sequences": 2}, 5, 2),
        ({"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": True, "num_return_sequences": 3}, 5, 3),
        ({"max_new_tokens": 6, "min_new_tokens": 6, "use_cache": False}, 6, 1),
        ({"max_new_tokens": 6, "min_new_tokens": 6, "prompt_lookup_num_tokens": 2}, 6, 1),
        ({"max_new_tokens": 4, "forced_eos_token_id": END}, 4, 1),
        ({"max_new_tokens": 6, "min_new_tokens": 6, "watermarking_config": {"method": "greenlist"}}, 6, 1),
        (
            {
                "max_new_tokens": 6,
                "min_new_tokens": 6,
                "cache_implementation": "static",
                "disable_compile": True,
            },
            6,
            1,
        ),
    ],
)
def test_generation_follows_the_config(
    section: dict[str, Any], length: int | None, rows: int, tiny_model: Path
) -> None:
    item = compile_one({"model": str(tiny_model), "pytorch": {"generate": section}})
    built = item.build()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_model)
    prompt = tokenizer(PROMPT, return_tensors="pt")
    tokens = built["from_pretrained"]().generate(**prompt, generation_config=built["GenerationConfig"])
    before = prompt["input_ids"].shape[1]
    assert tokens.shape == (rows, before + length if length is not None else section["max_length"])
    if "forced_eos_token_id" in section:
        assert tokens[0, -1] == END


# --- the emitted Python file --------------------------------------------------------------------------

SAME_OBJECTS = in_section("generate", "quantization", "load")


@pytest.mark.parametrize(
    "parameter", SAME_OBJECTS, ids=lambda parameter: f"{parameter.owner}-{parameter.path[-1]}"
)
def test_the_python_file_builds_the_same_objects(parameter: Parameter) -> None:
    for _, item in compiled(parameter):
        text, found = FORMATS["python"](item)
        assert not found
        try:
            built = item.build()
        except ImportError:
            with pytest.raises(ImportError):
                exec(compile(text, "<emitted>", "exec"), {})  # noqa: S102
            continue
        variables: dict[str, Any] = {}
        exec(compile(text, "<emitted>", "exec"), variables)  # noqa: S102
        assert plain(variables["load_arguments"]) == plain(built["from_pretrained"].keywords)
        for name, variable in (
            ("GenerationConfig", "generation_config"),
            ("quantization_config", "quantization_config"),
        ):
            assert type(variables.get(variable)) is type(built.get(name))
            if name in built:
                assert plain(variables[variable]) == plain(built[name])


RUN = """
import json, torch
from emitted import *
model = load()
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(load_arguments["pretrained_model_name_or_path"])
prompt = tokenizer(PROMPT, return_tensors="pt")
tokens = model.generate(**prompt)
print(json.dumps({
    "tokens": tokens[0].tolist(), "prompt": prompt["input_ids"].shape[1], "dtype": str(model.dtype),
    "attention": model.config._attn_implementation, "threads": torch.get_num_threads(),
    "matmul": torch.get_float32_matmul_precision(),
    "compiled": hasattr(model.forward, "_torchdynamo_orig_callable"),
    "config": model.generation_config.to_diff_dict(),
}))
"""


def run_emitted(item: Compiled, folder: Path) -> dict[str, Any]:
    (folder / "emitted.py").write_text(FORMATS["python"](item)[0], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUN.replace("PROMPT", repr(PROMPT))],
        cwd=folder, env={**os.environ, **OFFLINE}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_the_python_file_loads_and_generates(tiny_model: Path, tmp_path: Path) -> None:
    item = compile_one({
        "model": str(tiny_model),
        "pytorch": {
            "load": {"dtype": "float32", "attn_implementation": "eager"},
            "generate": {"max_new_tokens": 6, "min_new_tokens": 6, "repetition_penalty": 1.1},
            "compile": {"backend": "eager", "dynamic": True},
            "runtime": {"num_threads": 1, "float32_matmul_precision": "high"},
        },
    })  # fmt: skip
    seen = run_emitted(item, tmp_path)
    assert len(seen["tokens"]) == seen["prompt"] + 6
    assert (seen["dtype"], seen["attention"]) == ("torch.float32", "eager")
    assert (seen["threads"], seen["matmul"]) == (1, "high")
    assert seen["compiled"]
    assert item.native["GenerationConfig"].items() <= seen["config"].items()
    assert seen["config"]["eos_token_id"] == END  # the model's own, kept


def test_the_smallest_python_file_loads_and_generates(tiny_model: Path, tmp_path: Path) -> None:
    seen = run_emitted(compile_one({"model": str(tiny_model), "backend": "pytorch"}), tmp_path)
    assert len(seen["tokens"]) > seen["prompt"]
    assert seen["dtype"] == "torch.bfloat16"
    assert not seen["compiled"]
