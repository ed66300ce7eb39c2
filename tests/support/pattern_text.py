"""The plainest text that a regular expression matches."""

from __future__ import annotations

import re
import string
from typing import Any

try:
    from re import _parser as parser
except ImportError:  # Python 3.10
    import sre_parse as parser  # type: ignore[no-redef]

_PLAIN = string.ascii_letters + string.digits + string.punctuation + " \t\n"
_CATEGORIES = {
    "CATEGORY_DIGIT": "0",
    "CATEGORY_SPACE": " ",
    "CATEGORY_WORD": "a",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_SPACE": "a",
    "CATEGORY_NOT_WORD": "-",
}


def matching(pattern: str) -> str | None:
    """Return a text that ``pattern`` matches; None where it needs more than its plainest reading."""
    text = _text(parser.parse(pattern))
    return text if re.search(pattern, text) else None


def _text(parsed: Any) -> str:
    return "".join(_part(str(kind), value) for kind, value in parsed)


def _part(kind: str, value: Any) -> str:
    if kind in ("LITERAL", "NOT_LITERAL"):
        return chr(value) if kind == "LITERAL" else next(sign for sign in _PLAIN if ord(sign) != value)
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        return _text(value[2]) * int(value[0])
    if kind == "SUBPATTERN":
        return _text(value[3])
    if kind == "BRANCH":
        return _text(value[1][0])
    if kind == "IN":
        return _of_class(value)
    return "a" if kind == "ANY" else ""


def _of_class(members: Any) -> str:
    (kind, value), *_ = members
    if str(kind) == "NEGATE":
        return next(sign for sign in _PLAIN if not any(_is_in(sign, *member) for member in members[1:]))
    if str(kind) == "CATEGORY":
        return _CATEGORIES[str(value)]
    return chr(value[0] if str(kind) == "RANGE" else value)


def _is_in(sign: str, kind: Any, value: Any) -> bool:
    if str(kind) == "RANGE":
        return bool(value[0] <= ord(sign) <= value[1])
    if str(kind) == "CATEGORY":
        escape = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(value).rpartition("_")[2]]
        return bool(re.match(escape, sign)) is not str(value).startswith("CATEGORY_NOT")
    return bool(ord(sign) == value)
