"""Read a config file strictly: its bytes, its encoding, and then YAML 1.2 core or JSON."""

from __future__ import annotations

import os
import re
import stat
import sys

from llmcfg.builder import Builder, Refused
from llmcfg.diagnostics import Diagnostic, Place
from llmcfg.document import Document, place_of
from llmcfg.printable import printable

MAX_BYTES = 4 * 1024 * 1024
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Control characters, line breaks of YAML 1.1 alone, byte order marks inside a text, noncharacters."""
_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)')
_SURROGATES = re.compile(r"\\u(?P<high>d[89ab][0-9a-f]{2})\\u(?P<low>d[c-f][0-9a-f]{2})|\\.", re.IGNORECASE)


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
            raise Refused(Diagnostic("L008", f"the file is larger than {MAX_BYTES} bytes"))
        text = _decode(raw)
        if name.endswith(".json") and text.strip():
            _require_json(text)
            text = _join_surrogates(text)
        return builder.build(text)
    except Refused as refusal:
        return _failed(name, *builder.duplicates, refusal.problem, text=text)


def _failed(name: str, *problems: Diagnostic, text: str = "") -> Document:
    return Document(None, name, problems=problems, text=text)


def _read_standard_input() -> bytes:
    if sys.stdin is None:
        raise OSError(0, "standard input is closed")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _read_regular_file(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file; `-` reads standard input")
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
    if found := _FORBIDDEN.search(text):
        raise Refused(
            Diagnostic(
                "L002",
                f"the character U+{ord(found[0]):04X} is not allowed in a config",
                hint="Remove it, or write it as an escape in a double-quoted string.",
                place=place_of(text[: found.start()]),
            )
        )
    return text


def _require_json(text: str) -> None:
    """Refuse what is YAML but not JSON; nesting and the size of numbers are left to the builder."""
    import json

    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except _Constant as constant:
        found = next(match for match in _CONSTANT.finditer(text) if match[1])
        message = f"not JSON: {constant} is not a number that an engine can take"
        raise Refused(Diagnostic("L006", message, place=place_of(text[: found.start()]))) from None
    except json.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        place = place_of(text[: error.pos])
        raise Refused(Diagnostic("L003", f"not JSON: {printable(message)}", place=place)) from None
    except RecursionError:
        return


class _Constant(Exception):
    """NaN or an infinity: Python's JSON reader takes them, the standard does not."""


def _refuse_constant(word: str) -> None:
    raise _Constant(word)


def _join_surrogates(text: str) -> str:
    """Write characters that JSON escapes as two surrogates in the way in which YAML escapes them."""
    return _SURROGATES.sub(_joined, text) if "\\u" in text else text


def _joined(match: re.Match[str]) -> str:
    if match["high"] is None:
        return match[0]
    code = 0x10000 + ((int(match["high"], 16) & 0x3FF) << 10) + (int(match["low"], 16) & 0x3FF)
    return f"\\U{code:08x}"
