"""The native parameters that the schema models, by ``Object.field``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from llmcfg.audit.facts import Json
from llmcfg.catalog import backend_catalog, bundle
from llmcfg.checking.versions import in_range


class Native(NamedTuple):
    """One parameter of the schema, and the native object and field that it sets."""

    object: str
    field: str
    type: str
    name: str
    schema: Json
    holder: Json

    @property
    def id(self) -> str:
        """The native parameter, e.g. ``EngineArgs.dtype``."""
        return f"{self.object}.{self.field}"

    def is_in(self, version: str) -> bool:
        """Tell whether the schema says that this release has the parameter."""
        return all(
            in_range(version, about.get("x-since"), about.get("x-until"))
            for about in (self.schema, self.holder)
        )

    @property
    def impact(self) -> list[str]:
        """What the parameter moves; nothing where the schema says that it moves none."""
        impact = self.schema.get("x-impact", [])
        return impact if isinstance(impact, list) else []


@cache
def natives(backend: str) -> tuple[Native, ...]:
    """Return every parameter of the schema that is a field of a native object."""
    return tuple(_natives(backend))


def _natives(backend: str) -> Iterator[Native]:
    tags = _tags(backend)
    for name in backend_catalog(backend)["types"]:
        holder = bundle()["$defs"][name]
        for key, schema in holder["properties"].items():
            owner, field = _place(holder, key, schema)
            if key != "extra" and owner and (name, key) not in tags:
                yield Native(owner, field, name, key, schema, holder)


def _place(holder: Json, key: str, schema: Json) -> tuple[str | None, str]:
    """Return the native object and field of a parameter; no object where it is none itself."""
    own = schema.get("x-native")
    own = own if isinstance(own, dict) else {}
    if "object" in own and "allOf" in schema:
        return None, key
    field = own.get("name", key)
    return own.get("object", object_of(holder)), field


def object_of(holder: Json) -> str | None:
    """Return the name of the native object that a type becomes; None for a plain grouping."""
    native = holder.get("x-native")
    if native is None:
        return None
    if isinstance(native, dict) and "object" in native:
        return str(native["object"])
    path = native if isinstance(native, str) else native["class"]
    return str(path).removesuffix(".from_dict").rpartition(".")[2]


def _tags(backend: str) -> set[tuple[str, str]]:
    """Return the types and keys that only choose a class, and are no field of it."""
    found = set()
    for facts in backend_catalog(backend)["types"].values():
        for parameter in facts["parameters"].values():
            if parameter and "variants" in parameter:
                key, choices = parameter["variants"]
                found |= {(name, key) for name in choices.values() if not _is_field(name, key)}
    return found


def _is_field(name: str, key: str) -> bool:
    native = bundle()["$defs"][name]["properties"][key].get("x-native")
    return isinstance(native, dict) and "name" in native
