"""One config before one engine: ask, find out what each thing that it says is due to, and gather."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from llmcfg.compiled import Compiled
from llmcfg.document import Document
from llmcfg.lower import ENV, lower
from llmcfg.resolve.attribution import Attribution, LeftOut, Spent, Trial, attribute
from llmcfg.resolve.engines import Answering
from llmcfg.resolve.outcome import IS_TELLING, outcome
from llmcfg.resolve.question import Answer, Model, Question
from llmcfg.resolve.resolution import Message, Open, Parameter, Refused
from llmcfg.resolve.symptoms import SAID, Symptom, open_question, said, symptoms
from llmcfg.resolve.written import Written, without, written

MOST_QUESTIONS = 160
_LEAST_SECONDS = 10.0
_PATIENCE = 10


class Limits(NamedTuple):
    """``seconds`` bounds one answer; finding out what things are due to may take ``search`` seconds."""

    seconds: float
    search: float


class Findings(NamedTuple):
    """What one session found out."""

    answer: Answer
    parameters: tuple[Parameter, ...]
    messages: tuple[Message, ...]
    unknown: tuple[Open, ...]
    attribution: Attribution
    questions: int


class Session:
    """Questions about one config, without some of its parameters, to one engine.

    Raises:
        EngineFailed: from everything that asks, if the engine's process ended.
    """

    def __init__(
        self, engine: Answering, document: Document, compiled: Compiled, model: Model, limits: Limits
    ):
        section = document.data.get(compiled.backend)
        self._section: dict[str, Any] = section if isinstance(section, dict) else {}
        self._engine = engine
        self._document = document
        self._compiled = compiled
        self._model = model
        self._limits = limits
        self._seconds = limits.seconds
        self._trials: dict[frozenset[Written], Trial] = {}
        self._end = 0.0
        self.parameters = written(compiled.backend, self._section)

    def run(self) -> Findings:
        """Ask as often as it takes, within the limits."""
        main = self._trial(())
        self._end = time.monotonic() + self._limits.search
        usual = self._usual(main)
        due = self._attributed(main, main.shows - usual)
        return Findings(
            main.answer,
            tuple(outcome(item, main, due, self._compiled, self._document) for item in self.parameters),
            tuple(_message(item, due, usual) for item in main.answer.said),
            tuple(Open(text, due.causes.get(open_question(text), ())) for text in main.answer.unknown),
            due,
            len(self._trials),
        )

    def _usual(self, main: Trial) -> set[Symptom]:
        """Return what the engine shows for a config with nothing but the model, too."""
        if not main.shows or not self.parameters:
            return main.shows
        started = time.monotonic()
        usual = self._trial(tuple(self.parameters)).shows
        self._seconds = min(self._seconds, max(_LEAST_SECONDS, _PATIENCE * (time.monotonic() - started)))
        return usual

    def _attributed(self, main: Trial, wanted: set[Symptom]) -> Attribution:
        """Leave parameters out, unless there is nothing that anybody has to be told about."""
        if all(symptom.kind == SAID for symptom in wanted) and not _tells(main.answer, wanted):
            found = main.answer.refusal
            return Attribution({}, (Refused(found),) if found else (), False)
        return attribute(self.parameters, main, wanted, self._asked)

    def _asked(self, left_out: LeftOut) -> Trial:
        is_spent = len(self._trials) >= MOST_QUESTIONS or time.monotonic() > self._end
        if is_spent and frozenset(left_out) not in self._trials:
            raise Spent
        return self._trial(left_out)

    def _trial(self, left_out: LeftOut) -> Trial:
        key = frozenset(left_out)
        if key not in self._trials:
            native, env = self._lowered(left_out)
            answer = self._engine.ask(Question(native, env, self._model), self._seconds)
            self._trials[key] = Trial(answer, symptoms(answer, self.parameters, {**native, ENV: env}))
        return self._trials[key]

    def _lowered(self, left_out: LeftOut) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
        if not left_out:
            return self._compiled.native, self._compiled.env
        section = without(self._section, [item.whole for item in left_out])
        native: dict[str, Any] = dict(lower(self._compiled.backend, section, self._compiled.model).native)
        return native, native.pop(ENV, {})


def _tells(answer: Answer, wanted: Iterable[Symptom]) -> bool:
    """Tell whether there is a warning among what is said."""
    return any(item.level.lower() in IS_TELLING and said(item.text) in set(wanted) for item in answer.said)


def _message(item: Any, due: Attribution, usual: set[Symptom]) -> Message:
    symptom = said(item.text)
    return Message(item, due.causes.get(symptom, ()), symptom in usual)
