"""The texts a reader sees, composed from description, type, range, default, requirements and versions."""

from __future__ import annotations

import json
from typing import Any

from llmcfg.explain.words import requirement_text, value_text, version_text
from llmcfg.generator.source import Json


def parameter_text(parameter: Json) -> str:
    """Compose the markdown that editors show for a parameter."""
    parts = [parameter["description"]]
    facts = [f"**Type:** {_type(parameter)}"]
    if "default" in parameter:
        facts.append(f"**Default:** `{_literal(parameter['default'])}`{_former(parameter)}")
    parts.append(" · ".join(facts))
    if "x-resolves" in parameter:
        parts.append(f"**Left to the engine:** {parameter['x-resolves']}")
    if "x-requires" in parameter:
        parts.append(f"**Needs:** {requirement_text(parameter['x-requires'])}")
    if isinstance(impact := parameter.get("x-impact"), list):
        parts.append(f"**Moves:** {', '.join(impact)}")
    if versions := version_text(parameter):
        parts.append(f"**Versions:** {versions}")
    return "\n\n".join(parts)


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
    kinds = parameter["type"] if isinstance(parameter["type"], list) else [parameter["type"]]
    text = " or ".join(kinds)
    if bounds := _bounds(parameter):
        text += f", {bounds}"
    return text


def _bounds(parameter: Json) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return " and ".join(f"{sign} {parameter[key]}" for key, sign in signs.items() if key in parameter)


def _literal(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)


def _key(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
