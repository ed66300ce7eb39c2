"""Results of audits: JSON lines that are appended as answers come, grouped when all have come.

The forms of a line are in ``audit/results/record.schema.json``. What many records have in common (a
message, a refusal, an assumption, a list of devices) stands in a line of its own, to which they refer by
number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from llmcfg.audit.values import VALUE
from llmcfg.checking.checker import satisfies
from llmcfg.data import evidence_path
from llmcfg.errors import UserError

Json = dict[str, Any]
_LISTS = ("said", "assumed", "unknown")
_SINGLE = ("refusal", "chosen")


class Results(NamedTuple):
    """What a file holds: campaigns, devices by name, and records by trial, with nothing left as a number.

    A record is ``{"trial", "parameter", "value", "role", "beside", "answers"}``; each answer names the
    ``devices`` that gave it. ``is_cut``: the last line is unfinished, as a killed campaign leaves it.
    """

    campaigns: list[Json]
    devices: dict[str, Json]
    records: dict[str, Json]
    is_cut: bool = False
    highest: int = -1

    @property
    def next_number(self) -> int:
        """A number that nothing in the file has."""
        return self.highest + 1

    @property
    def done(self) -> set[tuple[str, str]]:
        """The trials that were answered, with the device that did."""
        return {
            (name, device)
            for name, record in self.records.items()
            for answer in record["answers"]
            for device in answer["devices"]
        }


@cache
def line_schema() -> Json:
    """Return the JSON Schema of a line."""
    loaded: Json = json.loads(Path(evidence_path("results/record.schema.json")).read_text(encoding="utf-8"))
    return loaded


def read(path: str) -> Results:
    """Read a file of results.

    Raises:
        UserError: if there is no such file, or a line of it is none of ours; an unfinished last one is.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    reader = _Reader(path)
    whole, _, rest = content.rpartition(b"\n")
    for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
        reader.line(number, line)
    return reader.results._replace(
        is_cut=bool(rest), highest=max((number for _, number in reader.shared), default=-1)
    )


class _Reader:
    def __init__(self, path: str) -> None:
        self.path = path
        self.shared: dict[tuple[str, int], Any] = {}
        self.results = Results([], {}, {})

    def line(self, number: int, content: bytes) -> None:
        try:
            text = content.decode()
            data = json.loads(text)
        except ValueError as error:
            raise UserError(f"{self.path}:{number}: not a line of JSON: {error}") from None
        if not satisfies(line_schema(), data):
            raise UserError(f"{self.path}:{number}: not a line of results: {text[:200]}")
        try:
            self._take(data)
        except KeyError as missing:
            raise UserError(f"{self.path}:{number}: nothing before has the number {missing}") from None

    def _take(self, data: Json) -> None:
        if "campaign" in data:
            self.results.campaigns.append(data["campaign"])
        elif "device" in data:
            self.results.devices[data["device"]] = data["about"]
        elif "shared" in data:
            (kind,) = data.keys() - {"shared"}
            self.shared[kind, data["shared"]] = data[kind]
        else:
            answers = [self._resolved(answer) for answer in data["answers"]]
            told = {
                "trial": data["trial"],
                "parameter": _parameter(data["trial"]),
                "value": None,
                "role": VALUE,
            }
            self._merge({**told, **data, "answers": answers})

    def _resolved(self, answer: Json) -> Json:
        answer = dict(answer)
        if isinstance(answer["devices"], int):
            answer["devices"] = list(self.shared["devices", answer["devices"]])
        for key in _SINGLE:
            if isinstance(answer.get(key), int):
                answer[key] = self.shared[key, answer[key]]
        for key in _LISTS:
            items = answer.get(key, ())
            answer[key] = [self.shared[key, item] if isinstance(item, int) else item for item in items]
        return {key: value for key, value in answer.items() if value != []}

    def _merge(self, record: Json) -> None:
        """Join the answers of a trial; what a device answers later counts."""
        known = self.results.records.get(record["trial"])
        if known is not None:
            late = {device for answer in record["answers"] for device in answer["devices"]}
            kept = [
                {**answer, "devices": left}
                for answer in known["answers"]
                if (left := [device for device in answer["devices"] if device not in late])
            ]
            record = {**record, "answers": [*kept, *record["answers"]]}
        self.results.records[record["trial"]] = record


def _parameter(trial: str) -> str:
    """Return the parameter of a trial's name; there is none in that of a baseline."""
    parameter, equals, _ = trial.partition("=")
    return parameter if equals else ""


class Encoder:
    """Writes lines by ``emit``; what records have in common is written once, with a number."""

    def __init__(self, emit: Callable[[str], object], first: int = 0) -> None:
        self._emit = emit
        self._next = first
        self._numbers: dict[str, int] = {}

    def campaign(self, about: Json) -> None:
        """Begin a campaign."""
        self._write({"campaign": about})

    def device(self, name: str, about: Json) -> None:
        """Describe a device that answers."""
        self._write({"device": name, "about": about})

    def record(self, record: Json) -> None:
        """Add a record; what its name tells is left out."""
        told = {"parameter": _parameter(record["trial"]), "role": VALUE}
        short = {key: value for key, value in record.items() if key not in told or told[key] != value}
        self._write({**short, "answers": [self._referring(answer) for answer in record["answers"]]})

    def _referring(self, answer: Json) -> Json:
        answer = dict(answer)
        for key in _SINGLE:
            if key in answer:
                answer[key] = self._number(key, answer[key])
        for key in _LISTS:
            if key in answer:
                answer[key] = [self._number(key, item) for item in answer[key]]
        if len(answer["devices"]) > 1:
            answer["devices"] = self._number("devices", answer["devices"])
        return answer

    def _number(self, kind: str, item: Any) -> int:
        mark = f"{kind} {json.dumps(item, sort_keys=True)}"
        if mark not in self._numbers:
            self._numbers[mark] = self._next
            self._write({"shared": self._next, kind: item})
            self._next += 1
        return self._numbers[mark]

    def _write(self, data: Json) -> None:
        self._emit(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")


def grouped(results: Results) -> str:
    """Return the text of a file: one record a trial, devices with the same answer together."""
    lines: list[str] = []
    encoder = Encoder(lines.append)
    for campaign in results.campaigns:
        encoder.campaign(campaign)
    for name, about in results.devices.items():
        encoder.device(name, about)
    for record in results.records.values():
        encoder.record({**record, "answers": list(_grouped(record["answers"], list(results.devices)))})
    return "".join(lines)


def _grouped(answers: list[Json], order: list[str]) -> Iterator[Json]:
    """Join equal answers; devices stand in the order in which the file names them."""
    found: dict[str, tuple[Json, list[str]]] = {}
    for answer in answers:
        same = {key: value for key, value in answer.items() if key != "devices"}
        _, devices = found.setdefault(json.dumps(same, sort_keys=True), (same, []))
        devices += answer["devices"]
    first = {mark: min(map(order.index, devices)) for mark, (_, devices) in found.items()}
    for mark in sorted(found, key=first.__getitem__):
        same, devices = found[mark]
        yield {"devices": sorted(devices, key=order.index), **same}


def sorted_by(results: Results, trials: Iterable[str]) -> Results:
    """Return the results with records in the order of a plan; what is not in the plan comes last."""
    place = {name: number for number, name in enumerate(trials)}
    names = sorted(results.records, key=lambda name: place.get(name, len(place)))
    devices = sorted(results.devices, key=lambda name: results.devices[name].get("order", 0))
    return results._replace(
        records={name: results.records[name] for name in names},
        devices={name: results.devices[name] for name in devices},
    )
