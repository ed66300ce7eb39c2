"""Rules: those that mention a parameter, and those of one name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from llmcfg.catalog import bundle
from llmcfg.checking.versions import in_range
from llmcfg.diagnostics import dotted
from llmcfg.explain.places import Inside, Place, lines, nested, places


@dataclass(frozen=True)
class Rule:
    """A rule over the object at ``of``; ``mentions`` maps dotted paths from there to the values it names.

    ``names_value`` tells that it names the value which is being explained.
    """

    id: str
    of: str
    severity: str
    message: str
    hint: str
    sources: tuple[str, ...]
    at: str
    mentions: dict[str, list[Any]]
    since: str | None = None
    until: str | None = None
    names_value: bool = False


def rules_for(place: Place, version: str | None) -> tuple[Rule, ...]:
    """Return the rules that mention the parameter, of its own object and of those around it."""
    around = reversed(place.inside)
    found = [rule for inside in around for rule in _of(inside, place) if _mentions(rule, inside, place)]
    return tuple(rule for rule in found if version is None or in_range(version, rule.since, rule.until))


def naming(rules: tuple[Rule, ...], place: Place, value: Any) -> tuple[Rule, ...]:
    """Put the rules first whose conditions name the value."""
    marked = [replace(rule, names_value=_names(rule, place, value)) for rule in rules]
    return tuple(sorted(marked, key=lambda rule: not rule.names_value))


def rules_called(name: str, backend: str | None) -> list[Rule]:
    """Return the rules of that id, one for each type that has it."""
    return [
        _rule(facts, dotted(path))
        for type_name, path in _first_paths(backend).items()
        for facts in bundle()["$defs"][type_name].get("x-rules", ())
        if facts["id"] == name
    ]


def rule_ids(backend: str | None) -> set[str]:
    """Return the ids of all rules."""
    types = _first_paths(backend)
    return {facts["id"] for name in types for facts in bundle()["$defs"][name].get("x-rules", ())}


def _first_paths(backend: str | None) -> dict[str, tuple[str, ...]]:
    """Return where each type stands first."""
    found: dict[str, tuple[str, ...]] = {}
    for place in places():
        if place.backend is not None and backend in (None, place.backend):
            for name, _ in nested(place.schema):
                found.setdefault(name, place.path)
    return found


def _of(inside: Inside, place: Place) -> Iterator[Rule]:
    of = dotted(place.path[: inside.depth])
    return (_rule(facts, of) for facts in inside.facts.get("x-rules", ()))


def _rule(facts: dict[str, Any], of: str) -> Rule:
    return Rule(
        facts["id"], of, facts["severity"], facts["message"], facts["hint"], tuple(lines(facts["source"])),
        facts["at"], facts["mentions"], facts.get("x-since"), facts.get("x-until"),
    )  # fmt: skip


def _mentions(rule: Rule, inside: Inside, place: Place) -> bool:
    """Tell whether the rule speaks of the parameter, or of something inside it."""
    own = ".".join(place.path[inside.depth :])
    return any(path == own or path.startswith(f"{own}.") for path in rule.mentions)


def _names(rule: Rule, place: Place, value: Any) -> bool:
    own = dotted(place.path).removeprefix(f"{rule.of}.")
    return json.dumps(value) in map(json.dumps, rule.mentions.get(own, ()))
