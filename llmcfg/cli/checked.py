"""What `compile` and `validate` share: turn options into a request, and problems into an exit status."""

from __future__ import annotations

import sys

from llmcfg.diagnostics import Diagnostic, has_errors
from llmcfg.errors import UserError
from llmcfg.pipeline import ALL, Request, Result
from llmcfg.report.text import text_report

UNREADABLE = "L001"
_ONE_VERSION = "--backend-version is the version of one backend; name it with --backend"


def request(backend: str | None, gpu: str | None, version: str | None) -> Request:
    """Return the request that the options make, refusing what no config could satisfy.

    Raises:
        UserError: for a GPU that is not in the table, or a version that is none.
    """
    if version is not None:
        from llmcfg.versions import order

        try:
            order(version)
        except ValueError as error:
            raise UserError(f"--backend-version: {error}") from None
        if backend == ALL:
            raise UserError(_ONE_VERSION)
    if gpu is not None:
        gpu = _known(gpu)
    return Request(backend, gpu, version)


def one_version(version: str | None, result: Result) -> None:
    """Refuse one version for a config that holds several backends.

    Raises:
        UserError: if the version could be meant for more than one backend.
    """
    if version is not None and len(result.compiled) > 1:
        raise UserError(_ONE_VERSION)


def _known(gpu: str) -> str:
    from llmcfg.gpus import UnknownGpu, find
    from llmcfg.nvml import GpuQueryFailed

    try:
        return find(gpu).name
    except UnknownGpu as unknown:
        near = f"; did you mean {unknown.near}?" if unknown.near else ""
        raise UserError(f"--gpu: {unknown.name} is not in the table of `llmcfg gpus`{near}") from None
    except GpuQueryFailed as error:
        raise UserError(str(error)) from None


def tell(file: str | None, diagnostics: list[Diagnostic]) -> None:
    """Report to people, on standard error."""
    if sys.stderr is not None:
        sys.stderr.write(text_report(file, diagnostics))


def status(diagnostics: list[Diagnostic], strict: bool) -> int:
    """Return the exit status: 2 unreadable, 1 refused, 0 clean."""
    if any(item.code == UNREADABLE for item in diagnostics):
        return 2
    return int(has_errors(diagnostics, strict=strict))
