"""Single features whose condition on the GPU vLLM states in one place, asked on a virtual GPU.

Each question answers whether the feature is native on the inserted card: neither refused nor without effect.
The keys are dotted names below `vllm` of the schema, with the value after a colon.
"""

from __future__ import annotations

import functools
import inspect
import os
import types
from collections.abc import Callable
from typing import Any

_PASSES = (
    "enable_qk_norm_rope_fusion", "fuse_act_padding", "fuse_attn_quant", "fuse_mla_dual_rms_norm",
    "fuse_norm_quant", "fuse_qk_norm_rope_kvcache", "fuse_rope_kvcache", "fuse_rope_kvcache_cat_mla",
)  # fmt: skip
_AMONG_PASSES = "engine.compilation_config.pass_config"


def _platform() -> Any:
    from vllm.platforms import current_platform

    return current_platform


def _deep_gemm() -> bool:
    return bool(_platform().support_deep_gemm())


def _sampler() -> bool:
    from vllm.v1.sample.ops.topk_topp_sampler import flashinfer_sampler_supported

    return bool(flashinfer_sampler_supported())


def _lora_pdl() -> bool:
    from vllm.lora.ops.triton_ops.utils import supports_pdl

    return bool(supports_pdl())


def _symmetric_memory() -> bool:
    from vllm.distributed.device_communicators.all_reduce_utils import SYMM_MEM_ALL_REDUCE_MAX_SIZES

    return _platform().get_device_capability().as_version_str() in SYMM_MEM_ALL_REDUCE_MAX_SIZES


def _moe_int4() -> bool:
    from vllm.model_executor.layers.quantization.utils import flashinfer_mxint4_moe

    os.environ["VLLM_USE_FLASHINFER_MOE_INT4"] = "1"
    return bool(inspect.unwrap(flashinfer_mxint4_moe.is_flashinfer_mxint4_moe_available)())


def _block_scaled_gemm() -> bool:
    from vllm.utils.flashinfer import is_flashinfer_fp8_blockscale_gemm_supported

    return bool(is_flashinfer_fp8_blockscale_gemm_supported())


def _hpc() -> bool:
    from vllm.model_executor.layers.hpc import hpc_ihc

    return _platform().get_device_capability().to_int() in hpc_ihc._SUPPORTED_CAPABILITIES


def _pass(name: str) -> bool:
    from vllm.config.compilation import PassConfig

    return bool(getattr(PassConfig(**{name: True}), name))


def _allreduce_fusion() -> bool:
    from vllm.config.vllm import enable_allreduce_rms_fusion

    two = types.SimpleNamespace(tensor_parallel_size=2)
    return bool(enable_allreduce_rms_fusion(types.SimpleNamespace(parallel_config=two)))


def _stochastic_rounding() -> bool:
    from vllm.config.mamba import MambaBackendEnum, MambaConfig

    for backend in (MambaBackendEnum.TRITON, MambaBackendEnum.FLASHINFER):
        try:
            MambaConfig(backend=backend, enable_stochastic_rounding=True)
        except ValueError:
            continue
        return True
    return False


def _indexer_mxfp4() -> bool:
    from vllm.v1.attention.backends.mla.indexer import dsa_indexer_uses_fp4

    wanted = types.SimpleNamespace(resolve_indexer_kv_dtype=lambda default: "mxfp4")
    try:
        return bool(dsa_indexer_uses_fp4(types.SimpleNamespace(attention_config=wanted)))
    except ValueError:
        return False


def _gdn_prefill(backend: str) -> bool:
    from vllm.model_executor.layers.mamba.gdn import qwen_gdn_linear_attn as gdn

    text = types.SimpleNamespace(linear_key_head_dim=128, linear_value_head_dim=128)
    config = types.SimpleNamespace(
        additional_config={"gdn_prefill_backend": backend},
        model_config=types.SimpleNamespace(hf_text_config=text, hf_config=text),
    )
    return bool(gdn._resolve_gdn_prefill_backend(config)[1] == backend)


def _kda(function: str, **sizes: Any) -> bool:
    import torch
    from vllm.models.kimi_k3.nvidia import kda

    return bool(getattr(kda, function)(head_dim=128, input_dtype=torch.bfloat16, **sizes))


def _kda_prefill() -> bool:
    import torch

    return _kda("is_flashkda_supported", recurrent_state_dtype=torch.float32, lower_bound=-5.0)


def _kda_prefill_flashinfer() -> bool:
    import torch

    name = "is_flashinfer_recurrent_kda_prefill_supported"
    return _kda(name, recurrent_state_dtype=torch.bfloat16, lower_bound=-5.0)


def _kda_decode(function: str) -> bool:
    import torch

    states = {"conv_state_dtype": torch.bfloat16, "recurrent_state_dtype": torch.float32}
    return _kda(function, num_heads=48, conv_width=4, num_spec=0, **states)


def _top_k(flag: str) -> bool:
    from vllm.model_executor.layers.indexer_topk import SparseIndexerTopk

    return bool(getattr(SparseIndexerTopk("auto"), flag))


SWITCHES: dict[str, Callable[[], bool]] = {
    "env.VLLM_USE_DEEP_GEMM:true": _deep_gemm,
    "env.VLLM_MOE_USE_DEEP_GEMM:true": _deep_gemm,
    "env.VLLM_USE_DEEP_GEMM_E8M0:true": _deep_gemm,
    "env.VLLM_USE_DEEP_GEMM_TMA_ALIGNED_SCALES:true": _deep_gemm,
    "env.VLLM_DEEP_GEMM_WARMUP:relax": _deep_gemm,
    "env.VLLM_USE_FLASHINFER_SAMPLER:true": _sampler,
    "env.VLLM_LORA_DISABLE_PDL:true": _lora_pdl,
    "env.VLLM_ALLREDUCE_USE_SYMM_MEM:true": _symmetric_memory,
    "env.VLLM_USE_FLASHINFER_MOE_INT4:true": _moe_int4,
    "env.VLLM_BLOCKSCALE_FP8_GEMM_FLASHINFER:true": _block_scaled_gemm,
    "env.VLLM_ENABLE_HPC_OPS:true": _hpc,
    "engine.enable_mamba_cache_stochastic_rounding:true": _stochastic_rounding,
    "engine.mamba_config.enable_stochastic_rounding:true": _stochastic_rounding,
    "engine.attention_config.indexer_kv_dtype:mxfp4": _indexer_mxfp4,
    "engine.gdn_prefill_backend:flashinfer": lambda: _gdn_prefill("flashinfer"),
    "engine.gdn_prefill_backend:cutedsl": lambda: _gdn_prefill("cutedsl"),
    "engine.kda_prefill_backend:flashkda": _kda_prefill,
    "engine.kda_prefill_backend:flashinfer": _kda_prefill_flashinfer,
    "engine.kda_decode_backend:native": lambda: _kda_decode("is_fused_kda_decode_supported"),
    "engine.kda_decode_backend:flashinfer": lambda: _kda_decode("is_flashinfer_fused_kda_decode_supported"),
    "engine.sparse_indexer_topk_backend:deep_select": lambda: _top_k("_has_deep_select"),
    "engine.sparse_indexer_topk_backend:cooperative": lambda: _top_k("_cooperative_capable"),
    f"{_AMONG_PASSES}.fuse_allreduce_rms:true": _allreduce_fusion,
    **{f"{_AMONG_PASSES}.{name}:true": functools.partial(_pass, name) for name in _PASSES},
}
