"""From broken keywords of the schema to diagnostics in the user's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from llmcfg.checking.checker import Violation, satisfies, violations
from llmcfg.diagnostics import MOST_PROBLEMS, Diagnostic, Path, dotted
from llmcfg.document import Document
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
_KEYS = {
    "^[0-9]+$": "whole numbers, such as 128",
    "^[1-9][0-9]*$": "whole numbers from 1",
    "^([0-9]+|cpu|mps|disk)$": "numbers of GPUs, cpu, mps and disk",
}


def validate(name: str, data: Any, prefix: Path, document: Document | None = None) -> list[Diagnostic]:
    """Judge ``data``, which stands at ``prefix`` of the document, by the validator ``name``.

    One mistake can break several keywords: a value of the wrong type is said to be that and nothing
    else, and only once. The ``document`` tells how numbers were written.
    """
    broken = violations(name, data)
    if not broken:
        return []
    broken = _as_written(broken, prefix, document)
    mistyped = {item.path: item for item in sorted(broken, key=_kinds) if item.keyword == "type"}
    telling = (item for item in broken if mistyped.get(item.path, item) is item)
    found = (one for violation in telling for one in _diagnostics(name, violation, prefix))
    several = list(dict.fromkeys(islice(found, MOST_PROBLEMS + 1)))
    split = {item.path for item in several if item.code == "L102"}
    return [item for item in several if item.code == "L102" or item.path not in split]


def _as_written(broken: list[Violation], prefix: Path, document: Document | None) -> list[Violation]:
    from llmcfg.reading.spelling import Spelling

    spelling = Spelling(document)
    return [item._replace(value=spelling.of(item.value, prefix + item.path)) for item in broken]


def _kinds(violation: Violation) -> int:
    """Sort the keyword that names most types last: a reference may repeat it for fewer."""
    return len(violation.limit) if isinstance(violation.limit, list) else 1


def _diagnostics(name: str, violation: Violation, prefix: Path) -> Iterator[Diagnostic]:
    path = prefix + violation.path
    explain = _wrong_keys if "propertyNames" in violation.where else _EXPLAINERS.get(violation.keyword)
    if explain is not None:
        yield from explain(name, violation, path)
    elif violation.keyword in _RANGE or violation.keyword in _SIZES:
        yield Diagnostic(
            "L105", f"{_named(path)} is {_counted(violation, path)}, expected {_bounds(violation)}", path
        )
    else:
        yield Diagnostic("L103", f"{_named(path)}: {_told(violation.value, path)} is not allowed here", path)


def _unknown_keys(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    from llmcfg.checking.suggest import hint_for_unknown

    known = violation.schema.get("properties", {})
    previous = None
    for key in violation.value:
        if key in known:
            previous = key
        elif previous is not None and _is_split(violation.value, previous, key):
            yield _split_number(violation.value[previous], key, (*path, previous))
        else:
            where = f" in {_named(path)}" if path else ""
            yield Diagnostic(
                "L101",
                f"unknown key {_told(key)}{where}",
                (*path, key),
                hint=hint_for_unknown(name, violation, path, str(key)),
            )


def _is_split(data: dict[str, Any], previous: str, key: str) -> bool:
    """Tell whether a comma has split a number in a flow mapping: ``{a: 0,9}`` has the keys a and 9."""
    return key.isdigit() and data[key] is None and type(data[previous]) in (int, float)


def _split_number(value: float, rest: str, path: Path) -> Diagnostic:
    from llmcfg.checking.pitfalls import number_hint

    text = f"{value},{rest}"
    return Diagnostic(
        "L102",
        f"{_named(path)} is {text}, expected a number: a comma separates entries",
        path,
        hint=number_hint(text, ["number"]),
    )


def _wrong_type(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    kinds = _kinds_of(violation)
    expected = " or ".join(_ARTICLES[kind] for kind in kinds if kind != "null") or "null"
    yield Diagnostic(
        "L102",
        f"{_named(path)} is {_described(violation.value, path)}, expected {expected}",
        path,
        hint=_type_hint(violation, kinds, path),
    )


def _not_in_enum(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    yield Diagnostic(
        "L103",
        f"{_named(path)} cannot be {_told(violation.value, path)}",
        path,
        hint=f"{_meant(name, violation, path) or ''} {_listed(violation.limit, path)}".lstrip(),
    )


def _meant(name: str, violation: Violation, path: Path) -> str | None:
    """Say what was meant by a value that is not among the choices."""
    from llmcfg.checking.pitfalls import text_pitfall
    from llmcfg.checking.suggest import beginning, nearest_value, takers

    value, choices = violation.value, _choices(violation.limit)
    if not isinstance(value, str):
        return None
    if near := nearest_value(value, choices):
        return f"Did you mean {near}?"
    if pitfall := text_pitfall(value, _kinds_of(violation), [], optional=bool(path[1:])):
        return pitfall
    if others := takers(name, violation, value):
        return f"It is a value of {' and '.join(others)}."
    return f"Did you mean {longer}?" if (longer := beginning(value, choices)) else None


def _wrong_form(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    message = violation.schema.get("patternErrorMessage")
    yield Diagnostic(
        "L103",
        f"{_named(path)} cannot be {_told(violation.value, path)}",
        path,
        hint=message or f"It must match {violation.limit}.",
    )


def _wrong_keys(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    """Point at the keys of an open mapping that are not among, or not of the form of, its keys."""
    for key in violation.value:
        if not satisfies({violation.keyword: violation.limit}, key):
            yield Diagnostic(
                "L101",
                f"unknown key {_told(key)} in {_named(path)}",
                (*path, key),
                hint=_key_hint(violation, key),
            )


def _key_hint(violation: Violation, key: str) -> str:
    from llmcfg.checking.suggest import nearest

    if violation.keyword == "enum":
        near = nearest(key, violation.limit)
        return f"{f'Did you mean {near}? ' if near else ''}Its keys are {', '.join(violation.limit)}."
    return f"Its keys are {_KEYS.get(violation.limit, f'of the form {violation.limit}')}."


def _missing(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    if not isinstance(violation.value, dict):
        return
    from llmcfg.checking.suggest import stands_for

    known = violation.schema.get("properties", {})
    misspelled = [str(key) for key in violation.value if key not in known]
    for key in violation.limit:
        if key in violation.value:
            continue
        if written := stands_for(misspelled, key):
            # A choice of types is made by this key: without it no type says that the other is unknown.
            if "additionalProperties" not in violation.schema:
                yield _misspelled(written, key, path)
        else:
            where = f" in {_named(path)}" if path else ""
            choices = known.get(key, {}).get("enum")
            hint = f"Add `{key}: …`." + (f" {_listed(choices, (*path, key))}" if choices else "")
            yield Diagnostic("L104", f"the key {shown(key)} is missing{where}", path, hint=hint)


def _misspelled(written: str, key: str, path: Path) -> Diagnostic:
    from llmcfg.checking.suggest import glued

    return Diagnostic(
        "L101",
        f"unknown key {_told(written)} in {_named(path)}",
        (*path, written),
        hint=glued(written) or f"Did you mean {key}?",
    )


def _repeated(name: str, violation: Violation, path: Path) -> Iterator[Diagnostic]:
    items = violation.value
    index, item = next((i, item) for i, item in enumerate(items) if item in items[:i])
    yield Diagnostic(
        "L106", f"{_named(path)} holds {_told(item, path)} twice", (*path, index), hint="Remove one of them."
    )


_EXPLAINERS: dict[str, Callable[[str, Violation, Path], Iterator[Diagnostic]]] = {
    "additionalProperties": _unknown_keys,
    "type": _wrong_type,
    "enum": _not_in_enum,
    "pattern": _wrong_form,
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


def _told(value: Any, path: Path = ()) -> str:
    """Show a value, unless it is a secret or gives one away."""
    from llmcfg.checking.security import is_secret
    from llmcfg.secrets import hidden

    if value is None or isinstance(value, (bool, dict, list)):
        return shown(value)
    if is_secret(path):
        return "***"
    return shown(hidden(value)) if isinstance(value, str) else shown(value)


def _described(value: Any, path: Path) -> str:
    if value is None or isinstance(value, (dict, list)):
        return shown(value)
    kind = "text" if isinstance(value, str) else "number"
    return shown(value) if isinstance(value, bool) else f"the {kind} {_told(value, path)}"


def _counted(violation: Violation, path: Path) -> str:
    value = violation.value
    if isinstance(value, list):
        return f"a list of {len(value)} items"
    if isinstance(value, dict):
        return f"a mapping with {len(value)} keys"
    return _told(value, path)


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


def _kinds_of(violation: Violation) -> list[str]:
    """Return the types that the parameter takes."""
    kinds = violation.schema.get("type", violation.limit)
    return kinds if isinstance(kinds, list) else [str(kinds)]


def _kinds_of_items(violation: Violation) -> list[str]:
    """Return the types of the items, where the parameter takes a list of one kind."""
    kinds = violation.schema.get("items", {}).get("type", [])
    return kinds if isinstance(kinds, list) else [str(kinds)]


def _type_hint(violation: Violation, kinds: list[str], path: Path) -> str | None:
    from llmcfg.checking.pitfalls import type_hint
    from llmcfg.checking.security import is_secret

    value = violation.value
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_secret(path):
        return "Quote it if a text is meant." if is_number else None
    if path == ("gpu",) and is_number:
        from llmcfg.gpus import near

        meant = near(str(value))
        return f"Write the name of a GPU{f': {meant}' if meant else ''}."
    choices = violation.schema.get("enum")
    listed = _listed(choices, path) if choices else None
    return type_hint(value, kinds, _kinds_of_items(violation), listed, optional=bool(path[1:]))
