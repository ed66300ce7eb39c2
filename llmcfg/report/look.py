"""How a report looks on a stream: with excerpts on a terminal, in colour where that is welcome."""

from __future__ import annotations

import os
from typing import NamedTuple, TextIO

ALWAYS, AUTO, NEVER = "always", "auto", "never"
_CODES = {"error": "1;31", "warning": "1;33", "info": "1;36", "note": "1;36", "hint": "1;36", "strong": "1"}
_CODES |= {"gutter": "34"}
_WIDTH, _NARROWEST = 80, 40


class Look(NamedTuple):
    """What the stream shows well; as it is made, plain lines for other programs."""

    excerpts: bool = False
    colour: bool = False
    width: int = _WIDTH
    encoding: str = "utf-8"

    def paint(self, text: str, style: str) -> str:
        """Return the text in the colours of a style."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.colour and text else text


def look(stream: TextIO | None, wish: str = AUTO) -> Look:
    """Return the look for a stream: by the wish (``--color``), NO_COLOR, FORCE_COLOR, the terminal."""
    forced = wish == ALWAYS or bool(os.environ.get("FORCE_COLOR"))
    if stream is None or not (forced or _is_terminal(stream)):
        return Look()
    unwanted = wish == NEVER or (wish == AUTO and bool(os.environ.get("NO_COLOR")))
    return Look(True, not unwanted, _width(stream), stream.encoding or "ascii")


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:
        return False


def _width(stream: TextIO) -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns[:6]):
        return max(int(columns[:6]), _NARROWEST)
    try:
        return max(os.get_terminal_size(stream.fileno()).columns or _WIDTH, _NARROWEST)
    except (OSError, ValueError):
        return _WIDTH
