"""From broken keywords of the schema to diagnostics in the user's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from llmcfg.checker import Violation, violations
from llmcfg.diagnostics import Diagnostic, Path
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
_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "a text of at least {} characters",
    "minItems": "a list of at least {} items",
    "maxItems": "a list of at most {} items",
    "minProperties": "a mapping with at least {} keys",
}


def validate(name: str, data: Any, prefix: Path) -> list[Diagnostic]:
    """Judge ``data``, which stands at ``prefix`` of the document, by the validator ``name``."""
    return [found for violation in violations(name, data) for found in _diagnostics(name, violation, prefix)]


def _diagnostics(name: str, violation: Violation, prefix: Path) -> Iterator[Diagnostic]:
    path = prefix + violation.path
    explain = _EXPLAINERS.get(violation.keyword)
    if explain is not None:
        yield from explain(name, violation, path)
    elif violation.keyword in _BOUNDS:
        expected = _BOUNDS[violation.keyword].format(violation.limit)
        yield Diagnostic(
            "L105",
            f"{_named(path)} is {_counted(violation)}, expected {expected}",
            path,
            hint=_range(violation.schema),
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
                hint=hint_for_unknown(name, violation.where, path, str(key)),
            )


def _wrong_type(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    kinds = violation.limit if isinstance(violation.limit, list) else [violation.limit]
    expected = " or ".join(_ARTICLES[kind] for kind in kinds if kind != "null") or "null"
    yield Diagnostic(
        "L102",
        f"{_named(path)} is {_described(violation.value)}, expected {expected}",
        path,
        hint=_type_hint(violation.value, kinds),
    )


def _not_in_enum(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    from llmcfg.suggest import nearest

    choices = [shown(choice).strip("'") for choice in violation.limit]
    near = nearest(str(violation.value), choices)
    listed = ", ".join(choices[:24]) + (f" … ({len(choices)} values)" if len(choices) > 24 else "")
    hint = f"Did you mean {near}? " if near else ""
    yield Diagnostic(
        "L103",
        f"{_named(path)} cannot be {shown(violation.value)}",
        path,
        hint=f"{hint}It takes {listed}.",
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
    for key in violation.limit:
        if key not in violation.value:
            where = f" in {_named(path)}" if path else ""
            yield Diagnostic("L104", f"the key {shown(key)} is missing{where}", path, hint=f"Add `{key}: …`.")


def _repeated(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    yield Diagnostic("L106", f"{_named(path)} holds an item twice", path, hint="Remove the repetition.")


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


def _range(schema: dict[str, Any]) -> str | None:
    bounds = [text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema and "{}" in text]
    return f"It takes {' and '.join(bounds)}." if len(bounds) > 1 else None


def _type_hint(value: Any, kinds: list[str]) -> str | None:
    if not isinstance(value, str):
        if value is None:
            return "Remove the key to keep the engine's default."
        if "string" in kinds and isinstance(value, (bool, int, float)):
            return f"Quote it if a text is meant: '{shown(value)}'."
        if "array" in kinds:
            return "Write a list: [a, b]."
        return None
    if "boolean" in kinds and value in _WORDS_FOR_TRUTH:
        return "YAML 1.2 reads yes, no, on and off as texts: write true or false."
    if "integer" in kinds or "number" in kinds:
        bare = value.replace("_", "").replace(",", "")
        if bare.lstrip("+-").replace(".", "", 1).isdigit():
            return f"Write the number without quotes and separators: {printable(bare, 40)}."
    if ("object" in kinds) and ":" in value:
        return "Put a space after the colon."
    if "array" in kinds:
        return "Write a list: [a, b]."
    return None
