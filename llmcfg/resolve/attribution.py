"""Which parameters a symptom is due to: those without which the engine does not show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from llmcfg.diagnostics import Path
from llmcfg.resolve.question import Answer, Refusal
from llmcfg.resolve.resolution import Refused
from llmcfg.resolve.symptoms import REFUSAL, SAID, Symptom, refusal
from llmcfg.resolve.wording import cleaned, names
from llmcfg.resolve.written import Written

_MOST_ALONE = 40
_PARTS = 8
_MOST_PAIRED = 7
_MOST_CAUSES = 4
"""A message that is due to more parameters than this, such as one with their number, is due to none."""

LeftOut = tuple[Written, ...]


class Spent(Exception):
    """There is no time, or no question, left."""


class Trial(NamedTuple):
    """The answer to the config without some parameters, and what it shows."""

    answer: Answer
    shows: set[Symptom]


class Attribution(NamedTuple):
    """Causes of symptoms; ``is_cut`` tells that the search could not be finished."""

    causes: dict[Symptom, tuple[Path, ...]]
    refused: tuple[Refused, ...]
    is_cut: bool


class _Search:
    """Leaves parameters out, one by one where they are few, else in ever smaller groups."""

    def __init__(self, main: Trial, wanted: set[Symptom], ask: Callable[[LeftOut], Trial]) -> None:
        self.main = main
        self.wanted = wanted
        self.ask = ask
        self.causes: dict[Symptom, list[Written]] = {}
        self.healing: list[Written] = []
        self.is_cut = False

    def run(self, parameters: Sequence[Written]) -> None:
        try:
            for group in _groups(_named_first(parameters, self.wanted), _died(self.main)):
                self._look_into(group)
        except Spent:
            self.is_cut = True

    def _look_into(self, group: LeftOut) -> None:
        trial = self.ask(group)
        gone = self._gone(trial)
        heals = self.main.answer.refusal is not None and trial.answer.refusal is None
        if not gone:
            return
        if len(group) == 1:
            for symptom in gone:
                self.causes.setdefault(symptom, []).append(group[0])
            if heals:
                self.healing.append(group[0])
            return
        middle = len(group) // 2
        self._look_into(group[:middle])
        self._look_into(group[middle:])

    def _gone(self, trial: Trial) -> set[Symptom]:
        """Return what is not shown any more; a config refused for another reason says little else."""
        gone = self.wanted - trial.shows
        is_comparable = trial.answer.refusal is None or _text(trial) == _text(self.main)
        return gone if is_comparable else {symptom for symptom in gone if symptom.kind == REFUSAL}


def attribute(
    parameters: Sequence[Written], main: Trial, wanted: set[Symptom], ask: Callable[[LeftOut], Trial]
) -> Attribution:
    """Find the parameters that each of the ``wanted`` symptoms of the ``main`` answer is due to."""
    search = _Search(main, wanted, ask)
    search.run(parameters)
    refused = _refusals(search, parameters, main.answer.refusal) if main.answer.refusal else ()
    causes = {symptom: _paths(parameters, found) for symptom, found in search.causes.items()}
    for symptom in wanted:
        if symptom.kind == SAID and not 0 < len(causes.get(symptom, ())) <= _MOST_CAUSES:
            causes[symptom] = _paths(parameters, _naming(parameters, symptom.text))
    return Attribution(causes, refused, search.is_cut)


def _died(trial: Trial) -> bool:
    return trial.answer.refusal is not None and trial.answer.refusal.is_end


def _groups(parameters: Sequence[Written], is_costly: bool) -> Iterable[LeftOut]:
    """Return what to leave out at first: halves where most answers may take all the time they have."""
    if len(parameters) <= _MOST_ALONE and not is_costly:
        return [(item,) for item in parameters]
    size = -(-len(parameters) // (2 if is_costly else _PARTS))
    return [tuple(parameters[start : start + size]) for start in range(0, len(parameters), size)]


def _named_first(parameters: Sequence[Written], wanted: set[Symptom]) -> list[Written]:
    text = "\n".join(symptom.text for symptom in wanted)
    return sorted(parameters, key=lambda item: not _is_named(item, text))


def _is_named(item: Written, text: str) -> bool:
    own = {str(item.path[-1]), *(item.native[-1:] if item.native else ())}
    return any(names(text, name) for name in own)


def _naming(parameters: Iterable[Written], text: str) -> list[Written]:
    return [item for item in parameters if _is_named(item, text)]


def _paths(parameters: Iterable[Written], found: Iterable[Written]) -> tuple[Path, ...]:
    """Return the paths in the order of the file."""
    chosen = set(found)
    return tuple(item.path for item in parameters if item in chosen)


def _text(trial: Trial) -> Symptom | None:
    return refusal(trial.answer.refusal.text) if trial.answer.refusal else None


def _refusals(search: _Search, parameters: Sequence[Written], found: Refusal) -> tuple[Refused, ...]:
    """Return the refusal with what it is about, and the one that would come after it."""
    if refusal(found.text) not in search.wanted:
        return (Refused(found),)
    if search.healing:
        return (Refused(found, _paths(parameters, search.healing), heals=True),)
    if found.is_end:
        return (Refused(found),)
    changing = search.causes.get(refusal(found.text), [])
    try:
        pair = _healing_pair(search, parameters, changing, found)
        if pair is not None:
            return _of_pair(search, parameters, pair, found)
    except Spent:
        search.is_cut = True
    named = _naming(parameters, cleaned(found.text))
    return (Refused(found, _paths(parameters, named or changing)),)


def _healing_pair(
    search: _Search, parameters: Sequence[Written], changing: Sequence[Written], found: Refusal
) -> LeftOut | None:
    """Return two parameters without which the config is accepted, first those that the engine names."""
    for first in changing[:_MOST_PAIRED]:
        after = search.ask((first,)).answer.refusal
        for second in _named_first(parameters, {refusal(after.text)} if after else set()):
            if second != first and search.ask((first, second)).answer.refusal is None:
                return first, second
    named = _naming(parameters, found.text)[:_MOST_PAIRED]
    candidates = parameters if len(named) < 2 and len(parameters) <= _MOST_PAIRED else named
    pairs = combinations(candidates, 2)
    return next((pair for pair in pairs if search.ask(pair).answer.refusal is None), None)


def _of_pair(
    search: _Search, parameters: Sequence[Written], pair: LeftOut, found: Refusal
) -> tuple[Refused, ...]:
    """Tell one mistake that is made twice from one that hides another, or has it come of its absence."""
    own = refusal(found.text)
    for first, second in (pair, pair[::-1]):
        after = search.ask((first,)).answer.refusal
        if after is not None and refusal(after.text) != own == _text(search.ask((second,))):
            return (Refused(found, (first.path,)), Refused(after, (second.path,), without=(first.path,)))
    return (Refused(found, _paths(parameters, pair), heals=True, together=True),)
