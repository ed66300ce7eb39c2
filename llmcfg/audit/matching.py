"""The schema beside an inventory: which native fields it models, and which were decided on."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from llmcfg.audit import store
from llmcfg.audit.facts import Field, Inventory, Json
from llmcfg.audit.natives import Native, natives
from llmcfg.catalog import backends

_NOT_OFFERED = ("private", "undeclared", "fixed", "tolerated")


class Matched(NamedTuple):
    """A native field: the parameters of the schema that set it, or the decision that it isn't one.

    ``is_elsewhere``: another part of a config sets it: the model's name, the section of its own object, or
    the setting whose default the variable gives.
    """

    object: str
    name: str
    field: Field
    natives: tuple[Native, ...]
    is_elsewhere: bool
    decision: Json | None

    @property
    def id(self) -> str:
        """The native parameter, e.g. ``EngineArgs.dtype``."""
        return f"{self.object}.{self.name}"

    @property
    def is_covered(self) -> bool:
        """Whether a config can set it."""
        return self.is_elsewhere or bool(self.natives)

    @property
    def is_public(self) -> bool:
        """Whether the engine offers it to users, in a form that a file can hold.

        What lies behind a leading underscore is ``private``, a variable that no list of the package's
        names is ``undeclared``, what a constructor sets itself is ``fixed``, what a function takes and throws
        away is ``tolerated``, and an object of Python's is code, by its annotation or by the decision.
        """
        is_code = self.field.is_code or (self.decision is not None and self.decision["kind"] == "code")
        return self.field.status not in _NOT_OFFERED and not is_code

    @property
    def is_impactful(self) -> bool:
        """Whether it is a setting that moves energy or throughput.

        An object of Python code (the decision ``code``) is no setting: no file could hold it, whatever it
        moves.
        """
        moved = {kind for native in self.natives for kind in native.impact}
        about = self.decision
        if about is not None and about["kind"] != "code" and isinstance(about["impact"], list):
            moved |= set(about["impact"])
        return bool(moved & {"energy", "throughput"})


def matched(inventory: Inventory) -> Iterator[Matched]:
    """Yield every native field of a release with what the schema makes of it."""
    known = by_id(inventory.backend, inventory.version if _is_own(inventory) else None)
    stands_for = _stands_for(inventory)
    elsewhere = _elsewhere(inventory)
    for name, item in inventory.objects.items():
        owner = stands_for.get(name, name)
        for key, field in item.fields.items():
            natives = known.get(f"{owner}.{key}", ())
            is_elsewhere = not elsewhere.isdisjoint({f"{owner}.{key}", f"{name}.{key}"}) or field.of in known
            about = decision(inventory.backend, f"{name}.{key}", field.of)
            yield Matched(name, key, field, natives, is_elsewhere, about)


def by_id(backend: str, version: str | None) -> dict[str, tuple[Native, ...]]:
    """Return the parameters of the schema that a release has by ``Object.field``; all of them without one.

    Attributes of torch count under the module that has them: ``torch.backends.cudnn.enabled``.
    """
    found: dict[str, tuple[Native, ...]] = {}
    for native in _inventoried(backend):
        if version is None or native.is_in(version):
            found[native.id] = (*found.get(native.id, ()), native)
    return found


def decision(backend: str, full: str, twin: str | None = None) -> Json | None:
    """Return the decision about a native parameter, or about the setting whose other name it is.

    An exact one goes before a pattern.
    """
    known = store.decisions(backend)
    names = [name for name in (full, twin) if name is not None]
    exact = next((known[name] for name in names if name in known), None)
    if exact is not None:
        return exact
    patterns = [pattern for pattern in known if "*" in pattern]
    return next((known[item] for name in names for item in patterns if fnmatchcase(name, item)), None)


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
    for native in _inventoried(inventory.backend):
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


def _inventoried(backend: str) -> Iterator[Native]:
    """Yield the parameters but those of classes that no inventory has, as of compiled modules."""
    outside = {path for package in store.surfaces(backend).values() for path in package.get("outside", ())}
    yield from (native for native in natives(backend) if _class_of(native) not in outside)


def _class_of(native: Native) -> str | None:
    """Return the Python path of the class that holds a parameter."""
    own = native.holder.get("x-native")
    return own.get("class") if isinstance(own, dict) else own


def _elsewhere(inventory: Inventory) -> set[str]:
    """Return the fields that other parts of a config set: the model, and objects with a section."""
    model = backends()[inventory.backend]["model"]
    filled: dict[str, str] = store.surfaces(inventory.backend)[inventory.package].get("elsewhere", {})
    modelled = {native.object for native in natives(inventory.backend)}
    return {f"{model['object']}.{model['name']}"} | {
        field for field, owner in filled.items() if owner in modelled
    }


def _stands_for(inventory: Inventory) -> dict[str, str]:
    table: dict[str, str] = store.surfaces(inventory.backend)[inventory.package].get("stands_for", {})
    return table
