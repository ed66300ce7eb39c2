"""Facts of the machine and the model that the rules look at."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

from llmcfg.gpus import Gpu, UnknownGpu, find
from llmcfg.nvml import GpuQueryFailed
from llmcfg.resolve.kinds import kinds
from llmcfg.resolve.models import KIND, STAND_IN, described
from llmcfg.resolve.question import Machine, Model

Json = dict[str, Any]
_UNSCALED = ("su", "longrope", "llama3")
_UNSCALED_AT_START = (*_UNSCALED, "yarn")
_EXPERTS = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts")


class Known(NamedTuple):
    """A model's ``config.json``, and in words where it comes from."""

    config: Json
    note: str


def gpu(machine: Machine) -> Gpu | None:
    """Return the GPU of a machine; None where it is this one and cannot be asked."""
    try:
        return find(machine.gpu or "auto")
    except (GpuQueryFailed, UnknownGpu):
        return None


def machine_facts(machine: Machine) -> Json:
    """Return the compute capability (90 for 9.0) and the number of GPUs; nothing where they are not known."""
    card = gpu(machine)
    if card is None:
        return {}
    if card.name == "none":
        return {"count": 0}
    major, minor = card.capability
    return {"capability": 10 * major + minor, "count": machine.cards}


def known(model: Model) -> Known:
    """Return what is known of a model: given, on this machine, or of a common shape.

    Raises:
        ValueError: if the given ``config.json`` cannot be read.
    """
    if model.config is not None:
        return Known(described(model.config), model.config)
    own = Path(model.name) / "config.json"
    if own.is_file():
        return Known(described(str(own)), f"{model.name} on this machine")
    is_kind = model.name.startswith(KIND)
    kind = kinds()[model.name.removeprefix(KIND) if is_kind else STAND_IN]
    why = "" if is_kind else f" (config.json of {model.name} is not on this machine)"
    return Known(kind["config"], f"a stand-in: {kind['title']}{why}")


def model_facts(config: Json) -> Json:
    """Return the facts of a model's config that rules speak of; those that are not there are left out."""
    text = {**config, **config.get("text_config", {})}
    quant = config.get("quantization_config") or {}
    facts = {
        "architecture": next(iter(config.get("architectures") or ()), None),
        "dtype": text.get("torch_dtype") or text.get("dtype"),
        "layers": text.get("num_hidden_layers"),
        "longest": _longest(text, _UNSCALED_AT_START),
        "longest_in_build": _longest(text, _UNSCALED) or 2048,
        "latent": bool(text.get("kv_lora_rank")),
        "latent_width": (text.get("kv_lora_rank") or 0) + (text.get("qk_rope_head_dim") or 0),
        "experts": any((text.get(key) or 0) > 1 for key in _EXPERTS),
        "quant": quant.get("quant_method"),
        "quant_blocks": bool(quant.get("weight_block_size")),
    }
    return {key: item for key, item in facts.items() if item is not None}


def _longest(text: Json, unscaled: tuple[str, ...]) -> int | None:
    positions = text.get("max_position_embeddings")
    if not isinstance(positions, int):
        return None
    scaling = text.get("rope_scaling") or {}
    is_scaled = scaling.get("type", scaling.get("rope_type")) not in unscaled
    return math.ceil(positions * scaling.get("factor", 1)) if scaling and is_scaled else positions
