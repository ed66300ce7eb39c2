"""The texts a reader sees, composed from description, type, range, default, requirements and versions."""

from __future__ import annotations

import json
from typing import Any

from llmcfg.generator.source import Json


def parameter_text(parameter: Json) -> str:
    """Compose the markdown that editors show for a parameter."""
    parts = [parameter["description"]]
    facts = [f"**Type:** {_type(parameter)}"]
    if "default" in parameter:
        facts.append(f"**Default:** `{_literal(parameter['default'])}`")
    parts.append(" · ".join(facts))
    if "x-resolves" in parameter:
        parts.append(f"**Left to the engine:** {parameter['x-resolves']}")
    if "x-requires" in parameter:
        parts.append(f"**Needs:** {requirement_text(parameter['x-requires'])}")
    if isinstance(impact := parameter.get("x-impact"), list):
        parts.append(f"**Moves:** {', '.join(impact)}")
    if versions := _versions(parameter):
        parts.append(f"**Versions:** {versions}")
    return "\n\n".join(parts)


def enum_texts(parameter: Json) -> list[str]:
    """Compose one text for each value of an enum, in the enum's order."""
    return [_value_text(parameter["x-values"].get(_key(value), {})) for value in parameter["enum"]]


def requirement_text(requires: Any) -> str:
    """Say in words what ``x-requires`` asks for."""
    if isinstance(requires, str):
        return f"{requires} or newer"
    if isinstance(requires, list):
        return "; or ".join(_requirement(item) for item in requires)
    return _requirement(requires)


def _requirement(item: Json) -> str:
    words = []
    if "arch" in item:
        arch = item["arch"]
        words.append(f"{arch} or newer" if isinstance(arch, str) else " or ".join(arch))
    if "platform" in item:
        words.append(f"platform {' or '.join(item['platform'])}")
    if "gpus" in item:
        words.append(f"at least {item['gpus']} GPUs")
    if "package" in item:
        words.append(f"the package {item['package']}")
    if "model" in item:
        words.append(f"a {item['model'].replace('_', ' ')} model")
    text = ", ".join(words)
    if item.get("level") == "emulated":
        text = f"{text} (slower path: {item['note']})"
    elif "note" in item:
        text = f"{text} ({item['note']})" if text else item["note"]
    return text


def _value_text(about: Json) -> str:
    text = str(about.get("description", "No value: the engine decides."))
    if "x-requires" in about:
        text += f" Needs {requirement_text(about['x-requires'])}."
    if versions := _versions(about):
        text += f" ({versions})"
    return text


def _versions(about: Json) -> str:
    words = []
    if "x-since" in about:
        words.append(f"since {about['x-since']}")
    if "x-until" in about:
        words.append(f"gone from {about['x-until']}")
    if about.get("deprecated"):
        words.append("deprecated")
    if "x-replaced-by" in about:
        words.append(f"instead: {about['x-replaced-by']}")
    return ", ".join(words)


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
