"""Diagnostics as lines: ``FILE:LINE:COLUMN: error[L103] message``, and the hint below."""

from __future__ import annotations

from collections.abc import Iterable

from llmcfg.diagnostics import Diagnostic
from llmcfg.printable import printable


def text_report(file: str | None, diagnostics: Iterable[Diagnostic]) -> str:
    """Return the report of one file, a line or two for each diagnostic."""
    return "".join(_lines(file or "<config>", item) for item in diagnostics)


def _lines(file: str, item: Diagnostic) -> str:
    place = f":{item.place.line}:{item.place.column}" if item.place else ""
    rule = f" [{item.rule}]" if item.rule else ""
    lines = f"{printable(file)}{place}: {item.severity}[{item.code}] {printable(item.message, 600)}{rule}\n"
    if item.hint:
        lines += f"  hint: {printable(item.hint, 1000)}\n"
    return lines
