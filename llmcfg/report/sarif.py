"""Diagnostics as SARIF 2.1.0, within what GitHub's code scanning takes."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from llmcfg import __version__
from llmcfg.codes import CODES
from llmcfg.diagnostics import ERROR, INFO, WARNING, Diagnostic, Place, dotted
from llmcfg.printable import printable
from llmcfg.reading.extent import Source
from llmcfg.report.checked import UNREADABLE, Checked, exit_status
from llmcfg.report.fingerprint import line_hashes, parameter_hash
from llmcfg.report.text import notes

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {ERROR: "error", WARNING: "warning", INFO: "note"}
_PROBLEMS = {ERROR: "error", WARNING: "warning", INFO: "recommendation"}
_ROOT = "%SRCROOT%"
_MOST_RESULTS = 25_000
"""Code scanning refuses a run with more."""
_INDEX = {code: index for index, code in enumerate(CODES)}
Json = dict[str, Any]


def sarif_report(files: Iterable[Checked]) -> Iterator[str]:
    """Yield the log of a run over all files."""
    results: list[Json] = []
    artifacts: list[Json] = []
    notifications: list[Json] = []
    worst = left_out = 0
    for checked in files:
        worst = max(worst, exit_status(checked))
        found = _results(checked)
        results += (room := found[: _MOST_RESULTS - len(results)])
        left_out += len(found) - len(room)
        artifacts.append(_artifact(checked))
        notifications += _notifications(checked)
    if left_out:
        notifications.append(_notification(f"{left_out} more results are left out", "warning"))
    run = _run(results, artifacts, notifications, worst)
    yield json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _run(results: list[Json], artifacts: list[Json], notifications: list[Json], worst: int) -> Json:
    invocation: Json = {
        "executionSuccessful": not any("associatedRule" in item for item in notifications),
        "exitCode": worst,
        "toolExecutionNotifications": notifications,
    }
    folder = _folder()
    root = {"uri": f"file://{quote(os.fsencode(folder))}"} if folder else {}
    return {
        "tool": {"driver": _driver()},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            _ROOT: {**root, "description": {"text": "The folder in which llmcfg was run."}},
        },
        "invocations": [invocation],
        "artifacts": artifacts,
        "results": results,
    }


def _driver() -> Json:
    rules = [_rule(code) for code in CODES]
    return {"name": "llmcfg", "version": __version__, "semanticVersion": __version__, "rules": rules}


def _rule(code: str) -> Json:
    fact = CODES[code]
    more = f"`llmcfg explain {code}` shows this text."
    return {
        "id": code,
        "name": _name(fact.title),
        "shortDescription": {"text": f"{_capital(fact.title)}."},
        "fullDescription": {"text": fact.explanation},
        "help": {
            "text": f"{fact.explanation}\n\nExample:\n\n{fact.example}\n\n{more}",
            "markdown": f"{fact.explanation}\n\n```\n{fact.example}\n```\n\n{more}",
        },
        "defaultConfiguration": {"level": _LEVELS[fact.severity]},
        "properties": {
            "precision": "very-high",
            "problem.severity": _PROBLEMS[fact.severity],
            "tags": ["configuration", "llm-inference"],
        },
    }


def _name(title: str) -> str:
    """Return a title as one word with capitals inside; words of one letter are left out."""
    return "".join(word.capitalize() for word in title.replace("-", " ").split() if len(word) > 1)


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _results(checked: Checked) -> list[Json]:
    if not checked.diagnostics:
        return []
    source = Source(checked.document.text)
    places = [_place(item) for item in checked.diagnostics]
    places += [place for item in checked.diagnostics for _, place in notes(item)]
    ends = source.ends(places)
    text = checked.document.text
    hashes = line_hashes(text, {place.line for place in places}) if text else {}
    seen: Counter[str] = Counter()
    return [_result(checked, item, ends, hashes, seen) for item in checked.diagnostics]


def _result(
    checked: Checked,
    item: Diagnostic,
    ends: dict[Place, Place],
    hashes: dict[int, str],
    seen: Counter[str],
) -> Json:
    place = _place(item)
    location: Json = {"physicalLocation": _physical(checked.file, place, ends)}
    if item.path:
        name = printable(dotted(item.path))
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "member"}]
    fingerprints = {"llmcfgParameter/v1": parameter_hash(item, seen)}
    if place.line in hashes:
        fingerprints["primaryLocationLineHash"] = hashes[place.line]
    result: Json = {
        "ruleId": item.code,
        "ruleIndex": _INDEX[item.code],
        "level": _LEVELS[item.severity],
        "message": {"text": _message(item)},
        "locations": [location],
        "partialFingerprints": fingerprints,
    }
    if related := notes(item):
        result["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": _plain(text)},
                "physicalLocation": _physical(checked.file, other, ends),
            }
            for number, (text, other) in enumerate(related, 1)
        ]
    return {**result, **({"properties": {"rule": item.rule}} if item.rule else {})}


def _message(item: Diagnostic) -> str:
    rule = f" [{item.rule}]" if item.rule else ""
    return _plain(f"{item.message}{rule}{f'. {item.hint}' if item.hint else ''}", 1600)


def _plain(text: str, limit: int = 400) -> str:
    """Return a text for a message, in which nothing from a config can become a link."""
    return printable(text, limit).replace("](", "]\\(")


def _place(item: Diagnostic) -> Place:
    return item.place or Place(1, 1)


def _physical(file: str, place: Place, ends: dict[Place, Place]) -> Json:
    end = ends.get(place, place)
    region = {"startLine": place.line, "startColumn": place.column}
    return {
        "artifactLocation": _artifact_location(file),
        "region": {**region, "endLine": end.line, "endColumn": end.column},
    }


def _artifact(checked: Checked) -> Json:
    is_json = checked.file.lower().endswith(".json")
    return {
        "location": _artifact_location(checked.file),
        "roles": ["analysisTarget"],
        "sourceLanguage": "json" if is_json else "yaml",
    }


def _artifact_location(file: str) -> Json:
    """Return a path from the folder of the run, or the whole one where the file is elsewhere."""
    folder = _folder()
    if file.startswith("<") or not folder:
        return {"uri": quote(os.fsencode(file)), "uriBaseId": _ROOT}
    whole = os.path.abspath(file)
    if os.path.join(whole, "").startswith(folder):
        return {"uri": quote(os.fsencode(whole[len(folder) :] or ".")), "uriBaseId": _ROOT}
    return {"uri": f"file://{quote(os.fsencode(whole))}"}


def _folder() -> str | None:
    try:
        return os.path.join(os.getcwd(), "")
    except FileNotFoundError:
        return None


def _notifications(checked: Checked) -> Iterator[Json]:
    if checked.status != UNREADABLE:
        return
    for item in checked.diagnostics:
        if item.place is None:
            location = {"physicalLocation": {"artifactLocation": _artifact_location(checked.file)}}
            rule = {"id": item.code, "index": _INDEX[item.code]}
            yield {**_notification(_message(item), "error"), "associatedRule": rule, "locations": [location]}


def _notification(text: str, level: str) -> Json:
    return {"level": level, "message": {"text": text}}
