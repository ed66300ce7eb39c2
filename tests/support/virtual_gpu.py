"""A card that is not there: vLLM's own CUDA platform, answered by a table instead of a driver.

To be called before anything of vLLM is imported. Only what vLLM decides in Python is asked: no kernel
exists, so what a kernel would answer is not known, and nothing may be computed.
"""

from __future__ import annotations

import sys
import types
from typing import Any, NamedTuple

_EXTENSIONS = (
    "vllm._C",
    "vllm._C_stable_libtorch",
    "vllm._moe_C",
    "vllm._moe_C_stable_libtorch",
    "vllm.vllm_flash_attn._vllm_fa2_C",
    "vllm.vllm_flash_attn._vllm_fa3_C",
)


class Card(NamedTuple):
    name: str
    capability: tuple[int, int]
    gibibytes: int
    devices: int = 64


H100 = Card("NVIDIA H100 80GB HBM3", (9, 0), 80)


def plug_in(card: Card) -> None:
    """Make vLLM see ``card``: its driver, its platform, and a Triton that could compile for it."""
    for name in _EXTENSIONS:
        sys.modules[name] = types.ModuleType(name)
    _answer_for(card)
    _answer_for_kernels(card)
    _activate_triton(card)
    import vllm.platforms

    vllm.platforms.vllm_version_matches_substr = lambda text: False
    from vllm.platforms import cuda

    cuda._cuda_device_count_stateless = lambda *_: card.devices
    vllm.platforms._current_platform = cuda.NvmlCudaPlatform()
    _install_packages()


def _install_packages() -> None:
    """Let the machine have a package that only the draft methods of another project need."""
    from vllm.utils import import_utils

    import_utils.has_arctic_inference = lambda: True
    from vllm.device_allocator import cumem

    cumem.cumem_available = True


def _answer_for(card: Card) -> None:
    from vllm.third_party import pynvml

    memory = types.SimpleNamespace(total=card.gibibytes << 30, free=card.gibibytes << 30, used=0)
    answers: dict[str, Any] = {
        "nvmlInit": None,
        "nvmlShutdown": None,
        "nvmlDeviceGetCount": card.devices,
        "nvmlDeviceGetHandleByIndex": 0,
        "nvmlDeviceGetHandleByUUID": 0,
        "nvmlDeviceGetIndex": 0,
        "nvmlDeviceGetCudaComputeCapability": card.capability,
        "nvmlDeviceGetUUID": "GPU-0",
        "nvmlDeviceGetMemoryInfo": memory,
        "nvmlDeviceGetName": card.name,
        "nvmlDeviceGetP2PStatus": pynvml.NVML_P2P_STATUS_OK,
    }
    for name, answer in answers.items():
        setattr(pynvml, name, lambda *_, answer=answer: answer)


def _answer_for_kernels(card: Card) -> None:
    """Say which kernels the wheel has for the card, as their own sources decide by capability."""
    import torch

    torch.cuda.get_device_name = lambda *_: card.name
    torch.cuda.get_device_capability = lambda *_: card.capability
    number = card.capability[0] * 10 + card.capability[1]
    answers = {
        "cutlass_scaled_mm_supports_fp8": number >= 89,
        "cutlass_scaled_mm_supports_block_fp8": number >= 90,
        "cutlass_scaled_mm_supports_fp4": number >= 100,
        "cutlass_group_gemm_supported": number >= 90,
        "cutlass_sparse_scaled_mm_supported": number >= 90,
    }
    for name, answer in answers.items():
        setattr(torch.ops._C, name, lambda *_, answer=answer: answer)


def _activate_triton(card: Card) -> None:
    from triton.backends import backends
    from triton.backends.compiler import GPUTarget
    from triton.runtime.driver import driver

    target = GPUTarget("cuda", card.capability[0] * 10 + card.capability[1], 32)
    present = types.SimpleNamespace(is_active=lambda: True, get_current_target=lambda: target)
    for name in set(backends) - {"nvidia"}:
        del backends[name]
    backends["nvidia"] = types.SimpleNamespace(driver=present)
    driver.set_active(present)
