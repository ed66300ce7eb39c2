"""Run sections for real: transformers and torch are asked, each time in a process of its own.

Run as a module: one JSON object per line comes in, ``{"route": …, "section": …}``; one line of findings
goes out: ``error`` (what was raised), ``said`` (what was logged or warned), ``seen`` (what happened). The
engine is imported once, and forked before it has done any work; environment variables, which are read at
import, get a fresh interpreter.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.support.tiny_model import PROMPT, make_tiny_model

SECONDS = 120
PROCESSES = 2
MODEL = "some/model"
Json = dict[str, Any]


def native_of(section: Json, model: str) -> Json:
    """Lower a section whatever llmcfg says about it."""
    from llmcfg.lower import lower

    return dict(lower("pytorch", section, model).native)


def build(section: Json, model: str) -> Json:
    """Construct the native objects of a section whatever llmcfg says about it."""
    from llmcfg.backends import module
    from llmcfg.compiled import Compiled

    native = native_of(section, model)
    built: Json = module("pytorch").build(Compiled("pytorch", "", model, native, {}, []))
    return built


def plain(value: Any) -> Any:
    """Reduce a value to data that can be compared; objects to their class and plain attributes."""
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return str(value)


def described(thing: Any) -> Json:
    """Return an object's class and those of its attributes that are plain."""
    own = {key: item for key, item in vars(thing).items() if isinstance(item, (str, int, float, bool))}
    return {"class": type(thing).__name__, **own}


class World:
    """What the routes share: the tiny model, loaded once, and folders for whatever they write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model_folder = make_tiny_model(folder / "tiny")
        self.model: Any = self.load(self.model_folder)
        self.prompt = self.tokens(PROMPT)
        for section in ("load", "generate", "quantization", "compile", "runtime", "env"):
            native_of({section: {}}, MODEL)  # reads the catalog once

    def load(self, folder: Path) -> Any:
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM.from_pretrained(folder)

    def tokens(self, text: str) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.model_folder)(text, return_tensors="pt")


# --- GenerationConfig and generate() ------------------------------------------------------------------


def generation_config(section: Json) -> Any:
    """Return the GenerationConfig of a section."""
    from transformers import GenerationConfig

    built = build({"generate": section.get("generate") or {}}, MODEL)
    return built.get("GenerationConfig") or GenerationConfig()


def validate(world: World, section: Json) -> Json:
    generation_config(section).validate(strict=True)
    return {}


def validate_softly(world: World, section: Json) -> Json:
    generation_config(section).validate()
    return {}


def generate(world: World, section: Json) -> Json:
    """Generate, and note every choice on the way.

    Packages of quantized caches keep tensors as they are; the checks around them are the engine's.
    """
    _pretend_cache_packages()
    seen = _watch(world.model)
    config = generation_config(section)
    if config.compile_config is not None:
        config.compile_config._compile_all_devices = True  # as on a GPU
    result = world.model.generate(**world.prompt, generation_config=config)
    seen["result"] = _result(result)
    return seen


def generate_with_draft(world: World, section: Json) -> Json:
    """Generate with a draft model, the same once more; the settings go where ``llmcfg`` writes them."""
    draft = world.load(world.model_folder)
    seen = _watch(world.model)
    native = native_of({"generate": section.get("generate") or {}}, MODEL)
    world.model.generation_config.update(**native.get("GenerationConfig", {}))
    result = world.model.generate(**world.prompt, assistant_model=draft)
    seen["result"] = _result(result)
    return seen


def generate_quantized(world: World, section: Json) -> Json:
    """Generate with a quantized cache."""
    return generate(
        world,
        {"generate": {"max_new_tokens": 3, "cache_implementation": "quantized", **section["generate"]}},
    )


def generate_batch(world: World, section: Json) -> Json:
    """Generate with continuous batching where the section asks for it, else without."""
    config = generation_config({"generate": {"max_new_tokens": 6, **(section.get("generate") or {})}})
    if getattr(config, "continuous_batching_config", None) is None:
        return {"tokens": world.model.generate(**world.prompt, generation_config=config).tolist()[0]}
    config.continuous_batching_config.num_blocks = 16  # else it fills the memory of the machine
    prompt = world.prompt["input_ids"][0].tolist()
    done = world.model.generate_batch([prompt], generation_config=config)
    (output,) = done.values()
    if output.error is not None:
        raise RuntimeError(output.error)
    return {"tokens": prompt + output.generated_tokens}


def _result(result: Any) -> Any:
    if hasattr(result, "tolist"):
        return result.tolist()
    return {"fields": sorted(key for key, item in result.items() if item is not None)}


def _watch(model: Any) -> Json:
    """Note the cache, the processors, the drafts, the compilations and the shape of every forward pass."""
    seen: Json = {"processors": [], "cache": [], "drafts": [], "compiled": [], "lengths": []}
    kind = type(model)
    _after(kind, "_get_logits_processor", lambda got, _: seen["processors"].append([*map(described, got)]))
    _after(kind, "_prepare_cache_for_generation", lambda _, called: seen["cache"].append(_cache(called)))
    _after(kind, "_get_candidate_generator", lambda got, _: seen["drafts"].append(_draft(got)))
    compiled = kind.get_compiled_call

    def get_compiled_call(self: Any, config: Any) -> Any:
        compiled(self, config)  # refuses what torch.compile refuses; what it returns would take long to run
        seen["compiled"].append(plain(config.to_dict() if config is not None else None))
        return self.__call__

    kind.get_compiled_call = get_compiled_call
    model.register_forward_pre_hook(
        lambda _, args, keywords: seen["lengths"].append(list(keywords["input_ids"].shape)), with_kwargs=True
    )
    return seen


def _after(owner: Any, name: str, note: Callable[[Any, Any], Any]) -> None:
    original = getattr(owner, name)

    def wrapper(*args: Any, **keywords: Any) -> Any:
        got = original(*args, **keywords)
        note(got, (args, keywords))
        return got

    setattr(owner, name, wrapper)


def _before(owner: Any, name: str, note: Callable[[Any], Any]) -> None:
    original = getattr(owner, name)

    def wrapper(*args: Any, **keywords: Any) -> Any:
        note((args, keywords))
        return original(*args, **keywords)

    setattr(owner, name, wrapper)


def _cache(called: Any) -> Any:
    args, keywords = called
    cache = {**keywords.get("model_kwargs", {}), **(args[2] if len(args) > 2 else {})}.get("past_key_values")
    if cache is None:
        return None
    return [type(cache).__name__, bool(getattr(cache, "offloading", False)), *map(described, cache.layers)]


OF_THE_DRAFT = ("num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold")


def _draft(candidates: Any) -> Json:
    assistant = getattr(candidates, "assistant_model", None)
    config = getattr(assistant, "generation_config", None)
    return {**described(candidates), **{key: plain(getattr(config, key, None)) for key in OF_THE_DRAFT}}


def _pretend_cache_packages() -> None:
    from transformers import cache_utils

    def kept(tensor: Any, *args: Any, **keywords: Any) -> Any:
        return SimpleNamespace(dequantize=lambda: tensor, tensor=tensor, device=tensor.device)

    quanto = _module(
        "optimum.quanto",
        MaxOptimizer=lambda: lambda *args: (None, None),
        qint2=2,
        qint4=4,
        quantize_weight=kept,
    )
    _module("optimum", quanto=quanto)

    class Quantizer:
        @staticmethod
        def quantize(tensor: Any, **keywords: Any) -> Any:
            return tensor, {"scale": tensor, "zero": tensor}

        @staticmethod
        def cuda(*args: Any, **keywords: Any) -> None: ...

        @staticmethod
        def dequantize(tensor: Any, meta: Any) -> Any:
            return tensor

    _set(cache_utils, HQQQuantizer=Quantizer)
    for name in ("is_optimum_quanto_available", "is_quanto_greater", "is_hqq_available"):
        _set(cache_utils, **{name: _yes})


def _yes(*args: Any, **keywords: Any) -> bool:
    return True


def _module(name: str, **content: Any) -> ModuleType:
    module = sys.modules[name] = ModuleType(name)
    _set(module, **content)
    return module


def _set(owner: Any, **content: Any) -> None:
    for key, item in content.items():
        setattr(owner, key, item)


# --- objects ------------------------------------------------------------------------------------------


def construct(world: World, section: Json) -> Json:
    """Construct every config object of a section, and show what they hold."""
    built = build(section, MODEL)
    found = {}
    if "quantization_config" in built:
        found["quantization"] = _held(built["quantization_config"])
    if "GenerationConfig" in built:
        inner = vars(built["GenerationConfig"])
        found["generate"] = {key: _held(item) for key, item in inner.items() if hasattr(item, "__dict__")}
    distributed = built["from_pretrained"].keywords.get("distributed_config")
    if distributed is not None:
        found["distributed"] = _held(distributed)
    return found


def _held(thing: Any) -> Json:
    inner = {key: item for key, item in vars(thing).items() if hasattr(item, "model_dump")}
    packaged = {key: plain(item.model_dump()) for key, item in inner.items()}
    return {**described(thing), **packaged}


# --- loading ------------------------------------------------------------------------------------------


def load(world: World, section: Json) -> Json:
    """Load the tiny model; distributed set-ups go as far as the launch, then on as one process."""
    from transformers import modeling_utils
    from transformers.distributed import mixin
    from transformers.integrations import accelerate, hub_kernels

    modeling_utils.PreTrainedModel.set_use_kernels = lambda *args, **keywords: None
    mixin.initialize_distributed_mesh = lambda config: (None, None)
    hub_kernels.register_kernel_replacements_and_fusions = lambda *args: None
    os.chdir(world.folder)
    dispatched: list[Any] = []
    _before(accelerate, "dispatch_model", lambda called: dispatched.append(plain(called[1])))
    loaded = build(section, str(world.model_folder))["from_pretrained"]()
    model = loaded[0] if isinstance(loaded, tuple) else loaded
    return {**_loaded(model), "dispatched": dispatched}


def _loaded(model: Any) -> Json:
    return {
        "dtype": str(model.dtype),
        "map": plain(getattr(model, "hf_device_map", None)),
        "attention": model.config._attn_implementation,
    }


def load_from_hub(world: World, section: Json) -> Json:
    """Load the model by a name of the hub, from a cache that holds it, with the hub out of reach."""
    import shutil

    holder = world.folder / "hub" / "models--some--model"
    commit = "0" * 40
    shutil.copytree(world.model_folder, holder / "snapshots" / commit)
    (holder / "refs").mkdir()
    (holder / "refs" / "main").write_text(commit)
    where = {"cache_dir": str(world.folder / "hub")}
    load = {**where, **(section.get("load") or {})}
    return _loaded(build({"load": load}, MODEL)["from_pretrained"]())


def resolve_files(world: World, section: Json) -> Json:
    """Ask which files of a checkpoint are loaded."""
    import shutil

    from transformers import modeling_utils

    folder = world.folder / "files"
    shutil.copytree(world.model_folder, folder)
    for name in ("model.fp16.safetensors", "pytorch_model.bin", "model-Q4_K_M.gguf"):
        shutil.copy(folder / "model.safetensors", folder / name)
    load = native_of(section, str(folder))["from_pretrained"]
    files, _ = modeling_utils._get_resolved_checkpoint_files(
        pretrained_model_name_or_path=str(folder),
        variant=load.get("variant"), gguf_file=load.get("gguf_file"),
        use_safetensors=load.get("use_safetensors"), user_agent={}, is_remote_code=False,
        download_kwargs={"revision": "main", "subfolder": "", "local_files_only": True},
    )  # fmt: skip
    return {"files": [Path(file).name for file in files]}


def load_remote_code(world: World, section: Json) -> Json:
    """Load a checkpoint that brings code, and note what the code is asked for by."""
    import shutil

    from transformers import LlamaForCausalLM
    from transformers.models.auto import auto_factory

    folder = world.folder / "code"
    shutil.copytree(world.model_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "some/code--modeling.LlamaForCausalLM"}
    (folder / "config.json").write_text(json.dumps(config))
    asked = []

    def get_class(reference: str, *args: Any, **keywords: Any) -> Any:
        asked.append([reference, keywords.get("code_revision")])
        return LlamaForCausalLM

    auto_factory.get_class_from_dynamic_module = get_class
    build(section, str(folder))["from_pretrained"]()
    return {"asked": asked}


def flash_attention(world: World, section: Json) -> Json:
    """Ask whether FlashAttention could serve the model, as on a machine that has its package and a GPU."""
    import torch

    load = {**section["load"], "attn_implementation": "eager"}
    model = build({"load": load}, str(world.model_folder))["from_pretrained"]()
    wanted = section["load"].get("attn_implementation")
    if str(wanted).startswith("flash_attention_"):
        torch.cuda.is_available = _yes
        type(model)._flash_attn_import_error = lambda *args, **keywords: None
        model._flash_attn_can_dispatch(int(wanted[-1]), is_init_check=True)
    return {}


def parallel_plans(world: World, section: Json) -> Json:
    """Ask which plans a model would be split by."""
    from transformers.distributed.tensor_parallel import resolve_parallel_plans

    config = build(section, MODEL)["from_pretrained"].keywords["distributed_config"]
    return {"plans": plain(resolve_parallel_plans(_mixture(), config))}


def _mixture() -> Any:
    from transformers import MixtralConfig, MixtralForCausalLM

    return MixtralForCausalLM(
        MixtralConfig(
            vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=2, num_local_experts=2,
        )
    )  # fmt: skip


def compile_levels(world: World, section: Json) -> Json:
    """Ask continuous batching what it would compile."""
    from transformers.generation.continuous_batching import initialization

    config = generation_config(section).continuous_batching_config
    initialization.resolve_compile_configs(config, None, True, config.max_blocks_per_request != 0)
    return {"decode": plain(config.decode_compile_config)}


# --- quantizers ---------------------------------------------------------------------------------------

_PACKAGES = (
    "is_flute_available", "is_hadamard_available", "is_qutlass_available", "is_fp_quant_available",
    "is_fbgemm_gpu_available", "is_kernels_available", "is_spqr_available", "is_gptqmodel_available",
    "is_optimum_quanto_available", "is_torch_cuda_available", "is_aqlm_available", "is_vptq_available",
    "is_bitsandbytes_available", "is_gguf_available",
)  # fmt: skip


def quantizer(world: World, section: Json) -> Json:
    """Let from_pretrained choose and question its quantizer, as on a machine with a GPU and all packages."""
    return _quantizer(world, section, None)


def quantizer_of_checkpoint(world: World, section: Json) -> Json:
    """The same for a checkpoint that is quantized by the method already."""
    method = section.get("quantization", {}).get("method")
    if method is None:
        return {}
    inner = build({"quantization": {"method": method}}, MODEL)["quantization_config"]
    return _quantizer(world, section, inner)


def _quantizer(world: World, section: Json, quantized: Any) -> Json:
    import copy

    import torch
    from transformers.quantizers import auto

    _pretend_gpu()
    load = build(section, str(world.model_folder))["from_pretrained"].keywords
    config = copy.deepcopy(world.model.config)
    if quantized is not None:
        config.quantization_config = quantized.to_dict()
    placed, distributed = _placed(load)
    if distributed is not None:
        config.distributed_config = distributed
    chosen, _, _ = auto.get_hf_quantizer(
        config, load.get("quantization_config"), placed, True, {}, gguf_file=load.get("gguf_file")
    )
    if chosen is None:
        return {}
    asked = load.get("dtype", "auto")
    dtype = getattr(torch, asked) if isinstance(asked, str) and asked != "auto" else torch.bfloat16
    return {
        "quantizer": type(chosen).__name__,
        "dtype": [asked, str(chosen.update_dtype(dtype))],
        "config": plain(chosen.quantization_config.to_dict()),
    }


def _placed(load: Json) -> tuple[Any, Any]:
    """Place the model as from_pretrained does before it looks at quantization."""
    from transformers.distributed import mixin
    from transformers.distributed.configuration_utils import DistributedConfig
    from transformers.integrations.accelerate import check_and_set_device_map

    mixin.initialize_distributed_mesh = lambda config: ("cuda:0", None)
    distributed = load.get("distributed_config")
    if load.get("tp_plan") is not None or load.get("tp_size") is not None:
        distributed = DistributedConfig(tp_plan=load.get("tp_plan"), tp_size=load.get("tp_size"))
    distributed, placed, _ = mixin.DistributedMixin.prepare_distribute_model(
        distributed, device_map=load.get("device_map")
    )
    return check_and_set_device_map(placed), distributed


def _pretend_gpu() -> None:
    import torch
    from transformers.quantizers import auto

    torch.cuda.is_available = _yes
    torch.cuda.get_device_capability = lambda *args: (10, 0)
    for name, module in list(sys.modules.items()):
        if name.startswith(auto.__package__ + "."):
            for function in _PACKAGES:
                if hasattr(module, function):
                    setattr(module, function, _yes)


def bitsandbytes_layers(world: World, section: Json) -> Json:
    """Replace a layer by bitsandbytes', which only notes what it is made of."""
    import torch
    from transformers.integrations import bitsandbytes
    from transformers.quantizers import auto

    made = []

    def layer(name: str) -> Any:
        class Layer(torch.nn.Linear):
            def __init__(self, rows: int, columns: int, bias: bool, *args: Any, **keywords: Any) -> None:
                super().__init__(rows, columns, bias)
                made.append([name, plain(args), plain(keywords)])

        return Layer

    layers = {name: layer(name) for name in ("Linear8bitLt", "Linear4bit")}
    bitsandbytes.bnb = SimpleNamespace(nn=SimpleNamespace(**layers))
    config = build(section, MODEL)["quantization_config"]
    bitsandbytes.replace_with_bnb_linear(torch.nn.Sequential(torch.nn.Linear(2, 2)), [], config)
    return {"made": made, "quantizer": type(auto.AutoHfQuantizer.from_config(config)).__name__}


def bitnet_layers(world: World, section: Json) -> Json:
    """Replace a layer by bitnet's."""
    import torch
    from transformers.integrations.bitnet import replace_with_bitnet_linear

    model = torch.nn.Sequential(torch.nn.Linear(8, 8))
    replace_with_bitnet_linear(model, [], build(section, MODEL)["quantization_config"])
    return {"layer": described(model[0])}


def quantize_a_weight(world: World, section: Json) -> Json:
    """Ask the quantizer for the operation that quantizes a weight while it is loaded."""
    from transformers.quantizers.auto import AutoHfQuantizer

    config = build(section, MODEL).get("quantization_config")
    if config is not None:
        AutoHfQuantizer.from_config(config, pre_quantized=False).get_quantize_ops()
    return {}


# --- torch --------------------------------------------------------------------------------------------


def compile_function(world: World, section: Json) -> Json:
    """Compile a function, run it, and count the graphs."""
    import torch

    wrapped = build(section, MODEL)["torch.compile"](_function)
    wrapped(torch.ones(8))
    return {"graphs": torch._dynamo.utils.counters["stats"].get("unique_graphs", 0)}


def _function(x: Any) -> Any:
    import torch

    y = torch.sin(x)
    torch._dynamo.graph_break()
    return y + x * 2


def _switch(section: Json) -> Json:
    built = build(section, MODEL)
    if "torch" in built:
        built["torch"]()
    return dict(native_of(section, MODEL).get("torch", {}))


def switches(world: World, section: Json) -> Json:
    """Set torch's switches, and read each back."""
    from tests.support.torch_switches import read

    _switch(section)
    found: Json = {}
    for name in _READABLE:
        try:
            found[name] = read(name)
        except RuntimeError as error:
            found[name] = f"cannot be read: {type(error).__name__}"
    return {"read": found}


_READABLE = (
    "set_float32_matmul_precision", "backends.cuda.matmul.allow_tf32", "backends.cuda.matmul.fp32_precision",
    "backends.cudnn.allow_tf32", "backends.cudnn.fp32_precision", "backends.cudnn.conv.fp32_precision",
    "backends.fp32_precision", "backends.mkldnn.fp32_precision", "use_deterministic_algorithms",
    "set_deterministic_debug_mode", "backends.cuda.matmul.allow_fp16_reduced_precision_reduction",
    "backends.cuda.matmul.allow_bf16_reduced_precision_reduction",
)  # fmt: skip


def attend(world: World, section: Json) -> Json:
    """Compute attention."""
    import torch

    _switch(section)
    query = torch.ones(1, 2, 16, 32)
    torch.nn.functional.scaled_dot_product_attention(query, query, query)
    return {}


def compile_with_switches(world: World, section: Json) -> Json:
    """Compile a function for growing inputs under the switches, and count graphs."""
    import torch

    _switch(section)
    wrapped = torch.compile(_function, backend="eager", dynamic=False)
    for length in (2, 3, 4):
        wrapped(torch.ones(length))
    return {"graphs": torch._dynamo.utils.counters["stats"].get("unique_graphs", 0)}


def look_up_graph(world: World, section: Json) -> Json:
    """Tell whether inductor would look a graph up in its cache."""
    _switch(section)
    return graph_cache()


def graph_cache() -> Json:
    """Compile with inductor up to the point where it decides about its caches."""
    from importlib import import_module

    import torch

    compile_fx = import_module("torch._inductor.compile_fx")  # the package has a function of this name
    decisions = []

    def note(name: str, used: bool) -> None:
        if name == "fx_cache":
            decisions.append(used)
            raise _Enough

    _set(compile_fx, set_feature_use=note)
    try:
        torch.compile(_function)(torch.ones(8))
    except Exception:
        if not decisions:
            raise
    return {"cached": decisions}


class _Enough(Exception):
    pass


def choose_kernel(world: World, section: Json) -> Json:
    """Let inductor choose between two kernels, up to the point where it would time them."""
    _switch(section)
    return kernel_choice()


def kernel_choice() -> Json:
    """Tell how inductor chooses between two kernels: by timing them, or not at all."""
    from torch._inductor import config, select_algorithm

    if not (config.max_autotune or config.max_autotune_gemm):
        return {"chosen": "without candidates"}
    done = []
    cache = select_algorithm.AlgorithmSelectorCache

    def picked(self: Any, choices: Any) -> Any:
        done.append("the first that is fit")
        return choices[0]

    def timed(*args: Any, **keywords: Any) -> Any:
        done.append("by timing")
        raise _Enough

    _set(cache, pick_deterministic_choice=picked, make_precompile_fn=timed)
    choice = SimpleNamespace(output_node=lambda: None)
    layout = SimpleNamespace(device=SimpleNamespace(type="cpu"))
    with suppress(_Enough):
        cache()("mm", [choice, choice], [], layout)
    return {"chosen": done}


def generated_code(world: World, section: Json) -> Json:
    """Return a digest of the code that inductor writes for a function with intermediate buffers."""
    import hashlib

    import torch
    from torch._inductor import graph

    _switch(section)
    texts = []

    def keep(self: Any) -> Any:
        code, _ = self.codegen_with_cpp_wrapper() if self.cpp_wrapper else self.codegen()
        texts.append(code.value)
        raise _Enough

    graph.GraphLowering.compile_to_module = keep

    def function(x: Any) -> Any:
        y, z = x @ x, torch.sin(x) @ x
        return (y @ z) @ (z @ y), (y @ y) @ x

    try:
        with torch.no_grad():
            torch.compile(function)(torch.ones(64, 64))
    except Exception:
        if not texts:
            raise
    return {"code": [hashlib.sha256(text.encode()).hexdigest() for text in texts]}


def contract(world: World, section: Json) -> Json:
    """Compute an einsum of three operands, and note whether an order is looked for, and how."""
    import torch

    asked = []

    def contract_path(equation: str, *operands: Any, optimize: Any) -> Any:
        asked.append(plain(optimize))
        return [(0, 1), (0, 1)], None

    package = torch.backends.opt_einsum
    package._opt_einsum = SimpleNamespace(contract_path=contract_path)
    _set(package, is_available=_yes, get_opt_einsum=lambda: package._opt_einsum)
    _switch(section)
    one = torch.ones(2, 2)
    torch.einsum("ij,jk,kl->il", one, one, one)
    return {"asked": asked}


# --- environment variables, in an interpreter that has not read them yet ------------------------------

_FRESH = {
    "allocator": "import torch; found = torch._C._accelerator_getAllocatorSettings()",
    "graph cache": "from tests.support.pytorch_replay import graph_cache; found = graph_cache()",
    "kernel choice": "from tests.support.pytorch_replay import kernel_choice; found = kernel_choice()",
    "xet": "from huggingface_hub.utils._runtime import is_xet_available; found = is_xet_available()",
    "download": "from tests.support.pytorch_replay import requests_sent; found = requests_sent()",
    "advice": "from transformers.utils import logging; "
    "logging.get_logger('transformers').warning_advice('advice'); found = None",
}


def requests_sent() -> int:
    """Ask huggingface_hub for a file, and count the requests that reach the server."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    count = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:  # the first request of a download
            count.append(self.path)
            self.send_error(404)

        def log_message(self, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    import huggingface_hub

    endpoint = f"http://127.0.0.1:{server.server_port}"
    with suppress(Exception), tempfile.TemporaryDirectory() as cache:
        # There is no such file: what counts is whether it was asked for.
        huggingface_hub.hf_hub_download(MODEL, "config.json", endpoint=endpoint, cache_dir=cache)
    return bool(count)


def fresh(world: World, section: Json, code: str) -> Json:
    """Run code in a new interpreter with the section's variables."""
    variables = native_of(section, MODEL).get("env", {})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import json\n{code}\nprint(json.dumps(found))"],
        env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=SECONDS - 5,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    said = [line for line in done.stderr.splitlines() if "advice" in line]
    return {"found": json.loads(done.stdout.splitlines()[-1]), "said": said}


ROUTES: dict[str, Callable[[World, Json], Json]] = {
    function.__name__.replace("_", " "): function
    for function in (
        validate, validate_softly, generate, generate_with_draft, generate_quantized, generate_batch,
        construct, load, load_from_hub, resolve_files, load_remote_code, flash_attention, parallel_plans,
        compile_levels, quantizer, quantizer_of_checkpoint, bitsandbytes_layers, bitnet_layers,
        quantize_a_weight, compile_function, switches, attend, compile_with_switches, look_up_graph,
        choose_kernel, generated_code, contract,
    )
}  # fmt: skip
FRESH = {f"fresh: {name}": code for name, code in _FRESH.items()}


# --- the process --------------------------------------------------------------------------------------


_LOGGERS = ("transformers", "torch", "torch._dynamo", "torch._inductor", "accelerate", "huggingface_hub")


class _Listener(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.INFO)
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def outcome(world: World, route: str, section: Json) -> Json:
    """Take a route with a section; never raise."""
    said: list[str] = []
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(_Listener(said))
    logging.getLogger("transformers").setLevel(logging.INFO)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            code = FRESH.get(route)
            found = fresh(world, section, code) if code else ROUTES[route](world, section)
            result: Json = {"seen": found, "error": None}
        except Exception as error:
            result = {"seen": None, "error": f"{type(error).__name__}: {error}"}
    return {**result, "said": [*said, *(str(item.message) for item in caught)]}


def in_a_child(world: World, line: Json) -> Json:
    """Take the route in a forked process with a limit of time."""
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as file:
        child = os.fork()
        if child == 0:
            _be_the_child(world, line, file.name)
        _, status = os.waitpid(child, 0)
        text = Path(file.name).read_text(encoding="utf-8")
    died: Json = {"seen": None, "error": f"died with status {status}", "said": []}
    result: Json = json.loads(text) if text else died
    return result


def _be_the_child(world: World, line: Json, file: str) -> None:
    signal.alarm(SECONDS)
    os.dup2(2, 1)  # what the engine prints is no finding
    resource.setrlimit(resource.RLIMIT_CPU, (2 * SECONDS, 2 * SECONDS))
    with tempfile.TemporaryDirectory() as folder:
        world.folder = Path(folder)
        text = json.dumps(outcome(world, line["route"], line["section"]), default=str)
    Path(file).write_text(text, encoding="utf-8")
    os._exit(0)


def main() -> None:
    from importlib import import_module

    os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"  # nothing answers there
    os.environ["OMP_NUM_THREADS"] = "1"  # a process with threads does not survive the fork
    for module in ("torch._dynamo", "torch._inductor.compile_fx", "transformers.quantizers.auto"):
        import_module(module)  # once is enough
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tiny").mkdir()
        world = World(Path(folder))
        for line in sys.stdin:
            print(json.dumps(in_a_child(world, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
