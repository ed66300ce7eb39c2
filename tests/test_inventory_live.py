"""What is read from an engine's sources agrees with what the imported engine says of itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest

from llmcfg.audit import sources, store
from llmcfg.audit.facts import Field, Inventory, NativeObject
from tests.support import live

extraction = pytest.importorskip(
    "llmcfg.audit.extract", reason="griffe reads the sources", exc_type=ImportError
)

BACKENDS = {"vllm": "vllm", "transformers": "pytorch", "torch": "pytorch"}
MARKS = {
    "vllm": pytest.mark.vllm,
    "transformers": pytest.mark.transformers,
    "torch": pytest.mark.transformers,
}
EACH = pytest.mark.parametrize("package", [pytest.param(name, marks=mark) for name, mark in MARKS.items()])


@cache
def inventory(package: str) -> Inventory:
    pytest.importorskip(package)
    backend = BACKENDS[package]
    with sources.installed(package) as found:
        surface = store.surfaces(backend)[package]
        return extraction.extract(backend, package, found.version, found.root, surface, found.read_from)


def of(package: str, differing: Any) -> dict[str, Any]:
    """Return the part of a table that is about a package."""
    paths = set(inventory(package).objects)
    return {key: reason for key, reason in differing.items() if key.rpartition(".")[0] in paths}


# --- classes and functions ----------------------------------------------------------------------------


class Pair(NamedTuple):
    """A parameter as it was read, and as the engine has it."""

    id: str
    read: Field
    live: live.LiveField


def described(package: str) -> Iterator[tuple[str, NativeObject, Any, dict[str, live.LiveField]]]:
    """Yield the objects that the imported package can describe, with their fields.

    `GenerationConfig` names nothing in its signature; what it takes shows as its attributes.
    """
    for name, item in inventory(package).objects.items():
        if item.kind in ("environment", "module"):
            continue
        owner = live.find(item.path)
        yield (
            name,
            item,
            owner,
            live.attributes(owner()) if name == "GenerationConfig" else live.fields(owner),
        )


@cache
def pairs(package: str) -> list[Pair]:
    return [
        Pair(f"{name}.{key}", item.fields[key], field)
        for name, item, _, fields in described(package)
        for key, field in fields.items()
        if key in item.fields
    ]


@EACH
def test_no_field_is_missed(package: str) -> None:
    missed = {
        f"{name}.{key}"
        for name, item, _, fields in described(package)
        for key in fields
        if key not in item.fields
    }
    assert missed == set()


@EACH
def test_no_field_is_made_up(package: str) -> None:
    """A function with ``**kwargs`` doesn't tell what it takes; a fixed attribute is no parameter."""
    made_up = {
        f"{name}.{key}"
        for name, item, owner, fields in described(package)
        for key, field in item.fields.items()
        if key not in fields and field.status != "fixed" and not live.takes_anything(owner)
    }
    assert made_up == set()


@EACH
def test_the_same_are_required(package: str) -> None:
    assert [pair.id for pair in pairs(package) if pair.read.required != pair.live.is_required] == []


FROM_ENVIRONMENT = {"LoggingConfig.log_level": "VLLM_LOGGING_LEVEL, where that is set"}


@EACH
def test_known_defaults_are_the_engine_s(package: str) -> None:
    wrong = {
        pair.id: (pair.read.default, pair.live.raw)
        for pair in pairs(package)
        if pair.read.has_default and not live.is_same(pair.read.default, pair.live.raw)
    }
    assert set(wrong) <= set(FROM_ENVIRONMENT), wrong


PLATFORM_DEFAULTS = {"KVTransferConfig.kv_buffer_device": "the device of the platform"}


@EACH
def test_few_defaults_are_unknown(package: str) -> None:
    unknown = {
        pair.id
        for pair in pairs(package)
        if not pair.read.has_default and pair.live.default is not live.UNKNOWN
    }
    assert unknown == set(of(package, PLATFORM_DEFAULTS))


TEXT_AT_RUN_TIME = "a type checker is shown the names; the engine takes any text, as others can be registered"
CHOICES = {
    "EngineArgs.load_format": TEXT_AT_RUN_TIME,
    "EngineArgs.quantization": TEXT_AT_RUN_TIME,
    "LoadConfig.load_format": TEXT_AT_RUN_TIME,
}


@EACH
def test_choices_are_the_engine_s(package: str) -> None:
    differing = {pair.id for pair in pairs(package) if set(pair.read.choices) != live.choices(pair.live.hint)}
    assert differing == set(of(package, CHOICES))


@EACH
def test_bounds_are_the_engine_s(package: str) -> None:
    """A parameter that is handed to a field of a configuration object has that field's bounds."""
    known = {pair.id: pair.live for pair in pairs(package)}
    differing = {
        pair.id: (pair.read.bounds, bounds)
        for pair in pairs(package)
        if pair.read.bounds != (bounds := pair.live.bounds or bounds_of(pair.read, known, package))
    }
    assert differing == {}


def bounds_of(field: Field, known: dict[str, live.LiveField], package: str) -> dict[str, float]:
    if field.of is None:
        return {}
    if field.of in known:
        return known[field.of].bounds
    owner, _, name = field.of.partition(".")
    return live.fields(live.find(f"{package}.config.{owner}"))[name].bounds


@pytest.mark.transformers
def test_fixed_attributes_are_what_the_constructor_sets() -> None:
    checked = 0
    for _, item, owner, fields in described("transformers"):
        fixed = {key: field.choices for key, field in item.fields.items() if field.status == "fixed"}
        if fixed and not any(field.is_required for field in fields.values()) and (made := live.make(owner)):
            assert {key: [live.plain(getattr(made, key))] for key in fixed} == fixed
            checked += 1
    assert checked > 10


# --- environment variables ----------------------------------------------------------------------------

UNKNOWN_VARIABLES = {
    "VLLM_ASSETS_CACHE": "below the home folder",
    "VLLM_CACHE_ROOT": "below the home folder",
    "VLLM_CONFIG_ROOT": "below the home folder",
    "VLLM_DBO_COMM_SMS": "one number on ROCm, another elsewhere",
    "VLLM_DP_RANK_LOCAL": "the value of another variable",
    "VLLM_MAX_AUDIO_PREPROCESS_WORKERS": "counts processors",
    "VLLM_OBJECT_STORAGE_SHM_BUFFER_NAME": "made up at each start",
    "VLLM_RPC_BASE_PATH": "the folder for temporary files",
    "VLLM_USE_AOT_COMPILE": "depends on the release of torch",
    "VLLM_USE_MEGA_AOT_ARTIFACT": "depends on the release of torch",
    "VLLM_XLA_CACHE_PATH": "below the home folder",
}


@pytest.mark.vllm
def test_variables_have_the_values_that_vllm_gives_them() -> None:
    read = inventory("vllm").objects["env"].fields
    values = live.environment("vllm.envs.environment_variables")
    assert set(values) <= set(read)
    assert {key for key in values if not read[key].has_default} == set(UNKNOWN_VARIABLES)
    known = {key: read[key].default for key in values if read[key].has_default}
    assert known == {key: values[key] for key in known}


# --- modules of torch ---------------------------------------------------------------------------------


def modules(are_settings: bool) -> Iterator[tuple[str, NativeObject, Any]]:
    switches = {path for step in steps() for path in step["paths"]}
    for name, item in inventory("torch").objects.items():
        if item.kind == "module" and (name not in switches) is are_settings:
            yield name, item, live.find(name)


def steps() -> list[dict[str, Any]]:
    return [step for step in store.surfaces("pytorch")["torch"]["steps"] if step["read"] == "switches"]


@pytest.mark.transformers
def test_settings_of_torch_are_all_read_and_no_others() -> None:
    for name, item, module in modules(are_settings=True):
        assert set(item.fields) == set(live.settings(module)), name


@pytest.mark.transformers
def test_known_settings_of_torch_have_their_values() -> None:
    variables = inventory("torch").objects["env"].fields
    overridden = {field.of for name, field in variables.items() if name in os.environ}
    wrong = {}
    for name, item, module in modules(are_settings=True):
        values = live.settings(module)
        for key, field in item.fields.items():
            if f"{name}.{key}" in overridden or not field.has_default:
                continue
            if not live.is_same(field.default, values[key]):
                wrong[f"{name}.{key}"] = (field.default, values[key])
    assert wrong == {}


@pytest.mark.transformers
def test_switches_of_torch_exist() -> None:
    made_up = {
        f"{name}.{key}"
        for name, item, module in modules(are_settings=False)
        for key in item.fields
        if not live.has(module, key) and not live.takes(module, key)
    }
    assert made_up == set()


MISSED_SWITCHES = {
    "torch.backends.quantized.supported_engines": "its setter refuses",
    "torch.backends.xnnpack.enabled": "its setter refuses",
    "torch.set_autocast_ipu_dtype": "compiled, and not in the stub; deprecated",
    "torch.set_autocast_ipu_enabled": "compiled, and not in the stub; deprecated",
    "torch.set_autocast_xla_dtype": "compiled, and not in the stub; deprecated",
    "torch.set_autocast_xla_enabled": "compiled, and not in the stub; deprecated",
}


@pytest.mark.transformers
def test_no_switch_of_torch_is_missed() -> None:
    objects = inventory("torch").objects
    missed = set()
    for step in steps():
        for path in step["paths"]:
            module, read = live.find(path), objects[path].fields
            offered = live.properties(module) | live.functions(module, step["functions"])
            missed |= {f"{path}.{name}" for name in offered if name not in read}
    assert missed == set(MISSED_SWITCHES)


# --- what is stored -----------------------------------------------------------------------------------


@EACH
def test_the_stored_inventory_of_this_release_is_what_is_read_here(package: str) -> None:
    read = inventory(package)
    stored = store.inventory(BACKENDS[package], read.version.partition("+")[0], package)
    if stored is None:
        pytest.skip(f"no inventory of {package} {read.version} is stored")
    assert (read.objects, read.enums) == (stored.objects, stored.enums)
