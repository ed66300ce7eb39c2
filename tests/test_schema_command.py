"""``llmcfg schema``: the whole schema, an edition for one backend, an edition for one release of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from llmcfg.__main__ import run
from llmcfg.audit.parameters import everywhere, samples
from llmcfg.catalog import backends, bundle
from llmcfg.checking.versions import order
from llmcfg.cli.options import BACKENDS
from llmcfg.editions import edition
from llmcfg.editor_schema import read, written
from tests.editors.servers import KINDS, Editor
from tests.support.parameters import check

Said = pytest.CaptureFixture[str]
Json = dict[str, Any]
FOREIGN = {"L401", "L402"}


def bounds(schema: Any, backend: str) -> set[str]:
    """Return every release of the backend from which, or up to which, something exists."""
    if isinstance(schema, list):
        return {bound for item in schema for bound in bounds(item, backend)}
    if not isinstance(schema, dict):
        return set()
    own = {schema[key] for key in ("x-since", "x-until") if isinstance(schema.get(key), str)}
    return {bound for bound in own if " " not in bound}.union(
        *(bounds(item, backend) for item in schema.values())
    )


def releases(backend: str) -> list[str]:
    """Return the audited releases, those where something changes, and one before and after them all."""
    changing = bounds(edition(backend)["$defs"], backend)
    return sorted({"0.1", "99.0", *backends()[backend]["versions"], *changing}, key=order)


RELEASES = [(backend, version) for backend in BACKENDS for version in releases(backend)]


@cache
def validator(backend: str, version: str | None = None) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(edition(backend, version))


@cache
def documents(backend: str) -> list[Json]:
    """Return a config for every value of every parameter at every place; the whole schema takes each."""
    found = [item.document(value) for item in everywhere(backend) for value in samples(item.schema)]
    return [document for document in found if validator(backend).is_valid(document)]


class TestRelease:
    @pytest.mark.parametrize(("backend", "version"), RELEASES)
    def test_it_takes_what_validate_takes(self, backend: str, version: str) -> None:
        differing = list(disagreements(backend, version))
        assert differing == []

    @pytest.mark.parametrize(("backend", "version"), RELEASES)
    def test_it_is_whole_in_itself(self, backend: str, version: str) -> None:
        schema = edition(backend, version)
        assert jsonschema_rs.meta.is_valid(schema)
        assert set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(schema))) == schema["$defs"].keys()
        for place, inner in objects(schema):
            for key in ("enumDescriptions", "markdownEnumDescriptions", "enumSortTexts", "enumDetails"):
                assert len(inner.get(key, inner.get("enum", ()))) == len(inner.get("enum", ())), place
            if "enum" in inner and "default" in inner:
                assert inner["default"] in inner["enum"], place

    @pytest.mark.parametrize(
        ("backend", "version", "refused"),
        [
            ("vllm", "0.32.0", {"engine": {"watchdog_config": {}}}),
            ("vllm", "0.32.0", {"engine": {"sleep_mode_backend": "cumem"}}),
            ("vllm", "0.32.0", {"engine": {"tokenizer_mode": "alpamayo2_super"}}),
            ("vllm", "0.33.0", {"engine": {"spec_method": "medusa"}}),
            (
                "tensorrt_llm",
                "1.3.0rc21",
                {"llm": {"speculative_config": {"decoding_type": "Medusa", "max_draft_len": 3}}},
            ),
            ("pytorch", "5.19.0", {"env": {"TRANSFORMERS_SDPA_FORCE_GQA": True}}),
        ],
    )
    def test_what_a_release_lacks(self, backend: str, version: str, refused: Json) -> None:
        document = {"model": "m", backend: refused}
        assert foreign(document, backend, version)
        assert not validator(backend, version).is_valid(document)

    def test_a_former_default(self) -> None:
        def default(version: str) -> Any:
            engine: Json = edition("vllm", version)["$defs"]["VllmEngine"]
            return engine["properties"]["mamba_cache_mode"]["default"]

        assert (default("0.32.0"), default("0.33.0")) == (
            "none",
            bundle()["$defs"]["VllmEngine"]["properties"]["mamba_cache_mode"]["default"],
        )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("yaml")])
def test_servers_go_by_the_release(kind: str, tmp_path: Path) -> None:
    """A server that is given the schema of vLLM 0.32.0 refuses what 0.33.0 added, and nothing else."""
    found = {}
    for version in ("0.32.0", "0.33.0"):
        schema = tmp_path / f"{version}.json"
        schema.write_text(written(edition("vllm", version)), encoding="utf-8")
        text = "model: m\nvllm: {engine: {sleep_mode_backend: cumem, max_num_seqs: 8}}\n"
        with Editor(kind, "") as editor:
            uri = editor.open_text(f"# yaml-language-server: $schema={schema}\n{text}")
            found[version] = [item["message"] for item in editor.server.diagnostics(uri)]
    assert found == {"0.32.0": ["Property sleep_mode_backend is not allowed."], "0.33.0": []}


class TestCommand:
    def test_whole(self, capsys: Said) -> None:
        assert run(["schema"]) == 0
        assert read(capsys.readouterr().out) == bundle()

    def test_path(self, capsys: Said) -> None:
        assert run(["schema", "--path"]) == 0
        assert read(Path(capsys.readouterr().out.strip()).read_text(encoding="utf-8")) == bundle()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_one_backend(self, backend: str, capsys: Said) -> None:
        assert run(["schema", "--backend", backend]) == 0
        schema = read(capsys.readouterr().out)
        assert schema == edition(backend)
        assert set(schema["properties"]) & set(BACKENDS) == {backend}
        for name, entry in schema["$defs"].items():
            assert entry == bundle()["$defs"][name]

    def test_one_release(self, capsys: Said) -> None:
        assert run(["schema", "--backend", "vllm", "--backend-version", "0.32.0"]) == 0
        said = capsys.readouterr()
        schema = read(said.out)
        assert said.err == ""
        assert schema == edition("vllm", "0.32.0")
        assert (schema["title"], schema["$id"]) == (
            "llmcfg config for vLLM 0.32.0",
            "urn:llmcfg:schema:vllm:0.32.0",
        )
        assert set(schema["properties"]) & set(BACKENDS) == {"vllm"}
        assert schema["properties"]["backend"]["enum"] == ["vllm"]
        assert len(schema["properties"]["backend"]["enumDescriptions"]) == 1

    def test_a_release_that_was_not_audited(self, capsys: Said) -> None:
        assert run(["schema", "--backend", "vllm", "--backend-version", "0.40.0"]) == 0
        said = capsys.readouterr()
        assert "warning[L403] vllm 0.40.0 is not among the audited releases: 0.32.0 to 0.33.0" in said.err
        assert json.loads(said.out)["title"] == "llmcfg config for vLLM 0.40.0"

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ("--backend-version 0.32.0", "--backend-version is the version of one backend"),
            ("--backend vllm --backend-version new", "--backend-version: new is not a version number"),
            ("--backend vllm --path", "--path is where the whole schema is installed"),
            ("--path --output x.json", "--path is where the whole schema is installed"),
        ],
    )
    def test_wrong_use(self, words: str, message: str, capsys: Said) -> None:
        assert run(["schema", *words.split()]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(f"llmcfg: {message}")

    def test_output(self, tmp_path: Path) -> None:
        file = tmp_path / "vllm.json"
        words = ["schema", "--backend", "vllm", "--backend-version", "0.33.0", "--output", str(file)]
        assert run(words) == 0
        assert read(file.read_text(encoding="utf-8")) == edition("vllm", "0.33.0")


def foreign(document: Json, backend: str, version: str) -> set[str]:
    found = check(document, backend=backend, version=version).diagnostics
    return {item.code for item in found} & FOREIGN


def disagreements(backend: str, version: str) -> Iterator[tuple[Json, set[str]]]:
    for document in documents(backend):
        codes = foreign(document, backend, version)
        if validator(backend, version).is_valid(document) == bool(codes):
            yield document, codes


def objects(schema: Any, place: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(schema, dict):
        yield place, schema
        for key, item in schema.items():
            if key not in ("default", "examples", "x-audit", "x-values"):
                yield from objects(item, f"{place}/{key}")
    elif isinstance(schema, list):
        for i, item in enumerate(schema):
            yield from objects(item, f"{place}/{i}")
