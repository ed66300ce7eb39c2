"""The model's modules, built by vLLM's own code without memory: what its layers decide for themselves.

This is the part of a start-up between the config and the weights. vLLM chooses attention backends and
kernels there, the block size of the KV cache, and what CUDA graphs the backends allow.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from llmcfg.resolve.fork import forked
from llmcfg.resolve.record import Unforeseen, unforeseen
from llmcfg.resolve.vllm import groups
from llmcfg.resolve.vllm.shapes import computed, shapes_only


@dataclass
class Built:
    """A model's modules, and what was asked while they were made.

    ``selections`` are the distinct requests for an attention backend: the backend that was asked for by
    name or None, the selector's config, the number of heads, and what came out. ``rejected`` are vLLM's
    own texts about backends for experts that it passed over. ``specs`` maps layers to what they keep in
    the KV cache.
    """

    model: Any = None
    selections: list[tuple[Any, Any, Any, str]] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    specs: dict[str, Any] = field(default_factory=dict)


def build(config: Any) -> Built:
    """Build the model of a VllmConfig, and take what follows from it into the config, as a worker does.

    Raises:
        Unforeseen: if it can't be built here, for reasons that are not vLLM's.
        Exception: what vLLM raises where it can't go on.
    """
    try:
        return _build(config)
    except Unforeseen:
        raise
    except Exception as error:
        if is_refusal(error):
            raise
        what = f"{type(error).__name__}: {error}".strip()
        raise unforeseen(f"the layers of {config.model_config.architecture} ({what})") from error


def is_refusal(error: BaseException) -> bool:
    """Tell whether vLLM itself stopped the building, and not what shapes alone can't do.

    A package that is not there stops it too: the machine has those that it says.
    """
    if isinstance(error, ImportError):
        return not (error.name or "").startswith("vllm")
    if not isinstance(error, _REFUSALS) or not str(error):
        return False
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return "/vllm/" in last and "/llmcfg/" not in last


_REFUSALS = (ValueError, RuntimeError, AssertionError)


def _build(config: Any) -> Built:
    import torch
    from vllm.config import set_current_vllm_config
    from vllm.model_executor.layers.fused_moe.expert_map_manager import ExpertMapManager
    from vllm.model_executor.model_loader.utils import initialize_model
    from vllm.platforms import current_platform
    from vllm.v1.worker.workspace import init_workspace_manager

    built = Built()
    if not current_platform.is_cpu():
        current_platform.check_if_supports_dtype(config.model_config.dtype)
    computed(ExpertMapManager)
    groups.join(config)
    init_workspace_manager(torch.device("meta"))
    _watch_selections(built, current_platform)
    _watch_experts(built)
    with shapes_only(config.model_config.dtype):
        built.model = initialize_model(vllm_config=config, model_config=config.model_config)
        current_platform.update_block_size_for_backend(config)
        with set_current_vllm_config(config):
            built.specs = _specs(config)
            _settle_layout(config, built.specs)
            _check_blocks(config, built.specs)
            _settle_graphs(config, built)
    return built


def warm_up(config: Any, seconds: float = 120.0) -> None:
    """Import what building a model imports; the building itself is done, and lost, in a child."""
    before = set(sys.modules)

    def imported() -> bytes:
        with suppress(Exception):
            build(config)
        return json.dumps([name for name in sys.modules if name not in before]).encode()

    for name in json.loads(forked(imported, seconds)):
        with suppress(Exception):
            importlib.import_module(name)


def _specs(config: Any) -> dict[str, Any]:
    from vllm.v1.worker.gpu.attn_utils import get_kv_cache_spec

    return dict(get_kv_cache_spec(config))


def _settle_layout(config: Any, specs: dict[str, Any]) -> None:
    """Choose the layout of the KV cache, as the engine's core does with its workers' answers."""
    from vllm.v1.attention.backends.utils import get_supported_kv_cache_layouts, resolve_kv_cache_layout

    backends = {layer.get_attn_backend() for layer in layers(config).values()}
    names = [layout.name for layout in get_supported_kv_cache_layouts(backends)]
    resolve_kv_cache_layout(config, [names], list(specs.values()))


def _check_blocks(config: Any, specs: dict[str, Any]) -> None:
    """Look for a block size that the kernels of each group of layers take, as the model runner does."""
    from vllm.v1.kv_cache_interface import AttentionSpec
    from vllm.v1.worker.utils import select_common_block_size

    if not specs or config.cache_config.get_resolved_kv_cache_layout().is_block_outermost:
        return
    for group in _groups(config, specs):
        backends = {layers(config)[name].get_attn_backend(): specs[name] for name in group.layer_names}
        if isinstance(group.kv_cache_spec, AttentionSpec):
            size = group.kv_cache_spec.block_size
            select_common_block_size(size, list(backends), list(backends.values()))


def _groups(config: Any, specs: dict[str, Any]) -> Any:
    """Return the groups of layers that share blocks, by the function of this release."""
    utils = importlib.import_module("vllm.v1.core.kv_cache_utils")
    if hasattr(utils, "get_kv_cache_groups"):  # until 0.32
        return utils.get_kv_cache_groups(config, dict(specs))
    core = importlib.import_module("vllm.v1.engine.core")
    return core.get_global_kv_cache_groups(config, [dict(specs)])


def _settle_graphs(config: Any, built: Built) -> None:
    """Lower the CUDA graph mode to what every attention backend allows, as the model runner does."""
    from vllm.v1.attention.backend import AttentionCGSupport

    weakest, name = AttentionCGSupport.ALWAYS, None
    for layer, spec in built.specs.items():
        backend = layers(config)[layer].get_attn_backend()
        support = backend.get_builder_cls().get_cudagraph_support(config, spec)
        if support.value < weakest.value:
            weakest, name = support, backend.__name__
    speculative = config.speculative_config
    tokens = 1 + (speculative.num_speculative_tokens if speculative else 0)
    is_v2 = config.use_v2_model_runner
    further = {"piecewise_capture_available": _captures_pieces(built.model)} if is_v2 else {}
    config.compilation_config.resolve_cudagraph_mode_and_sizes(
        weakest, name, tokens, use_v2_model_runner=is_v2, **further
    )


def _captures_pieces(model: Any) -> bool:
    from vllm import envs
    from vllm.v1.worker.gpu.cudagraph_utils import has_compiled_submodule

    return bool(envs.VLLM_USE_BREAKABLE_CUDAGRAPH or has_compiled_submodule(model))


def layers(config: Any) -> dict[str, Any]:
    """Return the layers that keep something in the KV cache, by name."""
    from vllm.config import get_layers_from_vllm_config
    from vllm.model_executor.layers.attention_layer_base import AttentionLayerBase

    return dict(get_layers_from_vllm_config(config, AttentionLayerBase))


def _watch_selections(built: Built, platform: Any) -> None:
    from vllm.v1.attention import selector

    selector._cached_get_attn_backend.cache_clear()
    choose: Callable[..., str] = platform.get_attn_backend_cls

    def watched(asked: Any, attn_selector_config: Any, num_heads: Any = None) -> str:
        found = choose(asked, attn_selector_config=attn_selector_config, num_heads=num_heads)
        built.selections.append((asked, attn_selector_config, num_heads, found))
        return found

    platform.get_attn_backend_cls = watched


def _watch_experts(built: Built) -> None:
    """Keep what is said at debug level of backends for experts that are passed over."""
    from vllm.model_executor.layers.fused_moe import oracle

    def note(text: str, *arguments: Any, **_: Any) -> None:
        said = text % arguments if arguments else text
        if said not in built.rejected:
            built.rejected.append(said)

    for module in pkgutil.iter_modules(oracle.__path__):
        with suppress(AttributeError):
            importlib.import_module(f"{oracle.__name__}.{module.name}").logger.debug_once = note
