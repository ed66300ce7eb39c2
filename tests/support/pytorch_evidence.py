"""What must be seen in transformers and torch for each rule: which route is taken, and what it proves."""

from __future__ import annotations

import copy
import re
from typing import Any, NamedTuple, Protocol

from tests.support.pytorch_replay import OF_THE_DRAFT

Json = dict[str, Any]
Outcomes = dict[str, Json]


class Case(NamedTuple):
    """A rule's sections: one that breaks it, one that does not, and one in which a dead key is alive."""

    violating: Json
    mended: Json
    alive: Json | None


class Evidence(Protocol):
    """A way to prove a rule: sections to run, and what their outcomes say."""

    @property
    def route(self) -> str: ...

    def sections(self, case: Case) -> dict[str, Json]: ...

    def objection(self, seen: Outcomes) -> str | None: ...


class Refused(NamedTuple):
    """The violating section raises what ``pattern`` finds; the mended one raises nothing."""

    route: str
    pattern: str

    def sections(self, case: Case) -> dict[str, Json]:
        return {"violating": case.violating, "mended": case.mended}

    def objection(self, seen: Outcomes) -> str | None:
        error = seen["violating"]["error"]
        if error is None or not re.search(self.pattern, error):
            return f"not refused: {error}"
        return _accepted(seen)


class Said(NamedTuple):
    """The engine logs or warns what ``pattern`` finds about the violating section only."""

    route: str
    pattern: str

    def sections(self, case: Case) -> dict[str, Json]:
        return {"violating": case.violating, "mended": case.mended}

    def objection(self, seen: Outcomes) -> str | None:
        if seen["violating"]["error"] is not None:
            return f"refused: {seen['violating']['error']}"
        if not self._said(seen["violating"]):
            return f"nothing said: {seen['violating']['said']}"
        if self._said(seen["mended"]):
            return "said about the mended one too"
        return _accepted(seen)

    def _said(self, outcome: Json) -> bool:
        return any(re.search(self.pattern, line) for line in outcome["said"])


class Dead(NamedTuple):
    """Keys change nothing in the violating section, and something in the section where they are alive.

    That is ``alive`` where it is written by hand, else the mended one.
    """

    route: str
    keys: tuple[str, ...]

    def sections(self, case: Case) -> dict[str, Json]:
        alive = case.mended if case.alive is None else case.alive
        return {
            "violating": case.violating,
            "violating without": without(case.violating, self.keys),
            "mended": case.mended,
            "alive": alive,
            "alive without": without(alive, self.keys),
        }

    def objection(self, seen: Outcomes) -> str | None:
        if seen["violating"]["error"] is not None:
            return f"refused: {seen['violating']['error']}"
        if seen["violating"]["seen"] != seen["violating without"]["seen"]:
            return f"has an effect: {seen['violating']['seen']} {seen['violating without']}"
        if _effect(seen["alive"]) == _effect(seen["alive without"]):
            return f"has no effect where it should: {_effect(seen['alive'])}"
        return _accepted(seen)


class Gone(NamedTuple):
    """Keys change nothing, while an unknown key (the section ``alive``) is refused."""

    route: str
    keys: tuple[str, ...]

    def sections(self, case: Case) -> dict[str, Json]:
        return Dead(self.route, self.keys).sections(case)

    def objection(self, seen: Outcomes) -> str | None:
        if seen["alive"]["error"] is None:
            return "an unknown key is taken too"
        found, usual = seen["violating"]["seen"], seen["violating without"]["seen"]
        if found is None or found != usual:
            return f"has an effect: {seen['violating']}"
        return _accepted(seen)


class Clash(NamedTuple):
    """What a switch changes when it is set alone is not so when both are set, unless mended."""

    route: str
    keys: tuple[str, ...]

    def sections(self, case: Case) -> dict[str, Json]:
        parts = {"violating": case.violating, "mended": case.mended}
        alone = {
            f"only {part}/{key}": only(section, key)
            for part, section in parts.items()
            for key in self.keys
            if get(section, key) is not None
        }
        return {**parts, "none": {}, **alone}

    def objection(self, seen: Outcomes) -> str | None:
        if all(self._agrees(seen, "violating")):
            return f"both hold: {seen['violating']}"
        if not all(self._agrees(seen, "mended")):
            return f"still overwritten: {seen['mended']}"
        return _accepted(seen)

    def _agrees(self, seen: Outcomes, part: str) -> list[bool]:
        together, default = (seen[key]["seen"]["read"] for key in (part, "none"))
        alone = [item["seen"]["read"] for key, item in seen.items() if key.startswith(f"only {part}/")]
        return [
            together[name] == value
            for read in alone
            for name, value in read.items()
            if value not in (default[name], "none") and not str(value).startswith("cannot be read")
        ]


class Resolved(NamedTuple):
    """The violating section does what the mended one says outright, and ``alive`` does another thing."""

    route: str

    def sections(self, case: Case) -> dict[str, Json]:
        return {"violating": case.violating, "mended": case.mended, "alive": case.alive or {}}

    def objection(self, seen: Outcomes) -> str | None:
        if seen["violating"]["seen"] != seen["mended"]["seen"]:
            return f"differs: {seen['violating']} {seen['mended']}"
        if _effect(seen["alive"]) == _effect(seen["mended"]):
            return "everything does the same"
        return _accepted(seen)


class Shown(NamedTuple):
    """A place in what is seen holds ``value`` for the violating section, and another for the mended one."""

    route: str
    place: str
    value: Any

    def sections(self, case: Case) -> dict[str, Json]:
        return {"violating": case.violating, "mended": case.mended}

    def objection(self, seen: Outcomes) -> str | None:
        if seen["violating"]["error"] is not None:
            return f"refused: {seen['violating']['error']}"
        if get(seen["violating"]["seen"], self.place) != self.value:
            return f"shows {get(seen['violating']['seen'], self.place)}"
        if get(seen["mended"]["seen"] or {}, self.place) == self.value:
            return "the mended one shows it too"
        return _accepted(seen)


def _effect(outcome: Json) -> Any:
    return outcome["error"] or outcome["seen"]


def _accepted(seen: Outcomes) -> str | None:
    error = seen["mended"]["error"]
    return None if error is None else f"the mended one is refused: {error}"


def without(section: Json, keys: tuple[str, ...]) -> Json:
    """Return a copy that lacks the keys, given as dotted paths."""
    changed = copy.deepcopy(section)
    for key in keys:
        *path, last = key.split(".")
        holder = get(changed, ".".join(path))
        if isinstance(holder, dict):
            holder.pop(last, None)
    return changed


def only(section: Json, key: str) -> Json:
    """Return the part of a section that sets one key."""
    top, name = key.split(".")
    return {top: {name: section[top][name]}}


def get(data: Any, path: str) -> Any:
    """Return what stands at a dotted path, or None."""
    for step in path.split(".") if path else ():
        if isinstance(data, list):
            data = data[int(step)] if int(step) < len(data) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    return data


_DRAFTS = ("generate.prompt_lookup_num_tokens", "generate.assistant_early_exit", "generate.use_mtp")
_GEN = "pytorch-generate-"
_NOT_TIMED = ["the first that is fit"]


def _strict(names: dict[str, str]) -> dict[str, Evidence]:
    """Rules of GenerationConfig.validate: strict validation refuses, and names the parameter."""
    return {_GEN + rule: Refused("validate", f"`{name}`") for rule, name in names.items()}


EVIDENCE: dict[str, Evidence] = {
    **_strict(
        {
            **{
                f"{name.replace('_', '-')}-needs-sampling": name
                for name in (
                    "temperature", "top_k", "top_p", "min_p", "top_h", "typical_p", "epsilon_cutoff",
                    "eta_cutoff",
                )
            },
            **{
                f"{name.replace('_', '-')}-needs-dict": name
                for name in ("output_scores", "output_logits", "output_attentions", "output_hidden_states")
            },
            "length-penalty-needs-beams": "length_penalty",
            "early-stopping-needs-beams": "early_stopping",
            "return-sequences-greedy": "num_return_sequences",
            "return-sequences-beams": "num_return_sequences",
            "no-cache-implementation": "cache_implementation",
            "no-cache-config": "cache_config",
            "pad-negative": "pad_token_id",
        }
    ),
    # Generating
    _GEN + "temperature-zero": Refused("generate", "strictly positive"),
    _GEN + "top-p-above-one": Dead("generate", ("generate.top_p",)),
    _GEN + "typical-p-above-one": Dead("generate", ("generate.typical_p",)),
    _GEN + "epsilon-cutoff-ignored": Dead("generate", ("generate.epsilon_cutoff",)),
    _GEN + "eta-cutoff-ignored": Dead("generate", ("generate.eta_cutoff",)),
    _GEN + "cache-config-unused": Dead("generate", ("generate.cache_config",)),
    _GEN + "max-cache-len-unused": Said("validate softly", "`max_cache_len`"),
    _GEN + "prefill-chunks-need-cache": Refused("generate", "without a cache"),
    _GEN + "paged-ignored": Dead("generate", ("generate.cache_implementation",)),
    _GEN + "hybrid-dropped": Dead("generate", ("generate.cache_implementation",)),
    _GEN + "compile-config-disabled": Dead("generate", ("generate.compile_config",)),
    _GEN + "compile-config-needs-static-cache": Said("generate", "unable to meet the criteria"),
    _GEN + "compile-options-or-mode": Refused("generate", "mode or options"),
    _GEN + "assisted-with-beams": Dead("generate", _DRAFTS),
    _GEN + "assisted-static-cache": Refused("generate", "[Ss]tatic"),
    _GEN + "assisted-needs-cache": Refused("generate", "use_cache"),
    _GEN + "assisted-single-output": Refused("generate", "num_return_sequences"),
    _GEN + "ensemble-needs-draft-model": Refused("generate", "assistant_ensemble_weight"),
    _GEN + "one-draft-early-exit": Shown("generate", "drafts.0.class", "EarlyExitCandidateGenerator"),
    _GEN + "one-draft-prompt-lookup": Dead("generate", _DRAFTS[2:]),
    _GEN + "matching-ngram-unused": Dead("generate", ("generate.max_matching_ngram_size",)),
    _GEN + "early-exit-cache-implementation": Refused("generate", "cache_implementation"),
    _GEN + "is-assistant-needs-scores": Refused("generate", "NoneType"),
    **{
        f"{_GEN}{name.replace('_', '-')}-of-the-draft": Dead("generate with draft", (f"generate.{name}",))
        for name in OF_THE_DRAFT
    },
    _GEN + "max-length-overridden": Said("generate", "`max_length`.*precedence"),
    _GEN + "min-length-overridden": Said("generate", "`min_length`.*precedence"),
    _GEN + "min-new-above-max-new": Said("generate", "Unfeasible length"),
    _GEN + "min-length-above-max-length": Said("generate", "Unfeasible length"),
    _GEN + "eos-negative": Said("generate", "`eos_token_id`"),
    **{
        f"{_GEN}{name}-on-the-hub": Refused("generate", "trust_remote_code")
        for name in ("contrastive", "dola", "group-beams", "constrained")
    },
    _GEN + "low-memory-beams": Refused("generate", "low_memory"),
    _GEN + "low-memory-gone": Dead("generate", ("generate.low_memory",)),
    # Quantized caches
    **{
        f"{_GEN}{backend}-{name.replace('_', '-')}": Refused("generate quantized", f"`{name}` for")
        for backend, name in (
            ("quanto", "nbits"), ("quanto", "axis_key"), ("quanto", "axis_value"),
            ("hqq", "axis_key"), ("hqq", "axis_value"),
        )
    },
    # Continuous batching
    _GEN + "continuous-batching-place": Said("construct", "continuous_batching_config"),
    **{
        f"{_GEN}batching-ignores-{name.replace('_', '-')}": Dead("generate batch", (f"generate.{name}",))
        for name in ("min_length", "min_new_tokens", "encoder_repetition_penalty", "num_beams")
    },
    _GEN + "batching-drops-repetition-penalty": Dead("generate batch", ("generate.repetition_penalty",)),
    _GEN + "batching-block-size-wins": Dead(
        "construct", ("generate.continuous_batching_config.page_size",)
    ),
    _GEN + "batching-compile-level-overwritten": Dead(
        "construct", ("generate.continuous_batching_config.default_compile_level",)
    ),
    _GEN + "batching-max-cached-graphs": Said("construct", "max_cached_graphs"),
    _GEN + "batching-decode-compile-needs-fast-path": Dead(
        "compile levels", ("generate.continuous_batching_config.decode_compile_config",)
    ),
    # Loading
    "pytorch-kernel-config-switches-kernels-on": Said("load", "use_kernels"),
    "pytorch-flash-attention-dtype": Said("flash attention", "only supports"),
    "pytorch-offline-excludes-forced-download": Refused("load from hub", "force_download"),
    "pytorch-gguf-ignores-variant": Dead("resolve files", ("load.variant",)),
    "pytorch-gguf-ignores-safetensors": Dead("resolve files", ("load.use_safetensors",)),
    "pytorch-code-revision-needs-remote-code": Dead("load remote code", ("load.code_revision",)),
    "pytorch-proxies-are-ignored": Gone("load from hub", ("load.proxies",)),
    "pytorch-tensor-parallel-excludes-device-map": Refused("load", "mutually exclusive"),
    "pytorch-tp-size-excludes-device-map": Refused("load", "mutually exclusive"),
    "pytorch-tp-size-beside-distributed-config": Refused("load", "not both"),
    "pytorch-tp-plan-beside-distributed-config": Refused("load", "not both"),
    "pytorch-max-memory-needs-strategy": Dead("load", ("load.max_memory",)),
    "pytorch-offload-folder-needs-device-map": Dead("load", ("load.offload_folder",)),
    "pytorch-offload-buffers-needs-device-map": Dead("load", ("load.offload_buffers",)),
    "pytorch-low-cpu-mem-usage-is-ignored": Gone("load", ("load.low_cpu_mem_usage",)),
    "pytorch-offload-state-dict-is-ignored": Gone("load", ("load.offload_state_dict",)),
    # Distribution
    "pytorch-ep-multiple-of-tp": Refused("construct", "multiple of"),
    "pytorch-ep-within-tp": Refused("construct", "must divide"),
    "pytorch-ep-needs-devices": Refused("construct", "must divide"),
    "pytorch-ep-equals-tp-5-19": Refused("load", "ep_size=tp_size"),
    "pytorch-fsdp-excludes-pipeline": Refused("construct", "pipeline parallelism"),
    "pytorch-enable-expert-parallel-deprecated": Said("construct", "enable_expert_parallel"),
    "pytorch-ep-plan-needs-ep-size": Dead("parallel plans", ("load.distributed_config.ep_plan",)),
    # Quantization
    **{
        f"pytorch-{method}-settings-come-from-checkpoint": Refused("quantizer", "pre-quantized")
        for method in ("aqlm", "bitnet", "gemma", "spqr", "vptq")
    },
    "pytorch-higgs-settings-come-from-checkpoint": Refused("quantize a weight", "NotImplementedError"),
    "pytorch-auto-round-group-size-zero": Refused("construct", "group_size"),
    "pytorch-gptq-group-size-zero": Refused("construct", "group_size"),
    "pytorch-gptq-act-order": Dead("construct", ("quantization.act_group_aware",)),
    "pytorch-bitnet-mode-unused": Dead("bitnet layers", ("quantization.quantization_mode",)),
    "pytorch-bnb-one-width": Refused("construct", "load_in_8bit"),
    "pytorch-bnb-no-width": Resolved("bitsandbytes layers"),
    **{
        f"pytorch-bnb-{name.removeprefix('bnb_').replace('_', '-')}-unused": Dead(
            "bitsandbytes layers", (f"quantization.{name}",)
        )
        for name in (
            "llm_int8_threshold", "llm_int8_has_fp16_weight", "bnb_4bit_compute_dtype",
            "bnb_4bit_quant_type", "bnb_4bit_use_double_quant", "bnb_4bit_quant_storage",
        )
    },
    "pytorch-compressed-tensors-dequantize-wins": Said(
        "quantizer of checkpoint", "use_optimized_inference=False"
    ),
    "pytorch-compressed-tensors-kv-needs-groups": Refused("construct", "config_groups"),
    "pytorch-compressed-tensors-scheme-needs-groups": Dead("construct", ("quantization.format",)),
    "pytorch-fp-quant-quest-needs-mxfp4": Refused("construct", "forward_method"),
    "pytorch-fp-quant-hadamard-16": Refused("construct", "hadamard_group_size"),
    "pytorch-fp-quant-backward": Refused("construct", "backward"),
    "pytorch-higgs-sizes": Refused("construct", "hadamard_size"),
    "pytorch-higgs-default-group": Refused("construct", "hadamard_size"),
    "pytorch-quanto-activations": Refused("quantizer", "activations"),
    "pytorch-sinq-group-size": Said("construct", "group_size"),
    "pytorch-vptq-proxy-error": Refused("construct", "enable_proxy_error"),
    "pytorch-gguf-needs-file": Refused("quantizer", "gguf_file"),
    "pytorch-gguf-file-excludes-quantizers": Refused("quantizer", "GGUF"),
    "pytorch-higgs-needs-device-map": Refused("quantizer", "device_map"),
    "pytorch-nvfp4-needs-device-map": Refused("quantizer", "device_map"),
    "pytorch-fp-quant-needs-device-map": Refused("quantizer", "device_map"),
    "pytorch-nvfp4-one-gpu": Refused("quantizer", "one CUDA device|CPU or disk"),
    "pytorch-nvfp4-excludes-tensor-parallel": Refused("quantizer", "tensor parallelism"),
    "pytorch-higgs-dtype": Refused("quantizer", "dtype"),
    "pytorch-spqr-dtype": Refused("quantizer of checkpoint", "float16"),
    "pytorch-fbgemm-fp8-dtype": Shown("quantizer", "dtype", ["float16", "torch.bfloat16"]),
    "pytorch-fp-quant-dtype": Shown("quantizer", "dtype", ["float16", "torch.bfloat16"]),
    "pytorch-awq-dtype": Shown("quantizer of checkpoint", "dtype", ["bfloat16", "torch.float16"]),
    # torch.compile
    "pytorch-compile-mode-or-options": Refused("compile function", "mode or options"),
    "pytorch-compile-mode-needs-inductor": Said("compile function", "'mode'"),
    "pytorch-compile-options-need-inductor": Said("compile function", "'options'"),
    "pytorch-compile-disable-wins": Dead("compile function", ("compile.fullgraph",)),
    # Switches
    "pytorch-runtime-no-attention-kernel-left": Refused("attend", "math kernel"),
    "pytorch-runtime-suppress-or-fail": Refused("compile with switches", "suppress_error"),
    "pytorch-runtime-caches-forced-off": Dead("look up graph", ("runtime.inductor_fx_graph_cache",)),
    "pytorch-runtime-dynamo-disabled": Dead("compile with switches", ("runtime.compiler_stance",)),
    "pytorch-runtime-deterministic-stops-autotuning": Shown("choose kernel", "chosen", _NOT_TIMED),
    "pytorch-runtime-deterministic-compiler-stops-autotuning": Shown("choose kernel", "chosen", _NOT_TIMED),
    "pytorch-runtime-memory-pool-needs-planning": Dead("generated code", ("runtime.inductor_memory_pool",)),
    "pytorch-runtime-einsum-strategy-needs-enabled": Dead("contract", ("runtime.opt_einsum_strategy",)),
    "pytorch-runtime-fp16-split-k": Refused("switches", "splitk"),
    "pytorch-runtime-bf16-split-k": Refused("switches", "splitk"),
    **{
        f"pytorch-runtime-{rule}": Clash("switches", tuple(f"runtime.{key}" for key in keys))
        for rule, keys in {
            "deterministic-set-twice": ("deterministic_algorithms", "deterministic_debug_mode"),
            "matmul-precision-mixed": ("cuda_matmul_fp32_precision", "float32_matmul_precision"),
            "matmul-tf32-mixed": ("cuda_matmul_fp32_precision", "cuda_matmul_allow_tf32"),
            "matmul-allow-and-precision": ("cuda_matmul_allow_tf32", "float32_matmul_precision"),
            "fp32-precision-and-old-matmul": ("fp32_precision", "float32_matmul_precision"),
            "cudnn-conv-mixed": ("cudnn_conv_fp32_precision", "cudnn_allow_tf32"),
            "cudnn-fp32-mixed": ("cudnn_fp32_precision", "cudnn_allow_tf32"),
            "mkldnn-sets-the-top-level": ("mkldnn_fp32_precision", "fp32_precision"),
        }.items()
    },
    # Environment variables
    "pytorch-env-caches-forced-off": Shown("fresh: graph cache", "found.cached", [False]),
    "pytorch-env-deterministic-stops-autotuning": Shown("fresh: kernel choice", "found.chosen", _NOT_TIMED),
    "pytorch-env-offline-and-download": Shown("fresh: download", "found", False),
    "pytorch-env-xet-off-and-fast": Shown("fresh: xet", "found", False),
    "pytorch-env-alloc-conf-twice": Shown("fresh: allocator", "found", "max_split_size_mb:32"),
    "pytorch-env-alloc-split-too-small": Refused("fresh: allocator", "max_split_size_mb"),
    "pytorch-env-cuda-alloc-split-too-small": Refused("fresh: allocator", "max_split_size_mb"),
    "pytorch-env-alloc-expandable-spelling": Refused("fresh: allocator", "True"),
    "pytorch-env-cuda-alloc-expandable-spelling": Refused("fresh: allocator", "True"),
    "pytorch-env-transformers-no-advisory-warnings-any-value": Resolved("fresh: advice"),
}  # fmt: skip
