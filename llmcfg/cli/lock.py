"""``llmcfg lock``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from llmcfg import __version__
from llmcfg.cli.checked import check, report, request, status
from llmcfg.cli.configs import STANDARD_INPUT, configs
from llmcfg.cli.files import deliver, tell
from llmcfg.compiled import Compiled
from llmcfg.document import Document
from llmcfg.errors import UserError
from llmcfg.pipeline import Request
from llmcfg.printable import one_line, printable

ENDING = ".lock.json"
_MARK = '"llmcfg":'
"""Stands in every lock, also in one with marks of a merge; a file without it is somebody else's."""


class _Lock(NamedTuple):
    """A config and the file beside it that holds what it compiles to."""

    document: Document
    path: str


def run(
    files: tuple[str, ...],
    backend: str | None,
    backend_version: str | None,
    gpu: str | None,
    check: bool,
    strict: bool,
    color: str,
) -> int:
    """Write the compiled output of each config beside it, where it differs; exit 1 where one did."""
    if STANDARD_INPUT in files:
        raise UserError("a lock stands beside its config, and standard input has no place")
    asked = request(backend, gpu, backend_version)
    locks = list(_locks(files))
    statuses = [_tried(lock, asked, not check, strict, color) for lock in locks]
    if (worst := max(statuses, default=0)) == 0:
        tell(f"{len(locks)} {'lock is' if len(locks) == 1 else 'locks are'} up to date\n")
    return worst


def _locks(files: tuple[str, ...]) -> Iterator[_Lock]:
    sources: dict[str, str] = {}
    for document in configs(files):
        name = document.file or ""
        path = os.path.splitext(name)[0] + ENDING
        other = sources.setdefault(os.path.abspath(path), name)
        if other != name:
            both = f"{one_line(other)} and {one_line(name)}"
            raise UserError(f"{both} have the same lock, {one_line(path)}; rename one of them")
        yield _Lock(document, path)


def _tried(lock: _Lock, asked: Request, write: bool, strict: bool, color: str) -> int:
    """Renew one lock; what stands in its way does not stop the others."""
    try:
        return _renewed(lock, asked, write, strict, color)
    except UserError as problem:
        tell(f"llmcfg: {printable(str(problem), 1000)}\n")
        return 2


def _renewed(lock: _Lock, asked: Request, write: bool, strict: bool, color: str) -> int:
    """Check and compile one config; return the exit status."""
    result = check(lock.document, asked)
    report(lock.document, result.diagnostics, color)
    if refused := status(result.diagnostics, strict):
        return refused
    text = lock_text(result.compiled)
    before = _present(lock.path)
    if text == before:
        return 0
    if write:
        deliver(text, lock.path)
    done = "written" if write else "is missing" if before is None else "is out of date"
    tell(f"{one_line(lock.path)} {done}\n")
    return 1


def lock_text(compiled: list[Compiled]) -> str:
    """Return what a lock holds: no times, no paths, nothing that differs between machines."""
    data: dict[str, Any] = {
        "llmcfg": __version__,
        "model": compiled[0].model,
        "compiled": [item.as_json() for item in compiled],
    }
    return json.dumps(data, indent=2) + "\n"


def _present(path: str) -> str | None:
    """Return the lock as it is; None where there is none.

    Raises:
        UserError: if something else than a lock has that name.
    """
    if not os.path.lexists(path):
        return None
    if os.path.islink(path) or not os.path.isfile(path):
        raise UserError(f"{one_line(path)} is no ordinary file")
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            text = file.read()
    except OSError as error:
        raise UserError(f"cannot read {one_line(path)}: {error.strerror or error}") from None
    if _MARK not in text:
        raise UserError(f"{one_line(path)} is no lock of llmcfg; move it away")
    return text
