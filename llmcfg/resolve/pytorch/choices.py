"""What transformers and torch chose by themselves, with their reasons against the rest."""

from __future__ import annotations

from collections import Counter
from typing import Any

from llmcfg.resolve import record
from llmcfg.resolve.pytorch.compiling import Compilation
from llmcfg.resolve.pytorch.generating import Generation
from llmcfg.resolve.pytorch.loading import Loaded, device_name, place_of
from llmcfg.resolve.pytorch.plain import NOTHING, plain
from llmcfg.resolve.question import Choice

GIB = 1 << 30
ATTENTION = ("sdpa", "flash_attention_2", "flash_attention_3", "flash_attention_4", "flex_attention", "eager")
ESTIMATE = "an estimate: computed from the shapes of the weights, without activations and KV cache"


def of_model(loaded: Loaded, memory: int | None) -> tuple[Choice, ...]:
    """Return what was chosen with the model; ``memory`` is that of one GPU in bytes, None without one."""
    model = loaded.model
    found = [
        Choice("model class", type(model).__name__),
        Choice("dtype", plain(model.dtype)),
        Choice("attention implementation", model.config._attn_implementation, against=_attention(model)),
        Choice("device", loaded.device),
    ]
    if model._can_set_experts_implementation():
        found.append(Choice("experts implementation", model.config._experts_implementation))
    if loaded.quantizer is not None:
        found += _quantizer(loaded)
    return (*found, *(() if "preprocess_model" in loaded.skipped else _weights(loaded, memory)))


def of_generation(generation: Generation) -> tuple[Choice, ...]:
    """Return what was chosen for ``generate``."""
    mode = generation.config.get_generation_mode()
    return (
        Choice("generation mode", plain(mode)),
        Choice("cache", _cache(generation.cache)),
        Choice("logits processors", generation.processors),
        Choice("stopping criteria", generation.criteria),
        Choice("automatic compilation", _automatic(generation)),
    )


def of_batching(loaded: Loaded, settings: Any) -> tuple[Choice, ...]:
    """Return what was chosen for continuous batching."""
    return (
        Choice("attention implementation of continuous batching", loaded.model.config._attn_implementation),
        Choice("continuous batching", {key: plain(item) for key, item in vars(settings).items()}),
    )


def of_compilation(compilation: Compilation) -> tuple[Choice, ...]:
    """Return what ``torch.compile`` will do at the first call."""
    backend = getattr(compilation.backend, "compiler_name", None) or type(compilation.backend).__name__
    settings = {key: plain(item) for key, item in compilation.settings.items()}
    return (
        Choice("compiler backend", backend),
        Choice("compiler settings", {key: item for key, item in settings.items() if item is not NOTHING}),
    )


def _attention(model: Any) -> dict[str, str]:
    """Ask for each of the others, and note why it is refused."""
    reasons = {}
    for name in ATTENTION:
        if name == model.config._attn_implementation:
            continue
        try:
            model._check_and_adjust_attn_implementation(name, is_init_check=True)
        except record.Unforeseen:
            continue
        except Exception as error:
            reasons[name] = str(error).partition("\n")[0]
    return reasons


def _quantizer(loaded: Loaded) -> list[Choice]:
    found = [
        Choice("quantizer", type(loaded.quantizer).__name__),
        Choice("quantized checkpoint", bool(loaded.quantizer.pre_quantized)),
    ]
    if "preprocess_model" not in loaded.skipped:
        found.append(Choice("layers of the quantizer", loaded.replaced))
    return found


def _weights(loaded: Loaded, memory: int | None) -> list[Choice]:
    from transformers.integrations.accelerate import compute_module_sizes

    try:
        sizes, leaves = compute_module_sizes(loaded.model, loaded.quantizer)
    except Exception:
        return []  # a quantizer whose package is not here cannot tell the size of its weights
    per_device: Counter[str] = Counter()
    for name, size in leaves.items():
        place = "cpu" if loaded.device_map is None else device_name(place_of(name, loaded.device_map))
        per_device[place] += int(size)
    found = [Choice("weights in GiB", round(sizes[""] / GIB, 2), (ESTIMATE,))]
    found.append(Choice("weights per device in GiB", {key: _gib(item) for key, item in per_device.items()}))
    if memory is not None:
        found.append(Choice("weights fit", _fit(per_device, sizes[""], memory), (ESTIMATE,)))
    return found


def _fit(per_device: Counter[str], total: int, memory: int) -> dict[str, Any]:
    on_gpus = [size for device, size in per_device.items() if device.startswith("cuda")]
    elsewhere = len(on_gpus) < len(per_device)
    return {
        "memory of a GPU in GiB": _gib(memory),
        "on one GPU": total <= memory,
        "on the GPUs where they are": bool(on_gpus) and max(on_gpus) <= memory,
        "all on GPUs": not elsewhere,
    }


def _gib(size: float) -> float:
    return round(size / GIB, 2)


def _cache(cache: Any) -> Any:
    if cache is None:
        return None
    layers = getattr(cache, "layers", [])
    lengths = {layer.max_cache_len for layer in layers if getattr(layer, "max_cache_len", None) is not None}
    windows = {layer.sliding_window for layer in layers if getattr(layer, "sliding_window", None) is not None}
    found: dict[str, Any] = {
        "class": type(cache).__name__,
        "layers": dict(Counter(type(layer).__name__ for layer in layers)),
        "offloaded": bool(getattr(cache, "offloading", False)),
    }
    if lengths:
        found["length"] = max(lengths)
    if windows:
        found["sliding window"] = max(windows)
    return found


def _automatic(generation: Generation) -> Any:
    if not generation.compiled:
        return False
    config = generation.config.compile_config
    return plain(config.to_dict()) if config is not None else True
