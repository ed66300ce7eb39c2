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

_ESCAPE = ("unknown escape in a double-quoted text", "Use single quotes for a text with backslashes.")
_TAB = ("a tab cannot indent a line", "Indent with spaces.")
_FRIENDLIER = {
    "mapping values are not allowed in this context": (
        "a mapping is not allowed here",
        "Check the indentation, and quote a text that holds ': '.",
    ),
    "block sequence entries are not allowed in this context": (
        "a list is not allowed here",
        "Put each `- item` on its own line, or write [a, b]; quote a text that starts with '- '.",
    ),
    "mapping keys are not allowed in this context": (
        "a key is not allowed here",
        "Quote a text that starts with '? '.",
    ),
    "found character that cannot start any token": (
        "a value cannot start with this character",
        "Quote a text that starts with @, ` or %.",
    ),
    "found a tab character that violates indentation": _TAB,
    "found unknown escape character": _ESCAPE,
    "did not find expected hexdecimal number": _ESCAPE,
    "found invalid Unicode character escape code": (
        "the escape stands for no character",
        "Write the character itself.",
    ),
    "did not find expected alphabetic or numeric character": (
        "an anchor or alias without a name",
        "Quote a text that starts with & or *.",
    ),
    "did not find expected node content": (
        "a value is expected here",
        "Check the brackets and commas, here and above.",
    ),
    "did not find expected '-' indicator": (
        "a list item is expected here",
        "Check the indentation: keys cannot stand beside the items of a list.",
    ),
    "found unexpected ':'": ("a colon is not allowed here", "Put a space after the colon of a key."),
    "could not find expected ':'": (
        "a key without a colon",
        "Write `key: value`, with a space after the colon.",
    ),
    "did not find expected key": (
        "a key is expected here",
        "Check the indentation and the quotes, of this line and of those above.",
    ),
    "did not find expected <document start>": (
        "something stands after the end of the document",
        "Check the indentation: the rest of the file must belong to the same mapping.",
    ),
}


_TAG_HINT = "Remove the tag; quote the value if a text is meant."
_UNCLOSED = {
    "did not find expected ',' or ']'": ("list", "`,` or `]`"),
    "did not find expected ',' or '}'": ("mapping", "`,` or `}`"),
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
        self.anchors: dict[str, tuple[Any, int, int]] = {}
        self.open_anchors: set[str] = set()
        self.stack: list[_Frame] = []
        self.root: Any = None
        self.count = 0
        self.documents = 0
        self.duplicates: list[Diagnostic] = []

    def build(self, text: str) -> Document:
        """Read the whole text.

        Raises:
            Refused: at the first thing that cannot be read; ``duplicates`` holds what was found before.
        """
        loader = _Loader(text)
        try:
            while loader.check_event():
                self._take(loader.get_event())
        except yaml.YAMLError as error:
            raise Refused(_syntax(error, text)) from None
        except UnicodeDecodeError:  # libyaml unescapes %ED%A0%80 in a tag, and does not look at the result
            raise Refused(Diagnostic("L003", "a tag holds an escape that stands for no character")) from None
        finally:
            loader.dispose()
        if self.root is None:
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
            if event.version == (1, 1):
                raise _refuse("L005", "the file asks for YAML 1.1", event, "Remove the %YAML line.")
            self.documents += 1
            if self.documents > 1:
                raise _refuse(
                    "L005", "the file holds several documents", event, "Keep one document per file."
                )

    def _scalar(self, event: Any) -> None:
        if event.tag is not None:
            raise _refuse("L005", f"the tag {_tag(event)} is not supported", event, _TAG_HINT)
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
            self.anchors[event.anchor] = (value, 1, 0)
        return path

    def _start(self, event: Any, container: Any) -> None:
        if event.tag is not None:
            raise _refuse("L005", f"the tag {_tag(event)} is not supported", event, _TAG_HINT)
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
            self.anchors[frame.anchor] = (frame.container, *_measured(frame.container))

    def _alias(self, event: Any) -> None:
        name = event.anchor
        if self.stack and self.stack[-1].is_mapping and self.stack[-1].key is None:
            raise _refuse("L005", "a key must be a string, not an alias", event, "Write the key out.")
        if name in self.open_anchors:
            raise _refuse("L005", f"the alias {shown(name)} refers to the value it stands in", event, None)
        if name not in self.anchors:
            raise _refuse("L003", f"there is no anchor {shown(name)} above", event, None)
        value, size, height = self.anchors[name]
        if len(self.stack) + height > MAX_DEPTH:
            raise _refuse("L008", f"the aliases nest deeper than {MAX_DEPTH} levels", event, None)
        self.count += size
        if self.count > MAX_VALUES:
            raise _refuse("L008", "the aliases expand to too many values", event, None)
        self._put(_copy(value), _Unanchored(event.start_mark))


def _tag(event: Any) -> str:
    return shown(event.tag.replace("tag:yaml.org,2002:", "!!"))


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


def _measured(value: Any) -> tuple[int, int]:
    """Return how many values it holds, itself included, and how many levels of nesting."""
    if not isinstance(value, (dict, list)):
        return 1, 0
    inner = [_measured(item) for item in (value.values() if isinstance(value, dict) else value)]
    return 1 + sum(size for size, _ in inner), 1 + max((height for _, height in inner), default=0)


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
    """Say in our words what libyaml says, and point at what is open where the text ends too early."""
    problem = error.problem or error.context
    mark = error.problem_mark or error.context_mark
    ended = not text[mark.index :].strip()
    if problem == "found unexpected end of stream":
        return _unreadable("the quote is never closed", error.context_mark or mark, "Close the quote.")
    if problem in _UNCLOSED:
        what, missing = _UNCLOSED[problem]
        start = error.context_mark
        if ended:
            return _unreadable(f"the {what} is never closed", start, f"Add the missing {missing}.")
        opened = f"The {what} that starts at line {start.line + 1}, column {start.column + 1} is still open."
        return _unreadable(f"{missing} is expected here", mark, opened)
    if text[mark.index : mark.index + 1] == "\t" and problem == "found character that cannot start any token":
        return _unreadable(_TAB[0], mark, _TAB[1])
    message, hint = _FRIENDLIER.get(problem, (printable(problem, 120), None))
    if ended:
        return Diagnostic("L003", message, hint=hint, place=place_of(text.rstrip()))
    return _unreadable(message, mark, hint)


def _unreadable(message: str, mark: Any, hint: str | None) -> Diagnostic:
    return Diagnostic("L003", message, hint=hint, place=Place(mark.line + 1, mark.column + 1))
