"""What there is to explain in an answer: a refusal, a message, an altered value, an open question."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from llmcfg.resolve.equality import holds
from llmcfg.resolve.question import Answer, Held
from llmcfg.resolve.wording import steady
from llmcfg.resolve.written import Written

REFUSAL, SAID, ALTERED, OPEN = "refusal", "said", "altered", "open"
_ABSENT: Any = object()


class Symptom(NamedTuple):
    """One of them; the text is the same in every answer that shows it."""

    kind: str
    text: str


def symptoms(answer: Answer, parameters: Iterable[Written], native: dict[str, Any]) -> set[Symptom]:
    """Return what an answer shows, where ``native`` was asked."""
    found = {said(item.text) for item in answer.said} | {open_question(text) for text in answer.unknown}
    if answer.refusal:
        found.add(refusal(answer.refusal.text))
    found |= {
        altered(item.native) for item in parameters if item.native and _is_altered(item, answer, native)
    }
    return found


def refusal(text: str) -> Symptom:
    """Return the symptom of a refusal with this text."""
    return Symptom(REFUSAL, steady(text))


def said(text: str) -> Symptom:
    """Return the symptom of a message with this text."""
    return Symptom(SAID, steady(text))


def open_question(text: str) -> Symptom:
    """Return the symptom of a question that nobody could answer."""
    return Symptom(OPEN, text)


def altered(native: tuple[str, ...]) -> Symptom:
    """Return the symptom of a value that the engine does not hold as asked."""
    return Symptom(ALTERED, ".".join(native))


def asked_for(native: dict[str, Any], path: tuple[str, ...]) -> Any:
    """Return what a native config holds at a path.

    Raises:
        KeyError: if it holds nothing there.
    """
    value: Any = native
    for key in path:
        value = value[key]
    return value


def gathered(path: tuple[str, ...], asked: Any, held: dict[str, Held]) -> tuple[Any, str | None, bool]:
    """Return what is held of a value, where, and whether all of it was found.

    The answer has an entry for each value inside of nested mappings.
    """
    own = held.get(".".join(path))
    if own is not None:
        return own.value, own.place, True
    if not isinstance(asked, dict) or not asked:
        return None, None, False
    parts = {key: gathered((*path, str(key)), value, held) for key, value in asked.items()}
    found = {key: value for key, (value, place, _) in parts.items() if place is not None}
    places = [place for _, place, _ in parts.values() if place is not None]
    return found or None, _common(places), all(is_whole for _, _, is_whole in parts.values())


def _common(places: list[str]) -> str | None:
    """Return the longest dotted place that all of these lie in."""
    if not places:
        return None
    split = [place.split(".") for place in places]
    shared = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared) or places[0]


def is_placeholder(value: Any) -> bool:
    """Tell whether a value leaves the decision to the engine."""
    return value is None or value == "auto"


def _is_altered(item: Written, answer: Answer, native: dict[str, Any]) -> bool:
    assert item.native is not None  # noqa: S101 - the caller has asked for it
    try:
        asked = asked_for(native, item.native)
    except (KeyError, TypeError):
        return False
    got, place, _ = gathered(item.native, asked, answer.held)
    return place is not None and not is_placeholder(asked) and not holds_found(got, asked)


def holds_found(got: Any, asked: Any) -> bool:
    """Tell whether what was found of a value is as asked; parts that were not found are no difference."""
    if isinstance(asked, dict) and isinstance(got, dict):
        return all(
            is_placeholder(asked[key]) or holds_found(value, asked[key])
            for key, value in got.items()
            if key in asked
        )
    return holds(got, asked)
