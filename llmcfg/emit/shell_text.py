"""Write command lines for a POSIX shell; what a terminal would act on or hide is written as an escape."""

from __future__ import annotations

import re
import shlex

from llmcfg.printable import INVISIBLE

_UNSAFE = re.compile(f"[\x01-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{INVISIBLE}]+")


def shell_line(words: list[str]) -> str:
    """Return a command, and the newline that ends it; words without NUL arrive as they are."""
    return " ".join(map(_word, words)) + "\n"


def _word(text: str) -> str:
    """Quote a word; the shell's own printf makes the characters that are not written out."""
    if not _UNSAFE.search(text):
        return shlex.quote(text)
    written, start = "", 0
    for unsafe in _UNSAFE.finditer(text):
        written += _quoted(text[start : unsafe.start()]) + _printed(unsafe[0])
        start = unsafe.end()
    return written + _quoted(text[start:])


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else ""


def _printed(text: str) -> str:
    """Write characters as octal bytes; none of them is a newline, which the shell would take away."""
    octal = "".join(f"\\{byte:03o}" for byte in text.encode())
    return f"\"$(printf '{octal}')\""
