"""The parameters that a user wrote: where they stand in the document, and where in the native config."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from llmcfg.catalog import Facts, backend_catalog, nested_type
from llmcfg.diagnostics import Path

_EXTRA = "extra"
_UNKNOWN: Facts = {}


class Written(NamedTuple):
    """A parameter with a value, or a key of ``extra``.

    ``native`` is the path in the native config, the object's name first; None for a parameter that only
    chooses a class. ``type`` and ``key`` name its declaration in the schema; ``key`` is None in ``extra``.
    ``whole`` is what goes when it is left out: the object around it, where it chooses that object's type.
    """

    path: Path
    native: tuple[str, ...] | None
    type: str
    key: str | None
    whole: Path


def written(backend: str, section: dict[str, Any]) -> list[Written]:
    """Return the parameters of a backend's section, in the order of the file.

    What a key of ``extra`` overrides is left out: the engine never sees it.
    """
    sections = {name: value for name, value in section.items() if isinstance(value, dict) and value}
    found = list(_object(backend, backend_catalog(backend)["root"], sections, (backend,), ()))
    extra = [item.native for item in found if item.key is None and item.native]
    return [item for item in found if item.key is None or not _overridden(item.native, extra)]


def without(section: dict[str, Any], left_out: Collection[Path]) -> dict[str, Any]:
    """Return a section as if its user had not written some parameters, nor mappings for them alone."""
    rest: dict[str, Any] = _without(section, {path[1:] for path in left_out}, ())
    return rest


def _overridden(native: tuple[str, ...] | None, extra: list[tuple[str, ...]]) -> bool:
    return native is not None and any(native[: len(own)] == own for own in extra)


def _object(
    backend: str,
    name: str,
    data: dict[str, Any],
    path: Path,
    native: tuple[str, ...],
    chooser: str | None = None,
) -> Iterator[Written]:
    parameters = backend_catalog(backend)["types"][name]["parameters"]
    for key, value in data.items():
        if key == _EXTRA and key not in parameters:
            for own in value or ():
                yield Written((*path, key, own), (*native, own), name, None, (*path, key, own))
        else:
            whole = path if key == chooser else (*path, key)
            item = Written((*path, key), _native(key, parameters, native), name, key, whole)
            yield from _parameter(backend, item, parameters.get(key) or _UNKNOWN, value)


def _native(key: str, parameters: Facts, native: tuple[str, ...]) -> tuple[str, ...] | None:
    facts = parameters.get(key) or _UNKNOWN
    if facts.get("form") == "class":
        return None
    return (facts["object"],) if "object" in facts else (*native, facts.get("name", key))


def _parameter(backend: str, item: Written, facts: Facts, value: Any) -> Iterator[Written]:
    inner = nested_type(facts, value) if isinstance(value, dict) and value else None
    if inner is None or item.native is None:
        yield item._replace(native=None) if "object" in facts else item
    else:
        chooser = facts["variants"][0] if "variants" in facts else None
        yield from _object(backend, inner, value, item.path, item.native, chooser)


def _without(data: Any, left_out: set[Path], path: Path) -> Any:
    if not isinstance(data, dict):
        return data
    kept = {}
    for key, value in data.items():
        if (*path, key) not in left_out:
            rest = _without(value, left_out, (*path, key))
            if rest or rest == value:
                kept[key] = rest
    return kept
