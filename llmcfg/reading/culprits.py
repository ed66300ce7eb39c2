"""The line that breaks a text's syntax is often one above the place where libyaml gives up: find it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from llmcfg.checking.suggest import glued
from llmcfg.diagnostics import Diagnostic, Place
from llmcfg.document import lines_of

_LATE = frozenset(
    (
        "could not find expected ':'",
        "mapping values are not allowed in this context",
        "did not find expected key",
        "did not find expected <document start>",
        "did not find expected ',' or '}'",
        "did not find expected ',' or ']'",
        "did not find expected node content",
    )
)
"""What libyaml says of a line whose mistake it took for part of a longer text."""


class _Culprit(NamedTuple):
    """What a line looks like; ``at`` is the mistake. Without a hint it is what sticks to the key."""

    at: re.Pattern[str]
    message: str
    hint: str | None


_CULPRITS = (
    _Culprit(re.compile(r"^\s*(?P<at>//|/\*)"), "this is no comment in YAML", "A comment starts with #."),
    _Culprit(
        re.compile(r"(?<=[\s,{])(?P<at>//|/\*) "), "this is no comment in YAML", "A comment starts with #."
    ),
    _Culprit(re.compile(r"^\s*(?:- )?(?P<at>[\w.-]{1,80}\s*=)"), "an equals sign in place of a colon", None),
    _Culprit(re.compile(r"^\s*(?:- )?(?P<at>[\w.-]{1,80}:(?![\s/:]|$))"), "no space after the colon", None),
    _Culprit(
        re.compile(r"^\s*[\w.-]{1,80}:\s[^{\[]*(?P<at>[,;])\s*$"), "no mark ends a line in YAML", "Remove it."
    ),
    _Culprit(re.compile(r"^\s*(?P<at>[\w-]{1,80})\s*$"), "a key without a colon", "Write a colon after it."),
)


def culprit(error: Any, text: str) -> Diagnostic | None:
    """Return what is wrong with the line that libyaml stumbled over later, if a line shows it."""
    if error.problem not in _LATE:
        return None
    lines = lines_of(text)
    for number in _suspects(error, lines):
        for kind in _CULPRITS:
            if found := kind.at.search(lines[number]):
                start = found.start("at")
                hint = kind.hint or glued(lines[number][start:].strip())
                return Diagnostic("L003", kind.message, hint=hint, place=Place(number + 1, start + 1))
    return None


def _suspects(error: Any, lines: list[str]) -> Iterator[int]:
    """Yield the lines to look at: where the key began, where the reader gave up, and the one above."""
    last = min(error.problem_mark.line, len(lines) - 1)
    if error.context == "while scanning a simple key":
        yield error.context_mark.line
    yield last
    above = (number for number in range(last - 1, max(last - 20, -1), -1) if lines[number].strip())
    yield from islice((number for number in above if not lines[number].lstrip().startswith("#")), 1)
