"""A config as read: its data, and where each key and value stands in the file."""

from __future__ import annotations

from typing import Any, NamedTuple

from llmcfg.diagnostics import Diagnostic, Path, Place


class Document(NamedTuple):
    """Plain data (dict, list, str, int, float, bool, None) with positions.

    ``keys`` and ``values`` map a path to the place of its key and of its value; both are empty
    for a config that did not come from a file. ``text`` is what was read, for excerpts; empty where the
    bytes are no text.
    """

    data: Any
    file: str | None = None
    keys: dict[Path, Place] = {}
    values: dict[Path, Place] = {}
    problems: tuple[Diagnostic, ...] = ()
    text: str = ""

    def key_place(self, path: Path) -> Place | None:
        """Return where the key (or list item) stands; the nearest enclosing one if it is absent."""
        while path and path not in self.keys:
            path = path[:-1]
        return self.keys.get(path) or self.values.get(path)

    def written(self, path: Path) -> Path:
        """Return the path under which a native key is written: perhaps below ``extra``."""
        positions = range(len(path), 0, -1)
        inserted = ((*path[:position], "extra", *path[position:]) for position in positions)
        return next((one for one in (path, *inserted) if one in self.keys), path)

    def value_place(self, path: Path) -> Place | None:
        """Return where the value stands; the nearest enclosing one if it is absent."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path)


def place_of(before: str) -> Place:
    """Return the place that follows the text ``before``."""
    lines = lines_of(before)
    return Place(len(lines), len(lines[-1]) + 1)


def lines_of(text: str) -> list[str]:
    """Split a text where YAML and editors see the end of a line."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def copied(value: Any) -> Any:
    """Copy plain data, so that two places do not share lists and mappings."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value
