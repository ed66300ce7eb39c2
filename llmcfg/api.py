"""The Python API: one function."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmcfg.catalog import backends
from llmcfg.checking.versions import order
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import ConfigError, Diagnostic, Path, has_errors
from llmcfg.document import Document
from llmcfg.pipeline import Request, run
from llmcfg.printable import shown

if TYPE_CHECKING:
    from pydantic import BaseModel


def compile(
    config: str | os.PathLike[str] | Mapping[str, Any] | BaseModel,
    *,
    backend: str | None = None,
    gpu: str | None = None,
    backend_version: str | None = None,
    strict: bool = False,
) -> Compiled:
    """Check a config and compile it for one backend.

    Args:
        config: path of a YAML or JSON file, a mapping of the same shape, or a model of
            ``llmcfg_models`` (its unset fields stay the engine's defaults).
        backend: the backend to compile where the config holds several.
        gpu: name from the table of GPUs to check against, ``none`` for the CPU; overrides ``gpu:``.
        backend_version: release of the engine, by default the one that the schema was audited against.
        strict: refuse configs with warnings too.

    Raises:
        ConfigError: with every problem of the config, if there is one.
    """
    result = run(_document(config), _request(backend, gpu, backend_version))
    if has_errors(result.diagnostics, strict=strict):
        raise ConfigError(result.diagnostics)
    if len(result.compiled) != 1:
        names = ", ".join(item.backend for item in result.compiled)
        problem = Diagnostic("L110", f"the config is for several backends: {names}", hint="Pass `backend=`.")
        raise ConfigError([*result.diagnostics, problem])
    return result.compiled[0]


def _request(backend: str | None, gpu: str | None, version: str | None) -> Request:
    """Refuse arguments that no config could satisfy, in the way in which a config is refused."""
    problems = []
    if backend is not None and backend not in backends():
        known = ", ".join(backends())
        problems.append(
            Diagnostic("L110", f"no backend is called {shown(backend)}", hint=f"There is {known}.")
        )
    try:
        if version is not None:
            order(version)
    except ValueError as error:
        problems.append(Diagnostic("L403", str(error), hint="Write a release number, for example 0.33.0."))
    if problems:
        raise ConfigError(problems)
    return Request(backend, gpu, version)


def _document(config: Any) -> Document:
    if isinstance(config, (str, os.PathLike)):
        from llmcfg.reading.reader import read

        return read(os.fspath(config))
    if isinstance(config, Mapping):
        problems: list[Diagnostic] = []
        data = _plain(config, (), problems)
        return Document(None if problems else data, problems=tuple(problems))
    return Document(config.model_dump(mode="json", by_alias=True, exclude_unset=True))


def _plain(value: Any, path: Path, problems: list[Diagnostic]) -> Any:
    """Copy what was built in Python into what a file could hold; token ids as keys become texts."""
    if isinstance(value, Mapping):
        return {
            _key(key, path, problems): _plain(item, (*path, key), problems) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(item, (*path, position), problems) for position, item in enumerate(value)]
    if value is not None and not isinstance(value, (str, int, float)):
        problems.append(_foreign(f"an object of type {type(value).__name__}", path))
    return value


def _key(key: Any, path: Path, problems: list[Diagnostic]) -> str:
    """Return a key as a file would have it; below ``extra`` nothing is changed, so only texts will do."""
    if not isinstance(key, str) and (type(key) is not int or "extra" in path):
        problems.append(_foreign(f"a mapping with the key {shown(key)}", path))
    return str(key)


def _foreign(what: str, path: Path) -> Diagnostic:
    return Diagnostic("L102", f"{what} is not plain data", path, hint="Use what a YAML file could hold.")
