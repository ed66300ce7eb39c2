"""Hold what llmcfg says of a config against what an engine answered, value by value and device by device."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from llmcfg.audit.opinion import REFUSED, TAKEN, WARNED, opinion
from llmcfg.audit.plan import plan
from llmcfg.audit.results import Results
from llmcfg.audit.trial import Trial
from llmcfg.audit.values import DEFAULT
from llmcfg.audit.verdict import CRASHED, IGNORED, OVERRIDDEN, REJECTED, SUPPORTED, WITH_WARNINGS
from llmcfg.data import evidence_path

Json = dict[str, Any]

ALTERED = "altered"

# What llmcfg says, what the engine does, and what kind of difference that is.
DIFFERENCES = {
    (TAKEN, REFUSED): "allowed",
    (TAKEN, ALTERED): "silent",
    (WARNED, REFUSED): "understated",
    (REFUSED, TAKEN): "refused",
    (REFUSED, WARNED): "refused",
    (REFUSED, ALTERED): "refused",
}
MEANINGS = {
    "allowed": "llmcfg allows what the engine refuses",
    "silent": "llmcfg says nothing where the engine alters or ignores the value",
    "understated": "llmcfg warns of what the engine refuses",
    "refused": "llmcfg refuses what the engine takes",
    "default": "the value that the schema calls the default makes a difference",
}
_ENGINE = {
    SUPPORTED: TAKEN,
    WITH_WARNINGS: WARNED,
    OVERRIDDEN: ALTERED,
    IGNORED: ALTERED,
    REJECTED: REFUSED,
    CRASHED: REFUSED,
}
_CONTROLS = ("baseline", "forbidden")


class Difference(NamedTuple):
    """A trial about which llmcfg and the engine differ, on some devices.

    ``codes`` are llmcfg's, ``said`` what the engine did, in words; ``reason`` explains the difference, and
    is None where nobody has.
    """

    kind: str
    trial: str
    devices: tuple[str, ...]
    codes: tuple[str, ...]
    said: str
    reason: str | None = None


class Explanation(NamedTuple):
    """Why some differences are right: patterns of trials and devices, the reason, and where it was read."""

    kind: str
    trials: tuple[str, ...]
    devices: tuple[str, ...]
    reason: str
    source: tuple[str, ...]

    def covers(self, item: Difference) -> bool:
        """Tell whether this explains a difference on one device."""
        return (
            item.kind == self.kind
            and any(fnmatchcase(item.trial, pattern) for pattern in self.trials)
            and any(fnmatchcase(device, pattern) for device in item.devices for pattern in self.devices)
        )


def explanations(backend: str) -> list[Explanation]:
    """Return the explanations of a backend's differences, from ``audit/decisions/<backend>.answers.json``."""
    path = Path(evidence_path(f"decisions/{backend}.answers.json"))
    data: list[Json] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [
        Explanation(
            item["kind"], tuple(item["trials"]), tuple(item.get("devices", ("*",))), item["reason"],
            tuple(item["source"]),
        )
        for item in data
    ]  # fmt: skip


def unused(found: list[Difference], explained: list[Explanation]) -> list[Explanation]:
    """Return the explanations of nothing: the difference was mended, or was never there."""
    return [item for item in explained if not any(item.covers(difference) for difference in found)]


def differences(results: Results, explained: list[Explanation]) -> Iterator[Difference]:
    """Yield where the schema as it is now and the answers differ, in the order of the schema.

    What the engine did not decide (a missing package, no answer, an unknown one) is no difference.
    """
    last = results.campaigns[-1]
    trials = {trial.id: trial for trial in plan(last["backend"], last["version"])}
    for name, record in results.records.items():
        trial = trials.get(name)
        if trial is not None and record["role"] not in _CONTROLS:
            yield from _grouped(_of_trial(trial, record, last["version"], explained))


def _of_trial(trial: Trial, record: Json, version: str, explained: list[Explanation]) -> Iterator[Difference]:
    for answer in record["answers"]:
        for device in answer["devices"]:
            said = opinion(trial, device, version)
            kind = _kind(trial, said.verdict, answer)
            if kind is not None:
                found = Difference(kind, trial.id, (device,), said.codes, _said(answer))
                reasons = (item.reason for item in explained if item.covers(found))
                yield found._replace(reason=next(reasons, None))


def _kind(trial: Trial, ours: str, answer: Json) -> str | None:
    engine = _ENGINE.get(answer["verdict"])
    if engine is None:
        return None
    kind = DIFFERENCES.get((ours, engine))
    if kind is None and trial.role == DEFAULT and answer.get("chosen"):
        return "default"
    return kind


def _said(answer: Json) -> str:
    if "refusal" in answer:
        return f"{answer['verdict']}: {answer['refusal']['text']}"
    if "got" in answer:
        return f"{answer['verdict']}: {json.dumps(answer['got'], ensure_ascii=False)}"
    return str(answer["verdict"])


def _grouped(found: Iterator[Difference]) -> Iterator[Difference]:
    """Join devices on which the same differs."""
    groups: dict[Difference, list[str]] = {}
    for item in found:
        groups.setdefault(item._replace(devices=()), []).extend(item.devices)
    for item, devices in groups.items():
        yield item._replace(devices=tuple(devices))
