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
    from unittest.mock import patch

    from vllm.model_executor.offloader.base import NoopOffloader, create_offloader

    with patch("torch.cuda.Stream"):
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


def _processor_device(config: Any) -> bool:
    return bool(_multimodal(config).get_mm_processor_device_type() == "cuda")


def _round_robin(config: Any) -> bool:
    from types import SimpleNamespace

    from vllm.model_executor.layers.fused_moe.expert_map_manager import determine_expert_placement_strategy

    parallel = config.parallel_config
    backend = parallel.all2all_backend
    kernels = SimpleNamespace(
        use_all2all_kernels=parallel.data_parallel_size > 1 and parallel.enable_expert_parallel,
        needs_round_robin_routing_tables=backend in ("deepep_low_latency", "nixl_ep"),
        all2all_backend=backend,
    )
    redundant = parallel.eplb_config.num_redundant_experts
    asked = parallel.expert_placement_strategy
    got = determine_expert_placement_strategy(asked, kernels, 8, redundant, parallel.enable_eplb)
    return bool(got == asked)


def _microbatches(config: Any) -> bool:
    parallel = config.parallel_config
    return bool(parallel.num_ubatches == max(1, parallel.ubatch_size))


def _ec_connector(config: Any) -> None:
    from vllm.distributed.ec_transfer.ec_connector.factory import ECConnectorFactory

    ECConnectorFactory.get_connector_class(config.ec_transfer_config)


def _log_level(_: Any) -> bool:
    import logging

    return logging.getLogger("vllm").level == logging.CRITICAL


def _scales_of_deep_gemm(_: Any) -> bool:
    from unittest.mock import patch

    from vllm.utils import deep_gemm

    present: dict[str, Any] = {
        "has_deep_gemm": lambda: True,
        "_lazy_init": lambda: None,
        "_fp8_gemm_nt_impl": object(),
    }
    with patch.multiple(deep_gemm, **present):
        return bool(deep_gemm.is_deep_gemm_e8m0_used())


def _ranges_of_nvtx(_: Any) -> bool:
    import sys
    from contextlib import nullcontext
    from types import SimpleNamespace

    from vllm.v1 import utils

    sys.modules["nvtx"] = SimpleNamespace(annotate=nullcontext)  # type: ignore[assignment]
    return isinstance(utils.record_function_or_nullcontext("step"), nullcontext)


def _reserved_cores(config: Any) -> bool:
    from vllm.utils.ompmultiprocessing import OMPProcessManager

    return bool(OMPProcessManager(config).reserved_cpu_list)


def _hub_resolver(_: Any) -> None:
    from vllm.plugins.lora_resolvers.hf_hub_resolver import register_hf_hub_resolver

    register_hf_hub_resolver()


def _media_cache(_: Any) -> bool:
    from vllm.multimodal.media.connector import MediaConnector

    return bool(MediaConnector()._media_cache_max_bytes)


def _compatibility_path(_: Any) -> bool:
    import os

    from vllm import env_override

    env_override._maybe_set_cuda_compatibility_path()
    return os.environ["VLLM_CUDA_COMPATIBILITY_PATH"] in os.environ.get("LD_LIBRARY_PATH", "").split(":")


def _stop_of_replay(config: Any, params: Any) -> bool:
    from vllm.v1.engine.input_processor import InputProcessor

    asked, params = list(params.stop), params.clone()
    InputProcessor(config)._normalize_trace_replay_params(params, 4)
    return bool(params.stop == asked)


def _repetition(_: Any, params: Any) -> bool:
    from vllm.v1.core.sched.utils import check_sequence_repetition

    return bool(check_sequence_repetition([7] * 64, params.repetition_detection))


def _layers(config: Any) -> None:
    from llmcfg.resolve.vllm.built import build

    build(config)


STEPS: dict[str, Step] = {
    "vllm-msa-alias-at-top-level": _layers,
    "vllm-turboquant-backend-cache": _layers,
    "vllm-turboquant-config-backend-cache": _layers,
    "vllm-turboquant-backend-named": _layers,
    "vllm-turboquant-config-backend-named": _layers,
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
    "vllm-two-offload-methods": _offloads,
    "vllm-quantization-config-alone": lambda config: config.quant_config is not None,
    "vllm-dp-address-unused": lambda config: config.parallel_config.data_parallel_master_ip == "10.0.0.1",
    "vllm-dp-start-rank-unused": lambda config: config.parallel_config.data_parallel_rank == 2,
    "vllm-dbo-overrides-ubatch": _microbatches,
    "vllm-round-robin-no-redundancy": _round_robin,
    "vllm-round-robin-all2all": _round_robin,
    "vllm-kv-offloading-backend-without-size": lambda config: config.kv_transfer_config is not None,
    "vllm-mm-processor-device-overridden": _processor_device,
    "vllm-ft-config-unused": lambda config: config.parallel_config.enable_fault_tolerance,
    "vllm-ec-connector-unknown": _ec_connector,
    "vllm-logging-file-overrides-level": _log_level,
    "vllm-logging-off-level": _log_level,
    "vllm-env-deep-gemm-off-e8m0-on": _scales_of_deep_gemm,
    "vllm-env-custom-scopes-over-nvtx": _ranges_of_nvtx,
    "vllm-env-cpu-reserved-needs-auto": _reserved_cores,
    "vllm-env-lora-hub-needs-updating": _hub_resolver,
    "vllm-env-media-cache-max-unused": _media_cache,
    "vllm-env-media-cache-ttl-unused": _media_cache,
    "vllm-env-cuda-compat-path-unused": _compatibility_path,
    "vllm-env-use-breakable-cudagraph-without-compile": lambda config: (
        config.compilation_config.mode.name == "VLLM_COMPILE"
    ),
}
REQUESTS: dict[str, Callable[[Any, Any], Any]] = {
    "vllm-trace-replay-stops": _stop_of_replay,
    "vllm-repetition-off": _repetition,
}
