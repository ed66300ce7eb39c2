"""A parameter's record: every fact that the schema holds about it, gathered once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from llmcfg.diagnostics import dotted
from llmcfg.explain.kinds import type_text
from llmcfg.explain.native import Native, natives
from llmcfg.explain.needs import Alternative, Verdict, verdict, ways, worst
from llmcfg.explain.places import Inside, Place, lines, nested
from llmcfg.explain.plain import plain
from llmcfg.explain.releases import Releases, audited, releases
from llmcfg.explain.rules import Rule, naming, rules_for
from llmcfg.explain.values import Value, about, values
from llmcfg.explain.words import security_text
from llmcfg.gpus import Gpu
from llmcfg.secrets import covered


@dataclass(frozen=True)
class Question:
    """What is asked beside the parameter: a GPU, a release, and one value (``has_value``)."""

    gpu: Gpu | None = None
    version: str | None = None
    value: Any = None
    has_value: bool = False


@dataclass(frozen=True)
class Around:
    """Conditions of an object that the parameter lies in, or is."""

    of: str
    needs: tuple[Alternative, ...]
    verdict: Verdict | None
    versions: Releases


@dataclass(frozen=True)
class Record:
    """Everything about one parameter at one place.

    ``where`` holds the keys that choose the type which has the parameter, ``keys`` what an object
    holds, by theme. ``default`` counts where ``has_default``; ``value`` is the one that was asked about,
    ``outcome`` what the GPU makes of it in the end.
    """

    path: str
    title: str
    text: str
    type: str
    required: bool
    has_default: bool
    default: Any
    former_defaults: dict[str, Any]
    resolves: str | None
    security: str | None
    examples: tuple[Any, ...]
    impact: tuple[str, ...]
    no_impact: str | None
    values: tuple[Value, ...]
    value: Value | None
    versions: Releases
    needs: tuple[Alternative, ...]
    verdict: Verdict | None
    around: tuple[Around, ...]
    native: tuple[Native, ...]
    rules: tuple[Rule, ...]
    sources: tuple[str, ...]
    where: dict[str, str]
    keys: dict[str, list[str]]
    outcome: Verdict | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON data; what is empty stays away."""
        found = plain(self)
        if not self.has_default:
            del found["default"]
        if self.value is None:
            del found["value"]
        for data, item in zip(found.get("native", ()), self.native, strict=False):
            data["name"] = item.name
        return {"kind": "parameter", **{key: item for key, item in found.items() if key != "has_default"}}


def record(place: Place, question: Question) -> Record:
    """Gather everything about a parameter."""
    place = place.chosen(question.value) if question.has_value else place
    schema, gpu, version = place.schema, question.gpu, question.version
    impact = schema.get("x-impact", [])
    needed = ways(schema)
    own = about(place, question.value, gpu, version) if question.has_value else None
    if own is not None:
        own = replace(own, value=covered(own.value, place.path))
    return Record(
        path=dotted(place.path),
        title=schema["title"],
        text=schema["description"],
        type=type_text(schema),
        required=_required(place),
        has_default="default" in schema,
        default=schema.get("default"),
        former_defaults=schema.get("x-former-default", {}),
        resolves=schema.get("x-resolves"),
        security=security_text(schema["x-security"]) if "x-security" in schema else None,
        examples=tuple(schema.get("examples", ())),
        impact=tuple(impact) if isinstance(impact, list) else (),
        no_impact=impact["none"] if isinstance(impact, dict) else None,
        values=values(place, gpu, version),
        value=own,
        versions=replace(
            releases(place.backend, schema, place.name, version), audited=audited(place.backend)
        ),
        needs=needed,
        verdict=verdict(needed, gpu) if gpu else None,
        around=_around(place, question),
        native=natives(place),
        rules=_rules(place, question),
        sources=_sources(place),
        where=place.choices,
        keys=_keys(place),
    )


def answered(found: Record, question: Question) -> Record:
    """Return the record for one value: what the GPU makes of it, and no others."""
    if found.value is None:
        return found
    needed = [] if found.value.turns_off else [found.verdict]
    judged = [found.value.verdict, *needed, *(item.verdict for item in found.around)]
    return replace(found, values=(), outcome=worst([item for item in judged if item is not None]))


def _required(place: Place) -> bool:
    if len(place.path) == 1:
        return place.path == ("model",)
    return any(place.name in holder.facts.get("required", ()) for holder in place.holders)


def _rules(place: Place, question: Question) -> tuple[Rule, ...]:
    found = rules_for(place, question.version)
    return naming(found, place, question.value) if question.has_value else found


def _sources(place: Place) -> tuple[str, ...]:
    listed = lines(place.schema.get("x-source", []))
    for name, choice in nested(place.schema):
        if choice is None:
            listed = listed + lines(Inside(name, 0).facts.get("x-source", []))
    return tuple(dict.fromkeys(listed))


def _around(place: Place, question: Question) -> tuple[Around, ...]:
    """Return the conditions of the objects around the parameter, and of the one that it is."""
    own = [Inside(name, len(place.path)) for name, choice in nested(place.schema) if choice is None]
    alone = [item for item in place.inside if item.choice is None or item.depth < len(place.path) - 1]
    chosen = [item for item in place.holders if item.choice and not _is_told(item.choice, item, place)]
    every = dict.fromkeys([*alone, *chosen, *own])
    return tuple(_conditions(item, place, question) for item in every if _conditioned(item))


def _is_told(choice: tuple[str, str], item: Inside, place: Place) -> bool:
    """Tell whether the value that chooses the type has the type's requirement already."""
    if choice[0] != place.name:
        return False
    value = place.schema["x-values"][choice[1]]
    return bool(value.get("x-requires") == item.facts.get("x-requires", value.get("x-requires")))


def _conditioned(item: Inside) -> bool:
    return any(key in item.conditions for key in ("x-requires", "x-since", "x-until", "deprecated"))


def _conditions(item: Inside, place: Place, question: Question) -> Around:
    of = dotted(place.path[: item.depth])
    if item.choice:
        of = f"{of} with {item.choice[0]}: {item.choice[1]}"
    needed = ways(item.conditions)
    judged = verdict(needed, question.gpu) if question.gpu else None
    return Around(of, needed, judged, releases(place.backend, item.conditions, of, question.version))


def _keys(place: Place) -> dict[str, list[str]]:
    """Return the keys of the object that the parameter is, by theme."""
    found: dict[str, list[str]] = {}
    for name, choice in nested(place.schema):
        if choice is not None:
            found["chooses the others"] = [choice[0]]
        else:
            for key, schema in Inside(name, 0).facts["properties"].items():
                found.setdefault(schema.get("x-theme", "Unchecked"), []).append(key)
    return found
