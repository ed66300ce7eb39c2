"""Which compute capabilities a fact is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def supports(fact: Mapping[str, Any], capability: tuple[int, int]) -> bool:
    """Tell whether a fact names the capability: ``only`` some, or ``from`` one ``until`` another."""
    if "only" in fact:
        return capability in map(_pair, fact["only"])
    since, until = fact.get("from"), fact.get("until")
    return (since is None or _pair(since) <= capability) and (until is None or capability < _pair(until))


def _pair(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)
