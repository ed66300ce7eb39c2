"""What a machine that is not there was asked: answered on trust, or not at all."""

from __future__ import annotations

from typing import Any

from llmcfg.resolve.question import Assumption

_assumed: dict[str, Assumption] = {}
_unknown: dict[str, None] = {}


class Unforeseen(Exception):
    """The engine asked the virtual machine something that nobody here can answer."""


def assume(question: str, answer: Any, source: str) -> Any:
    """Note that the answer was taken on trust, and return it."""
    _assumed[question] = Assumption(question, answer, source)
    return answer


def unforeseen(question: str) -> Unforeseen:
    """Note that the question could not be answered, and return the exception to raise."""
    _unknown[question] = None
    return Unforeseen(question)


def assumed() -> tuple[Assumption, ...]:
    """Return what was assumed so far, in the order of the questions."""
    return tuple(_assumed.values())


def unknown() -> tuple[str, ...]:
    """Return what could not be answered so far."""
    return tuple(_unknown)


def forget() -> None:
    """Begin anew."""
    _assumed.clear()
    _unknown.clear()
