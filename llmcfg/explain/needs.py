"""Requirements: their alternatives in words, and what a GPU makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmcfg.checking.hardware import meets
from llmcfg.explain.places import lines
from llmcfg.explain.words import alternative_text, alternatives, other_needs
from llmcfg.gpus import Gpu

NATIVE, EMULATED, IGNORED, UNSUPPORTED = "native", "emulated", "ignored", "unsupported"


@dataclass(frozen=True)
class Alternative:
    """One way to meet a requirement; ``facts`` is it as the schema has it."""

    text: str
    level: str
    sources: tuple[str, ...]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What a GPU makes of a requirement; ``also`` is asked for beside the GPU, and not judged."""

    gpu: str
    title: str
    level: str
    note: str | None = None
    also: tuple[str, ...] = ()


def ways(about: dict[str, Any]) -> tuple[Alternative, ...]:
    """Return the alternatives of a requirement; none where nothing is required."""
    if "x-requires" not in about:
        return ()
    return tuple(
        Alternative(
            alternative_text(item), item.get("level", NATIVE), tuple(lines(item.get("source", []))), item
        )
        for item in alternatives(about["x-requires"])
    )


def worst(verdicts: list[Verdict]) -> Verdict | None:
    """Return the verdict that decides; None of none."""
    order = (NATIVE, EMULATED, IGNORED, UNSUPPORTED)
    return max(verdicts, key=lambda item: (order.index(item.level), bool(item.also)), default=None)


def verdict(needed: tuple[Alternative, ...], gpu: Gpu) -> Verdict:
    """Judge alternatives in order: the first that the GPU meets decides."""
    if not needed:
        return Verdict(gpu.name, gpu.title, NATIVE)
    for item in needed:
        if meets(item.facts, gpu):
            note = item.facts.get("note")
            return Verdict(gpu.name, gpu.title, item.level, note, tuple(other_needs(item.facts)))
    return Verdict(gpu.name, gpu.title, UNSUPPORTED)
