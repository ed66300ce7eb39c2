"""What `validate`, `compile` and `resolve` share: a request from options, a check, the report for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from llmcfg.diagnostics import Diagnostic
from llmcfg.document import Document
from llmcfg.errors import UserError
from llmcfg.pipeline import ALL, Request, Result, choose
from llmcfg.pipeline import run as run_pipeline

_ONE_VERSION = "--backend-version is the version of one backend"


def request(backend: str | None, gpu: str | None, version: str | None) -> Request:
    """Return the request that the options make, refusing what no config could satisfy.

    Raises:
        UserError: for a GPU that is not in the table, or a version that is none.
    """
    if version is not None:
        from llmcfg.checking.versions import order

        try:
            order(version)
        except ValueError as error:
            raise UserError(f"--backend-version: {error}") from None
        if backend == ALL:
            raise UserError(f"{_ONE_VERSION}; name it with --backend")
    if gpu is not None:
        gpu = _known(gpu)
    return Request(backend, gpu, version)


def check(document: Document, asked: Request) -> Result:
    """Run the pipeline; one version for several backends is refused, and the rest checked without it."""
    problems = one_version(document, asked)
    if not problems:
        return run_pipeline(document, asked)
    found = run_pipeline(document, asked._replace(version=None)).diagnostics
    return Result([], [*problems, *found])


def one_version(document: Document, asked: Request) -> list[Diagnostic]:
    """Return what is wrong with a version that could be meant for more than one backend."""
    chosen = choose(document.data, asked) if isinstance(document.data, dict) else []
    if asked.version is None or len(chosen) < 2:
        return []
    message = f"{_ONE_VERSION}; the config is for {', '.join(chosen)}"
    return [Diagnostic("L405", message, hint="Name the one that is meant with --backend.")]


def _known(gpu: str) -> str:
    from llmcfg.gpus import UnknownGpu, find
    from llmcfg.nvml import GpuQueryFailed

    try:
        return find(gpu).name
    except UnknownGpu as unknown:
        from llmcfg.secrets import hidden

        near = f"; did you mean {unknown.near}?" if unknown.near else ""
        name = hidden(unknown.name)
        raise UserError(f"--gpu: {name} is not in the table of `llmcfg gpus`{near}") from None
    except GpuQueryFailed as error:
        raise UserError(str(error)) from None


def report(document: Document, diagnostics: list[Diagnostic], color: str = "auto") -> None:
    """Report to people, on standard error."""
    if diagnostics:
        from llmcfg.cli.files import tell
        from llmcfg.report.checked import Checked
        from llmcfg.report.look import look
        from llmcfg.report.text import text_report

        tell("".join(text_report(Checked(document, diagnostics), look(sys.stderr, color))))


def records(document: Document, diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Return the diagnostics as JSON data."""
    if not (found := list(diagnostics)):
        return []
    from llmcfg.report.as_json import diagnostic_records
    from llmcfg.report.checked import Checked

    return diagnostic_records(Checked(document, found))


def status(diagnostics: list[Diagnostic], strict: bool) -> int:
    """Return the exit status: 2 unreadable, 1 refused, 0 clean."""
    if not diagnostics:
        return 0
    from llmcfg.report.checked import Checked, exit_status

    return exit_status(Checked(Document(None), diagnostics, strict))
