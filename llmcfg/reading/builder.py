"""Build data from YAML events, with the position of every key and value, and without recursion.

PyYAML's C parser delivers the events; its own constructor is not used, because it reads YAML 1.1,
keeps the last of two equal keys, and gives no positions.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml

from llmcfg.diagnostics import ERROR, MOST_PROBLEMS, WARNING, Diagnostic, Path, Place
from llmcfg.document import Document, copied, place_of
from llmcfg.printable import printable, shown
from llmcfg.reading.scalars import QUOTE, BadScalar, other_reading, plain_scalar

MAX_DEPTH = 64
MAX_VALUES = 200_000
MAX_ALIASED = 4 * 1024 * 1024
"""How many characters of text all aliases together may stand for."""

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MERGE = "<<"
_CONTENT = re.compile(r"^(?![ \t\r]*(?:#|(?:---|\.\.\.)[ \t\r]*(?:#|$)|$))", re.MULTILINE)
_GLUED = re.compile(r"""(?<=['"\[\]{},])#""")
_TAG_HINT = "Remove the tag; quote the value if a text is meant."
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_TAG = re.compile("!\\S*%[eE][dD]%[abAB]")


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


class _Size(NamedTuple):
    """How much an aliased value holds: values, itself included, levels of nesting, characters of text."""

    values: int
    height: int
    characters: int


class Builder:
    """Turns parser events into data, without recursion."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.anchors: dict[str, Any] = {}
        self.open_anchors: set[str] = set()
        self.stack: list[_Frame] = []
        self.root: Any = None
        self.count = 0
        self.aliased = 0
        self.documents = 0
        self.text = ""
        self.problems: list[Diagnostic] = []

    def build(self, text: str, json: bool = False) -> Document:
        """Read the whole text, as YAML, or as JSON if it is known to be that.

        Raises:
            Refused: at the first thing that cannot be read; ``problems`` holds what was found before.
        """
        self.text = text
        if json:
            from llmcfg.reading.json_events import json_events

            for event in json_events(text):
                _require_characters(event)
                self._take(event)
        else:
            self._read_yaml(text)
        if self.root is None:
            raise Refused(_empty())
        return Document(self.root, self.name, self.keys, self.values, tuple(self.problems), text)

    def _read_yaml(self, text: str) -> None:
        loader = LOADER(text)
        try:
            while loader.check_event():
                self._take(loader.get_event())
        except yaml.YAMLError as error:
            if not _CONTENT.search(text):
                raise Refused(_empty()) from None
            from llmcfg.reading.syntax import syntax_problem

            raise Refused(syntax_problem(error, text)) from None
        except UnicodeDecodeError:  # libyaml unescapes %ED%A0%80 in a tag, and does not look at the result
            raise Refused(_bad_tag(text)) from None
        finally:
            loader.dispose()
        if suspects := [found.start() for found in _GLUED.finditer(text)]:
            self._refuse_glued_comment(text, suspects)

    def _refuse_glued_comment(self, text: str, suspects: list[int]) -> None:
        from llmcfg.reading.comments import glued_comment

        if (index := glued_comment(text, suspects)) is not None:
            hint = "Put a space before the #, or quote the text that it is part of."
            place = place_of(text[:index])
            raise Refused(Diagnostic("L003", "a comment needs a space before it", hint=hint, place=place))

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
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.is_mapping and frame.key is None:
            self._key(frame, event)
            return
        if event.tag is not None:
            self._put_bad("L005", _no_tag(event), event, _TAG_HINT)
            return
        value: Any = event.value
        if not event.style:
            try:
                value = plain_scalar(value)
            except BadScalar as error:
                self._put_bad("L006", str(error), event, f"{error.hint} {QUOTE}")
                return
        path = self._put(value, event)
        if not event.value.isascii():
            self._look_at(event, path, key=False)
        elif not event.style and value is event.value:
            self._doubt(event, path, key=False)

    def _put_bad(self, code: str, reason: str, event: Any, hint: str | None) -> None:
        """Report a value that cannot be read, and read on: nothing else is said of it."""
        if not self.stack:
            raise _refuse(code, reason, event, hint)
        self._report(code, reason, event, hint, self._put(None, event))

    def _report(self, code: str, message: str, event: Any, hint: str | None, path: Path) -> None:
        """Note a problem and read on, unless there are more already than are shown."""
        if len(self.problems) > MOST_PROBLEMS:
            raise _refuse(code, message, event, hint)
        self.problems.append(Diagnostic(code, message, path, hint=hint, place=_place(event)))

    def _key(self, frame: _Frame, event: Any) -> None:
        name = event.value
        place = _place(event)
        path = (*frame.path, name)
        if name == _MERGE and not event.style:
            hint = "Write the values out, or alias the whole mapping."
            raise _refuse("L005", "merge keys (<<) are not YAML 1.2", event, hint)
        if name.isdigit() and not event.style and not _is_key(name):
            hint = "A number takes no comma: it separates entries here."
            raise _refuse("L005", f"the key {shown(name)} is not a text", event, hint)
        wrong = _wrong_key(event)
        if wrong is not None:
            self._report("L005", *wrong, path)
        if event.anchor is not None:
            self.anchors[event.anchor] = name
        if name in frame.container:
            from llmcfg.secrets import hidden

            first, said = self.keys[path], hidden(name)
            self.problems.append(
                Diagnostic(
                    "L004",
                    f"the key {shown(said)} stands twice",
                    path,
                    hint=f"The first one is on line {first.line}; remove one of them.",
                    place=place,
                    related=((f"first {printable(said, 60)}", first),),
                )
            )
        else:
            self.keys[path] = place
            if not name.isascii():
                self._look_at(event, path, key=True)
            elif not event.style and wrong is None and not name.removeprefix("-").isdigit():
                self._doubt(event, path, key=True)
        frame.key = name

    def _look_at(self, event: Any, path: Path, key: bool) -> None:
        """Report a text that is not what it looks like, unless its odd character was written as an escape."""
        from llmcfg.reading.lookalikes import hidden, named, unseen, without

        character = unseen(event.value) if key else hidden(event.value)
        if character is None or character not in self.text[event.start_mark.index : event.end_mark.index]:
            return
        meant = shown(without(character, event.value))
        self.problems.append(
            Diagnostic(
                "L002",
                f"the {_named(event, key)} holds {named(character)}, which cannot be seen",
                path,
                severity=ERROR if key else WARNING,
                hint=f"{f'Write {meant}' if key else 'Remove it'}, or write an escape in double quotes.",
                place=_place(event),
            )
        )

    def _doubt(self, event: Any, path: Path, key: bool) -> None:
        """Warn of two readings; where the schema allows one of them alone, the warning is dropped later."""
        other = other_reading(event.value)
        if other is None or len(self.problems) > MOST_PROBLEMS:
            return
        self.problems.append(
            Diagnostic(
                "L006",
                f"the {_named(event, key)} is {other} to readers of YAML 1.1",
                path,
                severity=WARNING,
                hint=f"Quote the {'key' if key else 'value'} if the text is meant.",
                place=_place(event),
            )
        )

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
            self.anchors[event.anchor] = value
        return path

    def _start(self, event: Any, container: Any) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise _refuse("L008", f"the document is nested deeper than {MAX_DEPTH} levels", event, None)
        if self.stack and self.stack[-1].is_mapping and self.stack[-1].key is None:
            raise _refuse("L005", "a key must be a string", event, "Write a plain word before the colon.")
        path = self._put(container, event)
        if event.tag is not None:
            self._report("L005", _no_tag(event), event, _TAG_HINT, path)
        if event.anchor is not None:
            self.open_anchors.add(event.anchor)
        self.stack.append(_Frame(container, path, event.anchor))

    def _end(self) -> None:
        frame = self.stack.pop()
        if frame.anchor is not None:
            self.open_anchors.discard(frame.anchor)
            self.anchors[frame.anchor] = frame.container

    def _alias(self, event: Any) -> None:
        name = event.anchor
        if self.stack and self.stack[-1].is_mapping and self.stack[-1].key is None:
            raise _refuse("L005", "a key must be a string, not an alias", event, "Write the key out.")
        if name in self.open_anchors:
            message = f"the alias {_discreet(name)} refers to the value it stands in"
            raise _refuse("L005", message, event, "Write the value out.")
        if name not in self.anchors:
            hint = "Quote the value if a text that starts with * is meant."
            raise _refuse("L003", f"there is no anchor {_discreet(name)} above", event, hint)
        value = self.anchors[name]
        size = _measured(value)
        if len(self.stack) + size.height > MAX_DEPTH:
            raise _refuse("L008", f"the aliases nest deeper than {MAX_DEPTH} levels", event, None)
        self.count += size.values
        if self.count > MAX_VALUES:
            raise _refuse("L008", "the aliases expand to too many values", event, None)
        self.aliased += size.characters
        if self.aliased > MAX_ALIASED:
            raise _refuse("L008", "the aliases expand to too much text", event, None)
        self._put(copied(value), _Unanchored(event.start_mark))


def _discreet(name: str) -> str:
    """Show the name of an anchor, which may be a token."""
    from llmcfg.secrets import hidden

    return shown(hidden(name))


def _named(event: Any, key: bool) -> str:
    """Name a key by its text; a value may be a secret."""
    return f"key {shown(event.value)}" if key else "text"


def _require_characters(event: Any) -> None:
    """Refuse half of a surrogate pair, which JSON can escape."""
    if type(event) is yaml.ScalarEvent and _SURROGATE.search(event.value):
        raise _refuse("L003", "an escape stands for no character", event, "Write the character itself.")


def _no_tag(event: Any) -> str:
    return f"the tag {shown(event.tag.replace('tag:yaml.org,2002:', '!!'))} is not supported"


def _wrong_key(event: Any) -> tuple[str, Any, str] | None:
    """Return what is wrong with a key that readers take for different things: message, event and hint."""
    name = event.value
    if event.tag is not None:
        return _no_tag(event), event, _TAG_HINT
    if event.anchor is not None:
        return "a key cannot carry an anchor", event, "Anchor the value instead."
    if event.style or _is_key(name):
        return None
    return f"the key {shown(name)} is not a text", event, "Quote the key."


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


def _measured(value: Any) -> _Size:
    if isinstance(value, str):
        return _Size(1, 0, len(value))
    if not isinstance(value, (dict, list)):
        return _Size(1, 0, 0)
    inner = [_measured(item) for item in (value.values() if isinstance(value, dict) else value)]
    return _Size(
        1 + sum(size.values for size in inner),
        1 + max((size.height for size in inner), default=0),
        sum(size.characters for size in inner) + (sum(map(len, value)) if isinstance(value, dict) else 0),
    )


def _bad_tag(text: str) -> Diagnostic:
    """Say where the tag may be: libyaml unescapes it, and gives no place for what is then no text."""
    found = _ESCAPED_TAG.search(text)
    place = place_of(text[: found.start()]) if found else Place(1, 1)
    return Diagnostic("L003", "a tag holds an escape for no character", hint=_TAG_HINT, place=place)


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
