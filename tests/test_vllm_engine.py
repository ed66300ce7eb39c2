"""vLLM's own classes, parser and YAML reader judge what llmcfg emits."""

from __future__ import annotations

import dataclasses
import shlex
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("vllm")

from llmcfg.diagnostics import has_errors
from llmcfg.emit.formats import FORMATS
from tests.support.parameters import Parameter, accepted, check, kinds, parameters
from tests.support.vllm_parser import holds, plain, serve, serve_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from llmcfg.compiled import Compiled

pytestmark = pytest.mark.vllm

INSTALLED = "0.32.0"
ENGINE = [parameter for parameter in parameters("vllm") if parameter.path[0] == "engine"]
SAMPLING = [parameter for parameter in parameters("vllm") if parameter.path[0] == "sampling"]

# Values that need a device: the class refuses them, or switches them off, on a machine without it.
NEEDS_DEVICE = {
    "vllm.engine.mamba_config.enable_stochastic_rounding",
    "vllm.engine.compilation_config.pass_config.enable_qk_norm_rope_fusion",
    "vllm.engine.compilation_config.pass_config.fuse_rope_kvcache_cat_mla",
    "vllm.engine.compilation_config.pass_config.fuse_act_padding",
    "vllm.engine.compilation_config.pass_config.fuse_mla_dual_rms_norm",
    "vllm.engine.compilation_config.pass_config.fuse_rope_kvcache",
    "vllm.engine.compilation_config.pass_config.fuse_qk_norm_rope_kvcache",
}
# Names that the class replaces by what they stand for, as the schema says of them.
REPLACED = {
    ("vllm.engine.attention_config.backend", "auto"),
    ("vllm.engine.attention_config.backend", "CUTLASS_MSA"),
    ("vllm.engine.attention_config.backend", "TRITON_MSA"),
    ("vllm.sampling.bad_words", "None"),
    ("vllm.engine.quantization_config.linear", "*"),
    ("vllm.engine.quantization_config.moe", "*"),
}
# The default of this field is one object for all EngineArgs, and another field's value is written into it.
SHARED_DEFAULT = {"aux_output_config"}
# Fields that EngineArgs sets by itself when another is written.
IMPLIED = {"fault_tolerance_config": "enable_fault_tolerance", "quantization": "quantization_config"}


def compiled(parameter: Parameter) -> list[tuple[Any, Compiled]]:
    """Compile every accepted value of a parameter for the release that is installed."""
    found = []
    for value, document, _ in accepted(parameter):
        result = check(document, backend="vllm", version=INSTALLED)
        if not has_errors(result.diagnostics):
            found.append((value, result.compiled[0]))
    return found


@pytest.mark.parametrize("parameter", ENGINE + SAMPLING, ids=lambda parameter: parameter.name)
def test_the_class_takes_each_value_and_holds_it(parameter: Parameter) -> None:
    for value, item in compiled(parameter):
        if parameter.name in NEEDS_DEVICE and value is True:
            continue
        built = {name: plain_fields(native) for name, native in item.build().items()}
        if value is None and "x-resolves" in parameter.schema:
            continue
        if {(parameter.name, "*"), (parameter.name, str(value))} & REPLACED:
            continue
        for name, native in item.native.items():
            for key, written in native.items():
                assert holds(built[name][key], plain(written)), (name, key, value, built[name][key])


def plain_fields(native: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(native):
        return plain(native)
    return {name: plain(getattr(native, name)) for name in native.__struct_fields__}


@pytest.mark.parametrize("parameter", ENGINE, ids=lambda parameter: parameter.name)
@pytest.mark.parametrize("form", ["argv", "yaml"])
def test_the_server_reads_back_each_value(parameter: Parameter, form: str, tmp_path: Path) -> None:
    for value, item in compiled(parameter):
        if parameter.name in NEEDS_DEVICE and value is True:
            continue
        text, found = FORMATS[form](item)
        if has_errors(found):
            assert not_expressible(parameter, value), (value, found)
            continue
        read = serve(shlex.split(text)[1:]) if form == "argv" else serve_yaml(text, tmp_path)
        same_as_built(plain(read), item)


def same_as_built(read: dict[str, Any], item: Compiled) -> None:
    """What was written is what the class holds; what was not is the server's own default."""
    native = item.native["EngineArgs"]
    expected = plain(item.build()["EngineArgs"])
    untouched = plain(serve(["serve", "some/model"]))
    skipped = SHARED_DEFAULT | {IMPLIED[name] for name in native if name in IMPLIED}
    for name, value in read.items():
        if name in native and holds(without_random(value), without_random(expected[name])):
            continue
        # A null that is the default is left out, and then the parser's own word for it counts.
        assert name not in native or native[name] is None, (name, value, expected[name])
        if name not in skipped:
            assert value == untouched[name], name


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


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ({"enable_prefix_caching": False}, ["--no-enable-prefix-caching"]),
        ({"max_model_len": -1}, ["--max-model-len=-1"]),
        ({"cudagraph_capture_sizes": [1, 2]}, ["--cudagraph-capture-sizes", "1", "2"]),
        ({"compilation_config": {"mode": 3}}, ["--compilation-config", '{"mode": 3}']),
        ({"quantization": None}, []),
    ],
)
def test_the_words_of_the_command_line(engine: dict[str, Any], words: list[str]) -> None:
    result = check({"model": "some/model", "vllm": {"engine": engine}})
    text, _ = FORMATS["argv"](result.compiled[0])
    assert shlex.split(text) == ["vllm", "serve", "some/model", *words]
