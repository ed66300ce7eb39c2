"""Configs as a user types them, in YAML and in JSON: one key per line, with the place of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.editors.client import Place

CURSOR = "<cursor>"
"""Stands in a mapping (as a key), for a value, or for the only item of a list: its place is remembered."""
Path = tuple[str | int, ...]


class Line(NamedTuple):
    """A line, and the path of what stands on it; its key begins at the indent."""

    path: Path
    indent: int
    text: str


class Document(NamedTuple):
    """A text, and the places of its keys by their paths."""

    text: str
    places: dict[Path, Place]
    cursor: Place


def document(data: Any, schema: str, language: str) -> Document:
    """Write the config in the language, with the line that names the schema."""
    if language == "json":
        return _document(
            [Line((), 0, "{"), *_json({"$schema": f"file://{schema}", **data}, (), 1), Line((), 0, "}")]
        )
    return _document([Line((), 0, f"# yaml-language-server: $schema={schema}"), *_yaml(data, (), 0)])


def _document(lines: list[Line]) -> Document:
    places = {line.path: Place(number, line.indent) for number, line in enumerate(lines)}
    at = next((number for number, line in enumerate(lines) if CURSOR in line.text), 0)
    cursor = Place(at, lines[at].text.find(CURSOR))
    return Document("\n".join(line.text.replace(CURSOR, "") for line in lines), places, cursor)


def _yaml(data: Any, path: Path, indent: int) -> Iterator[Line]:
    for key, value in data.items():
        here = (*path, key)
        head = " " * indent + (CURSOR if key == CURSOR else f"{key}:")
        if isinstance(value, dict) and value:
            yield Line(here, indent, head)
            yield from _yaml(value, here, indent + 2)
        elif value == [CURSOR]:
            yield Line(here, indent, head)
            yield Line((*here, 0), indent + 2, f"{' ' * indent}  - {CURSOR}")
        else:
            yield Line(here, indent, head + _scalar(key, value))


def _scalar(key: str, value: Any) -> str:
    if key == CURSOR:
        return ""
    return f" {value if value == CURSOR else json.dumps(value)}"


def _json(data: Any, path: Path, indent: int) -> Iterator[Line]:
    last = len(data) - 1
    for number, (key, value) in enumerate(data.items()):
        here, end = (*path, key), "," * (number < last)
        if key == CURSOR:
            yield Line(here, indent, " " * indent + CURSOR)
        elif isinstance(value, dict) and value:
            yield Line(here, indent, f"{' ' * indent}{json.dumps(key)}: {{")
            yield from _json(value, here, indent + 1)
            yield Line((*here, "}"), indent, " " * indent + "}" + end)
        else:
            written = json.dumps(value).replace(f'"{CURSOR}"', CURSOR)
            yield Line(here, indent, f"{' ' * indent}{json.dumps(key)}: {written}{end}")
