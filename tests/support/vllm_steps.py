"""Single steps of a start-up that rules speak of, taken alone from a resolved config.

A step may refuse, log, or tell whether the setting takes effect (true), does not (false), or neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Step = Callable[[Any], Any]


def _logits_processors(config: Any) -> None:
    import torch
    from vllm.v1.sample.logits_processor import build_logitsprocs

    model = config.model_config
    pooling = model.runner_type == "pooling"
    build_logitsprocs(config, torch.device("cpu"), False, pooling, model.logits_processors or ())


def _linear_layer(config: Any) -> None:
    from vllm.model_executor.layers.linear import LinearBase

    config.quant_config.resolve_quant_method_cls(LinearBase, "model.layers.0.mlp.down_proj")


def _expert_layer(config: Any) -> None:
    from vllm.model_executor.layers.fused_moe import RoutedExperts

    config.quant_config.resolve_quant_method_cls(RoutedExperts, "model.layers.0.mlp.experts")


def _loader(config: Any) -> None:
    from vllm.model_executor.model_loader import get_model_loader

    get_model_loader(config.load_config)


def _network(config: Any) -> None:
    from vllm.v1.executor.vllm_net_devices import set_worker_net_device

    set_worker_net_device(0, config)


def _color(_: Any) -> bool:
    from vllm import logger

    return bool(logger._use_color())


def _no_counting(_: Any) -> bool:
    from vllm import envs

    return not envs.VLLM_COMPUTE_NANS_IN_LOGITS


def _rust(_: Any) -> None:
    from vllm import envs

    _ = envs.VLLM_RUST_FRONTEND_PATH


def _events(config: Any) -> bool:
    from vllm.distributed.kv_events import EventPublisherFactory, NullEventPublisher

    publisher = EventPublisherFactory.create(config.kv_events_config, 0)
    return not isinstance(publisher, NullEventPublisher)


def _connector(config: Any) -> None:
    from vllm.distributed.kv_transfer.kv_connector.factory import KVConnectorFactory
    from vllm.distributed.kv_transfer.kv_connector.v1 import KVConnectorRole

    KVConnectorFactory.create_connector(config, KVConnectorRole.SCHEDULER, None)


def _kv_cache_of_backend(config: Any) -> bool:
    backend = config.attention_config.backend
    dtype = config.cache_config.cache_dtype
    return backend is None or bool(backend.get_class().supports_kv_cache_dtype(dtype))


def _offloads(config: Any) -> bool:
    """Tell whether weights leave the GPU: by groups, or by a budget."""
    from vllm.model_executor.offloader.base import NoopOffloader, create_offloader

    offloader = create_offloader(config.offload_config)
    if isinstance(offloader, NoopOffloader):
        return False
    return bool(getattr(offloader, "cpu_offload_max_bytes", 1))


def _kept_beside_invariance(variable: str) -> Step:
    """Tell whether an environment variable outlives what batch invariance writes."""

    def step(_: Any) -> bool:
        import os

        from vllm import envs
        from vllm.model_executor.determinism import batch_invariant

        written = os.environ[variable]
        if envs.VLLM_BATCH_INVARIANT:
            batch_invariant.override_envs_for_invariance()
        return os.environ[variable] == written

    return step


def _greedy_drafts(config: Any) -> None:
    from types import SimpleNamespace

    from vllm.v1.worker.gpu.spec_decode.speculator import DraftModelSpeculator

    speculative = config.speculative_config
    drafter = SimpleNamespace(
        speculative_config=speculative,
        use_local_argmax_reduction=speculative.use_local_argmax_reduction,
        model=SimpleNamespace(get_top_tokens=None),
    )
    DraftModelSpeculator._validate_local_argmax_reduction(drafter)


def _cache_of_pictures(config: Any) -> bool:
    from vllm.multimodal.cache.factories import _get_cache_type

    return _get_cache_type(config) is not None


def _multimodal(config: Any) -> Any:
    return config.model_config.multimodal_config


STEPS: dict[str, Step] = {
    "vllm-logits-processors-pooling": _logits_processors,
    "vllm-online-linear-weight": _linear_layer,
    "vllm-online-activation-override": _linear_layer,
    "vllm-online-moe-weight": _expert_layer,
    "vllm-dummy-takes-no-loader-options": _loader,
    "vllm-multithread-load-strategy": _loader,
    "vllm-env-nic-vars-need-mapping": _network,
    "vllm-env-nic-mapping-needs-vars": _network,
    "vllm-env-no-color-wins": _color,
    "vllm-env-raise-on-nans-implies-count": _no_counting,
    "vllm-env-rust-path-unused": _rust,
    "vllm-sleep-options-need-sleep-mode": lambda config: config.use_cumem_cudagraph_pool,
    "vllm-sleep-cudagraph-eager": lambda config: config.use_cumem_cudagraph_pool,
    "vllm-kv-events-dropped": _events,
    "vllm-hybrid-manager-needs-connector-support": _connector,
    "vllm-flash-attn-kv-dtype": _kv_cache_of_backend,
    "vllm-flex-attention-kv-dtype": _kv_cache_of_backend,
    "vllm-nvfp4-cache-needs-flashinfer": _kv_cache_of_backend,
    "vllm-per-token-head-cache-needs-triton": _kv_cache_of_backend,
    "vllm-offload-details-without-group": _offloads,
    "vllm-cpu-offload-params-without-budget": _offloads,
    "vllm-uva-without-budget": _offloads,
    "vllm-eplb-batching-needs-async": lambda config: (
        config.parallel_config.eplb_config.migration_batching_enabled
    ),
    "vllm-env-batch-invariant-over-symm-mem": _kept_beside_invariance("VLLM_ALLREDUCE_USE_SYMM_MEM"),
    "vllm-env-batch-invariant-over-aot": _kept_beside_invariance("VLLM_USE_AOT_COMPILE"),
    "vllm-env-batch-invariant-over-allreduce-algo": _kept_beside_invariance("VLLM_CUSTOM_ALLREDUCE_ALGO"),
    "vllm-local-argmax-drafts-greedily": _greedy_drafts,
    "vllm-dcp-interleave-divides-block": lambda config: config.validate_block_size(),
    "vllm-mm-cache-type-unused": _cache_of_pictures,
    "vllm-mm-pruning-method-unused": lambda config: _multimodal(config).get_video_pruning_spec() is not None,
    "vllm-mm-limits-and-text-only": lambda config: _multimodal(config).get_limit_per_prompt("image") == 4,
}
