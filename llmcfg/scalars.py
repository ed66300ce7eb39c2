"""The scalars of the YAML 1.2 core schema, read strictly."""

from __future__ import annotations

import re

from llmcfg.printable import shown

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_HEX_OR_OCTAL = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_ZERO_LED = re.compile(r"[-+]?0[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_NUMERIC_START = frozenset("+-.0123456789")
_LONGEST_NUMBER = 40
_LONGEST_FLOAT = 400


class BadScalar(ValueError):
    """A plain scalar that readers disagree about, or that no engine can take."""


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar.

    Raises:
        BadScalar: for NaN and infinities, numbers with leading zeros, integers beyond 64 bits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _INTEGER.fullmatch(text):
        return _bounded(text, 10)
    if _ZERO_LED.fullmatch(text):
        raise BadScalar(f"{shown(text)} has a leading zero: YAML 1.1 reads it as octal, 1.2 as decimal")
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _HEX_OR_OCTAL.fullmatch(text):
        return _bounded(text, 0)
    if _NOT_FINITE.fullmatch(text):
        raise BadScalar(f"{text} is not a number that an engine can take")
    return text


def _bounded(text: str, base: int) -> int:
    if len(text) <= _LONGEST_NUMBER:
        number = int(text, base)
        if -(2**63) <= number < 2**64:
            return number
    raise BadScalar(f"{shown(text, 30)} does not fit into 64 bits")


def _finite(text: str) -> float:
    if len(text) > _LONGEST_FLOAT:
        raise BadScalar(f"{shown(text, 30)} is too long for a number")
    number = float(text)
    if number - number != 0.0:
        raise BadScalar(f"{shown(text, 30)} is too large for a floating-point number")
    return number
