"""Make text from outside safe to print: control, bidirectional and invisible characters are escaped."""

from __future__ import annotations

import re

BIDIRECTIONAL = "\u202a-\u202e\u2066-\u2069"
"""Controls that reorder what is shown, so that a text reads as another one."""
INVISIBLE = (
    f"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f{BIDIRECTIONAL}\u2060-\u2065"
    "\u206a-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""Spaces that are none to YAML."""
_UNSAFE = f"[\x00-\x08\x0b-\x1f\x7f-\x9f{SPACES}\u2028\u2029{INVISIBLE}\ud800-\udfff]"


def printable(text: str, limit: int = 400) -> str:
    """Escape what a terminal might act on or hide, and cut what is longer than ``limit`` characters."""
    if len(text) > limit:
        text = f"{text[: limit - 1]}…"
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_UNSAFE, _escape, text)


def one_line(text: str, limit: int = 400) -> str:
    """Make a text printable that must not begin a line of its own, such as the name of a file."""
    return printable(text, limit).replace("\n", "\\n").replace("\t", "\\t")


def shown(value: object, limit: int = 60) -> str:
    """Show a config value in a message, in the form in which JSON writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value if len(value) <= limit else f"{value[: limit - 1]}…"
        return one_line(f"'{text}'")
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return text if len(text) <= limit else f"{text[:limit]}…"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
