"""Each parameter alone: its value is found in every format, or a diagnostic says why it cannot be."""

from __future__ import annotations

import json
import os
import shlex
from typing import Any

import pytest
import yaml

from llmcfg.catalog import backend_catalog, backends, nested_type
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import WARNING, has_errors
from llmcfg.emit.formats import FORMATS
from tests.support.parameters import Parameter, accepted, every_parameter, is_object
from tests.support.stubs import run_script

CASES = every_parameter()


def compiled(parameter: Parameter) -> list[tuple[Any, dict[str, Any], Compiled]]:
    found = [(value, document, result.compiled[0]) for value, document, result in accepted(parameter)]
    assert found, f"no sample value of {parameter.name} is accepted, alone or with its partners"
    return found


def native_place(parameter: Parameter, document: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """Follow the catalog: the native object that the parameter lands in, and the keys to it there."""
    catalog = backend_catalog(parameter.backend)
    name, target, keys = catalog["root"], "", []
    data: Any = document[parameter.backend]
    for step in parameter.path:
        if isinstance(step, int):
            keys.append(step)
            data = data[step]
            continue
        facts = (catalog["types"].get(name, {}).get("parameters", {}).get(step)) or {}
        data = data[step]
        if "object" in facts:
            target, keys = facts["object"], []
        else:
            keys.append(facts.get("name", step))
        if "variants" in facts and isinstance(data, dict):
            tag, choices = facts["variants"]
            name = choices[data[tag]]
        else:
            name = facts.get("type") or facts.get("items") or facts.get("entries") or name
    return target, tuple(keys)


def lookup(data: Any, keys: tuple[Any, ...]) -> Any:
    for key in keys:
        data = data[key]
    return data


def same(native: Any, written: Any) -> bool:
    """Compare a native value with what was written; integer keys are texts in a file."""
    if isinstance(written, dict) and isinstance(native, dict):
        found = {str(key): value for key, value in native.items()}
        return found.keys() >= set(map(str, written)) - {"extra"} and all(
            same(found[str(key)], value) for key, value in written.items() if key != "extra"
        )
    if isinstance(written, list) and isinstance(native, list):
        return len(written) == len(native) and all(map(same, native, written))
    return (type(native) is type(written) and native == written) or is_same_number(native, written)


def is_same_number(native: Any, written: Any) -> bool:
    numbers = (int, float)
    return (
        isinstance(native, numbers)
        and isinstance(written, numbers)
        and not isinstance(native, bool)
        and not isinstance(written, bool)
        and native == written
    )


def environment_text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("parameter", CASES, ids=lambda parameter: parameter.name)
def test_in_json(parameter: Parameter) -> None:
    for value, document, item in compiled(parameter):
        if parameter.path[0] == "env":
            if value is not None and len(parameter.path) > 1:
                assert item.env[parameter.path[-1]] == environment_text(value)
            continue
        target, keys = native_place(parameter, document)
        if chooses_the_class(parameter) or (not keys and not value):
            continue  # an empty section becomes nothing
        data = json.loads(json.dumps(item.native))
        assert same(lookup(data[target], tuple(map(as_text, keys))), renamed(parameter, value)), value


def chooses_the_class(parameter: Parameter) -> bool:
    """Some discriminators are llmcfg's own: in the native object the class stands for them."""
    native = parameter.schema.get("x-native")
    return isinstance(native, dict) and native.get("form") == "class"


def as_text(key: Any) -> Any:
    return key if isinstance(key, int) else str(key)


def renamed(parameter: Parameter, value: Any) -> Any:
    """Give the keys of a value of a nested type their native names, and drop what chooses its class."""
    if not isinstance(value, dict) or not is_object(parameter.schema):
        return value
    catalog = backend_catalog(parameter.backend)["types"]
    facts = (catalog[parameter.owner]["parameters"].get(str(parameter.path[-1]))) or {}
    name = nested_type(facts, value)
    known = catalog[name]["parameters"] if name else {}
    about = {key: known.get(key) or {} for key in value}
    return {
        about[key].get("name", key): item for key, item in value.items() if about[key].get("form") != "class"
    }


@pytest.mark.parametrize("parameter", CASES, ids=lambda parameter: parameter.name)
def test_in_python(parameter: Parameter, monkeypatch: pytest.MonkeyPatch) -> None:
    for _, _, item in compiled(parameter):
        for name in item.env:
            monkeypatch.setenv(name, "to be overwritten")
        text, problems = FORMATS["python"](item)
        assert not problems
        variables, switches = run_script(text, monkeypatch)
        assert {name: os.environ[name] for name in item.env} == item.env
        for name, native in item.native.items():
            if name == "torch":
                assert switches == native
            else:
                found = without_tags(variables[VARIABLES[parameter.backend, name]])
                assert same(found, without_tags(native))


VARIABLES = {
    ("vllm", "EngineArgs"): "engine_args",
    ("vllm", "SamplingParams"): "sampling_params",
    ("tensorrt_llm", "LlmArgs"): "llm_arguments",
    ("tensorrt_llm", "BuildConfig"): "build_config",
    ("tensorrt_llm", "QuantConfig"): "quant_config",
    ("tensorrt_llm", "CalibConfig"): "calib_config",
    ("tensorrt_llm", "SamplingParams"): "sampling_params",
    ("pytorch", "from_pretrained"): "load_arguments",
    ("pytorch", "quantization_config"): "quantization_config",
    ("pytorch", "GenerationConfig"): "generation_config",
    ("pytorch", "torch.compile"): "compile_arguments",
}
# Keys that choose a class: in Python the class stands for them.
TAGS = {"decoding_type", "algorithm", "quant_method", "backend"}


def without_tags(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: without_tags(item) for key, item in value.items() if key not in TAGS or not is_tag(key, item)
        }
    return [without_tags(item) for item in value] if isinstance(value, list) else value


def is_tag(key: str, item: Any) -> bool:
    return key != "backend" or item in (None, "tensorrt", "_autodeploy")


@pytest.mark.parametrize("parameter", CASES, ids=lambda parameter: parameter.name)
def test_in_yaml(parameter: Parameter) -> None:
    for value, document, item in compiled(parameter):
        text, found = FORMATS["yaml"](item)
        read = yaml.safe_load(text)
        if has_errors(found):
            assert names_it(found, parameter)
        elif parameter.path[0] == "sampling" and "SamplingParams" in item.native:
            assert any(one.code == "L505" and one.severity == WARNING for one in found)
        elif parameter.path[0] == "env":
            assert not item.env or any(one.code == "L505" for one in found) or read["env"] == item.env
        elif parameter.backend == "pytorch":
            assert same(read, json.loads(json.dumps(item.native)))
        elif parameter.backend == "tensorrt_llm":
            target, keys = native_place(parameter, document)
            if keys and not is_default_null(parameter, value) and parameter.name not in WRITTEN_OTHERWISE:
                assert same(lookup(read, (*TENSORRT_PLACES[target], *map(as_text, keys))), value)


TENSORRT_PLACES: dict[str, tuple[str, ...]] = {
    "LlmArgs": (),
    "BuildConfig": ("build_config",),
    "QuantConfig": ("quant_config",),
    "CalibConfig": ("calib_config",),
}


# The reader of trtllm-serve takes a mapping where the class takes true: an empty one is its default object.
WRITTEN_OTHERWISE = {"tensorrt_llm.llm.enable_build_cache"}


def is_default_null(parameter: Parameter, value: Any) -> bool:
    """A null that is the engine's default may be left out where a reader fails on it."""
    return value is None and parameter.schema.get("default", 0) is None


def names_it(found: Any, parameter: Parameter) -> bool:
    """Tell whether an error points at the parameter or at one of its parents."""
    whole = (parameter.backend, *parameter.path)
    return any(one.path == whole[: len(one.path)] for one in found if one.severity == "error")


@pytest.mark.parametrize("parameter", CASES, ids=lambda parameter: parameter.name)
def test_in_argv(parameter: Parameter) -> None:
    for value, _, item in compiled(parameter):
        text, found = FORMATS["argv"](item)
        words = shlex.split(text)
        if has_errors(found):
            assert names_it(found, parameter) or partner_is_named(found)
        elif parameter.path[0] == "env" and item.env:
            assert all(f"{name}={value}" in words for name, value in item.env.items())
        elif parameter.path[0] == "sampling" and "SamplingParams" in item.native:
            assert any(one.code == "L505" for one in found)
        elif isinstance(value, (int, float, str)) and not isinstance(value, bool):
            assert any(str(value) in word or json.dumps(value) in word for word in words), (value, words)


def partner_is_named(found: Any) -> bool:
    """A partner that the parameter needs may be what the command line has no form for."""
    return all(one.code == "L504" for one in found if one.severity == "error")


def test_every_backend_has_cases() -> None:
    assert {parameter.backend for parameter in CASES} == set(backends())
