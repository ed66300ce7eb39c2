"""What an answer says of the value that was asked for: the verdict, and what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from llmcfg.audit.trial import Trial
from llmcfg.resolve.equality import holds
from llmcfg.resolve.leaves import leaves
from llmcfg.resolve.question import DIED, Answer, Assumption, Refusal, Said
from llmcfg.resolve.wording import cleaned, steady

SUPPORTED, WITH_WARNINGS = "supported", "supported_with_warnings"
OVERRIDDEN, IGNORED = "overridden", "ignored"
REJECTED, CRASHED, TIMED_OUT, ENVIRONMENT = "rejected", "crashed", "timed_out", "environment"
NOT_RUNNABLE, UNTESTED, UNKNOWN = "not_runnable", "untested", "unknown"
VERDICTS = (
    SUPPORTED, WITH_WARNINGS, OVERRIDDEN, IGNORED, REJECTED, CRASHED, TIMED_OUT, ENVIRONMENT, NOT_RUNNABLE,
    UNTESTED, UNKNOWN,
)  # fmt: skip

Json = dict[str, Any]
LONGEST = 300
_WARNINGS = ("WARNING", "ERROR", "CRITICAL")
_REFUSED, _UNKNOWN = "refused: ", "unknown: "
NOTHING = Answer("nothing")
"""Stands for the answer without the value where there is no such: for a baseline."""

_FAR_ENOUGH = ("resolved", "accepted", "built")
_ABSENT: Any = object()

# How the lack of a tool or file shows in a refusal, and of what only a real checkpoint has.
_LACKS = (
    (ENVIRONMENT, re.compile(r"^(Import|ModuleNotFound|PackageNotFound|FileNotFound|Permission|Connection)")),
    (
        ENVIRONMENT,
        re.compile(r"pip install|not installed|No module named|No such file|File does not exist|no compiler"),
    ),
    (ENVIRONMENT, re.compile(r"^(LocalEntryNotFound|OfflineMode|RepositoryNotFound)|couldn't connect")),
    (NOT_RUNNABLE, re.compile(r"Cannot find the config file|does not appear to have a file named")),
    (NOT_RUNNABLE, re.compile(r"Config\.__init__\(\) missing \d+ required positional")),
)


class Asked(NamedTuple):
    """The native values that a trial asks for, by dotted path, and the kind of model that it asks with."""

    values: dict[str, Any]
    kind: str


class Judged(NamedTuple):
    """A verdict on one device.

    ``asked`` and ``got`` are given where they differ, by dotted native path. ``said``, ``assumed`` and
    ``chosen`` are what the same config without the value does not have. ``otherwise`` is the verdict with
    another kind of model, where ``model`` refuses the value and that one does not.
    """

    verdict: str
    model: str
    asked: Json | None = None
    got: Json | None = None
    refusal: Refusal | None = None
    said: tuple[Said, ...] = ()
    chosen: Json = {}
    assumed: tuple[Assumption, ...] = ()
    unknown: tuple[str, ...] = ()
    otherwise: Json | None = None


def asked(native: Json, before: Json) -> dict[str, Any]:
    """Return the values that a native config has and the one without the trial's value has not."""
    others = dict(leaves(before))
    return {
        ".".join(path): value
        for path, value in leaves(native)
        if len(path) > 1 and not _is_same(others.get(path, _ABSENT), value)
    }


def _is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def judge(trial: Trial, wanted: Asked, answer: Answer, before: Answer, plain: Answer) -> Judged:
    """Judge a trial by its answer.

    ``before`` is the answer to the same config without the value, ``plain`` that to nothing but the model.
    """
    base = plain if before.refusal else before
    judged = Judged(
        SUPPORTED,
        wanted.kind,
        said=tuple(_new_warnings(answer, base)),
        chosen=_new_choices(answer, base),
        assumed=tuple(item for item in answer.assumed if item not in base.assumed),
        unknown=tuple(map(_short, answer.unknown)),
    )
    for step in (_ended, _unanswered, _refused, _refused_later):
        found = step(judged, trial, answer, before)
        if found is not None:
            return found
    return _compared(judged, trial, wanted, answer)


def _ended(judged: Judged, trial: Trial, answer: Answer, before: Answer) -> Judged | None:
    if answer.refusal is None or not answer.refusal.is_end:
        return None
    verdict = CRASHED if answer.refusal.kind == DIED else TIMED_OUT
    return judged._replace(verdict=verdict, refusal=_shortened(answer.refusal))


def _unanswered(judged: Judged, trial: Trial, answer: Answer, before: Answer) -> Judged | None:
    if answer.unknown:
        return judged._replace(verdict=UNKNOWN)
    if answer.refusal is None and answer.stage not in _FAR_ENOUGH:
        return judged._replace(verdict=UNKNOWN, unknown=(f"ended after: {answer.stage}",))
    return None


def _refused(judged: Judged, trial: Trial, answer: Answer, before: Answer) -> Judged | None:
    if answer.refusal is None:
        return None
    refusal = _shortened(answer.refusal)
    return judged._replace(verdict=_kind_of(refusal, trial, before), refusal=refusal)


def _kind_of(refusal: Refusal, trial: Trial, before: Answer) -> str:
    """Tell a value that is refused from one that could not be tried."""
    without = _shortened(before.refusal) if before.refusal else None
    is_same = without is not None and without[:2] == refusal[:2]
    if trial.lacks or (is_same and not trial.is_stored):
        return NOT_RUNNABLE
    lacking = (kind for kind, sign in _LACKS if sign.search(refusal.kind) or sign.search(refusal.text))
    return next(lacking, REJECTED)


def _refused_later(judged: Judged, trial: Trial, answer: Answer, before: Answer) -> Judged | None:
    """Find a choice at which the engine gives up, or that only with this value nobody can foresee."""
    known = {(item.topic, item.because) for item in before.chosen if item.value is None}
    for item in answer.chosen:
        because = item.because[0] if item.value is None and item.because else ""
        is_new = (item.topic, item.because) not in known
        if because.startswith(_REFUSED):
            refusal = _shortened(Refusal("", because.removeprefix(_REFUSED), item.topic))
            is_own = is_new or trial.is_stored
            verdict = _kind_of(refusal, trial, before) if is_own else NOT_RUNNABLE
            return judged._replace(verdict=verdict, refusal=refusal)
        if because.startswith(_UNKNOWN) and is_new and before is not NOTHING:
            text = f"{item.topic}: {because.removeprefix(_UNKNOWN)}"
            return judged._replace(verdict=UNKNOWN, unknown=(_short(text),))
    return None


def _compared(judged: Judged, trial: Trial, wanted: Asked, answer: Answer) -> Judged:
    held = {path: answer.held[path].value for path in wanted.values if path in answer.held}
    differing = {path: got for path, got in held.items() if not _is_held(got, wanted.values[path])}
    if trial.is_open or all(_is_more(got, wanted.values[path]) for path, got in differing.items()):
        judged = _with_got(judged, wanted, differing)
        differing = {}
    if trial.is_open:
        return judged
    if differing:
        known = trial.default not in ((), ({},))
        is_default = known and all(holds(got, trial.default[0]) for got in differing.values())
        return _with_got(judged, wanted, differing)._replace(verdict=IGNORED if is_default else OVERRIDDEN)
    unseen = [path for path in wanted.values if path not in held]
    if unseen:
        return judged._replace(verdict=UNKNOWN, unknown=tuple(f"not seen: {path}" for path in unseen))
    return judged._replace(verdict=WITH_WARNINGS if judged.said else SUPPORTED)


def _is_held(got: Any, asked: Any) -> bool:
    """Tell whether the engine holds a value; what is switched off may be there for no kind of model."""
    return holds(got, asked) or (got is None and asked in (False, 0))


def _is_more(got: Any, asked: Any) -> bool:
    """Tell whether a list was only added to."""
    return isinstance(got, list) and isinstance(asked, list) and all(item in got for item in asked)


def _with_got(judged: Judged, wanted: Asked, differing: Json) -> Judged:
    verdict = WITH_WARNINGS if judged.said else SUPPORTED
    if not differing:
        return judged._replace(verdict=verdict)
    return judged._replace(
        verdict=verdict, asked={path: wanted.values[path] for path in differing}, got=differing
    )


def _new_warnings(answer: Answer, base: Answer) -> Iterator[Said]:
    known = {steady(item.text) for item in base.said}
    for item in answer.said:
        if item.level in _WARNINGS and steady(item.text) not in known:
            yield Said(item.level, _short(item.text), item.where)


def _new_choices(answer: Answer, base: Answer) -> Json:
    """Return what is chosen otherwise than without the value; None for what is no longer chosen."""
    known = {item.topic: item.value for item in base.chosen}
    found = {item.topic: item.value for item in answer.chosen if item.value is not None}
    gone = dict.fromkeys(topic for topic in known if topic not in {item.topic for item in answer.chosen})
    changed = {topic: value for topic, value in found.items() if topic not in known or known[topic] != value}
    return {**changed, **gone} if answer.chosen else {}


def _shortened(refusal: Refusal) -> Refusal:
    return Refusal(refusal.kind, _short(refusal.text), refusal.where)


def _short(text: str) -> str:
    """Return the beginning of what an engine says, the same for every process."""
    text = steady(cleaned(text))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
