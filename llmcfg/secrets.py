"""Hide secrets in what is shown of a config: its lines in excerpts, and texts that a message quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from llmcfg.checking.security import is_secret, is_secret_name
from llmcfg.diagnostics import Path
from llmcfg.document import Document

_NAME = re.compile(r"""(?<![A-Za-z0-9_-])(-{0,2}[A-Za-z_][A-Za-z0-9_-]*)["']?[ \t]*[:=][ \t]*(?=\S)""")
_VALUE = re.compile(
    r"""\[[^\]\n]*\]?|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|[^,}\]#\s]+(?:[ \t]+[^,}\]#\s]+)*"""  # one line of it
)
_SHAPES = re.compile(
    r"\b(?:hf_(?:(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{8,}|[a-z]{16,})|sk-[A-Za-z0-9_-]{16,}|gh[opsu]_[A-Za-z0-9]{16,}|nvapi-[A-Za-z0-9_-]{16,})"
    r"|(?<=://)[^/\s:@]{1,200}:[^/\s@]{1,200}(?=@)"
)
_SHORTEST = 6
"""Characters of a secret that is hidden wherever else it stands: shorter ones stand in other words, too."""
_MOST_PIECES = 100

Span = tuple[int, int]


def hidden(text: str) -> str:
    """Hide what a text from outside gives away: ``HF_TOKEN=hf_…``, or a token by its shape."""
    return "".join(_replaced(text, _given_away(text), "***"))


def without_tokens(text: str) -> str:
    """Hide what has the shape of a token in what an engine says."""
    return _SHAPES.sub("***", text)


def covered(value: Any, path: Path) -> Any:
    """Return a value, which stands at the path, with each secret in it replaced."""
    if isinstance(value, dict):
        return {key: covered(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [covered(item, path) for item in value]
    return "***" if value is not None and not isinstance(value, bool) and is_secret(path) else value


def masked_text(document: Document) -> str:
    """Return the text of a document with an asterisk for each character of a secret, at equal length.

    It is made for excerpts: every place stays where it is. A text that could not be read is masked by what
    its lines look like.
    """
    text = document.text
    spans = [*_given_away(text), *_in_place(document), *_elsewhere(document)]
    return "".join(_replaced(text, spans, None))


def _replaced(text: str, spans: Iterable[Span], mask: str | None) -> Iterator[str]:
    done = 0
    for start, end in sorted(spans):
        if end > done:
            start = max(start, done)
            yield text[done:start]
            yield mask or "*" * (end - start)
            done = end
    yield text[done:]


def _given_away(text: str) -> Iterator[Span]:
    """Yield what follows the name of a secret, and what has the shape of one."""
    found = _NAME.search(text)
    while found:
        after = found.end()
        if is_secret_name(found[1]) and (value := _VALUE.match(text, after)):
            yield value.span()
            after = max(after, value.end())
        found = _NAME.search(text, after)
    yield from (found.span() for found in _SHAPES.finditer(text))


def _in_place(document: Document) -> Iterator[Span]:
    """Yield the first lines of the secrets, where they stand."""
    lines = [0, *(found.end() for found in re.finditer("\r\n|\n|\r", document.text))]
    for path, _ in _secrets(document.data, ()):
        place = document.values.get(path)
        if place and (value := _VALUE.match(document.text, lines[place.line - 1] + place.column - 1)):
            yield value.span()


def _elsewhere(document: Document) -> Iterator[Span]:
    """Yield the words of the secrets wherever they stand: behind an anchor, or in further lines."""
    words = (word for _, value in _secrets(document.data, ()) for word in str(value).split())
    for word in islice((word for word in words if len(word) >= _SHORTEST), _MOST_PIECES):
        yield from (found.span() for found in re.finditer(re.escape(word), document.text))


def _secrets(data: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(data, (dict, list)):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _secrets(value, (*path, key))
    elif data is not None and not isinstance(data, bool) and is_secret(path):
        yield path, data
