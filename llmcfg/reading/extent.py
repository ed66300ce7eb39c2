"""How far the token reaches that stands at a place: what a report underlines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

import yaml

from llmcfg.diagnostics import Place
from llmcfg.reading.builder import LOADER

_BREAK = re.compile("\r\n|\n|\r")
_WORD = re.compile(r"[\w.+-]+|[^\s]")
_OPENING = (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)
_MOST_BEYOND = 1000
"""Tokens that are looked at behind the last place, for the end of a list or mapping."""


class Source:
    """A text with the offset of each of its lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        breaks = [found.span() for found in _BREAK.finditer(text)]
        self._starts = [0, *(end for _, end in breaks)]
        self._ends = [*(start for start, _ in breaks), len(text)]
        self._line = (0, "")

    def line(self, number: int) -> str:
        """Return a line without its end; nothing where the text has no such line."""
        if not 1 <= number <= len(self._starts):
            return ""
        if number != self._line[0]:
            self._line = number, self.text[self._starts[number - 1] : self._ends[number - 1]]
        return self._line[1]

    def offset(self, place: Place) -> int:
        """Return the index of the character at a place; the end of the line or text where it has none."""
        if place.line > len(self._starts):
            return len(self.text)
        return min(self._starts[place.line - 1] + place.column - 1, self._ends[place.line - 1])

    def place(self, offset: int) -> Place:
        """Return the place of the character at an index."""
        line = bisect_right(self._starts, offset)
        return Place(line, offset - self._starts[line - 1] + 1)

    def ends(self, places: Iterable[Place]) -> dict[Place, Place]:
        """Return for each place where its token ends: the place behind its last character."""
        wanted = {place: self.offset(place) for place in places}
        found = dict(_tokens(self.text, set(wanted.values()))) if wanted else {}
        return {
            place: max(place, self.place(found.get(offset) or _word_end(self.text, offset)))
            for place, offset in wanted.items()
        }


def _tokens(text: str, wanted: set[int]) -> Iterator[tuple[int, int]]:
    """Yield start and end of the tokens that begin at the wanted offsets, as libyaml's scanner sees them."""
    loader = LOADER(text)
    last, beyond = max(wanted), 0
    opened: list[int] = []
    try:
        while (token := loader.get_token()) is not None and beyond < _MOST_BEYOND:
            start, end = token.start_mark.index, token.end_mark.index
            if isinstance(token, _OPENING):
                opened.append(start)
            elif isinstance(token, _CLOSING) and opened:
                start = opened.pop()
            beyond += start > last
            if start in wanted and end > start and not isinstance(token, _OPENING):
                yield start, start + len(text[start:end].rstrip())
            if beyond and not any(offset in wanted for offset in opened):
                return
    except (yaml.YAMLError, UnicodeDecodeError):  # the latter: a tag with an escape for no character
        return
    finally:
        loader.dispose()


def _word_end(text: str, offset: int) -> int:
    """Return the end of the word at an offset of a text that is not YAML; the offset itself between words."""
    found = _WORD.match(text, offset)
    return found.end() if found else offset
