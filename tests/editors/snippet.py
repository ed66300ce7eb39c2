"""What an editor does with a completion: its snippet resolved, and put into the text."""

from __future__ import annotations

import re

from tests.editors.client import Json

_CHOICE = re.compile(r"\$\{\d+\|([^,|}]*)[^}]*\}")
_PREFILLED = re.compile(r"\$\{\d+:((?:[^}\\]|\\.)*)\}")
_EMPTY = re.compile(r"\$\{\d+\}|(?<!\\)\$\d+")
_ESCAPED = re.compile(r"\\([$}\\])")


def inserted(item: Json) -> str:
    """Return the text of a completion as a snippet."""
    edit = item.get("textEdit")
    return str(edit["newText"] if edit else item.get("insertText", item["label"]))


def resolved(snippet: str, blank: str) -> str:
    """Fill a snippet: a choice with its first value, an empty place with ``blank``."""
    chosen = _PREFILLED.sub(r"\1", _CHOICE.sub(r"\1", snippet))
    return _ESCAPED.sub(r"\1", _EMPTY.sub(blank, chosen))


def applied(text: str, item: Json, blank: str) -> str:
    """Put a completion into the text; its further lines take over the indent of the line."""
    place = item["textEdit"]["range"]
    lines = text.split("\n")
    line = lines[place["start"]["line"]]
    indent = " " * (len(line) - len(line.lstrip()))
    new = resolved(inserted(item), blank).replace("\n", f"\n{indent}")
    start, end = place["start"]["character"], place["end"]["character"]
    lines[place["start"]["line"]] = line[:start] + new + line[end:]
    return "\n".join(lines)
