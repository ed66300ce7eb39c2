"""The events of a JSON text, in the form in which PyYAML delivers those of YAML.

JSON is almost a part of YAML; libyaml refuses the rest (long keys, colons on lines of their own, tabs).
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import yaml

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s,:"{}\[\]]+', re.DOTALL)
_BREAK = re.compile("\r\n?|\n")
_BRACKETS: dict[str, Any] = {
    "{": yaml.MappingStartEvent, "[": yaml.SequenceStartEvent,
    "}": yaml.MappingEndEvent, "]": yaml.SequenceEndEvent,
}  # fmt: skip


def json_events(text: str) -> Iterator[Any]:
    """Yield the events of a text that is JSON, as was found out before."""
    starts = [0, *(found.end() for found in _BREAK.finditer(text))]
    for token in _TOKEN.finditer(text):
        yield _event(token[0], _mark(starts, token.start()), _mark(starts, token.end()))


def _event(word: str, start: yaml.Mark, end: yaml.Mark) -> Any:
    if word in ("{", "["):
        return _BRACKETS[word](None, None, True, start, end)
    if word in ("}", "]"):
        return _BRACKETS[word](start, end)
    if word.startswith('"'):
        return yaml.ScalarEvent(None, None, (False, True), json.loads(word), start, end, '"')
    return yaml.ScalarEvent(None, None, (True, False), word, start, end)


def _mark(starts: list[int], index: int) -> yaml.Mark:
    line = bisect_right(starts, index) - 1
    return yaml.Mark("", index, line, index - starts[line], None, 0)
