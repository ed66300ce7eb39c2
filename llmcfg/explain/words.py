"""Requirements and versions in words, as hovers and ``llmcfg explain`` show them."""

from __future__ import annotations

import json
from typing import Any

Facts = dict[str, Any]
_EXPOSURES = {
    "runs-code": "lets the engine run code that is not its own",
    "secret": "holds a secret, which llmcfg never shows",
}


def alternatives(requires: Any) -> list[Facts]:
    """Return a requirement as the list of its alternatives, whichever form the schema has."""
    if isinstance(requires, str):
        return [{"arch": requires}]
    return requires if isinstance(requires, list) else [requires]


def requirement_text(requires: Any) -> str:
    """Say in words what ``x-requires`` asks for, all alternatives in one line."""
    return "; or ".join(alternative_text(item) for item in alternatives(requires))


def alternative_text(item: Facts) -> str:
    """Say in words what one alternative asks for."""
    text = ", ".join([*_hardware(item), *other_needs(item)])
    if item.get("level") == "emulated":
        return f"{text} (slower path: {item['note']})"
    if item.get("level") == "ignored":
        return f"no effect{f' on {text}' if text else ' otherwise'}: {item['note']}"
    if "note" in item:
        return f"{text} ({item['note']})" if text else str(item["note"])
    return text


def other_needs(item: Facts) -> list[str]:
    """Say what an alternative asks for beside an architecture and a platform."""
    words = []
    if "gpus" in item:
        words.append(f"at least {item['gpus']} GPUs")
    if "package" in item:
        words.append(f"the package {item['package']}")
    if "model" in item:
        words.append(f"a {item['model'].replace('_', ' ')} model")
    return words


def _hardware(item: Facts) -> list[str]:
    words = []
    if "arch" in item:
        arch = item["arch"]
        words.append(f"{arch} or newer" if isinstance(arch, str) else " or ".join(arch))
    if "platform" in item:
        words.append(f"platform {' or '.join(item['platform'])}")
    return words


def security_text(about: Any) -> str:
    """Say what ``x-security`` warns of."""
    kind, values = (about["kind"], about["values"]) if isinstance(about, dict) else (about, [])
    named = f" ({', '.join(map(json.dumps, values))})" if values else ""
    return f"{_EXPOSURES[kind]}{named}"


def version_text(about: Facts) -> str:
    """Say since when and until when something exists, and what to use instead."""
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


def value_text(description: str, about: Facts) -> str:
    """Compose what a hover says of one value of an enum."""
    return description + _conditions(about)


def description_of(composed: str, about: Facts) -> str:
    """Take a value's own description back out of what ``value_text`` composed."""
    return composed.removesuffix(_conditions(about))


def _conditions(about: Facts) -> str:
    needs = f" Needs {requirement_text(about['x-requires'])}." if "x-requires" in about else ""
    versions = version_text(about)
    return f"{needs} ({versions})" if versions else needs
