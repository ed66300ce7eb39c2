"""The table of rules, and what it needs of the inventory of the release."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from llmcfg.audit import store
from llmcfg.audit.facts import Inventory
from llmcfg.catalog import rule_texts
from llmcfg.data import evidence_path

BACKEND = "tensorrt_llm"
VERSION = "1.2.1"
Json = dict[str, Any]


class Comparison(NamedTuple):
    """Two operands, and the sign between them."""

    left: Any
    sign: str
    right: Any


class Step(NamedTuple):
    """One rule: ``alternatives`` are conditions, of which one must hold; ``says`` is in words."""

    id: str
    stage: str
    alternatives: tuple[Json, ...]
    comparison: Comparison | None
    effect: Json
    says: str
    sources: tuple[str, ...]


class Topic(NamedTuple):
    """Something that is worth telling, where it is held, and the condition under which it is."""

    name: str
    path: str
    condition: Json


@cache
def table() -> Json:
    """Return the table as it is stored."""
    path = Path(evidence_path("machines")) / f"{BACKEND}.json"
    loaded: Json = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@cache
def steps() -> tuple[Step, ...]:
    """Return the rules in their order."""
    return tuple(_step(row) for row in table()["steps"])


@cache
def topics() -> tuple[Topic, ...]:
    """Return what an answer tells of the engine's choices."""
    return tuple(Topic(row["topic"], row["path"], row["if"]) for row in table()["topics"])


@cache
def inventory() -> Inventory:
    """Return the classes of the release.

    Raises:
        LookupError: if its inventory is not stored.
    """
    found = store.inventory(BACKEND, VERSION)
    if found is None:
        raise LookupError(f"no inventory of {BACKEND} {VERSION}")
    return found


def _step(row: Json) -> Step:
    condition, source = row["if"], row["source"]
    compare = row.get("compare")
    return Step(
        row["id"],
        row["stage"],
        tuple(condition) if isinstance(condition, list) else (condition,),
        Comparison(compare["left"], compare["is"], compare["right"]) if compare else None,
        row["effect"],
        row["why"] if "why" in row else _words_of_rule(row["rule"]),
        tuple(source) if isinstance(source, list) else (source,),
    )


def _words_of_rule(wanted: str) -> str:
    rules = (rule for rules in rule_texts(BACKEND).values() for rule in rules)
    return next(str(rule["message"]) for rule in rules if rule["id"] == wanted)
