"""Settings that make a small schema hold, or not: read off its own keywords, not guessed at.

A *setting* is a mapping from paths to values. ``ABSENT`` says that a key must not be written, ``PRESENT``
that any value will do. The solver proposes; whoever asks must judge what comes out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from llmcfg.checking.checker import satisfies

Json = dict[str, Any]
Path = tuple[str, ...]
Setting = dict[Path, Any]


class Pool(Protocol):
    """What may be written: the values at a path, and the keys of an object there."""

    def values(self, path: Path) -> list[Any]:
        """Return the values that may stand at a path."""
        ...

    def keys(self, path: Path) -> list[str]:
        """Return the keys of the object at a path."""
        ...


class _Marker:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


ABSENT, PRESENT = _Marker("ABSENT"), _Marker("PRESENT")
_COMBINATORS = ("allOf", "anyOf", "oneOf", "not")
_STRUCTURE = ("properties", "required", *_COMBINATORS)


def settings(schema: Any, wanted: bool, pool: Pool, path: Path = ()) -> Iterator[Setting]:
    """Yield settings below ``path`` under which ``schema`` holds, or where not ``wanted`` does not."""
    if isinstance(schema, bool):
        if schema is wanted:
            yield {}
    elif schema == {"type": "object"} and wanted:
        yield {path: PRESENT}
    elif not _is_structural(schema):
        if wanted and schema.keys() == {"type", "minProperties"}:
            yield from _with_a_key(pool, path)
        yield from ({path: value} for value in pool.values(path) if satisfies(schema, value) is wanted)
    elif wanted:
        yield from product(*_demands(schema, pool, path))
    else:
        yield from _denials(schema, pool, path)


def product(*parts: Callable[[], Iterable[Setting]], base: Setting | None = None) -> Iterator[Setting]:
    """Join one setting of each part, where they agree."""
    base = base or {}
    if not parts:
        yield base
        return
    for setting in parts[0]():
        joined = join(base, setting)
        if joined is not None:
            yield from product(*parts[1:], base=joined)


def join(one: Setting, other: Setting) -> Setting | None:
    """Return both settings in one, or None where they contradict each other."""
    joined = dict(one)
    for path, value in other.items():
        present = joined.get(path, PRESENT)
        if present is PRESENT:
            joined[path] = value
        elif value is not PRESENT and not _same(present, value):
            return None
        if joined[path] is ABSENT and value is PRESENT:
            return None
    fixed = [path for path, value in joined.items() if value is not PRESENT]
    if any(path != owner and path[: len(owner)] == owner for owner in fixed for path in joined):
        return None
    return joined


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))


def _is_structural(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    if "properties" in schema or "required" in schema:
        return True
    inner = [schema["not"]] if "not" in schema else []
    return any(
        map(
            _is_structural,
            itertools.chain(inner, *(schema.get(key, ()) for key in ("allOf", "anyOf", "oneOf"))),
        )
    )


def _own(schema: Json) -> Json:
    """Return the keywords that speak of the value itself; that it is an object is understood."""
    own = {key: value for key, value in schema.items() if key not in _STRUCTURE}
    return {} if own == {"type": "object"} else own


def _demands(schema: Json, pool: Pool, path: Path) -> Iterator[Callable[[], Iterable[Setting]]]:
    if "minProperties" in schema:
        yield lambda: _with_a_key(pool, path)
    required = set(schema.get("required", ()))
    for key in required - schema.get("properties", {}).keys():
        yield lambda key=key: [{(*path, key): PRESENT}]  # type: ignore[misc]
    for key, inner in schema.get("properties", {}).items():
        free: list[Setting] = [] if key in required else [{}]
        yield lambda key=key, inner=inner, free=free: itertools.chain(  # type: ignore[misc]
            free, settings(inner, True, pool, (*path, key))
        )
    for item in schema.get("allOf", ()):
        yield lambda item=item: settings(item, True, pool, path)  # type: ignore[misc]
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            yield lambda options=schema[keyword]: _in_turn(  # type: ignore[misc]
                settings(item, True, pool, path) for item in options
            )
    if "not" in schema:
        yield lambda: settings(schema["not"], False, pool, path)


def _denials(schema: Json, pool: Pool, path: Path) -> Iterator[Setting]:
    if own := _own(schema):
        yield from settings(own, False, pool, path)
    for key, inner in schema.get("properties", {}).items():
        yield from settings(inner, False, pool, (*path, key))
    for key in schema.get("required", ()):
        yield {(*path, key): ABSENT}
    yield from _in_turn(settings(item, False, pool, path) for item in schema.get("allOf", ()))
    if "anyOf" in schema:
        yield from product(*(_each(item, False, pool, path) for item in schema["anyOf"]))
    if "oneOf" in schema:
        yield from product(*(_each(item, False, pool, path) for item in schema["oneOf"]))
        for one, other in itertools.combinations(schema["oneOf"], 2):
            yield from product(_each(one, True, pool, path), _each(other, True, pool, path))
    if "not" in schema:
        yield from settings(schema["not"], True, pool, path)


def _with_a_key(pool: Pool, path: Path) -> Iterator[Setting]:
    return ({(*path, key): PRESENT} for key in pool.keys(path))


def _each(schema: Any, wanted: bool, pool: Pool, path: Path) -> Callable[[], Iterable[Setting]]:
    return lambda: settings(schema, wanted, pool, path)


def _in_turn(parts: Iterable[Iterable[Setting]]) -> Iterator[Setting]:
    """Take one of each in turn, so that no branch waits for another to end."""
    running = [iter(part) for part in parts]
    while running:
        for part in list(running):
            item = next(part, None)
            if item is None:
                running.remove(part)
            else:
                yield item
