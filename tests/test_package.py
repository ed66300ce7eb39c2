"""What is shipped: the files of the wheel and the sdist, and the wheel at work away from the checkout."""

from __future__ import annotations

import fnmatch
import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

import llmcfg
from llmcfg.cli.options import BACKENDS

ROOT = Path(__file__).parents[1]
VERSION = llmcfg.__version__

pytestmark = pytest.mark.slow

MODULES = [
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "llmcfg").rglob("*.py")
    if "generator" not in path.parts
]
DATA = [
    "llmcfg/report/report.schema.json",
    "llmcfg/_data/catalog.json",
    "llmcfg/_data/names.json",
    "llmcfg/_data/starters.json",
    "llmcfg/_data/llmcfg.schema.json",
    "llmcfg/_data/validator/root.json",
    *(
        f"llmcfg/_data/{folder}/{backend}.json"
        for folder in ("catalog", "conditions", "rules", "validator")
        for backend in BACKENDS
    ),
    "llmcfg/_data/audit/surfaces.json",
    "llmcfg/_data/audit/models.json",
    *(
        f"llmcfg/_data/{path.relative_to(ROOT).as_posix()}"
        for folder in ("inventory", "decisions", "machines", "results")
        for path in (ROOT / "audit" / folder).rglob("*.*")
        if path.is_file()
    ),
]
MODELS = ["llmcfg_models/__init__.py", "llmcfg_models/py.typed"]
INFO = [
    f"llmcfg-{VERSION}.dist-info/{name}"
    for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
]
NOT_SHIPPED = ("*.pyc", "*/__pycache__/*", "*/.git/*", "*/.*_cache/*", "*/.venv*", "*/shared/*")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from it, as a release is built."""
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return dist / f"llmcfg-{VERSION}-py3-none-any.whl"


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel, with what it depends on, into a fresh environment."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    program = folder / "bin" / "python"
    command = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return program


def test_the_wheel_holds_this_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert sorted(archive.namelist()) == sorted([*MODULES, "llmcfg/py.typed", *DATA, *MODELS, *INFO])


def test_the_sdist_builds_tests_and_documents(dist: Path) -> None:
    with tarfile.open(dist / f"llmcfg-{VERSION}.tar.gz") as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    for path in ("pyproject.toml", "README.md", "LICENSE", "schema/dialect.json", "generated/catalog.json"):
        assert path in names
    for folder in ("llmcfg/generator", "schema/vllm", "tests/cases", "examples", "docs"):
        assert any(name.startswith(f"{folder}/") for name in names)
    unwanted = [name for name in names for pattern in NOT_SHIPPED if fnmatch.fnmatch(f"/{name}", pattern)]
    assert unwanted == []


def run(python: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = python.with_name("llmcfg")
    return subprocess.run(
        [str(program), *words], cwd=folder, capture_output=True, text=True, timeout=60, env={}
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_installed_command_compiles(backend: str, python: Path, tmp_path: Path) -> None:
    assert run(python, tmp_path, "init", "--backend", backend).returncode == 0
    done = run(python, tmp_path, "compile", "llmcfg.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    compiled: dict[str, Any] = json.loads(done.stdout)
    assert compiled["llmcfg"] == VERSION
    assert [item["backend"] for item in compiled["compiled"]] == [backend]


def test_the_installed_command_refuses(python: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("model: m\nvllm: {engine: {max_num_seq: 8}}\n")
    done = run(python, tmp_path, "validate", "c.yaml")
    assert done.returncode == 1
    assert done.stderr.startswith("c.yaml:2:17: error[L101]")


def test_the_schema_lies_in_the_installed_package(python: Path, tmp_path: Path) -> None:
    path = Path(run(python, tmp_path, "schema", "--path").stdout.strip())
    assert path.is_relative_to(python.parents[1])
    assert json.loads(path.read_text())["$defs"]


def test_the_base_install_is_small(python: Path) -> None:
    command = [str(python), "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    listed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    names = {item["name"].lower().replace("_", "-") for item in listed}
    assert names - {"pip", "setuptools"} == {"click", "jsonschema-rs", "llmcfg", "pyyaml"}
