"""Build data from YAML events, with the position of every key and value, and without recursion.

PyYAML's C parser delivers the events; its own constructor is not used, because it reads YAML 1.1,
keeps the last of two equal keys, and gives no positions.
"""

from __future__ import annotations

from typing import Any

import yaml

from llmcfg.diagnostics import Diagnostic, Path, Place
from llmcfg.document import Document, copied
from llmcfg.printable import printable, shown
from llmcfg.scalars import BadScalar, plain_scalar

MAX_DEPTH = 64
MAX_VALUES = 200_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TAG_HINT = "Remove the tag; quote the value if a text is meant."


class Refused(Exception):
    """The text cannot be read as a config; ``problem`` says why."""

    def __init__(self, problem: Diagnostic) -> None:
        self.problem = problem
        super().__init__(problem.message)


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
            from llmcfg.syntax import syntax_problem

            raise Refused(syntax_problem(error, text)) from None
        except UnicodeDecodeError:  # libyaml unescapes %ED%A0%80 in a tag, and does not look at the result
            raise Refused(Diagnostic("L003", "a tag holds an escape that stands for no character")) from None
        finally:
            loader.dispose()
        if self.root is None:
            raise Refused(_empty())
        return Document(self.root, self.name, self.keys, self.values, tuple(self.duplicates), text)

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
        self._put(copied(value), _Unanchored(event.start_mark))


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
