"""Diagnostics as one JSON object, the form that ``report.schema.json`` describes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

from llmcfg import __version__
from llmcfg.reading.extent import Source
from llmcfg.report.checked import SEVERITIES, Checked

FORMAT = 1
"""The version of the form: it grows where keys change their meaning or go, not where keys are added."""


def json_report(files: Iterable[Checked]) -> Iterator[str]:
    """Yield the report of all files."""
    records: list[dict[str, Any]] = []
    listed: list[dict[str, Any]] = []
    for checked in files:
        records += diagnostic_records(checked)
        counts = {f"{severity}s": checked.count(severity) for severity in SEVERITIES}
        listed.append({"file": _name(checked.file), "status": checked.status, **counts})
    report = {"llmcfg": __version__, "version": FORMAT, "files": listed, "diagnostics": records}
    yield json.dumps(report, indent=2) + "\n"


def _name(file: str | None) -> str | None:
    """Return the name of a file as JSON can hold it: bytes that are no UTF-8 are written out."""
    return file and file.encode("utf-8", "backslashreplace").decode()


def schema() -> str:
    """Return the text of the JSON Schema that reports follow."""
    with open(os.path.join(os.path.dirname(__file__), "report.schema.json"), encoding="utf-8") as file:
        return file.read()


def diagnostic_records(checked: Checked) -> list[dict[str, Any]]:
    """Return the records of a file's diagnostics, each with the end of its token."""
    places = [item.place for item in checked.diagnostics if item.place]
    ends = Source(checked.document.text).ends(places) if places and checked.document.text else {}
    return [
        item.as_json(_name(checked.document.file), ends.get(item.place) if item.place else None)
        for item in checked.diagnostics
    ]
