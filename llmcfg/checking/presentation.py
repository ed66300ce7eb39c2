"""A file's problems as people are told: each once, odd characters by name, no more than anybody reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmcfg.diagnostics import ERROR, MOST_PROBLEMS, WARNING, Diagnostic, Path
from llmcfg.document import Document, place_of

_ODD, _TWICE, _UNKNOWN_KEY = "L002", "L004", "L101"
_AMBIGUOUS = "L006"
_AMBIGUOUS_TEXT = "the text is "
_READINGS: dict[str, Any] = {"true": True, "false": False, "a number": 1, "a date": {}, "a special mark": {}}
_NAMED = frozenset((_UNKNOWN_KEY, "L007", "L102", "L103", "L303"))
"""Codes whose cause may be a character that looks like another one."""


def presented(found: Iterable[Diagnostic], document: Document) -> list[Diagnostic]:
    """Return the problems of a file, which are in the order of the file, as they are reported."""
    twice = {item.path for item in document.problems if item.code == _TWICE}
    problems = _narrowed([item for item in found if not _is_unsettled(item, twice)], document.data)
    odd = {item.path: item.severity for item in document.problems if item.code == _ODD}
    wrong = {item.path for item in problems if item.code in _NAMED} if document.problems else set()
    clear = _clear([item for item in problems if item.code == _AMBIGUOUS], document.data)
    told = [
        item
        for item in problems
        if not _repeats(item, odd, wrong) and not (item.code == _AMBIGUOUS and item.path in clear)
    ]
    return _limited([_with_names(item, document.data) for item in _within(told, document.text)])


def _within(found: list[Diagnostic], text: str) -> list[Diagnostic]:
    """Keep places inside the text: libyaml puts a value that is absent at the end below the last line."""
    end = place_of(text)
    return [item._replace(place=end) if text and item.place and item.place > end else item for item in found]


def _repeats(item: Diagnostic, odd: dict[Path, str], wrong: set[Path]) -> bool:
    """Tell whether another one says it: of an odd key what it is, of a refused value that it is refused."""
    if item.code == _UNKNOWN_KEY:
        return odd.get(item.path) == ERROR
    return item.code in (_ODD, _AMBIGUOUS) and item.severity != ERROR and item.path in wrong


def _is_unsettled(item: Diagnostic, twice: set[Path]) -> bool:
    """Tell whether it is about a value of which there are two: which one is meant is not known."""
    if item.code == _UNKNOWN_KEY and item.path in twice:
        return False
    return item.code != _TWICE and any(item.path[: len(path)] == path for path in twice)


def _clear(problems: list[Diagnostic], data: Any) -> set[Path]:
    """Return where the schema refuses the other reading of ambiguous texts, so that only one is possible."""
    doubtful = [item for item in problems if item.message.startswith(_AMBIGUOUS_TEXT)]
    if not doubtful or not isinstance(data, dict):
        return set()
    holders = [(_value(data, item.path[:-1]), item.path[-1]) for item in doubtful]
    texts = [holder[key] for holder, key in holders]
    for item, (holder, key) in zip(doubtful, holders, strict=True):
        holder[key] = _other_reading(item)
    refused = _refused(data)
    for text, (holder, key) in zip(texts, holders, strict=True):
        holder[key] = text
    return refused


def _narrowed(problems: list[Diagnostic], data: Any) -> list[Diagnostic]:
    """Keep of two ways out the one that the schema allows, where a number could not be read."""
    unread = {item.path: item for item in problems if _is_unread(item)}
    if not unread or not isinstance(data, dict):
        return problems
    textless, numberless = (_mistyped(data, list(unread), value) for value in ("text", 1))
    return [
        item._replace(hint=_way_out(item.hint or "", item.path in textless, item.path in numberless))
        if unread.get(item.path) is item
        else item
        for item in problems
    ]


def _is_unread(item: Diagnostic) -> bool:
    return item.code == _AMBIGUOUS and item.severity == ERROR and bool(item.path)


def _way_out(hint: str, textless: bool, numberless: bool) -> str:
    if textless == numberless:
        return hint
    from llmcfg.reading.scalars import QUOTE

    return hint.removesuffix(QUOTE).rstrip() if textless else QUOTE


def _mistyped(data: dict[str, Any], paths: list[Path], value: Any) -> set[Path]:
    """Return at which of the paths the value would be of a wrong type."""
    holders = [(_value(data, path[:-1]), path[-1]) for path in paths]
    before = [holder[key] for holder, key in holders]
    for holder, key in holders:
        holder[key] = value
    refused = _refused(data, "type")
    for old, (holder, key) in zip(before, holders, strict=True):
        holder[key] = old
    return refused


def _other_reading(item: Diagnostic) -> Any:
    words = item.message.removeprefix(_AMBIGUOUS_TEXT)
    return next(value for reading, value in _READINGS.items() if words.startswith(reading))


def _refused(data: dict[str, Any], keyword: str | None = None) -> set[Path]:
    from llmcfg.catalog import backends
    from llmcfg.checking.checker import violations

    sections: list[Path] = [(name,) for name in backends() if isinstance(data.get(name), dict)]
    places = [("root", ()), *((str(section[0]), section) for section in sections)]
    return {
        (*path, *one.path)
        for name, path in places
        for one in violations(name, _value(data, path))
        if keyword in (None, one.keyword)
    }


def _with_names(item: Diagnostic, data: Any) -> Diagnostic:
    if item.code not in _NAMED:
        return item
    text = item.path[-1] if item.code == _UNKNOWN_KEY else _value(data, item.path)
    if not isinstance(text, str) or text.isascii():
        return item
    from llmcfg.reading.lookalikes import note

    return item._replace(hint=f"{item.hint} {note(text)}" if item.hint else note(text))


def _value(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _limited(found: list[Diagnostic]) -> list[Diagnostic]:
    """Keep the first problems, errors before others, and say that there are more."""
    if len(found) <= MOST_PROBLEMS:
        return found
    first = sorted(range(len(found)), key=lambda number: found[number].severity != ERROR)[:MOST_PROBLEMS]
    kept = [found[number] for number in sorted(first)]
    dropped_error = sum(item.severity == ERROR for item in found) > MOST_PROBLEMS
    more = Diagnostic(
        "L008",
        f"the file has more than {MOST_PROBLEMS} problems; the others are not shown",
        severity=ERROR if dropped_error else WARNING,
        hint="Mend these first.",
        place=kept[-1].place,
    )
    return [*kept, more]
