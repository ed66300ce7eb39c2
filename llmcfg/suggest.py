"""Hints for unknown names: the near miss, the place where the key belongs, another engine's word for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmcfg.catalog import backend_catalog, backends
from llmcfg.diagnostics import Path, dotted


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like ``word``, if one is close enough to be a typo."""
    from difflib import get_close_matches

    spelled = {name.lower().replace("-", "_"): name for name in known}
    matches = get_close_matches(word[:80].lower().replace("-", "_"), list(spelled), 1, 0.75)
    return spelled[matches[0]] if matches else None


def hint_for_unknown(name: str, where: tuple[str | int, ...], path: Path, key: str) -> str:
    """Say what the user may have meant by an unknown key.

    ``name`` is the validator (a backend, or ``root``); ``where`` the place of the broken keyword in
    its schema, from which the type at ``path`` is known.
    """
    if name == "root":
        return _hint_at_top(key)
    types = backend_catalog(name)["types"]
    here = types[where[1]] if where[0] == "$defs" else types[backend_catalog(name)["root"]]
    if key in here.get("renamed", ()):
        return f"It is called {here['renamed'][key]} now."
    if near := nearest(key, here["parameters"]):
        return f"Did you mean {near}?"
    if key == "model":
        return "The model is a key of the top level: `model: …`."
    if places := list(_places(name, key)):
        return f"It belongs under {_either(places)}."
    for other in backends():
        if other != name and (places := list(_places(other, key))):
            return f"{name} has no such key; {backends()[other]['title']} has it as {_either(places)}."
    if len(path) == 1:
        return f"{path[0]} has the sections {', '.join(here['parameters'])}."
    return f"If the engine takes it, put it under {dotted(path)}.extra, where nothing is checked."


def _hint_at_top(key: str) -> str:
    top = ["model", "backend", "gpu", *backends()]
    if near := nearest(key, top):
        return f"Did you mean {near}?"
    for backend in backends():
        if places := list(_places(backend, key)):
            return f"It belongs under {_either(places)}."
    return f"The top level takes {', '.join(top)}."


def _places(backend: str, key: str) -> Iterator[str]:
    """Yield the paths of the backend's parameters that have this very name, the shallowest first."""
    catalog = backend_catalog(backend)
    queue: list[tuple[str, Path]] = [(catalog["root"], (backend,))]
    seen = {catalog["root"]}
    while queue:
        name, path = queue.pop(0)
        for parameter, facts in catalog["types"][name]["parameters"].items():
            if parameter == key:
                yield dotted((*path, key))
            if facts is None:
                continue
            nested = [facts["type"]] if "type" in facts else []
            nested += facts["variants"][1].values() if "variants" in facts else []
            for inner in nested:
                if inner not in seen:
                    seen.add(inner)
                    queue.append((inner, (*path, parameter)))


def _either(places: list[str]) -> str:
    return " or ".join(places[:3])
