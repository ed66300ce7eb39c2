"""The schema beside an inventory: which native fields it models, and which were decided on."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from llmcfg.audit import store
from llmcfg.audit.facts import Field, Inventory, Json
from llmcfg.audit.natives import Native, natives
from llmcfg.catalog import backends


class Matched(NamedTuple):
    """A native field: the parameters of the schema that set it, or the decision that it isn't one."""

    object: str
    name: str
    field: Field
    natives: tuple[Native, ...]
    is_model: bool
    decision: Json | None

    @property
    def id(self) -> str:
        """The native parameter, e.g. ``EngineArgs.dtype``."""
        return f"{self.object}.{self.name}"

    @property
    def is_covered(self) -> bool:
        """Whether a config can set it."""
        return self.is_model or bool(self.natives)

    @property
    def is_public(self) -> bool:
        """Whether the engine means it for users: a name that starts with an underscore says no."""
        return self.field.status != "private"

    @property
    def is_impactful(self) -> bool:
        """Whether it moves energy or throughput."""
        moved = {kind for native in self.natives for kind in native.impact}
        if self.decision is not None and isinstance(self.decision["impact"], list):
            moved |= set(self.decision["impact"])
        return bool(moved & {"energy", "throughput"})


def matched(inventory: Inventory) -> Iterator[Matched]:
    """Yield every native field of a release with what the schema makes of it."""
    known = by_id(inventory.backend, inventory.version if _is_own(inventory) else None)
    stands_for = _stands_for(inventory)
    model = backends()[inventory.backend]["model"]
    for name, item in inventory.objects.items():
        owner = stands_for.get(name, name)
        for key, field in item.fields.items():
            full = f"{owner}.{key}"
            is_model = {"object": owner, "name": key} == model
            yield Matched(
                name, key, field, known.get(full, ()), is_model, decision(inventory.backend, f"{name}.{key}")
            )


def by_id(backend: str, version: str | None) -> dict[str, tuple[Native, ...]]:
    """Return the parameters of the schema that a release has by ``Object.field``; all of them without one.

    Attributes of torch count under the module that has them: ``torch.backends.cudnn.enabled``.
    """
    found: dict[str, tuple[Native, ...]] = {}
    for native in natives(backend):
        if version is None or native.is_in(version):
            found[native.id] = (*found.get(native.id, ()), native)
    return found


def decision(backend: str, full: str) -> Json | None:
    """Return the decision about a native parameter; an exact one goes before a pattern."""
    known = store.decisions(backend)
    if full in known:
        return known[full]
    return next(
        (about for pattern, about in known.items() if "*" in pattern and fnmatchcase(full, pattern)), None
    )


def unmatched(inventory: Inventory) -> Iterator[Native]:
    """Yield the parameters that the schema says this release has, and that its inventory lacks.

    Environment variables are not looked at: many belong to libraries that have no inventory.
    """
    stands_for = _stands_for(inventory)
    fields = {
        f"{stands_for.get(name, name)}.{key}"
        for name, item in inventory.objects.items()
        for key in item.fields
    }
    owners = {stands_for.get(name, name) for name in {*inventory.objects, *_known_objects(inventory)}} - {
        "env"
    }
    version = inventory.version if _is_own(inventory) else None
    for native in natives(inventory.backend):
        if version is None or native.is_in(version):
            is_here = any(native.id.startswith(f"{owner}.") for owner in owners)
            if is_here and native.id not in fields:
                yield native


def _known_objects(inventory: Inventory) -> set[str]:
    """Return the objects that the stored releases of the package have: this one may have dropped some."""
    stored = [item for item in store.inventories(inventory.backend) if item.package == inventory.package]
    known = [store.inventory(inventory.backend, item.version, item.package) for item in stored]
    return {name for item in known if item for name in item.objects}


def _is_own(inventory: Inventory) -> bool:
    """Tell whether the schema's versions are those of this package."""
    return inventory.package == store.own_package(inventory.backend)


def _stands_for(inventory: Inventory) -> dict[str, str]:
    table: dict[str, str] = store.surfaces(inventory.backend)[inventory.package].get("stands_for", {})
    return table
