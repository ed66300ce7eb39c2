"""vLLM's own classes, parser and YAML reader judge whole documents, drawn from the schema."""

from __future__ import annotations

import shlex
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

pytest.importorskip("vllm")

from llmcfg.diagnostics import has_errors
from llmcfg.emit.formats import FORMATS
from tests.support.documents import documents
from tests.support.parameters import check
from tests.support.vllm_judge import INSTALLED, buildable, built, held, same_as_built
from tests.support.vllm_parser import holds, plain, serve, serve_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from llmcfg.compiled import Compiled

pytestmark = pytest.mark.vllm

DRAWN = 6000
READ_BACK = 1000
SEED = 32


class Case(NamedTuple):
    data: dict[str, Any]
    item: Compiled


@cache
def accepted() -> tuple[Case, ...]:
    """Documents that llmcfg accepts for the release that is installed."""
    cases = []
    for drawn in documents(SEED, DRAWN, only=["vllm"], extra=0.0):
        section = drawn["vllm"] or {}
        data = buildable({"model": drawn["model"], "vllm": {k: v for k, v in section.items() if k != "env"}})
        result = check(data, version=INSTALLED)
        if not has_errors(result.diagnostics):
            cases.append(Case(data, result.compiled[0]))
    return tuple(cases)


def test_enough_documents_are_accepted() -> None:
    assert len(accepted()) >= 3000


def test_the_classes_take_and_hold_what_is_written() -> None:
    for data, item in accepted():
        objects = built(item)
        for name, native in held(data, item):
            lost = {key: objects[name][key] for key in native if not holds(objects[name][key], native[key])}
            assert not lost, (name, {key: native[key] for key in lost}, lost)


def test_the_classes_take_keyword_arguments() -> None:
    """Plain mappings do as well as the objects that ``build`` makes of them."""
    from vllm import EngineArgs, SamplingParams

    for _, item in accepted():
        EngineArgs(**item.native["EngineArgs"])
        SamplingParams(**item.native.get("SamplingParams", {}))


@pytest.mark.parametrize("form", ["argv", "yaml"])
def test_the_server_reads_back_what_is_written(form: str, tmp_path: Path) -> None:
    read_back = 0
    for _, item in accepted():
        text, found = FORMATS[form](item)
        if not has_errors(found):
            read = serve(shlex.split(text)[1:]) if form == "argv" else serve_yaml(text, tmp_path)
            same_as_built(plain(read), item)
            read_back += 1
            if read_back == READ_BACK:
                return
    pytest.fail(f"only {read_back} documents have a form as {form}")
