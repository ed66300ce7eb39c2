"""Hints for values of a wrong type: the pitfalls of YAML by name, and how to write what was meant."""

from __future__ import annotations

import re
from typing import Any

from llmcfg.checking.suggest import glued
from llmcfg.printable import printable, shown

Kinds = list[str]

_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_NOTHING = frozenset(("none", "nil", "null", "undefined", "nan", "n/a", "~"))
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}([_, '][0-9]{3})+(\.[0-9]+)?")
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_SEPARATOR = re.compile("[_, ']")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")
_PERCENT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?%")
_SIZED = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([kKmMgGtT])(i?[bB]?)")
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}
_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb"
_COMMENT = re.compile(r"(.*?)\s*(//|/\*|(?<=\S)#)")
_ARITHMETIC = re.compile(r"[0-9. ]+([-+*/^]|\*\*)[-+*/^0-9. ]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]{1,9}(:[0-5]?[0-9]){1,3}")
_BINARY = re.compile(r"[-+]?0[bB]_*[01][01_]{0,63}")
_UNDERSCORED = re.compile(r"[-+]?[0-9][0-9_]{0,40}(\.[0-9_]*)?")
_INFINITE = re.compile(r"[-+]?\.?inf(inity)?", re.IGNORECASE)
_FULLWIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}


def type_hint(value: Any, kinds: Kinds, items: Kinds, choices: str | None, *, optional: bool) -> str | None:
    """Say how to write what was meant by a value that is of none of the ``kinds``.

    ``items`` are the kinds of a list's items; ``choices`` lists the values that there are; ``optional`` is a
    key that can be left out.
    """
    if value is None:
        return _without_value(optional)
    if isinstance(value, str):
        return text_pitfall(value, kinds, items, optional=optional) or choices or _shape(kinds)
    if isinstance(value, list):
        return _of_list(value, kinds) or choices or _shape(kinds)
    if "boolean" in kinds and value in (0, 1):
        return f"Write {'true' if value else 'false'}."
    if "integer" in kinds and isinstance(value, float):
        return _whole(value)
    if "string" in kinds and not isinstance(value, dict):
        return choices or f"{_read_as(value)}Quote it if a text is meant: '{shown(value)}'."
    if "array" in kinds and not isinstance(value, dict):
        return f"Write a list: [{_as_item(value, items)}]."
    return choices or _shape(kinds)


def _read_as(value: Any) -> str:
    """Name the kind of what was read, where its spelling may surprise."""
    if isinstance(value, bool) or _PLAIN.fullmatch(shown(value)):
        return ""
    return f"{shown(value)} is read as a number. "


def _as_item(value: Any, items: Kinds) -> str:
    number = not isinstance(value, bool) and {"integer", "number"} & set(items)
    return f"'{shown(value)}'" if "string" in items and not number else shown(value)


def text_pitfall(value: str, kinds: Kinds, items: Kinds, *, optional: bool) -> str | None:
    """Name the pitfall that makes a text of something else, if it is one."""
    if not value:
        return f"The text is empty. {_without_value(optional)}"
    if value.lower() in _NOTHING:
        null = "null" in kinds
        return (
            "YAML writes null, without quotes."
            if null
            else f"That is a text in YAML. {_without_value(optional)}"
        )
    if "boolean" in kinds and (hint := _truth_hint(value)):
        return hint
    if ("integer" in kinds or "number" in kinds) and (hint := number_hint(value, kinds)):
        return hint
    if hint := _decoration(value):
        return hint
    if "object" in kinds:
        return glued(value) or ("Write JSON without quotes around it." if value[:1] == "{" else None)
    if "array" in kinds and value[:1] == "[":
        return "Write the list without quotes around it."
    if "array" in kinds and "," in value:
        return f"Write a list: [{printable(value, 60)}]."
    textual = "array" in kinds and (not items or "string" in items)
    return f"Write a list: [{printable(value, 60)}]." if textual else None


def _decoration(value: str) -> str | None:
    """Name characters around a value that mean something elsewhere, and are text in YAML."""
    if value and (value[0] in _QUOTES or value[-1] in _QUOTES):
        bare = printable(value.strip(_QUOTES), 60)
        return f"Typographic quotes are part of the text: write {bare}, or '{bare}'."
    if len(value) > 1 and value[-1] in ",;":
        return f"The {value[-1]} at its end is part of the text: remove it."
    if (found := _COMMENT.match(value)) and found[1]:
        return f"A comment starts with # after a space; {found[2]} is part of the text."
    return None


def _truth_hint(value: str) -> str | None:
    if meant := _TRUTH.get(value.lower()):
        return f"YAML 1.2 reads yes, no, on and off as texts: write {meant}."
    if value.lower() in ("true", "false"):
        bare = value if value in ("true", "false", "True", "False", "TRUE", "FALSE") else value.lower()
        return f"Write it without quotes: {bare.lower()}."
    return f"Write {'true' if value == '1' else 'false'}." if value in ("0", "1") else None


def number_hint(value: str, kinds: Kinds) -> str | None:
    """Say how to write a text that is almost a number."""
    plain = value.translate(_FULLWIDTH)
    if _NUMBER.fullmatch(plain):
        how = "without quotes" if plain == value else "with ASCII digits"
        return f"Write the number {how}: {printable(plain, 40)}."
    if _GROUPED.fullmatch(value) or _UNDERSCORED.fullmatch(value):
        return f"Write the number without separators: {printable(_SEPARATOR.sub('', value), 40)}."
    if _DECIMAL_COMMA.fullmatch(value):
        return f"Write a decimal point: {printable(value.replace(',', '.'), 40)}."
    if match := _PERCENT.fullmatch(value):
        share = f"{float(match[1]) / 100:g}"
        return (
            f"Write the share as a number: {share}."
            if "number" in kinds
            else f"Write the number alone: {match[1]}."
        )
    if match := _SIZED.fullmatch(value):
        return _sized(match, kinds)
    return _other_number(value)


def _other_number(value: str) -> str | None:
    """Name what other readers take for a number, or other languages write as one."""
    if _DATE.fullmatch(value):
        return "That is a date, which YAML 1.2 reads as a text: write a number."
    if _SEXAGESIMAL.fullmatch(value):
        return f"YAML 1.1 reads it in base 60, YAML 1.2 as a text: write {_seconds(value)} if that is meant."
    if _BINARY.fullmatch(value):
        return f"YAML 1.2 has no binary numbers: write {int(value.replace('_', ''), 2)}."
    if _INFINITE.fullmatch(value):
        return "No engine takes an infinite number: write a number."
    if _ARITHMETIC.fullmatch(value):
        return "Write the result: a config does not calculate."
    return None


def _seconds(value: str) -> int:
    total = 0
    for part in value.lstrip("+-").split(":"):
        total = total * 60 + int(part)
    return -total if value[0] == "-" else total


def _sized(match: re.Match[str], kinds: Kinds) -> str:
    """Write a number with a unit in full: in thousands, and in powers of 1024."""
    amount, power = float(match[1]), _POWERS[match[2].lower()]
    decimal, binary = f"{amount * 1000**power:.0f}", f"{amount * 1024**power:.0f}"
    if "integer" not in kinds and power == _POWERS["g"]:
        return f"Write the number without a unit: {match[1]}."
    return (
        f"Write the number in full: {binary}."
        if match[3] and match[3][0] == "i"
        else (f"Write the number in full: {decimal}, or {binary}.")
    )


def _without_value(optional: bool) -> str:
    return "Write a value, or remove the key to keep the engine's default." if optional else "Write a value."


def _of_list(value: list[Any], kinds: Kinds) -> str | None:
    if "object" in kinds and value and all(isinstance(item, dict) for item in value):
        return "Remove the dashes: its keys stand below it, indented, as `key: value`."
    if len(value) == 1 and not isinstance(value[0], (dict, list)) and not {"object", "array"} & set(kinds):
        bare = printable(value[0], 60) if isinstance(value[0], str) else shown(value[0])
        return f"Write the value without brackets or dash: {bare}."
    return None


def _whole(value: float) -> str:
    return f"Write an integer: {value:.0f}." if abs(value) >= 1 else "Write an integer."


def _shape(kinds: Kinds) -> str | None:
    if "array" in kinds:
        return "Write a list: [a, b]."
    return "Write its keys below it, indented, as `key: value`." if "object" in kinds else None
