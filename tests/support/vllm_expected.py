"""What vLLM 0.32.0 makes of configs on six cards, read from its sources: one row per config.

A row names the function that decides, its line, and constants and names that stand in it, so that a change of
vLLM's source is noticed where the answer happens to stay the same. ``answers`` is by card, or for the H100
alone. An answer that begins with ``refused:`` goes on with a part of vLLM's text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

CARDS = ("v100", "t4", "a100", "l4", "h100", "b200")
Json = dict[str, Any]


class Source(NamedTuple):
    """A function or table of vLLM, by file, qualified name and line in 0.32.0, and what stands in it."""

    file: str
    function: str
    line: int
    holds: tuple[Any, ...]


class Expected(NamedTuple):
    """A config for a kind of model, the topic of the answer that is looked at, and the answer by card."""

    kind: str
    engine: Json
    topic: str
    answers: Json
    source: Source
    says: str = ""
    """Part of a warning that comes with it."""


def on_h100(answer: Any) -> Json:
    return {"h100": answer}


def on_all(*answers: Any) -> Json:
    return dict(zip(CARDS, answers, strict=True))


_DTYPES = Source("platforms/cuda.py", "CudaPlatformBase.supported_dtypes", 255, (80, 60))
_TRITON = Source("v1/attention/backends/triton_attn.py", "TritonAttentionImpl.__init__", 456, (89, "fp8", 80))
_PRIORITIES = Source("platforms/cuda.py", "_get_backend_priorities", 83, (10, "FLASHINFER", "FLASH_ATTN"))
_BATCH = Source(
    "engine/arg_utils.py",
    "EngineArgs.get_batch_defaults",
    2894,
    (160, 70, "a100", 16384, 8192, 2048, 1024, 256),
)
_HEADS = Source(
    "config/model.py", "ModelConfig.verify_with_parallel_config", 1532, ("total_num_attention_heads",)
)
_WORLD = Source("config/parallel.py", "ParallelConfig.__post_init__", 943, ("world_size", "nnodes"))
_PREFIX = Source(
    "config/model.py", "ModelConfig.is_prefix_caching_supported", 2221, ("encoder_only", "attention_free")
)
_CHUNKED = Source("config/model.py", "ModelConfig.is_chunked_prefill_supported", 2175, ("encoder_only",))
_DEFAULTS = Source(
    "engine/arg_utils.py",
    "EngineArgs._set_default_chunked_prefill_and_prefix_caching_args",
    2987,
    ("generate", "pooling"),
)
_CONFIG = Source(
    "config/vllm.py",
    "VllmConfig.__post_init__",
    1414,
    ("pooling", "draft_model", "PIECEWISE", "enforce_eager"),
)
_GRAPHS = Source(
    "config/compilation.py",
    "CompilationConfig.resolve_cudagraph_mode_and_sizes",
    1369,
    ("FULL_AND_PIECEWISE", "FULL_DECODE_ONLY", "PIECEWISE", "ALWAYS"),
)
_PIECES = Source("config/compilation.py", "CUDAGraphMode.without_piecewise", 80, ("NONE",))

_FP8_KV = {"kv_cache_dtype": "fp8"}
_NGRAM = {"speculative_config": {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4}}
_TOO_OLD = "refused:FP8 KV cache is not supported by the Triton attention backend"
_NEEDS_TURING = "refused:Minimum capability: 75"
_INDIVISIBLE = "refused:must be divisible by tensor parallel size"

ROWS = (
    Expected(
        "dense", {}, "dtype",
        on_all("float16", "float16", "bfloat16", "bfloat16", "bfloat16", "bfloat16"), _DTYPES,
    ),
    Expected(
        "dense", {"dtype": "bfloat16"}, "dtype",
        on_all(
            "refused:compute capability of at least 8.0", "refused:compute capability of at least 8.0",
            "bfloat16", "bfloat16", "bfloat16", "bfloat16",
        ),
        Source("platforms/cuda.py", "CudaPlatformBase.check_if_supports_dtype", 636, (80,)),
    ),
    # Attention, and the KV cache in 8 bits.
    Expected(
        "dense", {}, "attention backend",
        on_all("TRITON_ATTN", "TRITON_ATTN", "FLASH_ATTN", "FLASH_ATTN", "FLASH_ATTN", "FLASHINFER"),
        _PRIORITIES,
    ),
    Expected(
        "dense", {}, "FlashAttention version", on_all(None, None, 2, 2, 3, None),
        Source("v1/attention/backends/fa_utils.py", "get_flash_attn_version", 74, (9, 10, 2, 3, 4)),
    ),
    Expected(
        "dense", _FP8_KV, "attention backend",
        on_all(_TOO_OLD, _TOO_OLD, "FLASHINFER", "FLASHINFER", "FLASH_ATTN", "FLASHINFER"), _TRITON,
    ),
    Expected(
        "dense", {**_FP8_KV, "attention_backend": "TRITON_ATTN"}, "attention backend",
        on_all(_TOO_OLD, _TOO_OLD, _TOO_OLD, "TRITON_ATTN", "TRITON_ATTN", "TRITON_ATTN"), _TRITON,
    ),
    Expected(
        "latent", {}, "attention backend",
        on_all("TRITON_MLA", "TRITON_MLA", "TRITON_MLA", "TRITON_MLA", "FLASH_ATTN_MLA", "FLASHINFER_MLA"),
        Source("platforms/cuda.py", "_get_backend_priorities", 83, ("FLASHINFER_MLA", "TRITON_MLA", 12)),
    ),
    Expected(
        "dense", {"block_size": 7}, "attention backend", on_h100("refused:block_size not supported"),
        Source("platforms/cuda.py", "CudaPlatformBase.get_attn_backend_cls", 418, ("ValueError",)),
    ),
    Expected(
        "dense", {"model_impl": "transformers"}, "attention backend", on_h100("FLASH_ATTN"), _PRIORITIES
    ),
    # Batches, by the memory and the name of the card.
    Expected("dense", {}, "max_num_batched_tokens", on_all(2048, 2048, 2048, 2048, 8192, 16384), _BATCH),
    Expected("dense", {}, "max_num_seqs", on_all(256, 256, 256, 256, 1024, 1024), _BATCH),
    # Tensor parallel sizes that don't divide the 32 heads, or are more than the 8 cards.
    *(
        Expected("dense", {"tensor_parallel_size": size}, "parallel layout", on_h100(answer), source)
        for size, answer, source in (
            (2, "tensor 2", _HEADS), (3, _INDIVISIBLE, _HEADS), (4, "tensor 4", _HEADS),
            (5, _INDIVISIBLE, _HEADS), (6, _INDIVISIBLE, _HEADS), (7, _INDIVISIBLE, _HEADS),
            (8, "tensor 8", _HEADS), (16, "refused:is larger than the number of available GPUs", _WORLD),
        )
    ),
    # Prefix caching and chunked prefill.
    *(
        Expected(kind, {}, "enable_prefix_caching", on_h100(answer), _PREFIX)
        for kind, answer in (("dense", True), ("hybrid", True), ("mamba", False), ("encoder", False))
    ),
    *(
        Expected(kind, {}, "enable_chunked_prefill", on_h100(answer), _CHUNKED)
        for kind, answer in (("dense", True), ("hybrid", True), ("mamba", True), ("encoder", False))
    ),
    Expected(
        "dense", {"enable_chunked_prefill": False}, "enable_chunked_prefill", on_h100(False), _DEFAULTS,
        "does not officially support disabling chunked prefill",
    ),
    # Asynchronous scheduling.
    Expected("dense", {}, "async_scheduling", on_h100(True), _CONFIG),
    Expected("dense", {"pipeline_parallel_size": 2}, "async_scheduling", on_h100(True), _CONFIG),
    Expected("encoder", {}, "async_scheduling", on_h100(False), _CONFIG),
    Expected(
        "dense", _NGRAM, "async_scheduling", on_h100(False), _CONFIG,
        "Async scheduling not supported with ngram",
    ),
    Expected(
        "dense", {**_NGRAM, "async_scheduling": True}, "async_scheduling",
        on_h100("refused:async scheduling is only supported"), _CONFIG,
    ),
    # CUDA graphs.
    Expected("dense", {}, "CUDA graph mode", on_all(*["FULL_AND_PIECEWISE"] * 6), _GRAPHS),
    Expected(
        "dense", {"enforce_eager": True}, "CUDA graph mode", on_h100("NONE"), _CONFIG, "Enforce eager set"
    ),
    Expected(
        "encoder", {}, "CUDA graph mode", on_h100("PIECEWISE"), _CONFIG,
        "Pooling models do not support full cudagraphs",
    ),
    Expected(
        "dense", {"compilation_config": {"mode": 0}}, "CUDA graph mode", on_h100("FULL_DECODE_ONLY"), _PIECES
    ),
    Expected(
        "dense", {"compilation_config": {"cudagraph_mode": "FULL"}}, "CUDA graph mode",
        on_h100("FULL"), _GRAPHS,
    ),
    Expected(
        "dense", {"compilation_config": {"cudagraph_mode": "FULL"}, "attention_backend": "FLASHINFER"},
        "CUDA graph mode", on_h100("FULL_AND_PIECEWISE"), _GRAPHS,
        "FULL is not supported with FlashInferBackend",
    ),
    *(
        Expected(
            "dense", {"optimization_level": level}, "CUDA graph mode", on_h100(answer),
            Source("config/vllm.py", f"OPTIMIZATION_LEVEL_0{level}", line, (answer,)),
        )
        for level, line, answer in ((0, 247, "NONE"), (1, 268, "PIECEWISE"), (2, 289, "FULL_AND_PIECEWISE"))
    ),
    # Kernels.
    Expected(
        "fp8", {}, "linear kernel",
        on_all(
            _NEEDS_TURING, "MarlinFP8ScaledMMLinearKernel", "MarlinFP8ScaledMMLinearKernel",
            "CutlassFP8ScaledMMLinearKernel", "CutlassFP8ScaledMMLinearKernel",
            "CutlassFP8ScaledMMLinearKernel",
        ),
        Source(
            "model_executor/kernels/linear/__init__.py", "choose_scaled_mm_linear_kernel", 655,
            ("is_supported_and_can_implement_kernel",),
        ),
    ),
    Expected(
        "awq", {}, "linear kernel",
        on_all(
            _NEEDS_TURING, "MarlinLinearKernel", "MarlinLinearKernel", "MarlinLinearKernel",
            "MacheteLinearKernel", "MarlinLinearKernel",
        ),
        Source(
            "model_executor/kernels/linear/__init__.py", "choose_mp_linear_kernel", 865,
            ("get_min_capability",),
        ),
    ),
    Expected(
        "moe", {}, "expert backend",
        on_all(
            "TritonExperts", "TritonExperts", "TritonExperts", "TritonExperts", "TritonExperts",
            "TrtLlmBf16ExpertsMonolithic",
        ),
        Source(
            "model_executor/layers/fused_moe/oracle/unquantized.py", "_get_priority_backends", 50,
            ("FLASHINFER_TRTLLM", "TRITON"),
        ),
    ),
)  # fmt: skip


# --- what is held -------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """A value that is asked for on an H100, by its path, with the place that holds it, and what it holds."""

    path: str
    asked: Any
    place: str
    value: Any
    beside: Json = {}


HELD = (
    Kept("kv_cache_dtype", "fp8", "cache_config.cache_dtype", "fp8"),
    Kept("dtype", "half", "model_config.dtype", "half"),
    Kept("dtype", "auto", "model_config.dtype", "bfloat16"),
    Kept("attention_backend", "TRITON_ATTN", "attention_config.backend", "TRITON_ATTN"),
    Kept("attention_backend", "auto", "attention_config.backend", "auto"),
    Kept("block_size", None, "cache_config.block_size", 16),
    Kept("max_num_seqs", 3, "scheduler_config.max_num_seqs", 3),
    Kept("compilation_config.mode", 3, "compilation_config.mode", 3),
    Kept("compilation_config.mode", "VLLM_COMPILE", "compilation_config.mode", "VLLM_COMPILE"),
    Kept("optimization_level", 1, "optimization_level", 1),
    Kept("cpu_offload_gb", 4.0, "offload_config.uva.cpu_offload_gb", 4.0),
    Kept("eplb_config.window_size", 500, "parallel_config.eplb_config.window_size", 500),
    Kept("log_level", "WARNING", "logging_config.log_level", "WARNING"),
    Kept("disable_log_stats", True, "EngineArgs.disable_log_stats", True),
    Kept("gdn_prefill_backend", "triton", "additional_config.gdn_prefill_backend", "triton"),
    # Dropped: there is no object for it.
    Kept("max_lora_rank", 32, "lora_config", None),
    Kept("max_lora_rank", 32, "lora_config.max_lora_rank", 32, {"enable_lora": True}),
    Kept("mm_processor_cache_gb", 2.0, "model_config.multimodal_config", None),
    # Changed.
    Kept("disable_cascade_attn", False, "model_config.disable_cascade_attn", True),
    Kept(
        "compilation_config.cudagraph_mode", "FULL", "compilation_config.cudagraph_mode",
        "FULL_AND_PIECEWISE", {"attention_backend": "FLASHINFER"},
    ),
)  # fmt: skip


# --- quantization -------------------------------------------------------------------------------------

_INT4 = {"bits": 4, "group_size": 128, "desc_act": False, "sym": True}
_FP8 = {"num_bits": 8, "type": "float", "symmetric": True}
_MODELOPT: Json = {"quant_method": "modelopt", "kv_cache_quant_algo": None, "exclude_modules": []}
_PER_TENSOR = {"dtype": "fp8_e4m3", "qscheme": "per_tensor", "is_dynamic": False}


class Method(NamedTuple):
    """A quantization method: its minimum compute capability, and a config that leads to it.

    ``checkpoint`` is the ``quantization_config`` of the model's ``config.json``, None where weights are
    quantized while they are loaded.
    """

    minimum: int
    checkpoint: Json | None
    engine: Json = {}
    kind: str = "dense"


METHODS: dict[str, Method] = {
    "awq": Method(75, {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}),
    "auto_awq": Method(
        75, {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True},
        {"quantization": "auto_awq"},
    ),
    "awq_marlin": Method(
        75, {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True},
        {"quantization": "awq_marlin"},
    ),
    "gptq": Method(60, {"quant_method": "gptq", **_INT4}),
    "auto_gptq": Method(60, {"quant_method": "gptq", **_INT4}, {"quantization": "auto_gptq"}),
    "gptq_marlin": Method(60, {"quant_method": "gptq", **_INT4}, {"quantization": "gptq_marlin"}),
    "moe_wna16": Method(70, {"quant_method": "gptq", **_INT4}, {"quantization": "moe_wna16"}, "moe"),
    "fp8": Method(75, {"quant_method": "fp8", "activation_scheme": "dynamic"}),
    "fbgemm_fp8": Method(
        80, {"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0, "modules_to_not_convert": []},
        {"allow_deprecated_quantization": True},
    ),
    "fp_quant": Method(
        100,
        {
            "quant_method": "fp_quant", "hadamard_group_size": 32, "forward_dtype": "mxfp4",
            "forward_method": "abs_max", "store_master_weights": False, "pseudoquantization": False,
            "modules_to_not_convert": [],
        },
        {"allow_deprecated_quantization": True},
    ),
    "modelopt": Method(80, {**_MODELOPT, "quant_algo": "FP8"}),
    "modelopt_fp4": Method(75, {**_MODELOPT, "quant_algo": "NVFP4", "group_size": 16}),
    "modelopt_mxfp8": Method(80, {**_MODELOPT, "quant_algo": "MXFP8"}),
    "modelopt_mixed": Method(
        75,
        {
            **_MODELOPT, "quant_algo": "MIXED_PRECISION",
            "quantized_layers": {"model.layers.0.self_attn.q_proj": {"quant_algo": "FP8"}},
        },
    ),
    "humming": Method(75, {"quant_method": "humming", "b_dtype": "int4"}),
    "compressed-tensors": Method(
        70,
        {
            "quant_method": "compressed-tensors", "format": "float-quantized",
            "quantization_status": "compressed", "ignore": ["lm_head"],
            "config_groups": {
                "group_0": {
                    "targets": ["Linear"],
                    "weights": {**_FP8, "strategy": "channel", "dynamic": False},
                    "input_activations": {**_FP8, "strategy": "token", "dynamic": True},
                }
            },
        },
    ),
    "quark": Method(
        70,
        {
            "quant_method": "quark", "export": {"kv_cache_group": [], "pack_method": "reorder"},
            "global_quant_config": {
                "weight": _PER_TENSOR, "input_tensors": _PER_TENSOR, "output_tensors": None, "bias": None,
            },
            "layer_quant_config": {}, "layer_type_quant_config": {}, "exclude": [],
        },
    ),
    "inc": Method(60, {"quant_method": "inc", **_INT4, "packing_format": "auto_round:auto_gptq"}),
    "mxfp4": Method(80, {"quant_method": "mxfp4"}),
    "experts_int8": Method(80, None, {"quantization": "experts_int8"}, "moe"),
    "fp8_per_tensor": Method(75, None, {"quantization": "fp8_per_tensor"}),
    "fp8_per_block": Method(75, None, {"quantization": "fp8_per_block"}),
    "fp8_per_channel": Method(75, None, {"quantization": "fp8_per_channel"}),
    "int8_per_channel_weight_only": Method(75, None, {"quantization": "int8_per_channel_weight_only"}),
    "nvfp4_per_token": Method(75, None, {"quantization": "nvfp4_per_token"}),
}  # fmt: skip

# Methods that no config of a kind in the table leads to, and why.
UNASKED = {
    "deepseek_v4_fp8": "chosen by DeepSeek V4's own config",
    "gpt_oss_mxfp4": "chosen by GPT-OSS's own config",
    "mxfp8": "a word for two methods, of a checkpoint and while loading",
    "online": "chosen by quantization_config",
    "torchao": "needs the package torchao before its capability is looked at",
}
