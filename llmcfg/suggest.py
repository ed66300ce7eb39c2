"""Hints for unknown names: the near miss, the place where the key belongs, another engine's word for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmcfg.catalog import backend_catalog, backends
from llmcfg.checker import Violation
from llmcfg.diagnostics import Path, dotted

_SHORT = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32", "f16": "float16", "f32": "float32"}
_TYPO, _SLIP = 0.75, 0.9
"""How alike two words are of which one could be meant by the other, or most probably is."""


def nearest(word: str, known: Iterable[str], likeness: float = _TYPO) -> str | None:
    """Return the known word most like ``word``, if one is close enough to be a typo."""
    from difflib import get_close_matches

    spelled = {name.lower().replace("-", "_"): name for name in known}
    matches = get_close_matches(word[:80].lower().replace("-", "_"), list(spelled), 1, likeness)
    return spelled[matches[0]] if matches else None


def nearest_value(word: str, choices: list[str]) -> str | None:
    """Return the choice that was meant: another name of the same data type, or a near miss."""
    meant = _SHORT.get(word.lower())
    return meant if meant in choices else nearest(word, choices, 0.8)


def means_backend(key: str) -> bool:
    """Tell whether an unknown key of the top level stands for a backend, or for what belongs into one."""
    return bool(nearest(key, backends())) or any(any(_places(name, key)) for name in backends())


def hint_for_unknown(name: str, violation: Violation, path: Path, key: str) -> str:
    """Say what the user may have meant by an unknown key of the object at ``path``.

    ``name`` is the validator (a backend, or ``root``); the place of the broken keyword in its schema
    says which type the object is of.
    """
    if name == "root":
        return _hint_at_top(key, [backend for backend in backends() if backend in violation.value])
    where = violation.where
    types = backend_catalog(name)["types"]
    here = types[where[1]] if where[0] == "$defs" else types[backend_catalog(name)["root"]]
    if key in here.get("renamed", ()):
        return f"It is called {here['renamed'][key]} now."
    if ":" in key:
        return "Put a space after the colon."
    if key in ("model", "backend", "gpu"):
        return f"It is a key of the top level: `{key}: …`."
    if hint := _elsewhere(name, key, path, here["parameters"]):
        return hint
    if len(path) == 1:
        return f"{path[0]} has the sections {', '.join(here['parameters'])}."
    return f"If the engine takes it, put it under {dotted(path)}.extra, where nothing is checked."


def _elsewhere(name: str, key: str, path: Path, here: Iterable[str]) -> str | None:
    """Look for the key: nearly so here, so elsewhere in the backend, in another one; then less alike."""
    if near := nearest(key, here, _SLIP):
        return f"Did you mean {near}?"
    if places := list(_places(name, key)):
        own = dotted((*path, key)) in places
        return f"Another kind of {path[-1]} has it." if own else f"It belongs under {_either(places)}."
    for other in backends():
        if other != name and (places := list(_places(other, key))):
            titles = backends()[name]["title"], backends()[other]["title"]
            return f"{titles[0]} has no such key; {titles[1]} has it as {_either(places)}."
    if near := nearest(key, here):
        return f"Did you mean {near}?"
    return _far_miss(name, key)


def _far_miss(backend: str, key: str) -> str | None:
    names = (parameter for _, parameter in _parameters(backend) if parameter.isupper() == key.isupper())
    near = nearest(key, names, 0.85)
    return f"Did you mean {_either(list(_places(backend, near)))}?" if near else None


def _hint_at_top(key: str, present: list[str]) -> str:
    if ":" in key:
        return "Put a space after the colon."
    top = ["model", "backend", "gpu", *backends()]
    if near := nearest(key, top):
        return f"Did you mean {near}?"
    for backend in present or backends():
        if places := list(_places(backend, key)):
            return f"It belongs under {_either(places)}."
        if hint := _far_miss(backend, key):
            return hint
    return f"The top level takes {', '.join(top)}."


def _places(backend: str, key: str) -> Iterator[str]:
    """Yield the paths of the backend's parameters that have this very name, the shallowest first."""
    return (dotted((*path, key)) for path, parameter in _parameters(backend) if parameter == key)


def _parameters(backend: str) -> Iterator[tuple[Path, str]]:
    """Yield every parameter of the backend with the path of its object, the shallowest first."""
    catalog = backend_catalog(backend)
    queue: list[tuple[str, Path]] = [(catalog["root"], (backend,))]
    seen = {catalog["root"]}
    while queue:
        name, path = queue.pop(0)
        for parameter, facts in catalog["types"][name]["parameters"].items():
            yield path, parameter
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
