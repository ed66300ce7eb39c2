"""How much of what an engine takes the schema covers: of what moves energy or throughput, and of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from llmcfg.audit import store
from llmcfg.audit.facts import Inventory, Json
from llmcfg.audit.matching import Matched, matched, unmatched
from llmcfg.catalog import backends
from llmcfg.checking.versions import order


class Share(NamedTuple):
    """A part of a whole."""

    covered: int
    total: int

    @property
    def percent(self) -> float:
        """The part in percent; all of nothing is 100."""
        return 100.0 * self.covered / self.total if self.total else 100.0


class Coverage(NamedTuple):
    """One object of one release, or the release as a whole where ``object`` is None.

    ``missing`` are native parameters that are neither in the schema nor decided on; ``left_out`` those
    that were decided against.
    """

    backend: str
    package: str
    version: str
    object: str | None
    impactful: Share
    public: Share
    missing: list[str]
    left_out: list[str]


class Stale(NamedTuple):
    """Something written down about a native parameter that no stored release has, or that is modelled."""

    backend: str
    id: str
    why: str


def coverage(backend: str) -> Iterator[Coverage]:
    """Yield the coverage of every stored release that the schema speaks of, each followed by its objects."""
    for item in store.inventories(backend):
        if not is_audited(backend, item.package, item.version):
            continue
        inventory = store.inventory(backend, item.version, item.package)
        if inventory is not None:
            yield from of_inventory(inventory)


def is_audited(backend: str, package: str, version: str) -> bool:
    """Tell whether the schema claims to describe a release: other packages have one release, ours a range."""
    if package != store.own_package(backend):
        return True
    audited = backends()[backend]["versions"]
    return order(audited[0]) <= order(version) <= order(audited[-1])


def of_inventory(inventory: Inventory) -> Iterator[Coverage]:
    """Yield the coverage of a release, then that of each of its objects."""
    fields = list(matched(inventory))
    yield _counted(inventory, None, fields)
    for name in inventory.objects:
        own = [field for field in fields if field.object == name]
        if own:
            yield _counted(inventory, name, own)


def _counted(inventory: Inventory, name: str | None, fields: list[Matched]) -> Coverage:
    return Coverage(
        inventory.backend,
        inventory.package,
        inventory.version,
        name,
        _share(field for field in fields if field.is_impactful),
        _share(field for field in fields if field.is_public),
        [field.id for field in fields if not field.is_covered and field.decision is None],
        [field.id for field in fields if not field.is_covered and field.decision is not None],
    )


def _share(fields: Iterable[Matched]) -> Share:
    known = [field.is_covered for field in fields]
    return Share(sum(known), len(known))


def stale(backend: str) -> Iterator[Stale]:
    """Yield decisions about what is modelled or gone, and parameters that their release lacks."""
    inventories = [
        inventory
        for item in store.inventories(backend)
        if is_audited(backend, item.package, item.version)
        and (inventory := store.inventory(backend, item.version, item.package))
    ]
    fields = [field for inventory in inventories for field in matched(inventory)]
    used = {id(field.decision) for field in fields if field.decision is not None and not field.is_covered}
    for name, about in store.decisions(backend).items():
        if id(about) not in used:
            yield Stale(backend, name, "decided on, but modelled or in no stored release")
    for inventory in inventories:
        for native in unmatched(inventory):
            yield Stale(backend, native.id, f"modelled, but not in {inventory.package} {inventory.version}")


def to_json(item: Coverage) -> Json:
    """Return plain data."""
    data = item._asdict()
    for key in ("impactful", "public"):
        share: Share = data[key]
        data[key] = {**share._asdict(), "percent": round(share.percent, 1)}
    return data
