"""What the layers of a built model decided: attention backends, kernels, the KV cache, CUDA graphs."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from llmcfg.resolve.question import Choice
from llmcfg.resolve.vllm.built import Built, layers
from llmcfg.resolve.vllm.held import plain

Found = Iterator[Choice]


def decided(config: Any, built: Built) -> Iterator[tuple[str, Callable[[], tuple[Choice, ...]]]]:
    """Yield a topic, and the function that tells what was decided about it."""
    for topic, ask in TOPICS.items():
        yield topic, partial(_within, ask, config, built)


def _within(ask: Callable[[Any, Built], Found], config: Any, built: Built) -> tuple[Choice, ...]:
    """Ask where the config is the current one: backends look at it."""
    from vllm.config import set_current_vllm_config

    with set_current_vllm_config(config):
        return tuple(ask(config, built))


# --- attention ----------------------------------------------------------------------------------------


def _attention(config: Any, built: Built) -> Found:
    """Tell the backend of each kind of attention layer, and why others were not taken."""
    requests = {selection[1]: selection for selection in built.selections}
    for asked, wanted, heads, path in requests.values():
        others, against = _against(wanted, heads, path)
        topic = "attention backend" if len(requests) == 1 else f"attention backend, {_kind(wanted)}"
        because = ("as asked",) if asked is not None else others
        yield Choice(topic, _backend_name(path), because, against)


def _against(wanted: Any, heads: Any, path: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return that the choice is the first possible one of several, and the reasons against the others."""
    from vllm.platforms import current_platform

    valid = getattr(current_platform, "get_valid_backends", None)
    if valid is None:
        return (), {}
    possible, refused = valid(current_platform.get_device_capability(), wanted, heads)
    against = {backend.name: "; ".join(reasons) for backend, (_, reasons) in refused.items()}
    names = [candidate.backend.name for candidate in possible]
    chosen = _backend_name(path)
    against |= {name: f"possible, after {chosen}" for name in names if name != chosen}
    return (f"first of the possible {', '.join(names)}",), dict(sorted(against.items()))


def _backend_name(path: str) -> str:
    """Return the name by which a user asks for the class."""
    from vllm.v1.attention.backends.registry import AttentionBackendEnum

    members = AttentionBackendEnum.__members__.items()
    return next((name for name, member in members if member.value == path), path.rpartition(".")[2])


def _kind(wanted: Any) -> str:
    flags = [name for name, value in wanted._asdict().items() if value is True]
    sizes = [f"heads of {wanted.head_size}", str(wanted.attn_type)]
    return ", ".join([*sizes, *(name.removeprefix("use_").replace("_", " ") for name in flags)])


def _flash_attention(config: Any, built: Built) -> Found:
    impls = [getattr(layer, "impl", None) for layer in layers(config).values()]
    versions: set[Any] = {getattr(impl, "vllm_flash_attn_version", None) for impl in impls}
    for version in sorted(versions - {None}):
        yield Choice("FlashAttention version", version)


def _prefill(config: Any, built: Built) -> Found:
    names = {
        layer.prefill_backend.get_name()
        for layer in layers(config).values()
        if getattr(layer, "prefill_backend", None) is not None
    }
    for name in sorted(names):
        yield Choice("MLA prefill backend", name)


def _vision(config: Any, built: Built) -> Found:
    from vllm.model_executor.layers.attention.mm_encoder_attention import MMEncoderAttention

    found = [module for module in built.model.modules() if isinstance(module, MMEncoderAttention)]
    for name in sorted({module.attn_backend.name for module in found}):
        yield Choice("vision attention backend", name)


# --- kernels ------------------------------------------------------------------------------------------


def _linear(config: Any, built: Built) -> Found:
    """Tell by what the linear layers multiply, and for which of them."""
    from vllm.model_executor.layers.linear import LinearBase

    found: dict[str, tuple[Any, set[str]]] = {}
    for name, module in built.model.named_modules():
        if isinstance(module, LinearBase) and module.quant_method is not None:
            kernel = _kernel(module)
            label = type(kernel or module.quant_method).__name__
            found.setdefault(label, (kernel, set()))[1].add(name.rpartition(".")[2])
    for label, (kernel, names) in found.items():
        yield Choice("linear kernel", label, (f"for {', '.join(sorted(names))}",), _passed_over(kernel))


def _kernel(module: Any) -> Any:
    """Return the kernel object that a layer's method, or its scheme, holds."""
    holders = (module.quant_method, getattr(module, "scheme", None))
    for holder in (item for item in holders if item is not None):
        for value in vars(holder).values():
            if any(base.__module__.startswith(_KERNELS) for base in type(value).__mro__):
                return value
    return None


_KERNELS = "vllm.model_executor.kernels.linear"


def _passed_over(kernel: Any) -> dict[str, str]:
    """Return vLLM's reasons against the kernels that it considers before this one."""
    from vllm.model_executor.kernels import linear
    from vllm.platforms import current_platform

    against: dict[str, str] = {}
    tables = [table for name, table in vars(linear).items() if name.startswith("_POSSIBLE_")]
    possible = (table.get(current_platform._enum, []) for table in tables)
    first: list[Any] = next((kernels for kernels in possible if type(kernel) in kernels), [])
    for other in first[: first.index(type(kernel))] if first else ():
        with suppress(Exception):
            against[other.__name__] = _reason(other, kernel.config) or "not asked for"
    return against


def _reason(kernel: Any, wanted: Any) -> str:
    from vllm.platforms import current_platform

    capability = current_platform.get_device_capability()
    here = capability.to_int() if capability else None
    if hasattr(kernel, "is_supported"):
        is_supported, reason = kernel.is_supported(here)
    else:
        least = kernel.get_min_capability()
        is_supported = here is None or here >= least
        reason = f"needs compute capability {least // 10}.{least % 10}"
    if is_supported:
        is_supported, reason = kernel.can_implement(wanted)
    return "" if is_supported else str(reason)


def _experts(config: Any, built: Built) -> Found:
    """Tell what runs the experts, with the texts about backends that were passed over."""
    from vllm.model_executor.layers.fused_moe.fused_moe_method_base import FusedMoEMethodBase

    found = (getattr(module, "quant_method", None) for module in built.model.modules())
    methods = {type(method).__name__: method for method in found if isinstance(method, FusedMoEMethodBase)}
    against = dict(filter(None, map(_rejection, built.rejected)))
    for name, method in methods.items():
        experts = getattr(getattr(method, "experts_cls", None), "__name__", name)
        backends = [str(value.value) for value in vars(method).values() if isinstance(value, enum.Enum)]
        others = {backend: reason for backend, reason in against.items() if backend not in backends}
        yield Choice("expert backend", experts, tuple(backends), others)


def _rejection(text: str) -> tuple[str, str] | None:
    """Split ``MoE backend X does not support the deployment configuration since Y.``."""
    found = re.search(r"backend '?(.+?)'? does not support .*?(?: since (.+?))?\.?$", text, re.DOTALL)
    return (found[1], found[2] or "not supported") if found else None


# --- the KV cache and CUDA graphs ---------------------------------------------------------------------


def _block_size(config: Any, built: Built) -> Found:
    if built.specs:
        yield Choice("block_size", config.cache_config.block_size)


def _layout(config: Any, built: Built) -> Found:
    if built.specs:
        yield Choice("KV cache layout", plain(config.cache_config.kv_cache_layout))


def _token_bytes(config: Any, built: Built) -> Found:
    """Tell how many bytes a token takes in the KV cache of one device, where that is constant."""
    specs = list(built.specs.values())
    sizes = {type(spec).__name__ for spec in specs}
    if specs and sizes <= {"FullAttentionSpec", "MLAAttentionSpec"}:
        total = sum(spec.page_size_bytes // spec.block_size for spec in specs)
        yield Choice("KV cache bytes per token", total, (f"{len(specs)} layers of this device",))


def _graphs(config: Any, built: Built) -> Found:
    mode = config.compilation_config.cudagraph_mode
    if mode is not None:
        yield Choice("CUDA graph mode", mode.name, ("as far as the attention backends allow",))


TOPICS: dict[str, Callable[[Any, Built], Found]] = {
    "attention backend": _attention,
    "FlashAttention version": _flash_attention,
    "MLA prefill backend": _prefill,
    "vision attention backend": _vision,
    "linear kernel": _linear,
    "expert backend": _experts,
    "block_size": _block_size,
    "KV cache layout": _layout,
    "KV cache bytes per token": _token_bytes,
    "CUDA graph mode": _graphs,
}
