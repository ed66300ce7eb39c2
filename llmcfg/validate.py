"""From broken keywords of the schema to diagnostics in the user's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from llmcfg.checker import Violation, violations
from llmcfg.diagnostics import Diagnostic, Path, dotted
from llmcfg.printable import printable, shown

_ARTICLES = {
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_WORDS_FOR_TRUTH = frozenset(
    ("yes", "no", "on", "off", "y", "n", "Yes", "No", "On", "Off", "YES", "NO", "ON", "OFF")
)
_RANGE = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
}
_SIZES = {
    "minLength": ("a text of at least {} characters", "a text that is not empty"),
    "minItems": ("a list of at least {} items", "a list that is not empty"),
    "maxItems": ("a list of at most {} items", "a list of one item"),
    "minProperties": ("a mapping of at least {} keys", "a mapping that is not empty"),
}
_MOST_LISTED = 16
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}([_,][0-9]{3})+(\.[0-9]+)?")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")
_THOUSANDS = re.compile(r"([0-9]{1,9})[kK]")


def validate(name: str, data: Any, prefix: Path) -> list[Diagnostic]:
    """Judge ``data``, which stands at ``prefix`` of the document, by the validator ``name``.

    One mistake can break several keywords: a value of the wrong type is said to be that and nothing
    else, and only once.
    """
    broken = violations(name, data)
    mistyped = {item.path: item for item in sorted(broken, key=_kinds) if item.keyword == "type"}
    telling = (item for item in broken if mistyped.get(item.path, item) is item)
    found = (one for violation in telling for one in _diagnostics(name, violation, prefix))
    return list(dict.fromkeys(found))


def _kinds(violation: Violation) -> int:
    """Sort the keyword that names most types last: a reference may repeat it for fewer."""
    return len(violation.limit) if isinstance(violation.limit, list) else 1


def _diagnostics(name: str, violation: Violation, prefix: Path) -> Iterator[Diagnostic]:
    path = prefix + violation.path
    explain = _EXPLAINERS.get(violation.keyword)
    if explain is not None:
        yield from explain(name, violation, path)
    elif violation.keyword in _RANGE or violation.keyword in _SIZES:
        yield Diagnostic(
            "L105", f"{_named(path)} is {_counted(violation)}, expected {_bounds(violation)}", path
        )
    else:
        yield Diagnostic("L103", f"{_named(path)}: {shown(violation.value)} is not allowed here", path)


def _unknown_keys(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    from llmcfg.suggest import hint_for_unknown

    known = violation.schema.get("properties", {})
    for key in violation.value:
        if key not in known:
            where = f" in {_named(path)}" if path else ""
            yield Diagnostic(
                "L101",
                f"unknown key {shown(key)}{where}",
                (*path, key),
                hint=hint_for_unknown(name, violation, path, str(key)),
            )


def _wrong_type(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    kinds = violation.limit if isinstance(violation.limit, list) else [violation.limit]
    expected = " or ".join(_ARTICLES[kind] for kind in kinds if kind != "null") or "null"
    yield Diagnostic(
        "L102",
        f"{_named(path)} is {_described(violation.value)}, expected {expected}",
        path,
        hint=_type_hint(violation, kinds, path),
    )


def _not_in_enum(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    from llmcfg.suggest import nearest_value

    near = nearest_value(str(violation.value), _choices(violation.limit))
    hint = f"Did you mean {near}? " if near else ""
    yield Diagnostic(
        "L103",
        f"{_named(path)} cannot be {shown(violation.value)}",
        path,
        hint=hint + _listed(violation.limit, path),
    )


def _wrong_form(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    message = violation.schema.get("patternErrorMessage")
    yield Diagnostic(
        "L103",
        f"{_named(path)} cannot be {shown(violation.value)}",
        path,
        hint=message or f"It must match {violation.limit}.",
    )


def _missing(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    if not isinstance(violation.value, dict):
        return
    from llmcfg.suggest import nearest

    known = violation.schema.get("properties", {})
    misspelled = [str(key) for key in violation.value if key not in known]
    for key in violation.limit:
        if key not in violation.value and not nearest(key, misspelled):
            where = f" in {_named(path)}" if path else ""
            choices = known.get(key, {}).get("enum")
            hint = f"Add `{key}: …`." + (f" {_listed(choices, (*path, key))}" if choices else "")
            yield Diagnostic("L104", f"the key {shown(key)} is missing{where}", path, hint=hint)


def _repeated(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    items = violation.value
    index, item = next((i, item) for i, item in enumerate(items) if item in items[:i])
    yield Diagnostic(
        "L106", f"{_named(path)} holds {shown(item)} twice", (*path, index), hint="Remove one of them."
    )


_EXPLAINERS: dict[str, Callable[[str, Violation, Path], Iterator[Diagnostic]]] = {
    "additionalProperties": _unknown_keys,
    "type": _wrong_type,
    "enum": _not_in_enum,
    "pattern": _wrong_form,
    "propertyNames": _wrong_form,
    "required": _missing,
    "uniqueItems": _repeated,
}


def _named(path: Path) -> str:
    names = [part for part in path if isinstance(part, str)]
    if not names:
        return "the config"
    if path and isinstance(path[-1], int):
        return f"an item of {printable(names[-1], 80)}"
    return printable(names[-1], 80)


def _described(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return shown(value)
    kind = "text" if isinstance(value, str) else "number"
    return shown(value) if isinstance(value, bool) else f"the {kind} {shown(value)}"


def _counted(violation: Violation) -> str:
    value = violation.value
    if isinstance(value, list):
        return f"a list of {len(value)} items"
    if isinstance(value, dict):
        return f"a mapping with {len(value)} keys"
    return shown(value)


def _bounds(violation: Violation) -> str:
    if violation.keyword in _SIZES:
        several, one = _SIZES[violation.keyword]
        return one if violation.limit == 1 else several.format(violation.limit)
    schema = violation.schema
    return " and ".join(text.format(schema[key]) for key, text in _RANGE.items() if key in schema)


def _choices(enum: list[Any]) -> list[str]:
    return [choice if isinstance(choice, str) else shown(choice) for choice in enum]


def _listed(enum: list[Any], path: Path) -> str:
    if len(enum) > _MOST_LISTED:
        names = dotted(tuple(part for part in path if isinstance(part, str)))
        return f"`llmcfg explain {names}` lists its {len(enum)} values."
    return f"It takes {', '.join(choice or shown(choice) for choice in _choices(enum))}."


def _type_hint(violation: Violation, kinds: list[str], path: Path) -> str | None:
    value, choices = violation.value, violation.schema.get("enum", [])
    if value is None:
        return (
            "Write a value, or remove the key to keep the engine's default." if path[1:] else "Write a value."
        )
    if isinstance(value, str):
        return _text_hint(value, kinds)
    if "boolean" in kinds and value in (0, 1):
        return f"Write {'true' if value else 'false'}."
    if choices and shown(value) not in choices:
        return _listed(choices, path)
    if "string" in kinds and isinstance(value, (bool, int, float)):
        return f"Quote it if a text is meant: '{shown(value)}'."
    return _shape_hint(kinds)


def _text_hint(value: str, kinds: list[str]) -> str | None:
    if "boolean" in kinds and value in _WORDS_FOR_TRUTH:
        return "YAML 1.2 reads yes, no, on and off as texts: write true or false."
    if "boolean" in kinds and value.lower() in ("true", "false"):
        return f"Write it without quotes: {value.lower()}."
    if ("integer" in kinds or "number" in kinds) and (hint := _number_hint(value)):
        return hint
    if "object" in kinds and ":" in value:
        return "Put a space after the colon."
    return _shape_hint(kinds)


def _number_hint(value: str) -> str | None:
    if _NUMBER.fullmatch(value):
        return f"Write the number without quotes: {printable(value, 40)}."
    if _GROUPED.fullmatch(value):
        return f"Write the number without separators: {printable(re.sub('[_,]', '', value), 40)}."
    if _DECIMAL_COMMA.fullmatch(value):
        return f"Write a decimal point: {printable(value.replace(',', '.'), 40)}."
    if match := _THOUSANDS.fullmatch(value):
        return f"Write the number in full: {match[1]}000, or {int(match[1]) * 1024}."
    return None


def _shape_hint(kinds: list[str]) -> str | None:
    if "array" in kinds:
        return "Write a list: [a, b]."
    return "Write its keys below it, indented, as `key: value`." if "object" in kinds else None
