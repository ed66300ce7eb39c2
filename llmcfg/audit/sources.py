"""Where the sources of a package are: installed, a wheel, an sdist, a folder, or the package index."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from llmcfg.audit.facts import Json
from llmcfg.errors import UserError

_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz")
_METADATA = ("METADATA", "PKG-INFO")
_VERSION = re.compile(r"^Version: (\S+)", re.MULTILINE)
_ASSIGNED = re.compile(r"""^__version__\s*(?::\s*\w+\s*)?=\s*['"]([0-9][^'"]*)['"]""", re.MULTILINE)
_DEEPEST = 3


class Sources(NamedTuple):
    """The folder that holds the package, its version (None where unknown), and what was read."""

    root: Path
    version: str | None
    read_from: Json


@contextmanager
def installed(name: str) -> Iterator[Sources]:
    """Find an importable package without importing it.

    Raises:
        UserError: if it is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise UserError(f"{name} is not installed here; name a wheel, an sdist or a folder with --from")
    (distribution, *_) = importlib.metadata.packages_distributions().get(name, [name])
    version = importlib.metadata.version(distribution)
    yield Sources(
        Path(spec.origin).parent.parent, version, {"kind": "installed", "distribution": distribution}
    )


@contextmanager
def given(path: Path, name: str) -> Iterator[Sources]:
    """Open a wheel, an sdist, or a folder that holds the package at most a few levels down.

    Raises:
        UserError: if there is no such package in it.
    """
    if path.is_dir():
        yield _folder(path, name, {"kind": "folder"})
    elif path.name.endswith(_ARCHIVES) and path.is_file():
        with TemporaryDirectory() as folder:
            _unpack(path, Path(folder))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            yield _folder(Path(folder), name, {"kind": "archive", "file": path.name, "sha256": digest})
    else:
        raise UserError(f"{path} is no folder, wheel or sdist")


@contextmanager
def released(distribution: str, version: str, name: str) -> Iterator[Sources]:
    """Have pip download a release, and open it.

    Raises:
        UserError: if pip can't.
    """
    with TemporaryDirectory() as folder:
        wanted = f"{distribution}=={version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        files = [file for file in Path(folder).iterdir() if file.name.endswith(_ARCHIVES)]
        if done.returncode or not files:
            raise UserError(f"pip could not download {wanted}: {_last_line(done.stderr)}")
        with given(files[0], name) as sources:
            yield sources


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("ERROR")] or text.splitlines()
    return lines[-1] if lines else "it gave no reason"


def _unpack(path: Path, folder: Path) -> None:
    """Take the Python files and the metadata out of an archive."""
    if path.name.endswith((".whl", ".zip")):
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if _is_wanted(member):
                    archive.extract(member, folder)
    else:
        with tarfile.open(path) as archive:
            members = [member for member in archive.getmembers() if _is_wanted(member.name)]
            archive.extractall(folder, members, filter="data")


def _is_wanted(member: str) -> bool:
    return member.endswith((".py", ".pyi")) or member.rpartition("/")[2] in _METADATA


def _folder(path: Path, name: str, read_from: Json) -> Sources:
    root = _root(path, name)
    if root is None:
        raise UserError(f"there is no package {name} in {path}")
    return Sources(root, _version(path, root, name), read_from)


def _root(path: Path, name: str) -> Path | None:
    """Return the folder above the package: the path's parent, the path, or a folder inside it."""
    if path.name == name and (path / "__init__.py").is_file():
        return path.parent
    patterns = ("/".join(["*"] * depth + [name, "__init__.py"]) for depth in range(_DEEPEST))
    found = next((file for pattern in patterns for file in sorted(path.glob(pattern))), None)
    return None if found is None else found.parent.parent


def _version(path: Path, root: Path, name: str) -> str | None:
    """Read the version from the metadata beside the package, else from an assignment in it."""
    stems = (name, name.replace("_", "-"), f"{name}_cpu")
    folders = [folder for stem in stems for folder in sorted(root.glob(f"{stem}-*.dist-info"))]
    for folder in (*folders, root, root.parent, path):
        for file in (folder / item for item in _METADATA):
            if file.is_file() and (match := _VERSION.search(file.read_text(encoding="utf-8"))):
                return match[1]
    for file in (root / name / item for item in ("version.py", "_version.py", "__init__.py")):
        if file.is_file() and (match := _ASSIGNED.search(file.read_text(encoding="utf-8"))):
            return match[1]
    return None
