"""Add to a JSON file with comments, as editors keep their settings, and leave every other byte as it is."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

_TOKEN = re.compile(
    r"""(?P<space>[\s\ufeff]+|//[^\n]*|/\*.*?\*/)|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<sign>[{}\[\]:,])|(?P<word>[^\s{}\[\]:,"/]+)""",
    re.DOTALL,
)
_DEEPEST = 64


class Unmergeable(ValueError):
    """The file is no JSON, or holds something else where the addition belongs."""


class Node(NamedTuple):
    """A value and where it stands; ``inside`` holds the members of an object or the items of a list."""

    value: Any
    start: int
    end: int
    inside: dict[Any, Node]
    keys: dict[str, tuple[int, int]]


def parse(text: str) -> Node:
    """Read JSON with comments and trailing commas.

    Raises:
        Unmergeable: if the text is anything else.
    """
    tokens = _Tokens(text)
    node = tokens.value(0)
    if tokens.peek() is not None:
        raise Unmergeable("something follows the value")
    return node


def added(text: str, path: tuple[str, ...], value: Any) -> str:
    """Return the text with ``value`` set at a new key of an object, made where it is missing.

    Raises:
        Unmergeable: if something else than objects is on the way, or the key is there.
    """
    node = parse(text)
    for i, key in enumerate(path):
        if not isinstance(node.value, dict):
            raise Unmergeable(f"{'.'.join(path[:i]) or 'the file'} is no object")
        if key not in node.inside:
            for outer in reversed(path[i + 1 :]):
                value = {outer: value}
            return _inserted(text, node, f"{json.dumps(key)}: ", value, i + 1)
        node = node.inside[key]
    raise Unmergeable(f"{'.'.join(path)} is there")


def appended(text: str, path: tuple[str, ...], value: Any) -> str:
    """Return the text with ``value`` as the first item of the list at ``path``, made where it is missing.

    Raises:
        Unmergeable: if something else is there.
    """
    node = parse(text)
    for i, key in enumerate(path):
        if not isinstance(node.value, dict):
            raise Unmergeable(f"{'.'.join(path[:i]) or 'the file'} is no object")
        if key not in node.inside:
            return added(text, path, [value])
        node = node.inside[key]
    if not isinstance(node.value, list):
        raise Unmergeable(f"{'.'.join(path)} is no list")
    return _inserted(text, node, "", value, len(path) + 1)


def replaced(text: str, span: tuple[int, int], value: str) -> str:
    """Return the text with another string in place of a key or a value."""
    return text[: span[0]] + json.dumps(value, ensure_ascii=False) + text[span[1] :]


def _inserted(text: str, node: Node, label: str, value: Any, depth: int) -> str:
    step = _step(text)
    line = "\n" + step * depth
    body = line + (label + json.dumps(value, indent=step, ensure_ascii=False)).replace("\n", line)
    body += "," if node.inside else "\n" + step * (depth - 1)
    rest = text[node.start + 1 :]
    ending = "\r\n" if "\r\n" in text else "\n"
    return text[: node.start + 1] + body.replace("\n", ending) + (rest if node.inside else rest.lstrip())


def _step(text: str) -> str:
    """Return the file's own indentation: that of its first indented line."""
    match = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    return match[1] if match else "  "


class _Tokens:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self) -> re.Match[str] | None:
        """Return the next token that is no space or comment; None at the end."""
        while self.at < len(self.text):
            match = _TOKEN.match(self.text, self.at)
            if match is None:
                raise self._no_json()
            if match.lastgroup != "space":
                return match
            self.at = match.end()
        return None

    def next(self, wanted: str = "") -> re.Match[str]:
        match = self.peek()
        if match is None or (wanted and match.group() not in wanted):
            raise self._no_json()
        self.at = match.end()
        return match

    def value(self, depth: int) -> Node:
        match = self.next()
        if match.group() in "{[" and depth < _DEEPEST:
            return self._group(match, depth + 1)
        return Node(self._plain(match), match.start(), match.end(), {}, {})

    def _plain(self, match: re.Match[str]) -> Any:
        try:
            return json.loads(match.group())
        except ValueError:
            raise self._no_json() from None

    def _no_json(self) -> Unmergeable:
        line = self.text.count("\n", 0, self.at) + 1
        return Unmergeable(f"it is no JSON at line {line}")

    def _group(self, opening: re.Match[str], depth: int) -> Node:
        closing = "}" if opening.group() == "{" else "]"
        inside: dict[Any, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        while (match := self.peek()) is not None and match.group() != closing:
            key: Any = self._key(keys) if closing == "}" else len(inside)
            inside[key] = self.value(depth)
            if (match := self.peek()) is None or match.group() != closing:
                self.next(",")
        end = self.next(closing).end()
        whole = {key: node.value for key, node in inside.items()}
        return Node(whole if closing == "}" else list(whole.values()), opening.start(), end, inside, keys)

    def _key(self, keys: dict[str, tuple[int, int]]) -> str:
        match = self.next()
        if match.lastgroup != "text":
            raise self._no_json()
        key = str(self._plain(match))
        if key in keys:
            raise Unmergeable(f"{key} is there twice")
        keys[key] = match.span()
        self.next(":")
        return key
