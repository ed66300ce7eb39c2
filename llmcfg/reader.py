"""Read a config file strictly: its bytes, its encoding, and then YAML 1.2 core or JSON."""

from __future__ import annotations

import os
import stat
import sys

from llmcfg.builder import Builder, Refused, place_of
from llmcfg.diagnostics import Diagnostic, Place
from llmcfg.document import Document
from llmcfg.printable import printable

MAX_BYTES = 4 * 1024 * 1024
_LINE_BREAKERS = "\x85\u2028\u2029"


def read(path: str) -> Document:
    """Read the file at ``path``, or standard input for ``-``.

    Whatever is wrong comes back as ``problems`` of the document, with a place; nothing is raised.
    """
    name = "<stdin>" if path == "-" else path
    try:
        raw = sys.stdin.buffer.read(MAX_BYTES + 1) if path == "-" else _read_regular_file(path)
    except OSError as error:
        reason = error.strerror or str(error)
        return _failed(name, Diagnostic("L001", f"cannot read the file: {reason}"))
    except ValueError as error:
        return _failed(name, Diagnostic("L001", f"cannot read the file: {error}"))
    return parse(raw, name)


def parse(raw: bytes, name: str) -> Document:
    """Parse the bytes of a config; ``name`` is used in diagnostics, and ``.json`` selects JSON."""
    try:
        if len(raw) > MAX_BYTES:
            raise Refused(Diagnostic("L008", f"the file is larger than {MAX_BYTES} bytes"))
        text = _decode(raw)
        document = Builder(name).build(text)
        if name.endswith(".json"):
            _require_json(text)
        return document
    except Refused as refusal:
        return _failed(name, refusal.problem)


def _failed(name: str, problem: Diagnostic) -> Document:
    return Document(None, name, problems=(problem,))


def _read_regular_file(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise IsADirectoryError(21, "it is a directory")
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
        return file.read(MAX_BYTES + 1)


def _decode(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Refused(Diagnostic("L002", "the file is UTF-16", hint="Save it as UTF-8.", place=Place(1, 1)))
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = place_of(raw[: error.start].decode("utf-8", "replace"))
        raise Refused(
            Diagnostic(
                "L002",
                f"byte 0x{raw[error.start]:02x} is not UTF-8",
                hint="Save the file as UTF-8.",
                place=place,
            )
        ) from None
    if text.isascii() and text.isprintable():
        return text
    for index, character in enumerate(text):
        if character in _LINE_BREAKERS or character == "\ufeff" or _is_control(character):
            raise Refused(
                Diagnostic(
                    "L002",
                    f"the character U+{ord(character):04X} is not allowed in a config",
                    hint="Remove it, or write it as an escape in a double-quoted string.",
                    place=place_of(text[:index]),
                )
            )
    return text


def _is_control(character: str) -> bool:
    return (character < " " and character not in "\t\n\r") or "\x7f" <= character <= "\x9f"


def _require_json(text: str) -> None:
    import json

    try:
        json.loads(text)
    except RecursionError:
        raise Refused(Diagnostic("L008", "the document is nested too deeply")) from None
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            message, place = error.msg, Place(error.lineno, error.colno)
        else:
            message, place = str(error), Place(1, 1)
        raise Refused(Diagnostic("L003", f"not JSON: {printable(message)}", place=place)) from None
