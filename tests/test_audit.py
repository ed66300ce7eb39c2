"""``llmcfg audit``: inventories from any form of sources, coverage, drift."""

from __future__ import annotations

import json
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmcfg.__main__ import run
from llmcfg.audit import store
from llmcfg.audit.drift import drift
from llmcfg.audit.facts import Field, Inventory

FILES = {
    "vllm/__init__.py": '__version__ = "9.9.9"\n',
    "vllm/config/__init__.py": "from .model import ModelConfig\n",
    "vllm/config/model.py": (
        "from typing import Literal\n"
        "from pydantic import Field\n"
        'DType = Literal["auto", "half"]\n'
        "@config\n"
        "class ModelConfig:\n"
        '    dtype: DType = "auto"\n'
        "    max_model_len: int | None = Field(default=None, ge=1)\n"
    ),
    "vllm/engine/__init__.py": "",
    "vllm/engine/arg_utils.py": (
        "from vllm.config import ModelConfig\n"
        "from vllm.config.model import DType\n"
        "@dataclass\n"
        "class EngineArgs:\n"
        "    model: str = 'm'\n"
        "    dtype: DType = ModelConfig.dtype\n"
        "    max_model_len: int | None = ModelConfig.max_model_len\n"
        "    _private: int = 0\n"
    ),
    "vllm/sampling_params.py": "class SamplingParams(msgspec.Struct):\n    n: int = 1\n",
    "vllm/envs.py": (
        "import os\n"
        "if TYPE_CHECKING:\n"
        "    VLLM_SWITCH: bool = False\n"
        "environment_variables = {\n"
        '    "VLLM_SWITCH": lambda: bool(int(os.getenv("VLLM_SWITCH", "1"))),\n'
        "}\n"
    ),
    "vllm/native.so": "not Python",
}
EXPECTED = {
    "EngineArgs": {
        "model": {"annotation": "str", "types": ["string"], "default": "m"},
        "dtype": {
            "annotation": "DType",
            "types": ["string"],
            "choices": ["auto", "half"],
            "default": "auto",
            "of": "ModelConfig.dtype",
        },
        "max_model_len": {
            "annotation": "int | None",
            "types": ["integer", "null"],
            "bounds": {"minimum": 1},
            "default": None,
            "of": "ModelConfig.max_model_len",
        },
    },
    "SamplingParams": {"n": {"annotation": "int", "types": ["integer"], "default": 1}},
    "env": {"VLLM_SWITCH": {"annotation": "bool", "types": ["boolean"], "default": True}},
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "tree"


def wheel(tree: Path) -> Path:
    path = tree.parent / "vllm-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
        archive.writestr("vllm-9.9.9.dist-info/METADATA", "Name: vllm\nVersion: 9.9.9\n")
    return path


def sdist(tree: Path) -> Path:
    path = tree.parent / "vllm-9.9.9.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tree, "vllm-9.9.9")
    return path


def source_layout(tree: Path) -> Path:
    target = tree.parent / "project" / "src"
    target.mkdir(parents=True)
    (tree / "vllm").rename(target / "vllm")
    return target.parent


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = run(["audit", *words])
    out, err = capsys.readouterr()
    return status, out, err


class TestInventory:
    @pytest.mark.parametrize(
        "form", [lambda tree: tree, lambda tree: tree / "vllm", wheel, sdist, source_layout]
    )
    def test_any_form_of_sources(self, form: Any, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        status, out, err = ask(capsys, "inventory", "vllm", "--from", str(form(tree)))
        assert (status, err) == (0, "")
        found = json.loads(out)
        assert (found["backend"], found["package"], found["version"]) == ("vllm", "vllm", "9.9.9")
        assert {name: item["fields"] for name, item in found["objects"].items()} == EXPECTED
        assert str(tree.parent) not in out

    def test_nothing_is_imported(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tree / "vllm" / "__init__.py").write_text('__version__ = "1"\nraise SystemExit(7)\n')
        assert ask(capsys, "inventory", "vllm", "--from", str(tree))[0] == 0
        assert "vllm" not in sys.modules

    def test_the_version_can_be_said(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tree / "vllm" / "__init__.py").write_text("")
        status, _, err = ask(capsys, "inventory", "vllm", "--from", str(tree))
        assert (status, "--version" in err) == (2, True)
        _, out, _ = ask(capsys, "inventory", "vllm", "--from", str(tree), "--version", "0.99")
        assert json.loads(out)["version"] == "0.99"

    def test_a_stored_release_is_not_downloaded(self, capsys: pytest.CaptureFixture[str]) -> None:
        for backend in ("vllm", "tensorrt_llm", "pytorch"):
            for item in store.inventories(backend):
                words = (backend, "--package", item.package, "--version", item.version)
                status, out, _ = ask(capsys, "inventory", *words)
                assert status == 0
                assert out == item.path.read_text(encoding="utf-8"), item.path

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["nothing"], "nothing is no backend"),
            (["vllm", "--package", "torch"], "vllm has no package torch"),
            (["vllm", "--from", "/no/such/folder"], "is no folder, wheel or sdist"),
            (["vllm", "--from", "."], "there is no package vllm in ."),
        ],
    )
    def test_what_cannot_be(
        self,
        words: list[str],
        said: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        status, out, err = ask(capsys, "inventory", *words)
        assert (status, out) == (2, "")
        assert said in err

    def test_without_griffe(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "griffe", None)
        for name in [
            name
            for name in sys.modules
            if (name.startswith("llmcfg.audit.") and "stat" in name) or name == "llmcfg.audit.extract"
        ]:
            monkeypatch.delitem(sys.modules, name)
        status, _, err = ask(capsys, "inventory", "vllm", "--from", str(tree))
        assert (status, "pip install 'llmcfg[audit]'" in err) == (2, True)


class TestCoverage:
    def test_forms_agree(self, capsys: pytest.CaptureFixture[str]) -> None:
        status, out, _ = ask(capsys, "coverage", "--backend", "vllm", "--format", "json")
        found = json.loads(out)["coverage"]
        whole = [item for item in found if item["object"] is None]
        assert status == 0
        assert {item["version"] for item in whole} == {"0.32.0", "0.33.0"}
        for form in ("table", "markdown"):
            _, text, _ = ask(capsys, "coverage", "--backend", "vllm", "--format", form)
            lines = [line for line in text.splitlines() if "vllm 0.33.0" in line]
            assert len(lines) == len([item for item in found if item["version"] == "0.33.0"])
            (head,) = (item for item in whole if item["version"] == "0.33.0")
            assert f"{head['public']['covered']}/{head['public']['total']}" in lines[0]

    def test_totals_are_sums(self, capsys: pytest.CaptureFixture[str]) -> None:
        _, out, _ = ask(capsys, "coverage", "--format", "json")
        found = json.loads(out)["coverage"]
        for whole in (item for item in found if item["object"] is None):
            parts = [
                item
                for item in found
                if item["object"] is not None
                and (item["package"], item["version"]) == (whole["package"], whole["version"])
            ]
            for share in ("impactful", "public"):
                for count in ("covered", "total"):
                    assert sum(item[share][count] for item in parts) == whole[share][count]

    def test_a_missing_parameter_is_named(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        known = dict(store.decisions("vllm"))
        left, about = known.popitem()
        monkeypatch.setattr(
            store, "decisions", lambda backend: {**known, "EngineArgs.dtype": about, "No.such": about}
        )
        status, out, _ = ask(capsys, "coverage", "--backend", "vllm")
        assert status == 1
        assert f"- vllm 0.33.0: {left}" in out or f"- vllm 0.32.0: {left}" in out
        assert "- vllm EngineArgs.dtype: decided on" in out
        assert "- vllm No.such: decided on" in out


def changed(name: str, **fields: Field | None) -> Inventory:
    """Return the stored inventory of a release with fields of one object replaced, added or removed."""
    found = store.inventory("vllm", "0.33.0")
    assert found is not None
    owner = found.objects[name]
    left = {key: field for key, field in (owner.fields | fields).items() if field is not None}
    return replace(found, objects={**found.objects, name: replace(owner, fields=left)})


def field(owner: str, name: str) -> Field:
    found = store.inventory("vllm", "0.33.0")
    assert found is not None
    return found.objects[owner].fields[name]


class TestDrift:
    @pytest.mark.parametrize(
        ("fields", "kinds"),
        [
            ({}, []),
            ({"brand_new": Field(annotation="int", types=["integer"], default=3, has_default=True)}, ["new"]),
            ({"max_num_seqs": None}, ["removed"]),
            ({"max_num_seqs": None, "max_num_sequences": field("EngineArgs", "max_num_seqs")}, ["renamed"]),
            ({"seed": replace(field("EngineArgs", "seed"), default=1)}, ["default"]),
            ({"seed": replace(field("EngineArgs", "seed"), types=["string"])}, ["type"]),
            ({"dtype": replace(field("EngineArgs", "dtype"), choices=["auto", "fp4"])}, ["choices"]),
            (
                {"max_num_seqs": replace(field("EngineArgs", "max_num_seqs"), bounds={"minimum": 2})},
                ["bounds"],
            ),
        ],
    )
    def test_kinds(self, fields: dict[str, Field | None], kinds: list[str]) -> None:
        found = list(drift(changed("EngineArgs", **fields)))
        assert [item.kind for item in found] == kinds
        assert all(item.todo and item.id.startswith("EngineArgs.") for item in found)

    def test_a_whole_object_that_is_gone(self) -> None:
        found = store.inventory("vllm", "0.33.0")
        assert found is not None
        objects = {name: item for name, item in found.objects.items() if name != "PassConfig"}
        gone = {item.id for item in drift(replace(found, objects=objects)) if item.kind == "removed"}
        assert gone == {f"PassConfig.{name}" for name in found.objects["PassConfig"].fields}

    @pytest.mark.parametrize("backend", ["vllm", "tensorrt_llm", "pytorch"])
    def test_the_reference_release_agrees(self, backend: str, capsys: pytest.CaptureFixture[str]) -> None:
        from llmcfg.catalog import backends

        status, out, err = ask(capsys, "drift", backend, "--version", backends()[backend]["reference"])
        assert (status, err) == (0, "")
        assert out.startswith("The schema agrees with ")

    def test_another_release_does_not(self, capsys: pytest.CaptureFixture[str]) -> None:
        status, out, _ = ask(capsys, "drift", "vllm", "--version", "0.30.0")
        assert status == 1
        assert out.splitlines()[-1].startswith("The schema differs from vllm 0.30.0: ")
        status, out, _ = ask(capsys, "drift", "vllm", "--version", "0.30.0", "--format", "json")
        items = json.loads(out)["drift"]
        assert (status, {item["kind"] for item in items} >= {"removed", "new", "choices"}) == (1, True)
        status, out, _ = ask(capsys, "drift", "vllm", "--version", "0.30.0", "--format", "todo")
        assert (status, out.count("- [ ] ")) == (1, len(items))
