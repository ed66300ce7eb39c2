"""The kinds of models that may stand in for another: ``audit/models.json``."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from llmcfg.data import evidence_path

DENSE = "dense"
Json = dict[str, Any]


@cache
def kinds() -> dict[str, Json]:
    """Return the kinds of models: for each its title, ``config.json``, source, and what it ``fulfils``.

    ``holds`` names values of parameters that say in which format a checkpoint is.
    """
    with open(evidence_path("models.json"), encoding="utf-8") as file:
        loaded: dict[str, Json] = json.load(file)
    return loaded


def fulfilling(wanted: list[set[str]]) -> tuple[str, ...]:
    """Return the kinds that fulfil every wish, the plainest first; each wish names what would do.

    The plain kind has to do where there is no such.
    """
    if not wanted:
        return (DENSE,)
    known = kinds().items()
    found = tuple(name for name, facts in known if all(wish & set(facts["fulfils"]) for wish in wanted))
    if not any("quantized_checkpoint" in wish for wish in wanted):
        found = tuple(name for name in found if name in plain()) or found
    return found or (DENSE,)


@cache
def plain() -> tuple[str, ...]:
    """Return the kinds that are not quantized, and no drafts for another model."""
    return tuple(name for name, facts in kinds().items() if "holds" not in facts and facts["fulfils"])


def for_value(key: Any, value: Any) -> tuple[str, ...]:
    """Return the kinds that hold what a value of a parameter names, as a checkpoint in that format."""
    return tuple(name for name, facts in kinds().items() if value in facts.get("holds", {}).get(key, ()))


def missing(wanted: list[set[str]]) -> str | None:
    """Return what is asked of the model and no kind fulfils."""
    wishes = [wish for wish in wanted if not any(wish & set(facts["fulfils"]) for facts in kinds().values())]
    return min(wishes[0]) if wishes else None


def for_config(section: Json, wanted: list[set[str]]) -> str:
    """Return the kind that may stand in for the model of a config, by what is written in its section."""
    values = (pair for part in section.values() if isinstance(part, dict) for pair in part.items())
    named = (name for key, value in values if isinstance(value, str) for name in for_value(key, value))
    return next(named, fulfilling(wanted)[0])
