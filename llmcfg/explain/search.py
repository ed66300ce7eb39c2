"""Find what a user means: by path or its end, bare name, native name, flag, or former name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from llmcfg.catalog import backends
from llmcfg.codes import CODES
from llmcfg.explain.native import native_name, natives
from llmcfg.explain.places import Inside, Place, places
from llmcfg.explain.rules import rule_ids

Key = tuple[tuple[str, ...], tuple[Inside, ...]]


@dataclass(frozen=True)
class Found:
    """A place, and what the user called it where that is a former or a native name."""

    place: Place
    former: str | None = None
    native: str | None = None


def search(name: str, backend: str | None) -> list[Found]:
    """Return the parameters that the name may mean: first those called so, the shallowest first."""
    wanted = tuple(name.split("."))
    every = list(_of(backend))
    own = [Found(place) for place in every if place.path[-len(wanted) :] == wanted]
    native = [Found(place, native=name) for place in every if name in _spellings()[_key(place)]]
    former = [Found(place, former=name) for place in every if _was_called(place, wanted)]
    found: dict[Key, Found] = {}
    for item in (*own, *native, *former):
        found.setdefault(_key(item.place), item)
    return list(found.values())


def near(name: str, backend: str | None) -> str | None:
    """Return a name that was probably meant."""
    from llmcfg.checking.suggest import nearest

    names = {place.name for place in _of(backend)} | CODES.keys() | rule_ids(backend)
    return nearest(name.rpartition(".")[2].lstrip("-"), names)


def _of(backend: str | None) -> Iterator[Place]:
    """Yield the places of a backend, with those at the top level that belong to no other."""
    others = backends().keys() - {backend} if backend else set()
    return (place for place in places() if place.path[0] not in others)


def _key(place: Place) -> Key:
    return place.path, place.inside


@cache
def _spellings() -> dict[Key, set[str]]:
    """Return the engine's names of each place."""
    return {_key(place): set(_native_names(place)) for place in places()}


def _native_names(place: Place) -> Iterator[str]:
    """Yield native names, dotted or not, keys of the engine's file, and flags with and without dashes."""
    yield native_name(place.name, place.schema)
    for item in natives(place):
        yield ".".join(item.path)
        if item.key:
            yield item.key
        if item.flag and not item.in_json:
            bare = item.flag.lstrip("-")
            yield from (item.flag, bare, f"--no-{bare}")


def _was_called(place: Place, wanted: tuple[str, ...]) -> bool:
    *above, old = wanted
    here = place.path[:-1]
    return old in place.schema.get("x-renamed-from", ()) and here[len(here) - len(above) :] == tuple(above)
