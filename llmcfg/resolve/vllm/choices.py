"""What vLLM chose by itself where it matters: in the config that it resolved, and in the model's layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from llmcfg.resolve.question import Choice
from llmcfg.resolve.record import Unforeseen
from llmcfg.resolve.vllm import layers
from llmcfg.resolve.vllm.held import plain

if TYPE_CHECKING:
    from llmcfg.resolve.vllm.built import Built

Found = Any
"""A value, a whole `Choice`, or None where there is nothing to choose."""


def choices(config: Any, built: Built | None = None) -> tuple[Choice, ...]:
    """Return the choices in a VllmConfig, and in the model that was built of it.

    What the built model decided comes in place of what the config says. A choice that can't be known here
    has the value None, and says why.
    """
    found: dict[str, tuple[Choice, ...]] = {}
    for topic, ask in TOPICS.items():
        found[topic] = told(topic, partial(_single, topic, ask, config))
    for topic, decided in layers.decided(config, built) if built is not None else ():
        found[topic] = told(topic, decided) or found.get(topic, ())
    return tuple(choice for group in found.values() for choice in group)


def told(topic: str, ask: Callable[[], tuple[Choice, ...]]) -> tuple[Choice, ...]:
    """Return the choices that are found.

    One that could not be asked for has no value, and says why; so has one at which vLLM gives up.
    """
    try:
        return ask()
    except Unforeseen as question:
        return (Choice(topic, None, (f"unknown: {question}",)),)
    except (ValueError, RuntimeError) as refusal:
        return (Choice(topic, None, (f"refused: {refusal}",)),)
    except Exception as problem:
        return (Choice(topic, None, (f"unknown: {type(problem).__name__}: {problem}",)),)


def _single(topic: str, ask: Callable[[Any], Found], config: Any) -> tuple[Choice, ...]:
    found = ask(config)
    if found is None:
        return ()
    return (found,) if isinstance(found, Choice) else (Choice(topic, plain(found)),)


# --- the model ----------------------------------------------------------------------------------------


def _quantization(config: Any) -> Found:
    model = config.model_config
    if model.quantization is None:
        return None
    stored = getattr(model.hf_config, "quantization_config", None)
    where = "the checkpoint is quantized" if stored else "weights are quantized while they are loaded"
    return Choice("quantization", model.quantization, (where,))


def _kv_cache_dtype(config: Any) -> Found:
    asked = config.cache_config.cache_dtype
    if config.model_config.is_attention_free:
        return None
    if asked != "auto":
        return asked
    return Choice("kv_cache_dtype", plain(config.model_config.dtype), ("the model's dtype",))


def _block_size(config: Any) -> Found:
    cache = config.cache_config
    if cache.user_specified_block_size:
        return Choice("block_size", cache.block_size, ("as asked, until the attention backend is chosen",))
    return cache.block_size


# --- scheduling ---------------------------------------------------------------------------------------


def _scheduler(config: Any) -> Found:
    return config.scheduler_config.get_scheduler_cls().__qualname__


# --- compilation --------------------------------------------------------------------------------------


def _capture_sizes(config: Any) -> Found:
    compilation = config.compilation_config
    if not compilation.cudagraph_mode or not compilation.cudagraph_capture_sizes:
        return None
    return summary(sorted(compilation.cudagraph_capture_sizes))


def summary(sizes: list[int]) -> str:
    """Shorten a long list of numbers: ``1, 2, 4, 8 … 504, 512 (51 sizes)``."""
    if len(sizes) <= 8:
        return ", ".join(map(str, sizes))
    first, last = (", ".join(map(str, part)) for part in (sizes[:4], sizes[-2:]))
    return f"{first} … {last} ({len(sizes)} sizes)"


def _passes(config: Any) -> Found:
    """Return the passes over the compiled graph that are on."""
    passes = plain(config.compilation_config.pass_config)
    return sorted(name for name, value in passes.items() if value is True)


def _compiler(config: Any) -> Found:
    return config.compilation_config.backend or None


def _custom_ops(config: Any) -> Found:
    return list(config.compilation_config.custom_ops)


def _splitting_ops(config: Any) -> Found:
    found = config.compilation_config.splitting_ops
    return None if found is None else sorted(found)


# --- layout -------------------------------------------------------------------------------------------

_SIZES = {
    "tensor": "tensor_parallel_size",
    "pipeline": "pipeline_parallel_size",
    "data": "data_parallel_size",
    "prefill context": "prefill_context_parallel_size",
    "decode context": "decode_context_parallel_size",
}


def _layout(config: Any) -> Found:
    parallel = config.parallel_config
    sizes = {name: getattr(parallel, field, 1) for name, field in _SIZES.items()}
    parts = [f"{name} {size}" for name, size in sizes.items() if size > 1]
    if parallel.enable_expert_parallel:
        parts.append("experts spread")
    return ", ".join(parts) or "one device"


def _executor(config: Any) -> Found:
    from vllm.v1.executor.abstract import Executor

    return Executor.get_class(config).__qualname__


def _all_reduce(config: Any) -> Found:
    parallel = config.parallel_config
    if parallel.tensor_parallel_size == 1:
        return None
    return "without vLLM's own kernel" if parallel.disable_custom_all_reduce else "vLLM's own kernel first"


def _all_to_all(config: Any) -> Found:
    parallel = config.parallel_config
    is_used = parallel.enable_expert_parallel and parallel.data_parallel_size > 1
    return parallel.all2all_backend if is_used else None


# --- the rest -----------------------------------------------------------------------------------------


def _runner(config: Any) -> Found:
    return "V2" if config.use_v2_model_runner else "V1"


def _sampler(config: Any) -> Found:
    """Return what draws tokens by top-k and top-p, as the worker decides it."""
    from vllm.platforms import current_platform
    from vllm.triton_utils import HAS_TRITON
    from vllm.v1.sample.ops.topk_topp_sampler import flashinfer_sampler_supported

    if config.model_config.runner_type == "pooling":
        return None
    if flashinfer_sampler_supported():
        return "FlashInfer"
    return "Triton" if HAS_TRITON and not current_platform.is_cpu() else "PyTorch"


def _reads(*path: str) -> Callable[[Any], Found]:
    """Return a question that reads an attribute; nothing where an object on the way is None."""

    def read(config: Any) -> Found:
        for name in path:
            config = getattr(config, name, None)
        return config

    return read


TOPICS: dict[str, Callable[[Any], Found]] = {
    "dtype": _reads("model_config", "dtype"),
    "max_model_len": _reads("model_config", "max_model_len"),
    "quantization": _quantization,
    "kv_cache_dtype": _kv_cache_dtype,
    "block_size": _block_size,
    "enable_prefix_caching": _reads("cache_config", "enable_prefix_caching"),
    "enable_chunked_prefill": _reads("scheduler_config", "enable_chunked_prefill"),
    "max_num_batched_tokens": _reads("scheduler_config", "max_num_batched_tokens"),
    "max_num_seqs": _reads("scheduler_config", "max_num_seqs"),
    "scheduler": _scheduler,
    "scheduling_policy": _reads("scheduler_config", "policy"),
    "async_scheduling": _reads("scheduler_config", "async_scheduling"),
    "optimization_level": _reads("optimization_level"),
    "compilation mode": _reads("compilation_config", "mode"),
    "compilation backend": _compiler,
    "CUDA graph mode": _reads("compilation_config", "cudagraph_mode"),
    "CUDA graph sizes": _capture_sizes,
    "custom operators": _custom_ops,
    "compiler passes": _passes,
    "splitting operators": _splitting_ops,
    "parallel layout": _layout,
    "executor": _executor,
    "all-reduce": _all_reduce,
    "all-to-all": _all_to_all,
    "model runner": _runner,
    "sampler": _sampler,
    "structured outputs": _reads("structured_outputs_config", "backend"),
    "speculative decoding": _reads("speculative_config", "method"),
    "LoRA ranks": _reads("lora_config", "max_lora_rank"),
}
