"""Build data from YAML events, with the position of every key and value, and without recursion.

PyYAML's C parser delivers the events; its own constructor is not used, because it reads YAML 1.1,
keeps the last of two equal keys, and gives no positions.
"""

from __future__ import annotations

from typing import Any

import yaml

from llmcfg.diagnostics import Diagnostic, Path, Place
from llmcfg.document import Document
from llmcfg.printable import printable, shown
from llmcfg.scalars import BadScalar, plain_scalar

MAX_DEPTH = 64
MAX_VALUES = 200_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_FRIENDLIER = {
    "mapping values are not allowed in this context": (
        "a mapping is not allowed here",
        "Check the indentation, and quote a text that holds ': '.",
    ),
    "mapping values are not allowed here": (
        "a mapping is not allowed here",
        "Check the indentation, and quote a text that holds ': '.",
    ),
    "found character that cannot start any token": (
        "a value cannot start with this character",
        "Indent with spaces, not tabs; quote a text that starts with @, ` or %.",
    ),
    "could not find expected ':'": (
        "a key without a colon",
        "Write `key: value`, with a space after the colon.",
    ),
    "did not find expected key": (
        "a key is expected here",
        "Check the indentation and the quotes of the lines above.",
    ),
    "did not find expected ',' or ']'": ("the list is not closed", "Add the missing `,` or `]`."),
    "did not find expected ',' or '}'": ("the mapping is not closed", "Add the missing `,` or `}`."),
    "found unexpected end of stream": ("the text ends inside a quoted string", "Close the quote."),
    "did not find expected <document start>": (
        "something stands after the end of the document",
        "Check the indentation: the rest of the file must belong to the same mapping.",
    ),
}


class Refused(Exception):
    """The text cannot be read as a config; ``problem`` says why."""

    def __init__(self, problem: Diagnostic) -> None:
        self.problem = problem
        super().__init__(problem.message)


def place_of(before: str) -> Place:
    """Return the place that follows the text ``before``."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Place(len(lines), len(lines[-1]) + 1)


class _Frame:
    __slots__ = ("anchor", "container", "is_mapping", "key", "path")

    def __init__(self, container: Any, path: Path, anchor: str | None) -> None:
        self.container = container
        self.path = path
        self.anchor = anchor
        self.is_mapping = isinstance(container, dict)
        self.key: str | None = None


class Builder:
    """Turns parser events into data, without recursion."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.open_anchors: set[str] = set()
        self.stack: list[_Frame] = []
        self.root: Any = None
        self.count = 0
        self.documents = 0
        self.duplicates: list[Diagnostic] = []

    def build(self, text: str) -> Document:
        loader = _Loader(text)
        try:
            while loader.check_event():
                self._take(loader.get_event())
        except yaml.YAMLError as error:
            raise Refused(_syntax(error, text)) from None
        except ValueError as error:  # libyaml's rare own conversions, e.g. a huge %YAML version
            raise Refused(Diagnostic("L003", printable(str(error)), place=Place(1, 1))) from None
        finally:
            loader.dispose()
        if self.documents == 0:
            raise Refused(_empty())
        return Document(self.root, self.name, self.keys, self.values, tuple(self.duplicates))

    def _take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._start(event, {})
        elif kind is yaml.SequenceStartEvent:
            self._start(event, [])
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._end()
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self.documents += 1
            if self.documents > 1:
                raise _refuse(
                    "L005", "the file holds several documents", event, "Keep one document per file."
                )

    def _scalar(self, event: Any) -> None:
        if event.tag is not None:
            raise _refuse("L005", f"the tag {shown(event.tag)} is not supported", event, "Remove the tag.")
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.is_mapping and frame.key is None:
            self._key(frame, event)
            return
        value: Any = event.value
        if not event.style:
            try:
                value = plain_scalar(value)
            except BadScalar as error:
                raise _refuse("L006", str(error), event, "Quote it if a text is meant.") from None
        self._put(value, event)

    def _key(self, frame: _Frame, event: Any) -> None:
        name = event.value
        if event.anchor is not None:
            raise _refuse("L005", "a key cannot carry an anchor", event, "Anchor the value instead.")
        if not event.style:
            if name == "<<":
                raise _refuse(
                    "L005",
                    "merge keys (<<) are not YAML 1.2",
                    event,
                    "Write the values out, or alias the whole mapping.",
                )
            if not _is_key(name):
                raise _refuse("L005", f"the key {shown(name)} is not a text", event, "Quote the key.")
        place = _place(event)
        path = (*frame.path, name)
        if name in frame.container:
            first = self.keys[path]
            self.duplicates.append(
                Diagnostic(
                    "L004",
                    f"the key {shown(name)} stands twice",
                    path,
                    hint=f"The first one is on line {first.line}; remove one of them.",
                    place=place,
                    related=((f"first {printable(name, 60)}", first),),
                )
            )
        else:
            self.keys[path] = place
        frame.key = name

    def _put(self, value: Any, event: Any) -> Path:
        self.count += 1
        if self.count > MAX_VALUES:
            raise _refuse("L008", f"the document holds more than {MAX_VALUES} values", event, None)
        if not self.stack:
            path: Path = ()
            self.root = value
        else:
            frame = self.stack[-1]
            if frame.is_mapping:
                path = (*frame.path, frame.key or "")
                frame.container[frame.key] = value
                frame.key = None
            else:
                path = (*frame.path, len(frame.container))
                frame.container.append(value)
                self.keys[path] = _place(event)
        self.values[path] = _place(event)
        if event.anchor is not None and type(event) is yaml.ScalarEvent:
            self.anchors[event.anchor] = (value, 1)
        return path

    def _start(self, event: Any, container: Any) -> None:
        if event.tag is not None:
            raise _refuse("L005", f"the tag {shown(event.tag)} is not supported", event, "Remove the tag.")
        if len(self.stack) >= MAX_DEPTH:
            raise _refuse("L008", f"the document is nested deeper than {MAX_DEPTH} levels", event, None)
        if self.stack and self.stack[-1].is_mapping and self.stack[-1].key is None:
            raise _refuse("L005", "a key must be a string", event, "Write a plain word before the colon.")
        path = self._put(container, event)
        if event.anchor is not None:
            self.open_anchors.add(event.anchor)
        self.stack.append(_Frame(container, path, event.anchor))

    def _end(self) -> None:
        frame = self.stack.pop()
        if frame.anchor is not None:
            self.open_anchors.discard(frame.anchor)
            self.anchors[frame.anchor] = (frame.container, _size(frame.container))

    def _alias(self, event: Any) -> None:
        name = event.anchor
        if self.stack and self.stack[-1].is_mapping and self.stack[-1].key is None:
            raise _refuse("L005", "a key must be a string, not an alias", event, "Write the key out.")
        if name in self.open_anchors:
            raise _refuse("L005", f"the alias {shown(name)} refers to the mapping it stands in", event, None)
        if name not in self.anchors:
            raise _refuse("L003", f"there is no anchor {shown(name)} above", event, None)
        value, size = self.anchors[name]
        self.count += size
        if self.count > MAX_VALUES:
            raise _refuse("L008", "the aliases expand to too many values", event, None)
        self._put(_copy(value), _Unanchored(event.start_mark))


def _is_key(name: str) -> bool:
    """Tell whether a bare key is a text to every reader, or an integer (a token id, a GPU number)."""
    try:
        value = plain_scalar(name)
    except BadScalar:
        return False
    return isinstance(value, str) or (type(value) is int and str(value) == name)


class _Unanchored:
    """Stands in for an alias event where a value is put: an alias has a place, and anchors nothing."""

    anchor = None

    def __init__(self, mark: Any) -> None:
        self.start_mark = mark


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_size, value.values()))
    if isinstance(value, list):
        return 1 + sum(map(_size, value))
    return 1


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _place(event: Any) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1)


def _refuse(code: str, message: str, event: Any, hint: str | None) -> Refused:
    return Refused(Diagnostic(code, message, hint=hint, place=_place(event)))


def _empty() -> Diagnostic:
    return Diagnostic(
        "L007",
        "the config is empty",
        hint="`llmcfg init` writes a starter config.",
        place=Place(1, 1),
    )


def _syntax(error: Any, text: str) -> Diagnostic:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        position = getattr(error, "position", 0)
        character = getattr(error, "character", None)
        what = f"the character {character!a} is not allowed" if character else "the text cannot be read"
        return Diagnostic("L002", what, place=place_of(text[:position]))
    problem = getattr(error, "problem", None) or getattr(error, "context", None) or "syntax error"
    message, hint = _FRIENDLIER.get(problem, (printable(problem, 120), None))
    return Diagnostic("L003", message, hint=hint, place=Place(mark.line + 1, mark.column + 1))
