"""Hints for unknown names: the near miss, the place where the key belongs, another engine's word for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from llmcfg.catalog import Facts, backend_catalog, backends, names
from llmcfg.checking.checker import Violation, properties
from llmcfg.checking.versions import instead
from llmcfg.diagnostics import Path, dotted

_TYPO, _SLIP = 0.75, 0.9
"""How alike two words are of which one could be meant by the other, or most probably is."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SHORTEST, _LONGEST = 3, 80
_SECTION = 3
"""Keys in the path of a section's parameter: the backend, the section, the parameter."""
_OPPOSITES = {
    "enable_": ("disable_",),
    "disable_": ("enable_", ""),
    "no_": ("", "enable_"),
    "use_": ("disable_",),
}
TOP = ("model", "backend", "gpu")


class Unknown(NamedTuple):
    """An unknown key of an object of a backend: the word as written and as parameters are spelled.

    ``kind`` is the type of the object, ``here`` what the catalog says of it.
    """

    backend: str
    path: Path
    word: str
    plain: str
    value: Any
    kind: str
    here: Facts


def nearest(word: str, known: Iterable[str], likeness: float = _TYPO) -> str | None:
    """Return the known word most like ``word``, if one is close enough to be a typo."""
    from difflib import get_close_matches

    if not word.isascii():
        from llmcfg.reading.lookalikes import folded

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


def beginning(word: str, choices: list[str]) -> str | None:
    """Return the choices that begin with the word, if there are few."""
    longer = [choice for choice in choices if choice.lower().startswith(word.lower())]
    return _either(longer) if len(word) >= _SHORTEST and longer else None


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
    head = key.partition(".")[0]
    plain = _spelled(head)
    if called := _called(plain):
        return called in ("backend", *backends())
    return bool(nearest(head, ("backend", *backends()))) or any(
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
    where, catalog = violation.where, backend_catalog(name)
    kind = str(where[1]) if where[0] == "$defs" else catalog["root"]
    value = violation.value.get(key)
    return next(_hints(Unknown(name, path, key, _spelled(key), value, kind, catalog["types"][kind])))


def known_as(word: str, asked: str | None) -> Iterator[str]:
    """Say what became of a word that no parameter is called, and what others call so."""
    plain, chosen = _spelled(word), [asked] if asked else list(backends())
    yield from filter(None, (_gone(backend, None, plain) for backend in chosen))
    called = ((backend, _counterpart(backend, plain)) for backend in chosen)
    names = [f"{backend}.{name}" for backend, name in called if name]
    if top := _called(plain):
        names.insert(0, top)
    if names:
        yield f"Here it is called {_either(names)}."


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
    yield from _hints_of_form(asked, here)
    if others := _other_kinds(asked):
        yield f"It belongs to {others}."
    if gone := _gone(asked.backend, asked.path[-1], asked.plain):
        yield gone
    places = list(_places(asked.backend, asked.plain))
    yield from _known(asked, places)
    if near := nearest(asked.word, here, _SLIP):
        yield _near_miss(asked.plain, near)
    yield from _elsewhere(asked, places)
    if near := nearest(asked.plain, here):
        yield _near_miss(asked.plain, near)
    if hint := _far_miss(asked.backend, asked.plain):
        yield hint
    if len(asked.path) == 1:
        yield f"{asked.path[0]} has the sections {', '.join(here)}."
    yield f"If the engine takes it, put it under {dotted(asked.path)}.extra, where nothing is checked."


def _hints_of_form(asked: Unknown, here: Facts) -> Iterator[str]:
    """Look for a parameter of this very object that was only written in another form."""
    if "." in asked.word and (hint := _nested(asked.backend, asked.word, _mappings(asked))):
        yield hint
    if same := _same(asked.plain, here):
        flag = "A config has no flags: write" if asked.word.startswith("-") else "It is written"
        yield f"{flag} {same}."
    if asked.plain in TOP:
        yield f"It is a key of the top level: `{asked.plain}: …`."
    if asked.plain == "extra":
        yield f"Each section has its own: {_either([dotted((*asked.path, name, 'extra')) for name in here])}."
    if opposite := _opposite(asked):
        yield f"Write {opposite}: {'false' if asked.value is not False else 'true'}."
    if asked.plain in names()["top"]["model"] and not any(_places(asked.backend, asked.plain)):
        yield "It is called model here, a key of the top level: `model: …`."


def _same(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that differs in case and underscores alone."""
    return next((name for name in known if _squeezed(name) == _squeezed(word)), None)


def _squeezed(word: str) -> str:
    """Write a word without underscores and case; environment variables stay apart from parameters."""
    bare = word.replace("_", "")
    return bare if bare.isupper() else bare.lower()


def _opposite(asked: Unknown) -> str | None:
    """Return the switch of this object that turns off what the key turns on, or the other way round."""
    known = properties(asked.backend, asked.kind)
    for prefix, others in _OPPOSITES.items():
        bare = asked.plain.removeprefix(prefix)
        for other in others if bare != asked.plain else ():
            if "boolean" in known.get(other + bare, {}).get("type", ()):
                return other + bare
    return None


def _near_miss(word: str, near: str) -> str:
    """Ask whether the near miss was meant, unless that is the contrary."""
    turned = near.startswith("disable_") != word.startswith(("disable_", "no_"))
    switches = near.startswith(("disable_", "enable_")) and word.startswith(tuple(_OPPOSITES))
    return f"Did you mean {near}{', which is the opposite' if turned and switches else ''}?"


def _mappings(asked: Unknown) -> list[str]:
    known = properties(asked.backend, asked.kind)
    return [name for name, schema in known.items() if "object" in schema.get("type", "object")]


def _nested(backend: str | None, word: str, heads: Iterable[str]) -> str | None:
    """Say how a dotted key is written, if its head is known: ``compilation_config.mode``."""
    head, *inner = word.split(".")
    plain = _spelled(head)
    meant = ((_counterpart(backend, plain) if backend else None) or "").rpartition(".")[2]
    known = _same(plain, heads) or (meant if meant in heads else None)
    if known is None or not inner or not all(inner):
        return None
    from llmcfg.printable import printable
    from llmcfg.secrets import hidden

    rest = ": {".join([*inner[:-1], f"{inner[-1]}: …"]) if len(inner) > 1 else f"{inner[0]}: …"
    return f"A key has no dots: write {known}: {{{printable(hidden(rest), 80)}{'}' * len(inner)}."


def _other_kinds(asked: Unknown) -> str | None:
    """Name the choices of the object's kind that have the key: ``method: bitsandbytes``."""
    types = backend_catalog(asked.backend)["types"]
    for owner in types.values():
        for facts in owner["parameters"].values():
            choice, kinds = (facts or {}).get("variants", ("", {}))
            if asked.kind in kinds.values():
                having = [name for name, kind in kinds.items() if asked.plain in types[kind]["parameters"]]
                return f"{choice}: {_either(having)}" if having else None
    return None


def _gone(backend: str, owner: Any, word: str) -> str | None:
    table = names()["gone"].get(backend, {})
    facts = table.get(f"{owner}.{word}") or table.get(word)
    if facts is None:
        return None
    engine, since = backends()[backend], facts.get("until")
    when = (
        f"in {engine['package']} {since}" if since else f"before {engine['package']} {engine['versions'][0]}"
    )
    return f"Removed {when}. {instead(facts['instead'])}"


def _known(asked: Unknown, places: list[str]) -> Iterator[str]:
    """Look for the very key in the backend's sections, and for what others call it."""
    around = f"{dotted(asked.path)}."
    sections = [
        place for place in places if place.count(".") < _SECTION and not around.startswith(f"{place}.")
    ]
    if sections:
        yield f"It belongs under {_either(sections)}."
    target = _counterpart(asked.backend, asked.plain)
    if target is not None and "." not in target and len(asked.path) > 1:
        if not around.startswith(f"{asked.backend}.{target}."):
            yield f"It belongs under {asked.backend}.{target}."
    elif target is not None:
        owner = next((other for other in backends() if _is_own(other, asked.plain)), None)
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


def _is_own(backend: str, word: str) -> bool:
    """Tell whether it is the backend's own name for the thing, or a parameter of one of its sections."""
    called = (_counterpart(backend, word) or "").rpartition(".")[2]
    return called == word or any(place.count(".") < _SECTION for place in _places(backend, word))


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
    if hint := _nested(None, key, backends()):
        return hint
    plain = _spelled(key)
    if called := _called(plain):
        return f"It is called {called} here."
    if near := nearest(key, top):
        return f"Did you mean {near}?"
    for backend in present or backends():
        if places := list(_places(backend, plain)):
            return f"It belongs under {_either(places)}."
        if target := _counterpart(backend, plain):
            return f"In {backend} it is {target}."
        if hint := _far_miss(backend, plain):
            return hint
    return f"The top level takes {', '.join(top)}."


def _called(plain: str) -> str | None:
    """Return the key of the top level that people also call so."""
    return next((name for name, others in names()["top"].items() if plain in others), None)


def _places(backend: str, key: str) -> Iterator[str]:
    """Yield the paths of the backend's parameters that have this name, the shallowest first."""
    wanted = _squeezed(key)
    return (
        dotted((*path, parameter))
        for path, parameter in _parameters(backend)
        if _squeezed(parameter) == wanted
    )


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
