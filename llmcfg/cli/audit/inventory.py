"""``llmcfg audit inventory``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from llmcfg.audit import sources, store
from llmcfg.audit.extraction import require
from llmcfg.audit.facts import Inventory
from llmcfg.catalog import backends
from llmcfg.cli.files import deliver
from llmcfg.errors import UserError


def run(
    backend: str, package: str | None, source: str | None, version: str | None, output: str | None
) -> int:
    """Print the native facts of a release: read from its sources, or stored."""
    deliver(wanted(backend, package, source, version).text(), output)
    return 0


def wanted(backend: str, package: str | None, source: str | None, version: str | None) -> Inventory:
    """Return the inventory that the options name.

    Without ``source`` a release is taken from the store, else pip downloads it; without either, the
    installed package is read.
    """
    name = chosen(backend, package)
    if source is None and version is not None and (known := store.inventory(backend, version, name)):
        return known
    return read(backend, name, source, version)


def chosen(backend: str, package: str | None) -> str:
    """Return the package to read: the backend's own where none is named.

    Raises:
        UserError: if there is no such backend, or it has no such package.
    """
    if backend not in backends():
        raise UserError(f"{backend} is no backend; there are {', '.join(backends())}")
    known = store.surfaces(backend)
    name = package or store.own_package(backend)
    if name not in known:
        raise UserError(f"{backend} has no package {name}; it has {', '.join(known)}")
    return name


def read(backend: str, package: str, source: str | None, version: str | None) -> Inventory:
    """Read the sources of a package, wherever they are."""
    extract = require()
    surface = store.surfaces(backend)[package]
    module = surface.get("import", package)
    with _opened(package, module, source, version) as found:
        release = version or found.version
        if release is None:
            raise UserError(f"the version of {package} in {source} is not known; say it with --version")
        return extract(backend, package, release, found.root, surface, found.read_from)


def _opened(
    package: str, module: str, source: str | None, version: str | None
) -> AbstractContextManager[sources.Sources]:
    if source is not None:
        return sources.given(Path(source), module)
    return sources.installed(module) if version is None else sources.released(package, version, module)
