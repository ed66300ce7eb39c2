"""The texts a reader sees, composed from description, type, range, default, requirements and versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llmcfg.checking.versions import instead
from llmcfg.explain.words import requirement_text, security_text, value_text, version_text
from llmcfg.generator.source import Json

_RANGE = ("x-since", "x-until")
_INSIDE = {"array": "items", "object": "additionalProperties"}
_SIGNS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_SIZES = {
    "characters": ("minLength", "maxLength"),
    "items": ("minItems", "maxItems"),
    "entries": ("minProperties", "maxProperties"),
}


def parameter_text(parameter: Json) -> str:
    """Compose the markdown that editors show for a parameter."""
    facts = [f"**Type:** {_type(parameter)}"]
    if "default" in parameter:
        facts.append(f"**Default:** `{_literal(parameter['default'])}`{_former(parameter)}")
    parts = [*_farewell(parameter), parameter["description"], " · ".join(facts)]
    if "patternErrorMessage" in parameter:
        parts.append(f"**Text:** {parameter['patternErrorMessage']}")
    if "x-resolves" in parameter:
        parts.append(f"**Left to the engine:** {parameter['x-resolves']}")
    if "x-requires" in parameter:
        parts.append(f"**Needs:** {requirement_text(parameter['x-requires'])}")
    if "x-security" in parameter:
        parts.append(f"**Security:** {security_text(parameter['x-security'])}")
    if impact := parameter.get("x-impact"):
        parts.append(f"**Moves:** {_impact(impact)}")
    if versions := version_text({key: parameter[key] for key in _RANGE if key in parameter}):
        parts.append(f"**Versions:** {versions}")
    return "\n\n".join(parts)


def _farewell(parameter: Json) -> list[str]:
    """Say first what to use instead: editors of YAML have no other way to mark what is on its way out."""
    way_out = f" {instead(parameter['x-replaced-by'])}" if "x-replaced-by" in parameter else ""
    if parameter.get("deprecated"):
        return [f"**Deprecated.**{way_out}"]
    if "x-until" in parameter:
        return [f"**Gone from {parameter['x-until']}.**{way_out}"]
    return [f"**Replaced.**{way_out}"] if way_out else []


def _impact(impact: list[str] | Json) -> str:
    return ", ".join(impact) if isinstance(impact, list) else f"nothing. {impact['none']}"


def enum_texts(parameter: Json) -> list[str]:
    """Compose one text for each value of an enum, in the enum's order."""
    return [_value_text(parameter["x-values"].get(_key(value), {})) for value in parameter["enum"]]


def _value_text(about: Json) -> str:
    return value_text(str(about.get("description", "No value: the engine decides.")), about)


def _former(parameter: Json) -> str:
    """Say what the default was before the releases that changed it."""
    former = parameter.get("x-former-default", {})
    return "".join(f" (before {release}: `{_literal(value)}`)" for release, value in former.items())


def _type(parameter: Json) -> str:
    return ", ".join([" or ".join(_kinds(parameter)), *_bounds(parameter)])


def _kinds(parameter: Json) -> Iterator[str]:
    for kind in [parameter["type"]] if isinstance(parameter["type"], str) else parameter["type"]:
        inner = parameter.get(_INSIDE.get(kind, ""))
        yield f"{kind} of {_grouped(list(_kinds(inner)))}" if isinstance(inner, dict) else kind


def _grouped(kinds: list[str]) -> str:
    return f"({' or '.join(kinds)})" if len(kinds) > 1 else kinds[0]


def _bounds(parameter: Json) -> Iterator[str]:
    """Say which values of the type are allowed: the range first."""
    if limits := [f"{sign} {parameter[key]}" for key, sign in _SIGNS.items() if key in parameter]:
        yield " and ".join(limits)
    for noun, (least, most) in _SIZES.items():
        yield from _size(noun, parameter.get(least, 0), parameter.get(most))
    if "multipleOf" in parameter:
        yield f"a multiple of {parameter['multipleOf']}"
    if parameter.get("uniqueItems"):
        yield "none twice"


def _size(noun: str, least: int, most: int | None) -> Iterator[str]:
    if least == most:
        yield f"exactly {most} {noun}"
    elif least == 1 and most is None:
        yield "not empty"
    elif least or most is not None:
        yield f"{least} to {most} {noun}" if most is not None else f"at least {least} {noun}"


def _literal(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)


def _key(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
