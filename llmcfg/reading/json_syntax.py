"""What keeps a text from being JSON, in our words; loaded only when there is something to say.

Python's reader says where it gave up, in words that differ between its releases. What stands there, and
what stands before it, says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from json import JSONDecodeError
from typing import NamedTuple

from llmcfg.diagnostics import Diagnostic
from llmcfg.document import place_of
from llmcfg.printable import shown
from llmcfg.secrets import hidden

_TEXT = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKEN = re.compile(_TEXT + r"|[{}\[\]]", re.DOTALL)
_MARK = re.compile(_TEXT + r"|[{}\[\],:]", re.DOTALL)
_WORD = re.compile(r"[\w.+-]+")
_WORD_END = re.compile(r"[\w.+-]*\Z")
_NUMBER = re.compile(r"[-+]?(?:0[xob])?[0-9.][\w.+-]*", re.IGNORECASE)
_ZERO_LED = re.compile(r"(-?)0+([0-9]+(?:\.[0-9]+)?)")
_BASED = re.compile(r"0(?:[xX][0-9a-fA-F]{1,16}|[oO][0-7]{1,22}|[bB][01]{1,64})")
_GROUPED = re.compile(r"-?[1-9][0-9]{0,2}(?:_[0-9]{3}){1,8}")
_POINTED = re.compile(r"(-?)([0-9]*)\.([0-9]*)")
_KINDS = {"{": ("mapping", "}", "`,` or `}`"), "[": ("list", "]", "`,` or `]`")}
_CLOSING = {"}": "{", "]": "["}
_WORDS = {
    "True": "true", "TRUE": "true", "yes": "true", "on": "true",
    "False": "false", "FALSE": "false", "no": "false", "off": "false",
    "None": "null", "Null": "null", "NULL": "null", "nil": "null", "undefined": "null", "~": "null",
}  # fmt: skip
_COMMENTS = ("//", "/*", "#")
_TYPOGRAPHIC = "\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
_RENAME = "A file that ends in .json must be JSON; name it .yaml to write YAML."


class _Where(NamedTuple):
    """Where the reader gave up: the index of what stands there, that of what stands before, what is open."""

    text: str
    at: int
    before: int
    opened: int | None
    is_key: bool

    @property
    def here(self) -> str:
        """Return the character that stands there; nothing at the end of the text."""
        return self.text[self.at : self.at + 1]

    @property
    def last(self) -> str:
        """Return the last character before it that is no space."""
        return self.text[self.before : self.before + 1]


_Said = tuple[int, str, str | None]
_Look = Callable[[_Where], "_Said | None"]


def json_problem(error: JSONDecodeError, text: str) -> Diagnostic:
    """Say why the text is not JSON, and where."""
    if inside := _in_text(error, text):
        index, message, hint = inside
    else:
        where = _where(error, text)
        index, message, hint = next(filter(None, (look(where) for look in _LOOKS)))
    return Diagnostic("L003", f"not JSON: {message}", hint=hint, place=place_of(text[:index]))


def _in_text(error: JSONDecodeError, text: str) -> _Said | None:
    """Say what is wrong inside double quotes, by the reader's words, which are old enough to stay."""
    if error.msg.startswith("Unterminated string"):
        return error.pos, "the quote is never closed", "Close the quote."
    if error.msg.startswith("Invalid control character"):
        if text[error.pos] in "\r\n":
            hint = r"Close the quote; \n stands for a line break."
            return _unclosed_quote(text, error.pos), "the quote is not closed on its line", hint
        return error.pos, "a tab stands in a text", r"Write \t."
    if error.msg.startswith("Invalid \\"):
        index = text.rfind("\\", 0, error.pos + 1)
        return max(index, 0), "unknown escape in a text", r"Write \\ for a backslash."
    return None


def _unclosed_quote(text: str, end: int) -> int:
    """Return the start of the text that the line break at ``end`` stands in."""
    index = text.find('"')
    while (closed := _TOKEN.match(text, index)) and closed.end() <= end:
        index = text.find('"', closed.end())
    return index


def _where(error: JSONDecodeError, text: str) -> _Where:
    # Since Python 3.13 the comma itself is the place of a trailing comma.
    start = error.pos + error.msg.startswith("Illegal trailing comma")
    at = start + len(text[start:]) - len(text[start:].lstrip(" \t\r\n"))
    before = len(text[:at].rstrip(" \t\r\n")) - 1
    opened: list[int] = []
    for token in _TOKEN.finditer(text, 0, at):
        if token[0] in _KINDS:
            opened.append(token.start())
        elif token[0] in _CLOSING and opened:
            opened.pop()
    inner = opened[-1] if opened else None
    is_key = inner is not None and text[inner] == "{" and text[before] in "{,"
    return _Where(text, at, before, inner, is_key)


def _cut(where: _Where) -> _Said | None:
    """The text ends while something is open."""
    if where.here or where.opened is None:
        return None
    kind, bracket, _ = _KINDS[where.text[where.opened]]
    return where.opened, f"the {kind} is never closed", f"Add the missing `{bracket}`."


def _comment(where: _Where) -> _Said | None:
    if where.text.startswith(_COMMENTS, where.at):
        return where.at, "JSON has no comments", f"Remove it. {_RENAME}"
    return None


def _trailing_comma(where: _Where) -> _Said | None:
    if where.last == "," and where.here in _CLOSING:
        return where.before, "a comma before a closing bracket", "Remove the comma."
    return None


def _rest(where: _Where) -> _Said | None:
    """Something stands behind the end of the document, or the document is no JSON from its start."""
    if where.opened is not None:
        return None
    if where.before < 0 and where.here not in _CLOSING:
        return where.at, "the file does not start with `{`", _RENAME
    message = f"`{where.here}` closes nothing" if where.here in _CLOSING else "something stands after the end"
    return where.at, message, "Remove it, or check the brackets above."


def _quote(where: _Where) -> _Said | None:
    if where.here == "'":
        return where.at, "a text in single quotes", "Write it in double quotes."
    if where.here and where.here in _TYPOGRAPHIC:
        return where.at, "typographic quotes", "Write straight double quotes."
    return None


def _number(where: _Where) -> _Said | None:
    """A number that JSON writes in another way; the reader gives up behind its first digits."""
    glued = where.at - 1 == where.before and where.last not in "{[,:"
    start = where.at - len(_tail(where)) if glued else where.at
    found = _NUMBER.match(where.text, start)
    is_value = found and found.end() > where.at and (glued or where.last in "[,:")
    if found is None or not is_value or where.is_key:
        return None
    return start, f"{_told(found[0])} is no number of JSON", _plain_number(found[0])


def _tail(where: _Where) -> str:
    found = _WORD_END.search(where.text[max(where.at - 40, 0) : where.at])
    return found[0] if found else ""


def _plain_number(word: str) -> str | None:
    if found := _ZERO_LED.fullmatch(word):
        return f"Write {found[1]}{found[2].lstrip('0') or '0'}: a number has no leading zero."
    if _BASED.fullmatch(word):
        return f"Write {int(word, 0)}: JSON has decimal numbers alone."
    if _GROUPED.fullmatch(word):
        return f"Write the number without separators: {word.replace('_', '')}."
    if found := _POINTED.fullmatch(word.removeprefix("+")):
        sign, whole, rest = found.groups()
        return f"Write {sign}{whole or '0'}.{rest or '0'}: digits stand on both sides of the point."
    if word.startswith("+"):
        return f"Write {word[1:]}, without the plus."
    return "Write plain digits, or put it into double quotes if a text is meant."


def _bare(where: _Where) -> _Said | None:
    """A word without quotes, as a key or as a value."""
    found = _WORD.match(where.text, where.at)
    if found is None or where.last not in "{[,:":
        return None
    word = found[0]
    if where.is_key:
        return where.at, f"the key {_told(word)} has no quotes", "Write keys in double quotes."
    meant = f"Write {_WORDS[word]}." if word in _WORDS else "Write texts in double quotes."
    return where.at, f"{_told(word)} is no value of JSON", meant


def _missing(where: _Where) -> _Said | None:
    if where.is_key and where.here == ",":
        return where.at, "a key is expected here", "Remove the comma."
    if where.last == ":" or (where.last in "[," and where.here in ",:"):
        is_absent = where.here in ",:]}"
        hint = "Write a value; null stands for none." if is_absent else "Write texts in double quotes."
        return where.at, "a value is expected here", hint
    if where.is_key:
        return where.at, "a key is expected here", 'Write `"key": value`.'
    return None


def _colon(where: _Where) -> _Said | None:
    """A key is followed by something else than a colon."""
    start = where.opened or 0
    marks = _MARK.findall(where.text, start, where.at) if where.last == '"' else []
    if where.text[start] == "{" and marks[-2:-1] in (["{"], [","]):
        return where.at, "a colon is expected here", 'Write `"key": value`.'
    return None


def _still_open(where: _Where) -> _Said:
    kind, _, missing = _KINDS[where.text[where.opened or 0]]
    line, column = place_of(where.text[: where.opened])
    hint = f"The {kind} that starts at line {line}, column {column} is still open."
    return where.at, f"{missing} is expected here", hint


def _told(word: str) -> str:
    return shown(hidden(word), 40)


_LOOKS: tuple[_Look, ...] = (
    _cut, _comment, _trailing_comma, _rest, _quote, _number, _bare, _missing, _colon, _still_open,
)  # fmt: skip
