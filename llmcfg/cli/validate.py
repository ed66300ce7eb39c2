"""``llmcfg validate``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module

from llmcfg.cli.checked import check, report, request
from llmcfg.cli.configs import configs
from llmcfg.cli.files import put, tell
from llmcfg.pipeline import Request
from llmcfg.report.checked import Checked, exit_status

_REPORTS = {
    "json": ("llmcfg.report.as_json", "json_report"),
    "sarif": ("llmcfg.report.sarif", "sarif_report"),
    "github": ("llmcfg.report.github", "github_report"),
}


def run(
    files: tuple[str, ...],
    backend: str | None,
    backend_version: str | None,
    gpu: str | None,
    strict: bool,
    format: str,
    color: str,
) -> int:
    """Check each config by itself; a broken one does not stop the others."""
    asked = request(backend, gpu, backend_version)
    tally = _Tally(_checked(files, asked, strict))
    if format == "text":
        _for_people(tally, color)
    else:
        module, name = _REPORTS[format]
        written: Callable[[Iterable[Checked]], Iterator[str]] = getattr(import_module(module), name)
        for text in written(tally):
            put(text)
    return tally.worst


def _checked(files: tuple[str, ...], asked: Request, strict: bool) -> Iterator[Checked]:
    for document in configs(files):
        yield Checked(document, check(document, asked).diagnostics, strict)


class _Tally:
    """Files as they are checked, counted for the exit status and the last line."""

    def __init__(self, files: Iterator[Checked]) -> None:
        self._files = files
        self.number = self.affected = self.worst = 0
        self.counts: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Checked]:
        for checked in self._files:
            self.number += 1
            self.worst = max(self.worst, exit_status(checked))
            self.affected += bool(checked.diagnostics)
            self.counts.update(item.severity for item in checked.diagnostics)
            yield checked


def _for_people(tally: _Tally, color: str) -> None:
    for checked in tally:
        report(checked.document, checked.diagnostics, color)
    if not tally.affected:
        tell(f"{tally.number} file{'s' if tally.number != 1 else ''} checked: no errors\n")
        return
    from llmcfg.report.look import look
    from llmcfg.report.text import summary

    shown = look(sys.stderr, color)
    if shown.excerpts or tally.worst == 0:
        tell(summary(tally.number, tally.affected, tally.counts, shown))
