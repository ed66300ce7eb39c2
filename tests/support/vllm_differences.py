"""Where the schema's requirements deliberately differ from the one place in vLLM's code that is asked.

The table is exact: a verdict that is listed and agrees fails its test, like one that differs and is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

Capability = tuple[int, int]


class Difference(NamedTuple):
    """Values, the cards on which llmcfg and the asked code differ, and why llmcfg is right."""

    values: tuple[str, ...]
    where: Callable[[Capability], bool]
    reason: str
    source: str


def _everywhere(card: Capability) -> bool:
    return True


def _between(oldest: Capability, newest: Capability) -> Callable[[Capability], bool]:
    return lambda card: oldest <= card <= newest


def _datacenter_blackwell(card: Capability) -> bool:
    return card in ((10, 0), (10, 3))


DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "quantization": (
        Difference(
            ("gptq", "gptq_marlin", "auto_gptq", "moe_wna16", "inc"), _between((7, 0), (7, 0)),
            "refused when the first layer is built: it insists on Marlin, which needs Turing",
            "vllm/model_executor/layers/quantization/auto_gptq.py AutoGPTQLinearMethod.__init__",
        ),
        Difference(
            ("deepseek_v4_fp8",), _between((7, 5), (8, 9)),
            "the models in this format have no attention backend before Hopper",
            "vllm/models/deepseek_v4/sparse_mla.py DeepseekV4SparseMLABackend.supports_compute_capability",
        ),
        Difference(
            ("fp8_per_channel",), _between((7, 5), (8, 7)),
            "refused while the weights are created: no FP8 product with a scale per token before Ada",
            "vllm/model_executor/layers/quantization/online/fp8.py Fp8PtpcOnlineLinearMethod.create_weights",
        ),
        Difference(
            ("nvfp4_per_token",), lambda card: card > (7, 0) and not _datacenter_blackwell(card),
            "refused when the experts are built, but on 10.x",
            "vllm/model_executor/layers/quantization/online/nvfp4.py Nvfp4OnlineMoEMethod.__init__",
        ),
    ),
    "attention_backend": (
        Difference(
            (
                "ROCM_ATTN", "ROCM_AITER_MLA", "ROCM_AITER_TRITON_MLA", "ROCM_AITER_MLA_SPARSE",
                "ROCM_AITER_UNIFIED_ATTN", "ULTRAQUANT", "XPU_MLA_SPARSE", "CPU_ATTN", "CPU_MLA", "AMX_MLA",
            ),
            _everywhere,
            "the CUDA platform validates features, not whose backend it is; its kernels are in another build",
            "vllm/platforms/cuda.py CudaPlatformBase.get_attn_backend_cls",
        ),
        Difference(
            ("ROCM_FLASHMLA_SPARSE_DSV4", "ROCM_FLASHMLA_SPARSE_DSV41"),
            lambda card: card == (9, 0) or _datacenter_blackwell(card),
            "inherits its check from the CUDA backend; the models choose it on ROCm alone",
            "vllm/models/deepseek_v4/amd/rocm.py DeepseekV4ROCMAiterMLASparseBackend",
        ),
        Difference(
            ("CUTLASS_MSA", "TRITON_MSA"), lambda card: not _datacenter_blackwell(card),
            "names for a kernel of MiniMax M3 that is taken on 10.x alone, and else forgotten without a word",
            "vllm/models/minimax_m3/common/sparse_attention.py use_msa",
        ),
    ),
    "mla_prefill_backend": (
        Difference(
            ("FLASH_ATTN",), _between((7, 0), (7, 5)),
            "the backend does not look at the card; FlashAttention 2 needs Ampere",
            "vllm/vllm_flash_attn/flash_attn_interface.py _is_fa2_supported",
        ),
        Difference(
            ("CPU",), _everywhere,
            "the backend does not look at the platform; it computes on the CPU's tensors",
            "vllm/v1/attention/backends/mla/prefill/cpu_sdpa.py CPUSDPAMLAPrefillBackend",
        ),
    ),
    "linear_backend": (
        Difference(
            ("machete",), _between((10, 0), (12, 1)),
            "refused later, by the shape check: kernels for exactly 9.0",
            "vllm/model_executor/kernels/linear/mixed_precision/machete.py MacheteLinearKernel.can_implement",
        ),
    ),
}  # fmt: skip

# Values of the schema about which the asked code says nothing.
UNSAID: dict[str, frozenset[str]] = {
    "dtype": frozenset(("auto",)),
    "attention_backend": frozenset(("auto", "TORCH_SDPA", "CUSTOM")),
    "mla_prefill_backend": frozenset(("CUSTOM",)),
    "moe_backend": frozenset(("auto", "deep_gemm_mega_moe", "flydsl", "aiter_mega_moe")),
    "linear_backend": frozenset(("auto",)),
}


class Beyond(NamedTuple):
    """What the schema gives to another platform beyond the names in that platform's code."""

    platform: str
    area: str
    values: tuple[str, ...]
    reason: str
    until: str | None = None


BEYOND = (
    Beyond(
        "rocm", "quantization", ("gptq_marlin",), "auto_gptq takes its place before the platform is asked"
    ),
    Beyond(
        "xpu", "quantization", ("gptq_marlin", "awq_marlin"),
        "auto_gptq and auto_awq take their place before the platform is asked",
    ),
    Beyond(
        "xpu", "attention_backend", ("TRITON_FLASH_ATTN",),
        "taken from 0.33.0 on; requirements know no releases", until="0.33.0",
    ),
)  # fmt: skip
