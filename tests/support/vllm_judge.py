"""What vLLM's own objects and readers must hold, and the few values that they are known to change."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any

from llmcfg.compiled import Compiled
from tests.support.documents import Path
from tests.support.mutations import spots
from tests.support.parameters import Parameter, kinds, parameters
from tests.support.vllm_parser import holds, plain, serve

INSTALLED = "0.32.0"
ENGINE = [parameter for parameter in parameters("vllm") if parameter.path[0] == "engine"]
SAMPLING = [parameter for parameter in parameters("vllm") if parameter.path[0] == "sampling"]
OBJECTS = {"engine": "EngineArgs", "sampling": "SamplingParams"}

# Values that need a device: the class switches them off on a machine without it.
NEEDS_DEVICE = {
    "vllm.engine.mamba_config.enable_stochastic_rounding",
    "vllm.engine.compilation_config.pass_config.enable_qk_norm_rope_fusion",
    "vllm.engine.compilation_config.pass_config.fuse_rope_kvcache_cat_mla",
    "vllm.engine.compilation_config.pass_config.fuse_act_padding",
    "vllm.engine.compilation_config.pass_config.fuse_mla_dual_rms_norm",
    "vllm.engine.compilation_config.pass_config.fuse_rope_kvcache",
    "vllm.engine.compilation_config.pass_config.fuse_qk_norm_rope_kvcache",
}
# Parameters that make the class refuse on this machine: they need a device, or import what they name.
NEEDS_MORE = {
    "vllm.engine.mamba_config.enable_stochastic_rounding",
    "vllm.engine.compilation_config.inductor_passes",
}
# Names that the class replaces by what they stand for, as the schema says of them.
REPLACED = {
    ("vllm.engine.aux_output_config.enable_return_routed_experts", "False"),
    ("vllm.engine.attention_config.backend", "auto"),
    ("vllm.engine.compilation_config.backend", ""),
    ("vllm.engine.attention_config.backend", "CUTLASS_MSA"),
    ("vllm.engine.attention_config.backend", "TRITON_MSA"),
    ("vllm.sampling.bad_words", "None"),
    ("vllm.sampling.thinking_token_budget", "-1"),
    ("vllm.engine.quantization_config.linear", "*"),
    ("vllm.engine.quantization_config.linear.weight", "*"),
    ("vllm.engine.quantization_config.linear.activation", "*"),
    ("vllm.engine.quantization_config.moe", "*"),
}
# Folders that the class makes absolute.
FOLDERS = {
    "vllm.engine.profiler_config.torch_profiler_dir",
    "vllm.engine.profiler_config.proton_profiler_dir",
}
# Lists that the class rids of repetitions.
SETS = {"vllm.sampling.bad_words", "vllm.sampling.stop_token_ids"}
# What greedy sampling, a temperature of 0, turns off; a temperature between 0 and this is raised to it.
NOT_GREEDY = {"vllm.sampling.top_p", "vllm.sampling.top_k", "vllm.sampling.min_p"}
LOWEST_TEMPERATURE = 0.01
# The default of this field is one object for all EngineArgs, and another field's value is written into it.
SHARED_DEFAULT = {"aux_output_config"}
# Fields that EngineArgs sets by itself when another is written.
IMPLIED = {"fault_tolerance_config": "enable_fault_tolerance", "quantization": "quantization_config"}


def buildable(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the class refuses on this machine."""
    return _without(data, [spot.path for spot in spots(data) if dotted_name(spot.path) in NEEDS_MORE])


def held(data: dict[str, Any], item: Compiled) -> Iterator[tuple[str, Any]]:
    """Yield each native object with the values that its class must hold as they are written."""
    changed = [spot.path for spot in spots(data) if _is_changed(spot.path, spot.value, spot.schema, data)]
    for section, name in OBJECTS.items():
        if name in item.native:
            inside = [path[2:] for path in changed if path[:2] == ("vllm", section) and len(path) > 2]
            yield name, _without(plain(item.native[name]), inside)


def _is_changed(path: Path, value: Any, schema: dict[str, Any], data: dict[str, Any]) -> bool:
    name = dotted_name(path)
    return (
        (value is None and "x-resolves" in schema)
        or (value is True and name in NEEDS_DEVICE)
        or bool({(name, "*"), (name, str(value))} & REPLACED)
        or name in FOLDERS
        or (name in SETS and isinstance(value, list) and len(set(value)) < len(value))
        or (name == "vllm.sampling.temperature" and value is not None and 0 < value < LOWEST_TEMPERATURE)
        or (name in NOT_GREEDY and data["vllm"]["sampling"].get("temperature") == 0)
    )


def dotted_name(path: Path) -> str:
    return ".".join(step for step in path if isinstance(step, str))


def _without(data: Any, paths: list[Path]) -> Any:
    """Copy data without the values at some paths, none of which ends in a list."""
    data = copy.deepcopy(data)
    for path in paths:
        holder = data
        for step in path[:-1]:
            holder = holder[step] if isinstance(holder, list) else holder.get(step, {})
        holder.pop(path[-1], None)
    return data


def built(item: Compiled) -> dict[str, dict[str, Any]]:
    """Build the real objects, and return their fields as plain data."""
    return {name: plain_fields(native) for name, native in item.build().items()}


def plain_fields(native: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(native):
        fields: dict[str, Any] = plain(native)
        return fields
    return {name: plain(getattr(native, name)) for name in native.__struct_fields__}


@cache
def untouched() -> Any:
    """Return what a server holds that was told nothing but its model."""
    return plain(serve(["serve", "some/model"]))


def same_as_built(read: dict[str, Any], item: Compiled) -> None:
    """What was written is what the class holds; what was not is the server's own default."""
    native = item.native["EngineArgs"]
    expected = plain(item.build()["EngineArgs"])
    skipped = SHARED_DEFAULT | {IMPLIED[name] for name in native if name in IMPLIED}
    for name, value in read.items():
        if name in native and holds(without_random(value), without_random(expected[name])):
            continue
        # A null that is the default is left out, and then the parser's own word for it counts.
        assert name not in native or native[name] is None, (name, value, expected[name])
        if name not in skipped:
            assert value == untouched()[name], name


def without_random(value: Any) -> Any:
    """Drop the id that a transfer config draws for itself."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if key != "engine_id"}
    return value


def not_expressible(parameter: Parameter, value: Any) -> bool:
    """The only values that no form can carry: no flag at all, or a null that the parser has no word for."""
    field = next(item for item in ENGINE if item.path == parameter.path[:2])
    native = field.schema.get("x-native")
    if isinstance(native, dict) and native.get("flag", "") is None:
        return True
    if parameter.name == "vllm.engine.hf_token":
        return value is False
    return value is None and ("boolean" in kinds(parameter.schema) or "enum" in parameter.schema)
