"""What changed in an engine since the schema was written: one release against the schema."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from llmcfg.audit.differences import differences
from llmcfg.audit.facts import Inventory
from llmcfg.audit.matching import Matched, by_id, matched, unmatched
from llmcfg.audit.natives import Native

_ALIKE = 0.6
_SAME_FACTS = 0.2


class Drift(NamedTuple):
    """One thing that differs.

    ``kind`` is ``new``, ``removed``, ``renamed``, ``returned`` (the schema says that it is gone, or not
    there yet), or the question that is answered differently: ``default``, ``type``, ``choices``, ``bounds``.
    ``todo`` is the edit of the schema that would settle it.
    """

    kind: str
    id: str
    schema: Any
    engine: Any
    todo: str


def drift(inventory: Inventory) -> Iterator[Drift]:
    """Yield what differs between the schema and a release, renamed parameters as one."""
    fields = list(matched(inventory))
    new = [field for field in fields if not field.is_covered and field.decision is None]
    removed = list(unmatched(inventory))
    for native, field in _renamed(removed, new):
        removed.remove(native)
        new.remove(field)
        yield _rename(native, field, inventory)
    yield from (_new(field, inventory) for field in new)
    yield from (_removed(native, inventory) for native in removed)
    for field in fields:
        yield from _changed(field, inventory)


def _renamed(removed: list[Native], new: list[Matched]) -> list[tuple[Native, Matched]]:
    """Pair what is gone with what is new in the same object and looks most alike."""
    scored = sorted(
        (
            (_likeness(native, field), index, place)
            for index, native in enumerate(removed)
            for place, field in enumerate(new)
        ),
        reverse=True,
    )
    natives: dict[int, int] = {}
    for score, index, place in scored:
        if score >= _ALIKE and index not in natives and place not in natives.values():
            natives[index] = place
    return [(removed[index], new[place]) for index, place in natives.items()]


def _likeness(native: Native, field: Matched) -> float:
    """Score two names of one object, more where type and default agree; 0 for different objects."""
    if native.object != field.object:
        return 0.0
    declared = native.schema.get("type", [])
    same = {declared} if isinstance(declared, str) else set(declared)
    score = SequenceMatcher(None, native.field, field.name).ratio()
    score += _SAME_FACTS / 2 if same == set(field.field.types) else -_SAME_FACTS / 2
    return score + (
        _SAME_FACTS / 2 if native.schema.get("default") == field.field.default else -_SAME_FACTS / 2
    )


def _rename(native: Native, field: Matched, inventory: Inventory) -> Drift:
    todo = (
        f"rename {native.name} of {native.type} to {field.name}: x-renamed-from [{native.field!r}], "
        f"x-since {inventory.version}; keep the old one with x-until {inventory.version}"
    )
    return Drift("renamed", native.id, native.field, field.name, todo)


def _new(field: Matched, inventory: Inventory) -> Drift:
    hidden = by_id(inventory.backend, None).get(field.id, ())
    facts = field.field.to_json()
    if hidden:
        about = hidden[0].schema
        bounds = {key: about[key] for key in ("x-since", "x-until") if key in about}
        todo = f"mend {', '.join(bounds)} of {hidden[0].name} of {hidden[0].type}: {inventory.version} has it"
        return Drift("returned", field.id, bounds, facts, todo)
    todo = (
        f"audit {field.name}, add it to the type of {field.object} with x-since {inventory.version}, "
        "or decide against it"
    )
    return Drift("new", field.id, None, facts, todo)


def _removed(native: Native, inventory: Inventory) -> Drift:
    todo = f"set x-until {inventory.version} and x-replaced-by on {native.name} of {native.type}"
    return Drift("removed", native.id, native.schema.get("default"), None, todo)


def _changed(field: Matched, inventory: Inventory) -> Iterator[Drift]:
    for native in field.natives:
        meant = native.schema.get("x-differs", {})
        for item in differences(native, field.field, inventory):
            if item.question not in meant:
                todo = (
                    f"read the engine about {item.question} of {native.name} of {native.type}; "
                    "mend it, or say why in x-differs"
                )
                yield Drift(item.question, field.id, item.schema, item.engine, todo)
