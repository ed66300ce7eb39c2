"""Asks an engine on one device about trials, and judges what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from llmcfg.audit.plan import BASELINE
from llmcfg.audit.trial import Trial
from llmcfg.audit.values import DEFAULT, VALUE
from llmcfg.audit.verdict import (
    IGNORED,
    NOT_RUNNABLE,
    NOTHING,
    OVERRIDDEN,
    REJECTED,
    SUPPORTED,
    UNKNOWN,
    WITH_WARNINGS,
    Asked,
    Judged,
    asked,
    judge,
)
from llmcfg.lower import ENV, lower
from llmcfg.resolve.client import EngineFailed
from llmcfg.resolve.engines import Answering
from llmcfg.resolve.kinds import plain
from llmcfg.resolve.models import KIND
from llmcfg.resolve.question import DIED, Answer, Engine, Model, Question, Refusal

Json = dict[str, Any]
_TAKEN = (SUPPORTED, WITH_WARNINGS)
_TRIED = (*_TAKEN, OVERRIDDEN, IGNORED, UNKNOWN)
_OPEN_ROLES = (VALUE, DEFAULT)
SECONDS = 60.0
Opener = Callable[[], AbstractContextManager[Answering]]


class Asker:
    """An engine on a device; a context manager. An engine that ends is started anew, and asked again once."""

    def __init__(self, opened: Opener) -> None:
        self._opened = opened
        self._known: dict[str, Answer] = {}

    def __enter__(self) -> Asker:
        self._stack = ExitStack()
        self._answering = self._stack.enter_context(self._opened())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def engine(self) -> Engine:
        """Who answers."""
        return self._answering.engine

    def judged(self, trial: Trial, is_expected: bool = False) -> Judged:
        """Try a value with each kind of model that will do, until one supports it; else the first counts.

        ``is_expected``: that the value is refused on this device is no surprise. Otherwise the other kinds
        are tried as well: what cannot be tried with one kind may be with another, and what one kind
        refuses another may take.
        """
        first = self._first(trial, trial.kinds)
        if is_expected or trial.role not in _OPEN_ROLES or first.verdict not in (REJECTED, NOT_RUNNABLE):
            return first
        other = self._first(trial, tuple(kind for kind in plain() if kind not in trial.kinds), _TRIED)
        if other.verdict in (REJECTED, NOT_RUNNABLE):
            return first
        if first.verdict == NOT_RUNNABLE:
            return other
        return first._replace(otherwise={"model": other.model, "verdict": other.verdict})

    def _first(self, trial: Trial, kinds: tuple[str, ...], wanted: tuple[str, ...] = _TAKEN) -> Judged:
        """Return the first judgement with a verdict that is wanted, else the very first."""
        found: list[Judged] = []
        for kind in kinds:
            found.append(self._with_kind(trial, kind))
            if found[-1].verdict in wanted:
                return found[-1]
        return found[0]

    def _with_kind(self, trial: Trial, kind: str) -> Judged:
        native, env = _lowered(trial.backend, trial.document, kind)
        question = Question(native, env, Model(f"{KIND}{kind}"), with_choices=trial.with_layers)
        if trial.role == BASELINE:
            return judge(trial, Asked({}, kind), self._ask(question), NOTHING, NOTHING)
        other, other_env = _lowered(trial.backend, trial.before, kind)
        before = self._remembered(question._replace(native=other, env=other_env))
        nothing, no_env = _lowered(trial.backend, {**trial.before, trial.backend: {}}, kind)
        plain = self._remembered(question._replace(native=nothing, env=no_env))
        wanted = Asked(asked({**native, ENV: env}, {**other, ENV: other_env}), kind)
        return judge(trial, wanted, self._ask(question), before, plain)

    def _remembered(self, question: Question) -> Answer:
        mark = json.dumps(question, sort_keys=True, default=str)
        if mark not in self._known:
            self._known[mark] = self._ask(question)
        return self._known[mark]

    def _ask(self, question: Question) -> Answer:
        try:
            return self._answering.ask(question, SECONDS)
        except EngineFailed:
            self._restart()
        try:
            return self._answering.ask(question, SECONDS)
        except EngineFailed as failed:
            self._restart()
            return Answer("nothing", Refusal(DIED, str(failed)))

    def _restart(self) -> None:
        self.__exit__()
        self.__enter__()


def _lowered(backend: str, document: Json, kind: str) -> tuple[Json, dict[str, str]]:
    """Return the native config and its environment, whatever llmcfg thinks of it."""
    native: Json = {**lower(backend, document[backend], f"{KIND}{kind}").native}
    return native, dict(native.pop(ENV, {}))
