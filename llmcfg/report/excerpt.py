"""The line of a place with a mark below its token, as wide as a terminal shows it."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from llmcfg.diagnostics import Place
from llmcfg.printable import printable
from llmcfg.report.look import Look

_TAB = 4
_CUT = "..."
_NO_WIDTH = frozenset(("Mn", "Me"))
_JAMO = range(0x1160, 0x1200)
"""Vowels and endings of Hangul syllables, which stand in the column of the consonant before them."""


class _Cell(NamedTuple):
    """A character as it is shown, and the columns that it takes."""

    text: str
    width: int


def excerpt(line: str, place: Place, end: Place, look: Look, style: str) -> list[str]:
    """Return the lines of an excerpt: number and text, and marks under the token; none for a blank line."""
    if not line or line.isspace():
        return []
    number = str(place.line)
    gutter = look.paint(f"{' ' * len(number)} |", "gutter")
    last = end.column - 1 if end.line == place.line else len(line)
    room = look.width - len(number) - 3
    text, indent, marks = _cut(line, place.column - 1, last, look._replace(width=room))
    return [
        gutter,
        f"{look.paint(f'{number} |', 'gutter')} {text}",
        f"{gutter} {' ' * indent}{look.paint('^' * marks, style)}",
    ]


def _cut(line: str, start: int, last: int, look: Look) -> tuple[str, int, int]:
    """Return what fits of a line, the columns before the token, and those of the token."""
    first, rest = max(0, start - look.width), start + look.width
    cells = _cells(line[first:rest], look.encoding)
    at, till = min(start - first, len(cells)), last - first
    more = len(_CUT) if rest < len(line) else 0
    left = _left(cells, at, look.width, is_cut=first > 0, behind=max(_width(cells[at:]) + more, 1))
    head = _CUT if left or first else ""
    right, tail = len(cells), ""
    if _width(cells[left:]) + more > look.width - len(head):
        right, tail = _right(cells, left, look.width - len(head) - len(_CUT)), _CUT
    text = "".join(cell.text for cell in cells[left:right])
    marks = max(_width(cells[at : min(till, right)]), 1)
    return f"{head}{text}{tail}".rstrip(), len(head) + _width(cells[left:at]), marks


def _left(cells: list[_Cell], at: int, room: int, *, is_cut: bool, behind: int) -> int:
    """Return the first cell to show: two thirds of the room are for the token and what is behind it."""
    room -= min(behind, room * 2 // 3)
    if not is_cut and _width(cells[:at]) <= room:
        return 0
    room -= len(_CUT)
    left = at
    while left and (room := room - cells[left - 1].width) >= 0:
        left -= 1
    return left


def _right(cells: list[_Cell], left: int, room: int) -> int:
    """Return the cell before which the text is cut."""
    right = left
    while right < len(cells) and (room := room - cells[right].width) >= 0:
        right += 1
    return right


def _cells(text: str, encoding: str) -> list[_Cell]:
    cells: list[_Cell] = []
    column = 0
    for character in text:
        cell = _cell(character, column, encoding)
        column += cell.width
        cells.append(cell)
    return cells


def _cell(character: str, column: int, encoding: str) -> _Cell:
    if character == "\t":
        width = _TAB - column % _TAB
        return _Cell(" " * width, width)
    shown = printable(character).encode(encoding, "backslashreplace").decode(encoding)
    return _Cell(shown, len(shown) if len(shown) > 1 else _columns(shown))


def _columns(character: str) -> int:
    if unicodedata.category(character) in _NO_WIDTH or ord(character) in _JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _width(cells: list[_Cell]) -> int:
    return sum(cell.width for cell in cells)
