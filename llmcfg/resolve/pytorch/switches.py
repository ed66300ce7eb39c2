"""Torch's runtime switches: set one after the other, and read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmcfg.backends.flags import parameters
from llmcfg.compiled import Compiled
from llmcfg.resolve.question import Json

# Where torch tells what was set; a function is called. What is not here is read at its own name.
PLACES: dict[str, str] = {
    "set_float32_matmul_precision": "get_float32_matmul_precision",
    "backends.cuda.enable_flash_sdp": "backends.cuda.flash_sdp_enabled",
    "backends.cuda.enable_mem_efficient_sdp": "backends.cuda.mem_efficient_sdp_enabled",
    "backends.cuda.enable_cudnn_sdp": "backends.cuda.cudnn_sdp_enabled",
    "backends.cuda.enable_math_sdp": "backends.cuda.math_sdp_enabled",
    "backends.cuda.allow_fp16_bf16_reduction_math_sdp": "backends.cuda.fp16_bf16_reduction_math_sdp_allowed",
    "nn.attention.activate_flash_attention_impl": "nn.attention.current_flash_attention_impl",
    "cuda.set_per_process_memory_fraction": "cuda.get_per_process_memory_fraction",
    "set_num_threads": "get_num_threads",
    "set_num_interop_threads": "get_num_interop_threads",
    "set_default_device": "utils._device.CURRENT_DEVICE",
    "set_grad_enabled": "is_grad_enabled",
    "manual_seed": "initial_seed",
    "use_deterministic_algorithms": "are_deterministic_algorithms_enabled",
    "use_deterministic_algorithms.warn_only": "is_deterministic_algorithms_warn_only_enabled",
    "set_deterministic_debug_mode": "get_deterministic_debug_mode",
    "compiler.set_stance": "_dynamo.eval_frame._stance.stance",
    "compiler.set_stance.force_backend": "_dynamo.eval_frame._stance.backend",
    "compiler.set_stance.skip_guard_eval_unsafe": "_dynamo.eval_frame._stance.skip_guard_eval_unsafe",
    "compiler.set_default_backend": "compiler.get_default_backend",
    "set_default_dtype": "get_default_dtype",
    "set_autocast_cache_enabled": "is_autocast_cache_enabled",
    "set_warn_always": "is_warn_always_enabled",
    "backends.mha.set_fastpath_enabled": "backends.mha.get_fastpath_enabled",
    "jit.enable_onednn_fusion": "jit.onednn_fusion_enabled",
    "backends.cuda.matmul.allow_fp16_reduced_precision_reduction":
        "_C._get_cublas_allow_fp16_reduced_precision_reduction",
    "backends.cuda.matmul.allow_bf16_reduced_precision_reduction":
        "_C._get_cublas_allow_bf16_reduced_precision_reduction",
}  # fmt: skip
CALLED_WITH: dict[str, tuple[str, str]] = {
    "set_autocast_enabled.enabled": ("is_autocast_enabled", "set_autocast_enabled"),
    "set_autocast_dtype.dtype": ("get_autocast_dtype", "set_autocast_dtype"),
}
"""Functions that take the value of another switch as their argument."""
WITHOUT_PLACE = frozenset({
    "set_autocast_enabled", "set_autocast_dtype", "set_flush_denormal", "set_default_tensor_type",
    "jit.set_fusion_strategy", "compiler.set_enable_guard_collectives",
})  # fmt: skip
"""Switches that torch does not tell, or only by being set again."""


def groups(settings: Json) -> list[Json]:
    """Return the settings as they are set: each function of torch with its further arguments."""
    found: dict[str, Json] = {}
    for name, value in settings.items():
        is_argument = _form(name) == "argument"
        found.setdefault(name.rpartition(".")[0] if is_argument else name, {})[name] = value
    return list(found.values())


def apply(settings: Json) -> None:
    """Set some of torch's switches, as a compiled config does."""
    from llmcfg.backends import module

    module("pytorch").build(Compiled("pytorch", "", "", {"torch": settings}, {}, []))["torch"]()


def read(name: str, settings: Json) -> tuple[str, Any] | None:
    """Return where torch tells a switch, and what it tells; None where it does not.

    Raises:
        Exception: what torch raises.
    """
    if name in WITHOUT_PLACE or (_form(name) == "argument" and name not in {*PLACES, *CALLED_WITH}):
        return None
    if name in CALLED_WITH:
        function, other = CALLED_WITH[name]
        return f"torch.{function}", _at(function)(settings.get(other, "cuda"))
    place = PLACES.get(name, name)
    value = _at(place)
    return f"torch.{place}", value() if isinstance(value, Callable) else value  # type: ignore[arg-type]


def _at(place: str) -> Any:
    import torch

    value: Any = torch
    for part in place.split("."):
        value = getattr(value, part)
    return value


def _form(name: str) -> str | None:
    form: str | None = parameters("PytorchRuntime").get(name, {}).get("x-native", {}).get("form")
    return form
