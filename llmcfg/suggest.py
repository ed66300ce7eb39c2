"""Hints for unknown names: the near miss, the place where the key belongs, another engine's word for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from llmcfg.catalog import Facts, backend_catalog, backends, names
from llmcfg.checker import Violation, properties
from llmcfg.diagnostics import Path, dotted
from llmcfg.versions import instead

_TYPO, _SLIP = 0.75, 0.9
"""How alike two words are of which one could be meant by the other, or most probably is."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LONGEST = 80
_SECTION = 3
"""Keys in the path of a section's parameter: the backend, the section, the parameter."""
TOP = ("model", "backend", "gpu")


class Unknown(NamedTuple):
    """An unknown key of an object of a backend: the word as written and as parameters are spelled."""

    backend: str
    path: Path
    word: str
    plain: str
    here: Facts


def nearest(word: str, known: Iterable[str], likeness: float = _TYPO) -> str | None:
    """Return the known word most like ``word``, if one is close enough to be a typo."""
    from difflib import get_close_matches

    if not word.isascii():
        from llmcfg.lookalikes import folded

        word = folded(word[:_LONGEST])
    spelled = {name.lower().replace("-", "_"): name for name in known}
    matches = get_close_matches(word[:_LONGEST].lower().replace("-", "_"), list(spelled), 1, likeness)
    return spelled[matches[0]] if matches else None


def nearest_value(word: str, choices: list[str]) -> str | None:
    """Return the choice that was meant: in other case, by another name of the same thing, or a near miss."""
    bare = word.removeprefix("torch.").lower()
    for known in (bare, *_same_value(bare)):
        if found := next((choice for choice in choices if choice.lower() == known.lower()), None):
            return found
    return nearest(word, choices, 0.8)


def _same_value(word: str) -> list[str]:
    return [other for group in names()["values"] if word in map(str.lower, group) for other in group]


def takers(name: str, violation: Violation, value: str) -> list[str]:
    """Return the parameters beside the one of the violation that take the value."""
    if name == "root" or len(violation.where) < _SECTION or violation.where[0] != "$defs":
        return []
    beside = properties(name, str(violation.where[1]))
    wanted = {other.lower() for other in (value, *_same_value(value.lower()))}
    return [
        key for key, schema in beside.items() if wanted & {str(c).lower() for c in schema.get("enum", ())}
    ][:2]


def stands_for(unknown: list[str], key: str) -> str | None:
    """Return the one of the unknown keys that is how the user wrote the key that is missing."""
    heads = {re.split(r"[:=]", word, maxsplit=1)[0].strip(): word for word in unknown}
    called = names()["top"].get(key, ())
    head = nearest(key, heads) or next((head for head in heads if _spelled(head) in called), None)
    return None if head is None else heads[head]


def means_backend(key: str) -> bool:
    """Tell whether an unknown key of the top level stands for a backend, or for what belongs into one."""
    plain = _spelled(key)
    return bool(nearest(key, ("backend", *backends()))) or any(
        any(_places(name, plain)) or _counterpart(name, plain) for name in backends()
    )


def hint_for_unknown(name: str, violation: Violation, path: Path, key: str) -> str:
    """Say what the user may have meant by an unknown key of the object at ``path``.

    ``name`` is the validator (a backend, or ``root``); the place of the broken keyword in its schema
    says which type the object is of.
    """
    if hint := glued(key):
        return hint
    if name == "root":
        return _hint_at_top(key, [backend for backend in backends() if backend in violation.value])
    where = violation.where
    types = backend_catalog(name)["types"]
    here = types[where[1]] if where[0] == "$defs" else types[backend_catalog(name)["root"]]
    return next(_hints(Unknown(name, path, key, _spelled(key), here)))


def glued(text: str) -> str | None:
    """Name the pitfall of a key and a value that stick together: no space after the colon, or no colon."""
    from llmcfg.printable import printable
    from llmcfg.secrets import hidden

    found = re.match(r"([\w.-]{1,80})(:|\s*=)(?!/)\s*(.{0,40})", text)
    if found is None:
        return None
    value = hidden(f"{found[1]}={found[3]}").partition("=")[2]
    pitfall = "Put a space after the colon" if found[2] == ":" else "Write a colon, not `=`"
    return f"{pitfall}: `{printable(found[1])}: {printable(value)}`."


def _spelled(key: str) -> str:
    """Write ``--max-model-len`` or ``maxModelLen`` as parameters are spelled."""
    plain = key[:_LONGEST].lstrip("-").replace("-", "_")
    return plain if plain.isupper() else _HUMP.sub("_", plain).lower()


def _hints(asked: Unknown) -> Iterator[str]:
    """Yield what the key may mean, the most probable first; there is always a last resort."""
    here = asked.here["parameters"]
    for word in (asked.word, asked.plain):
        if word in asked.here.get("renamed", ()):
            yield f"It is called {asked.here['renamed'][word]} now."
    if asked.plain in TOP:
        yield f"It is a key of the top level: `{asked.plain}: …`."
    if asked.plain == "extra":
        yield f"Each section has its own: {_either([dotted((*asked.path, name, 'extra')) for name in here])}."
    if asked.plain in here:
        flag = "A config has no flags: write" if asked.word.startswith("-") else "It is written"
        yield f"{flag} {asked.plain}."
    if (positive := asked.plain.removeprefix("no_")) in here:
        yield f"Write {positive}: false."
    if asked.plain in (gone := names()["gone"].get(asked.backend, {})):
        yield _gone(asked.backend, gone[asked.plain])
    places = list(_places(asked.backend, asked.plain))
    yield from _known(asked, places)
    if near := nearest(asked.word, here, _SLIP):
        yield f"Did you mean {near}?"
    yield from _elsewhere(asked, places)
    if near := nearest(asked.plain, here):
        yield f"Did you mean {near}?"
    if hint := _far_miss(asked.backend, asked.plain):
        yield hint
    if len(asked.path) == 1:
        yield f"{asked.path[0]} has the sections {', '.join(here)}."
    yield f"If the engine takes it, put it under {dotted(asked.path)}.extra, where nothing is checked."


def _gone(backend: str, facts: Facts) -> str:
    engine, since = backends()[backend], facts.get("until")
    when = (
        f"in {engine['package']} {since}" if since else f"before {engine['package']} {engine['versions'][0]}"
    )
    return f"Removed {when}. {instead(facts['instead'])}"


def _known(asked: Unknown, places: list[str]) -> Iterator[str]:
    """Look for the very key in the backend's sections, and for what others call it."""
    if dotted((*asked.path, asked.plain)) in places:
        yield f"Another kind of {asked.path[-1]} has it."
    around = f"{dotted(asked.path)}."
    sections = [
        place for place in places if place.count(".") < _SECTION and not around.startswith(f"{place}.")
    ]
    if sections:
        yield f"It belongs under {_either(sections)}."
    if target := _counterpart(asked.backend, asked.plain):
        owner = next((other for other in backends() if any(_places(other, asked.plain))), None)
        whose = (
            f"That is {backends()[owner]['title']}'s name; in" if owner not in (None, asked.backend) else "In"
        )
        yield f"{whose} {asked.backend} it is {target}."


def _elsewhere(asked: Unknown, places: list[str]) -> Iterator[str]:
    """Look for the very key deeper in the backend, and in other backends."""
    if places:
        yield f"It belongs under {_either(places)}."
    for other in backends():
        if other != asked.backend and (theirs := list(_places(other, asked.plain))):
            titles = backends()[asked.backend]["title"], backends()[other]["title"]
            yield f"{titles[0]} has no such key; {titles[1]} has it as {_either(theirs)}."


def _counterpart(backend: str, word: str) -> str | None:
    """Return the backend's own name, with its section, for what another engine or user calls ``word``."""
    found: str | None = names()["equivalents"].get(word, {}).get(backend)
    return found


def _far_miss(backend: str, key: str) -> str | None:
    known = (parameter for _, parameter in _parameters(backend) if parameter.isupper() == key.isupper())
    near = nearest(key, known, 0.85)
    return f"Did you mean {_either(list(_places(backend, near)))}?" if near else None


def _hint_at_top(key: str, present: list[str]) -> str:
    top = [*TOP, *backends()]
    if near := nearest(key, top):
        return f"Did you mean {near}?"
    plain = _spelled(key)
    if called := next((name for name, others in names()["top"].items() if plain in others), None):
        return f"It is called {called} here."
    for backend in present or backends():
        if places := list(_places(backend, plain)):
            return f"It belongs under {_either(places)}."
        if target := _counterpart(backend, plain):
            return f"In {backend} it is {target}."
        if hint := _far_miss(backend, plain):
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
