"""vLLM's own classes, parser and YAML reader judge what llmcfg emits."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("vllm")

from llmcfg.diagnostics import has_errors
from llmcfg.emit.formats import FORMATS
from tests.support.parameters import Parameter, accepted, check
from tests.support.vllm_judge import (
    ENGINE,
    INSTALLED,
    NEEDS_DEVICE,
    REPLACED,
    SAMPLING,
    built,
    not_expressible,
    same_as_built,
)
from tests.support.vllm_parser import holds, plain, serve, serve_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from llmcfg.compiled import Compiled

pytestmark = pytest.mark.vllm


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
        objects = built(item)
        if value is None and "x-resolves" in parameter.schema:
            continue
        if {(parameter.name, "*"), (parameter.name, str(value))} & REPLACED:
            continue
        for name, native in item.native.items():
            for key, written in native.items():
                assert holds(objects[name][key], plain(written)), (name, key, value, objects[name][key])


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
