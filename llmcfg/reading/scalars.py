"""The scalars of the YAML 1.2 core schema, read strictly."""

from __future__ import annotations

import re

from yaml import SafeLoader

from llmcfg.printable import shown

QUOTE = "Quote it if a text is meant."
"""How the hint about a number that cannot be read ends."""
_NUMBER = re.compile(
    r"(?P<integer>[-+]?(?:0|[1-9][0-9]*))"
    r"|(?P<zero_led>[-+]?0[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<based>0x[0-9a-fA-F]+|0o[0-7]+)"
    r"|(?P<not_finite>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_OLD = SafeLoader.yaml_implicit_resolvers
_OLD_KINDS = {
    "int": "a number",
    "float": "a number",
    "timestamp": "a date",
    "merge": "a special mark",
    "value": "a special mark",
}
_TRUTH = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
_OCTAL = re.compile("[0-7]+")
_NUMERIC_START = frozenset("+-.0123456789")
_LONGEST_NUMBER = 40
_LONGEST_FLOAT = 400


class BadScalar(ValueError):
    """A plain scalar that readers disagree about, or that no engine can take; ``hint`` says what to write."""

    def __init__(self, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(message)


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar.

    Raises:
        BadScalar: for NaN and infinities, numbers with leading zeros, integers beyond 64 bits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    kind = match.lastgroup
    if kind == "zero_led":
        raise _zero_led(text)
    if kind == "not_finite":
        raise BadScalar(f"{text} is not a number that an engine can take", "Write a number that is finite.")
    if kind == "float":
        return _finite(text)
    return _bounded(text, 10 if kind == "integer" else 0)


def other_reading(text: str) -> str | None:
    """Return what readers of YAML 1.1 take a bare text for; None where they see a text too."""
    for tag, pattern in _OLD.get(text[:1], ()):
        if pattern.match(text):
            kind = tag.rpartition(":")[2]
            return _TRUTH[text.lower()] if kind == "bool" else _OLD_KINDS.get(kind)
    return None


def _bounded(text: str, base: int) -> int:
    if len(text) <= _LONGEST_NUMBER:
        number = int(text, base)
        if -(2**63) <= number < 2**64:
            return number
    hint = "Write at least -9223372036854775808." if text[0] == "-" else "Write at most 18446744073709551615."
    raise BadScalar(f"{shown(text, 30)} does not fit into 64 bits", hint)


def _zero_led(text: str) -> BadScalar:
    """Say how readers disagree about a leading zero, and how to write the number."""
    sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text.removeprefix("+"))
    bare = digits.lstrip("0")
    plain = f"{sign}{bare if bare[:1].isdigit() else f'0{bare}'}"
    if len(digits) > _LONGEST_NUMBER:
        return BadScalar(f"{shown(text, 30)} is too long for a number", "Write fewer digits.")
    if not _OCTAL.fullmatch(digits):
        reading, meant = "not every reader takes it for a number", ""
    else:
        octal = f"{sign}{int(digits, 8)}"
        reading = "YAML 1.1 reads it as octal, 1.2 as decimal"
        meant = f", or {octal} if it is octal" if octal != plain else ""
    return BadScalar(f"{shown(text)} has a leading zero: {reading}", f"Write {plain}{meant}.")


def _finite(text: str) -> float:
    if len(text) > _LONGEST_FLOAT:
        raise BadScalar(f"{shown(text, 30)} is too long for a number", "Write fewer digits.")
    number = float(text)
    if number - number != 0.0:
        raise BadScalar(f"{shown(text, 30)} is too large for a floating-point number", "Write a smaller one.")
    return number
