"""The words of other engines and of earlier releases, as the hints about unknown keys look them up."""

from __future__ import annotations

from collections.abc import Iterator

from llmcfg.generator.source import Json, Source, Type


def names(source: Source) -> Json:
    """Return what each word means in each backend, what is gone, and words for the same value."""
    return {
        "equivalents": dict(_equivalents(source.names["equivalents"])),
        "gone": {backend: _without_sources(gone) for backend, gone in source.names["gone"].items()},
        "values": source.names["values"],
        "top": source.names["top"],
        "secret": source.names["secret"],
        "secrets": sorted(set(_secrets(source))),
    }


def words(entry: Json) -> list[str]:
    """Return the words for one thing: the names of parameters of a section, and what else people write."""
    own = (path.split(".") for path in entry["names"].values() if ":" not in path)
    return list(dict.fromkeys([*(parts[-1] for parts in own if len(parts) == 2), *entry.get("also", ())]))


def _equivalents(entries: list[Json]) -> Iterator[tuple[str, Json]]:
    for entry in entries:
        for word in words(entry):
            yield word, entry["names"]


def _without_sources(gone: Json) -> Json:
    return {
        name: {key: fact for key, fact in facts.items() if key != "source"} for name, facts in gone.items()
    }


def _secrets(source: Source) -> Iterator[str]:
    """Yield the parameters that hold a secret, each with the name of the object that it stands in."""
    for types in source.types.values():
        holders = [
            (name, nested)
            for item in types.values()
            for name, parameter in item.properties.items()
            for nested in (parameter.get("$type"), *parameter.get("$types", ()))
        ]
        for holder, nested in holders:
            if nested is not None:
                yield from (f"{holder}.{name}" for name in _secret_names(types[nested]))


def _secret_names(item: Type) -> list[str]:
    return [name for name, value in item.properties.items() if value.get("x-security") == "secret"]
