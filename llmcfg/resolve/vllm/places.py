"""Where a field of EngineArgs stands in the VllmConfig that vLLM makes of it."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

from llmcfg.checking.versions import order
from llmcfg.data import evidence_path

Path = tuple[str, ...]
Place = tuple[str, Path]

# What the inventory does not say, read from EngineArgs.__post_init__ and create_engine_config. A field that
# is not named here, and of which the inventory says nothing, stands under its own name in the VllmConfig or
# in the one part of it that has a field of that name.
RENAMED: dict[str, str] = {
    "enable_return_routed_experts": "aux_output_config.enable_return_routed_experts",
    "device_ids": "parallel_config.assigned_physical_gpu_ids",
    "data_parallel_start_rank": "parallel_config.data_parallel_rank",
    "data_parallel_address": "parallel_config.data_parallel_master_ip",
    "mm_processor_device": "model_config.multimodal_config.mm_processor_kwargs.device",
    "spec_method": "speculative_config.method",
    "spec_model": "speculative_config.model",
    "spec_tokens": "speculative_config.num_speculative_tokens",
    "log_level": "logging_config.log_level",
    "log_config_file": "logging_config.pylogging_config_file",
    "reasoning_parser_plugin": "structured_outputs_config.reasoning_parser_plugin",
    "mamba_backend": "mamba_config.backend",
    "mamba_ssu_algorithm": "mamba_config.ssu_algorithm",
    "gdn_prefill_backend": "additional_config.gdn_prefill_backend",
    "kda_prefill_backend": "additional_config.kda_prefill_backend",
    "kda_decode_backend": "additional_config.kda_decode_backend",
}

# Fields that the server, or the engine that is made of the arguments, reads there: create_engine_config hands
# them to no object, or only a part of them (of several served names the first).
ONLY_THERE = frozenset({
    "aggregate_engine_logging", "data_parallel_multi_port_external_lb", "disable_log_stats", "enable_lora",
    "fail_on_environ_validation", "served_model_name", "tokens_only",
})  # fmt: skip

# Values that their object uses up: it keeps what follows from them under another name.
CONSUMED = frozenset({("speculative_config", "synthetic_acceptance_length")})


def place_of(path: Path) -> Place | None:
    """Return the object, ``EngineArgs`` or ``VllmConfig``, that holds a value, and its path there.

    None where there is no such place.
    """
    field, *rest = path
    if field in ONLY_THERE:
        return "EngineArgs", path
    if path in CONSUMED or (place := fields().get(field)) is None:
        return None
    return "VllmConfig", (*place, *rest)


@cache
def fields() -> dict[str, Path]:
    """Return the place in the VllmConfig of each field of EngineArgs that has one."""
    from vllm import EngineArgs

    names = [field.name for field in dataclasses.fields(EngineArgs)]
    found = {name: _place(name) for name in names if name not in ONLY_THERE}
    return {name: place for name, place in found.items() if place is not None}


def _place(name: str) -> Path | None:
    if name in RENAMED:
        return tuple(RENAMED[name].split("."))
    cls, _, field = _told().get(name, "").partition(".")
    if field:
        return (*_parts()[cls], field) if cls in _parts() else None
    return _by_name(name)


def _by_name(name: str) -> Path | None:
    """Return the place of the field of that name, in the VllmConfig or in one of its parts."""
    from vllm.config import VllmConfig

    if name in _types(VllmConfig):
        return (name,)
    places = [(part, name) for part, cls in _direct().items() if name in _types(cls)]
    return places[0] if len(places) == 1 else None


@cache
def _told() -> dict[str, str]:
    """Return what the inventory of this release, or of the nearest, says: ``CacheConfig.cache_dtype``."""
    import os

    import vllm

    folder = evidence_path("inventory/vllm")
    releases = sorted((file.removesuffix(".json") for file in os.listdir(folder)), key=order)
    here = order(vllm.__version__.partition("+")[0])
    release = next((name for name in releases if order(name) >= here), releases[-1])
    with open(os.path.join(folder, f"{release}.json"), encoding="utf-8") as file:
        inventory = json.load(file)["objects"]["EngineArgs"]["fields"]
    return {name: facts["of"] for name, facts in inventory.items() if "of" in facts}


@cache
def _parts() -> dict[str, Path]:
    """Return the path of each config class in a VllmConfig, the shortest first."""
    from vllm.config import VllmConfig

    paths: dict[str, Path] = {VllmConfig.__name__: ()}
    waiting: list[tuple[Path, type]] = [((), VllmConfig)]
    for path, holder in waiting:
        for name, cls in _objects(holder):
            if cls.__name__ not in paths:
                paths[cls.__name__] = (*path, name)
                waiting.append(((*path, name), cls))
    return paths


def _direct() -> dict[str, type]:
    from vllm.config import VllmConfig

    return dict(_objects(VllmConfig))


def _objects(holder: type) -> Iterator[tuple[str, type]]:
    """Yield the fields of a class that hold objects with fields of their own."""
    for name, annotation in _types(holder).items():
        for cls in (annotation, *typing.get_args(annotation)):
            if isinstance(cls, type) and hasattr(cls, "__pydantic_fields__"):
                yield name, cls


def _types(cls: Any) -> dict[str, Any]:
    return {name: field.annotation for name, field in cls.__pydantic_fields__.items()}
