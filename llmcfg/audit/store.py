"""The evidence that is stored under ``audit/``: surfaces, inventories, decisions."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from llmcfg.audit.facts import Inventory, Json
from llmcfg.catalog import backends
from llmcfg.checking.versions import order
from llmcfg.data import evidence_path


class Stored(NamedTuple):
    """A stored inventory: the package and release that it is of."""

    package: str
    version: str
    path: Path


@cache
def surfaces(backend: str) -> Json:
    """Return, for each package of a backend, where its configuration objects are."""
    found: Json = _read(Path(evidence_path("surfaces.json")))[backend]
    return found


def own_package(backend: str) -> str:
    """Return the package whose releases are the backend's versions."""
    return str(backends()[backend]["package"])


def inventories(backend: str) -> list[Stored]:
    """Return what is stored for a backend, its own package first, oldest release first."""
    folder = Path(evidence_path("inventory")) / backend
    found = [_stored(backend, path) for path in folder.glob("*.json")]
    own = own_package(backend)
    return sorted(found, key=lambda item: (item.package != own, item.package, order(item.version)))


def file_name(backend: str, package: str, version: str) -> str:
    """Return the name of an inventory's file: the release, after the package where it isn't the backend's."""
    return f"{version}.json" if package == own_package(backend) else f"{package}-{version}.json"


def _stored(backend: str, path: Path) -> Stored:
    package, dash, version = path.stem.rpartition("-")
    return Stored(package, version, path) if dash else Stored(own_package(backend), path.stem, path)


@cache
def inventory(backend: str, version: str, package: str | None = None) -> Inventory | None:
    """Return the stored inventory of a release; None where there is none."""
    wanted = package or own_package(backend)
    for item in inventories(backend):
        if item.package == wanted and order(item.version) == order(version):
            return Inventory.from_json(_read(item.path))
    return None


@cache
def decisions(backend: str) -> dict[str, Json]:
    """Return why native parameters are not in the schema, by ``Object.field`` or a pattern of such."""
    path = Path(evidence_path("decisions")) / f"{backend}.json"
    found: dict[str, Json] = _read(path) if path.is_file() else {}
    return found


def _read(path: Path) -> Json:
    facts: Json = json.loads(path.read_text(encoding="utf-8"))
    return facts
