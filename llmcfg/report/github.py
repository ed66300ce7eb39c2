"""Diagnostics as annotations of GitHub Actions: one command a line, escaped as the runner reads it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from llmcfg.codes import CODES
from llmcfg.diagnostics import ERROR, INFO, WARNING, Diagnostic, Place
from llmcfg.printable import printable
from llmcfg.reading.extent import Source
from llmcfg.report.checked import Checked
from llmcfg.report.text import notes

_COMMANDS = {ERROR: "error", WARNING: "warning", INFO: "notice"}
_DATA: dict[str, str | int | None] = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: dict[str, str | int | None] = {**_DATA, ":": "%3A", ",": "%2C"}


def github_report(files: Iterable[Checked]) -> Iterator[str]:
    """Yield one command for each diagnostic."""
    for checked in files:
        places = [item.place for item in checked.diagnostics if item.place]
        ends = Source(checked.document.text).ends(places) if places else {}
        file = _from_the_workspace(checked.file)
        for item in checked.diagnostics:
            yield _command(file, item, ends.get(item.place) if item.place else None)


def _command(file: str, item: Diagnostic, end: Place | None) -> str:
    properties = {"file": printable(file, 4000), **_region(item.place or Place(1, 1), end)}
    properties["title"] = f"{item.code} {CODES[item.code].title}"
    listed = ",".join(f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in properties.items())
    return f"::{_COMMANDS[item.severity]} {listed}::{_escaped(_message(item), _DATA)}\n"


def _region(place: Place, end: Place | None) -> dict[str, int]:
    """Return the properties of a region; GitHub takes no columns for several lines."""
    region = {"line": place.line, "col": place.column}
    if end and end.line == place.line:
        region["endColumn"] = end.column
    return region


def _message(item: Diagnostic) -> str:
    rule = f" [{item.rule}]" if item.rule else ""
    lines = [f"{printable(item.message, 600)}{rule}"]
    lines += [f"hint: {printable(item.hint, 1000)}"] if item.hint else []
    lines += [f"note: line {at.line}, column {at.column}: {printable(text)}" for text, at in notes(item)]
    return "\n".join(lines)


def _escaped(text: str, table: dict[str, str | int | None]) -> str:
    return text.translate(str.maketrans(table))


def _from_the_workspace(file: str) -> str:
    """Return the path from the root of the repository, where annotations look for files."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if not workspace or file.startswith("<"):
        return file
    try:
        whole, root = os.path.abspath(file), os.path.join(os.path.abspath(workspace), "")
    except FileNotFoundError:  # the current folder is gone
        return file
    return whole[len(root) :] if whole.startswith(root) else file
