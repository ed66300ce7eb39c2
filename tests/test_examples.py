"""The examples: they compile, they say when to use them, and the showcases leave no parameter out."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from llmcfg.catalog import backend_catalog, backends, bundle, nested_type
from llmcfg.checking.versions import in_range
from llmcfg.diagnostics import ERROR
from llmcfg.pipeline import ALL, Request, run
from llmcfg.reading.reader import read

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
SHOWCASES = sorted((ROOT / "examples" / "showcase").glob("*.yaml"))
Used = set[tuple[str, str]]


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", EXAMPLES + SHOWCASES, ids=name)
def test_it_compiles(file: Path) -> None:
    document = read(str(file))
    result = run(document, Request(backend=ALL))
    assert [item for item in result.diagnostics if item.severity == ERROR] == []
    assert result.compiled


@pytest.mark.parametrize("file", EXAMPLES, ids=name)
def test_it_draws_no_warning(file: Path) -> None:
    assert [
        item for item in run(read(str(file)), Request(backend=ALL)).diagnostics if item.severity != "info"
    ] == []


@pytest.mark.parametrize("file", EXAMPLES + SHOWCASES, ids=name)
def test_it_opens_with_the_schema_and_a_comment(file: Path) -> None:
    first, second, *_ = file.read_text(encoding="utf-8").splitlines()
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (file.parent / schema).resolve() == ROOT / "generated" / "llmcfg.schema.json"
    assert second.startswith("# ")


def test_there_are_enough() -> None:
    assert len(EXAMPLES) >= 10
    assert {file.stem.split("-")[0] for file in SHOWCASES} == set(backends())


@pytest.mark.parametrize("backend", list(backends()))
def test_the_showcases_use_every_parameter(backend: str) -> None:
    used: Used = set()
    for file in SHOWCASES:
        section = read(str(file)).data.get(backend)
        if section is not None:
            collect(backend, backend_catalog(backend)["root"], section, used)
    missing = sorted(everything(backend) - used)
    assert missing == [], f"{len(missing)} parameters are in no showcase"


def everything(backend: str) -> Used:
    """Return all parameters that the reference release has, by type and name."""
    catalog = backend_catalog(backend)
    reference = backends()[backend]["reference"]
    return {
        (owner, key)
        for owner, facts in catalog["types"].items()
        for key in facts["parameters"]
        if in_range(reference, None, bundle()["$defs"][owner]["properties"][key].get("x-until"))
    }


def collect(backend: str, owner: str, data: dict[str, Any], used: Used) -> None:
    """Note the parameters that an object of a type sets, and those of the objects in it."""
    parameters = backend_catalog(backend)["types"][owner]["parameters"]
    for key, value in data.items():
        if key not in parameters:
            continue
        used.add((owner, key))
        facts = parameters[key] or {}
        inner = nested_type(facts, value)
        if inner is not None and isinstance(value, dict):
            collect(backend, inner, value, used)
        elif "items" in facts and isinstance(value, list):
            for item in value:
                collect(backend, facts["items"], item, used)
        elif "entries" in facts and isinstance(value, dict):
            for item in value.values():
                collect(backend, facts["entries"], item, used)


@pytest.mark.vllm
@pytest.mark.parametrize(
    "file", [file for file in EXAMPLES + SHOWCASES if "vllm:" in file.read_text()], ids=name
)
def test_vllm_takes_it(file: Path) -> None:
    vllm = pytest.importorskip("vllm")
    from tests.support.vllm_parser import holds, plain

    (compiled,) = run(read(str(file)), Request(backend="vllm")).compiled
    fields = {field.name for field in dataclasses.fields(vllm.EngineArgs)}
    engine = without_later(compiled.native["EngineArgs"])
    built = vllm.EngineArgs(**{key: value for key, value in engine.items() if key in fields})
    for key, written in engine.items():
        if key in fields:
            native = plain(getattr(built, key))
            assert holds(native, written) or isinstance(written, dict), key
    if "SamplingParams" in compiled.native:
        sampling = vllm.SamplingParams(**compiled.native["SamplingParams"])
        assert sampling is not None


def without_later(engine: dict[str, Any]) -> dict[str, Any]:
    """Leave out what came after the release that is installed here, nested parameters included."""
    installed = "0.32.0"

    def keep(owner: str, data: dict[str, Any]) -> dict[str, Any]:
        properties = bundle()["$defs"][owner]["properties"]
        kept = {}
        for key, value in data.items():
            schema = properties.get(key, {})
            about = schema.get("x-values", {}).get(value if isinstance(value, str) else json.dumps(value), {})
            if not in_range(installed, schema.get("x-since"), None) or not in_range(
                installed, about.get("x-since"), None
            ):
                continue
            facts = backend_catalog("vllm")["types"][owner]["parameters"].get(key)
            inner = nested_type(facts, value)
            kept[key] = keep(inner, value) if inner is not None and isinstance(value, dict) else value
        return kept

    return keep("VllmEngine", engine)
