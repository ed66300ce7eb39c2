"""Make text from outside safe to print: control, bidirectional and invisible characters are escaped."""

from __future__ import annotations

import re

_UNSAFE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def printable(text: str, limit: int = 400) -> str:
    """Escape what a terminal might act on or hide, and cut what is longer than ``limit`` characters."""
    if len(text) > limit:
        text = f"{text[: limit - 1]}…"
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_UNSAFE, _escape, text)


def shown(value: object, limit: int = 60) -> str:
    """Show a config value in a message, in the form in which JSON writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value if len(value) <= limit else f"{value[: limit - 1]}…"
        return printable(f"'{text}'".replace("\n", "\\n").replace("\t", "\\t"))
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return text if len(text) <= limit else f"{text[:limit]}…"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
