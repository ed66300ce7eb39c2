"""Read a config file strictly: its bytes, its encoding, and then YAML 1.2 core or JSON."""

from __future__ import annotations

import itertools
import os
import re
import stat
import sys
from typing import Any

from llmcfg.diagnostics import Diagnostic, Place
from llmcfg.document import Document, place_of
from llmcfg.printable import BIDIRECTIONAL
from llmcfg.reading.builder import Builder, Refused

MAX_BYTES = 4 * 1024 * 1024
_MOST_HANDLES = 16
_FORBIDDEN = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029{BIDIRECTIONAL}\ufeff\ufffe\uffff]")
"""Control characters, line breaks of YAML 1.1 alone, byte order marks inside a text, noncharacters."""
_WIDE = {
    "UTF-32": re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff|\0\0\0[^\0]|[^\0]\0\0\0"),
    "UTF-16": re.compile(rb"\xff\xfe|\xfe\xff|\0[^\0]|[^\0]\0[^\0]\0"),
}
"""How text begins in encodings other than UTF-8, with and without a byte order mark."""
_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)')


def read(path: str) -> Document:
    """Read the file at ``path``, or standard input for ``-``.

    Whatever is wrong comes back as ``problems`` of the document, with a place; nothing is raised.
    """
    name = "<stdin>" if path == "-" else path
    try:
        raw = _read_standard_input() if path == "-" else _read_regular_file(path)
    except OSError as error:
        reason = error.strerror or str(error)
        return _failed(name, Diagnostic("L001", f"cannot read the file: {reason}"))
    except ValueError as error:
        return _failed(name, Diagnostic("L001", f"cannot read the file: {error}"))
    return parse(raw, name)


def parse(raw: bytes, name: str) -> Document:
    """Parse the bytes of a config; ``name`` is used in diagnostics, and ``.json`` selects JSON."""
    builder, text = Builder(name), ""
    try:
        if len(raw) > MAX_BYTES:
            raise _refused("L008", f"the file is larger than {MAX_BYTES} bytes", None, Place(1, 1))
        text = _decode(raw)
        if name.lower().endswith(".json") and text.strip(" \t\r\n"):
            _require_json(text)
            return builder.build(text, json=True)
        if "%TAG" in text:
            _bound_handles(text)
        return builder.build(text)
    except Refused as refusal:
        return _failed(name, *builder.problems, refusal.problem, text=text)


def _refused(code: str, message: str, hint: str | None, place: Place) -> Refused:
    return Refused(Diagnostic(code, message, hint=hint, place=place))


def _failed(name: str, *problems: Diagnostic, text: str = "") -> Document:
    return Document(None, name, problems=problems, text=text)


def _read_standard_input() -> bytes:
    if sys.stdin is None:
        raise OSError(0, "standard input is closed")
    return _at_most(getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))


def _read_regular_file(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file; `-` reads standard input")
        return _at_most(file)


def _at_most(file: Any) -> bytes:
    """Read one byte more than is allowed, or all there is; a file may grow, or have nothing to say yet."""
    raw = b""
    while len(raw) <= MAX_BYTES:
        chunk = file.read(MAX_BYTES + 1 - len(raw))
        if chunk is None:
            raise OSError(0, "it has nothing to read at the moment")
        if not chunk:
            break
        raw += chunk
    return raw


def _decode(raw: bytes) -> str:
    for encoding, start in _WIDE.items():
        if start.match(raw):
            raise _refused("L002", f"the file is {encoding}", "Save it as UTF-8.", Place(1, 1))
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = place_of(raw[: error.start].decode("utf-8", "replace"))
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise _refused("L002", message, "Save the file as UTF-8.", place) from None
    if found := _FORBIDDEN.search(text):
        from llmcfg.reading.lookalikes import named

        message = f"the character {named(found[0])} is not allowed in a config"
        hint = "Remove it, or write it as an escape in a double-quoted string."
        raise _refused("L002", message, hint, place_of(text[: found.start()]))
    return text


def _bound_handles(text: str) -> None:
    """Refuse more tag handles than anybody declares: libyaml compares each with all others."""
    handles = (found.start() for found in re.finditer("^%TAG", text, re.MULTILINE))
    start = next(itertools.islice(handles, _MOST_HANDLES, None), None)
    if start is not None:
        hint = "Remove them: tags are not supported."
        message = f"the file declares more than {_MOST_HANDLES} tag handles"
        raise _refused("L008", message, hint, place_of(text[:start]))


def _require_json(text: str) -> None:
    """Refuse what is YAML but not JSON; nesting and the size of numbers are left to the builder."""
    import json

    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except _Constant as constant:
        found = next(match for match in _CONSTANT.finditer(text) if match[1])
        message = f"not JSON: {constant} is not a number that an engine can take"
        hint = "Write a number, or remove the key."
        raise _refused("L006", message, hint, place_of(text[: found.start()])) from None
    except json.JSONDecodeError as error:
        from llmcfg.reading.json_syntax import json_problem

        raise Refused(json_problem(error, text)) from None
    except RecursionError:
        return


class _Constant(Exception):
    """NaN or an infinity: Python's JSON reader takes them, the standard does not."""


def _refuse_constant(word: str) -> None:
    raise _Constant(word)
