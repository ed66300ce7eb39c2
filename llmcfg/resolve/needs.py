"""What a config needs: the requirements of everything that is written in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmcfg.catalog import backend_catalog
from llmcfg.checking.uses import OFF, Use, as_named
from llmcfg.lower import lower

Json = dict[str, Any]


def requirements(backend: str, document: Json) -> Iterator[list[Json]]:
    """Yield the alternatives of each parameter and value that needs something to take effect."""
    for use in lower(backend, document[backend], None).uses:
        for alternatives in _of_use(backend, use):
            effective = [item for item in alternatives if item.get("level") != "ignored"]
            if effective:
                yield effective


def _of_use(backend: str, use: Use) -> Iterator[list[Json]]:
    entry = backend_catalog(backend)["types"][use.type]
    facts = entry["when"] if use.key is None else entry["parameters"][use.key]["when"]
    text = as_named(use.value)
    if use.key is None or text not in OFF:
        yield facts.get("requires", [])
    if use.key is not None:
        yield facts.get("values", {}).get(text, {}).get("requires", [])


def of_model(backend: str, document: Json) -> list[set[str]]:
    """Return what everything in a config asks of the model: for each the features that would do."""
    return [
        {item["model"] for item in alternatives}
        for alternatives in requirements(backend, document)
        if all("model" in item for item in alternatives)
    ]
