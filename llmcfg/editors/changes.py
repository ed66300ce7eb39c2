"""What an editor's settings need: files as they will be, and advice where one is better left alone."""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
from typing import NamedTuple

from llmcfg.cli.configs import NAMES
from llmcfg.editors.jsonc import Unmergeable

PATTERNS = tuple(pattern for name in NAMES for pattern in (name, f"*.{name}"))
"""The names of configs, as editors' settings match files."""
_OWN = re.compile(r"llmcfg[-.\w]*\.schema\.json")


class Mapping(NamedTuple):
    """The schema as the settings name it, and the files that it is for, both seen from the folder."""

    folder: str
    schema: str
    patterns: tuple[str, ...]


class Change(NamedTuple):
    """A file of settings: its whole new ``text``, or None and what to add to it by hand."""

    path: str
    text: str | None
    advice: str = ""


def mapping(folder: str, schema: str, config: str) -> Mapping:
    """Map the schema to the usual names, and to the config's own where that is none of them."""
    own = posixpath.join(*os.path.relpath(config, folder).split(os.sep))
    usual = any(fnmatch.fnmatchcase(os.path.basename(config), pattern) for pattern in PATTERNS)
    return Mapping(folder, schema, PATTERNS if usual or not own.isprintable() else (*PATTERNS, own))


def is_own(schema: str) -> bool:
    """Tell whether a path is that of a schema of llmcfg, of whatever version."""
    return _OWN.fullmatch(schema.replace("\\", "/").rpartition("/")[2]) is not None


def present(folder: str, *names: str) -> str | None:
    """Return the text of a file below the folder with its own line ends; None where there is none.

    Raises:
        Unmergeable: if it is no UTF-8 text, or a link leads elsewhere.
        OSError: if it cannot be read.
    """
    path = os.path.join(folder, *names)
    if os.path.realpath(path) != os.path.join(os.path.realpath(folder), *names):
        raise Unmergeable("a link leads elsewhere")
    if not os.path.lexists(path):
        return None
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError:
        raise Unmergeable("it is no UTF-8 text") from None
