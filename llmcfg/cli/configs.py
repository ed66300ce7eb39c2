"""Which configs a command line means: files as they are named, and what folders hold."""

from __future__ import annotations

import os
from collections.abc import Iterator

from llmcfg.diagnostics import Diagnostic
from llmcfg.document import Document
from llmcfg.errors import UserError
from llmcfg.reading.reader import read

STANDARD_INPUT = "-"
NAMES = ("llmcfg.yaml", "llmcfg.yml", "llmcfg.json")
"""The names that configs have in a folder; anything and a dot may stand before them."""
_ENDINGS = tuple(f".{name}" for name in NAMES)
_YAML = (".yaml", ".yml")
_SKIPPED = frozenset(("node_modules", "__pycache__"))
_LOOKED_FOR = f"Looked for {', '.join((*NAMES, *(f'*.{name}' for name in NAMES)))}, then for any YAML file."
_ENVIRONMENT = "pyvenv.cfg"
"""The file that makes a folder a virtual environment."""


def configs(names: tuple[str, ...]) -> Iterator[Document]:
    """Read each config once, in the order of the command line; folders are searched.

    Raises:
        UserError: if standard input is named twice.
    """
    if names.count(STANDARD_INPUT) > 1:
        raise UserError("`-` stands for standard input, which can be read once")
    return _once(names)


def _once(names: tuple[str, ...]) -> Iterator[Document]:
    seen = set()
    for name in names:
        for found in _in_folder(name) if os.path.isdir(name) else (name,):
            path = found.file if isinstance(found, Document) else found
            if (key := _whole(str(path))) not in seen:
                seen.add(key)
                yield found if isinstance(found, Document) else read(found)


def _whole(path: str) -> str:
    """Return a path by which a file is known again; the path itself where the current folder is gone."""
    try:
        return path if path == STANDARD_INPUT else os.path.abspath(path)
    except FileNotFoundError:
        return path


def _in_folder(folder: str) -> Iterator[str | Document]:
    """Yield the configs of a folder that are called so; where there is none, all that may be one."""
    for endings in (_ENDINGS, _YAML):
        is_empty = True
        for found in _search(folder, endings):
            is_empty = False
            yield found
        if not is_empty:
            return
    yield _failed(folder, "the folder holds no config", _LOOKED_FOR)


def _search(folder: str, endings: tuple[str, ...]) -> Iterator[str | Document]:
    """Yield the paths of files, sorted, and a document for each folder that cannot be searched."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            files, folders = _entries(current, endings)
        except OSError as error:
            yield _failed(current, f"cannot search the folder: {error.strerror or error}", None)
            continue
        yield from (os.path.normpath(os.path.join(current, name)) for name in files)
        waiting += (os.path.join(current, name) for name in reversed(folders))


def _entries(folder: str, endings: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the names of configs and of the folders to search; links to folders are not followed."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    if any(entry.name == _ENVIRONMENT for entry in entries):
        return [], []
    files = [entry.name for entry in entries if _is_config(entry, endings)]
    return files, [entry.name for entry in entries if _is_searched(entry)]


def _is_config(entry: os.DirEntry[str], endings: tuple[str, ...]) -> bool:
    return f".{entry.name}".endswith(endings) and not os.path.isdir(entry.path)


def _is_searched(entry: os.DirEntry[str]) -> bool:
    is_hidden = entry.name.startswith(".") or entry.name in _SKIPPED
    return not is_hidden and entry.is_dir(follow_symlinks=False)


def _failed(name: str, message: str, hint: str | None) -> Document:
    return Document(None, name, problems=(Diagnostic("L001", message, hint=hint),))
