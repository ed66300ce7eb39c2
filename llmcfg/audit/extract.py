"""Make the inventory of a package from its sources, by the steps of ``audit/surfaces.json``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import griffe

from llmcfg.audit.facts import Field, Inventory, Json, NativeObject
from llmcfg.audit.static import environment, settings
from llmcfg.audit.static.objects import Reader
from llmcfg.audit.static.package import Package

Objects = dict[str, NativeObject]


def extract(
    backend: str, package: str, version: str, root: Path, surface: Json, read_from: Json
) -> Inventory:
    """Return the facts of the package under ``root``; nothing of it is imported."""
    reader = Reader(Package(root, surface.get("import", package.replace("-", "_"))))
    objects: Objects = {}
    missing = []
    for step in surface["steps"]:
        found = list(_READERS[step["read"]](reader, step))
        if not found and not step.get("optional"):
            missing.append(step.get("object") or step["paths"][0])
        for name, item in found:
            objects[name] = _joined(objects.get(name), item, step)
    objects = _twinned(reader, dict(_followed(reader, objects, surface)))
    notes = {"not_found": missing} if missing else {}
    return Inventory(backend, package, version, read_from, objects, reader.enums, notes)


def _twinned(reader: Reader, objects: Objects) -> Objects:
    """Note with each variable the setting of a module whose default it gives."""
    settings = {
        variable: setting
        for item in objects.values()
        if item.kind == "module"
        for variable, setting in environment.twins(reader, item.path).items()
    }
    owner = objects.get("env")
    if owner is None or not settings:
        return objects
    fields = {key: replace(field, of=settings.get(key)) for key, field in owner.fields.items()}
    return {**objects, "env": replace(owner, fields=fields)}


def _joined(known: NativeObject | None, item: NativeObject, step: Json) -> NativeObject:
    """Add the fields of a further step to an object; what is known first stays."""
    fields = {name: _status(field, step) for name, field in item.fields.items()}
    if known is None:
        return replace(item, fields=fields)
    return replace(known, fields=fields | known.fields)


def _status(field: Field, step: Json) -> Field:
    return replace(field, status=step["status"]) if "status" in step else field


def _followed(reader: Reader, objects: Objects, surface: Json) -> Iterator[tuple[str, NativeObject]]:
    """Yield all objects, and those that their fields hold, as far as they are configuration."""
    queue = list(objects.items())
    seen = dict(objects)
    leaves = {step.get("object") for step in surface["steps"] if step.get("follow") is False}
    while queue:
        name, item = queue.pop(0)
        yield name, item
        if name in leaves:
            continue
        owner = reader.package.find(item.path)
        for inner in reader.reachable(owner, seen) if isinstance(owner, griffe.Class) else ():
            if inner.name not in seen and _is_within(inner, surface):
                seen[inner.name] = reader.declared(inner)
                queue.append((inner.name, seen[inner.name]))


def _is_within(owner: griffe.Class, surface: Json) -> bool:
    return any(owner.path.startswith(f"{prefix}.") for prefix in surface.get("within", ()))


def _first(reader: Reader, step: Json) -> griffe.Object | None:
    """Return what the first path that the release has leads to: releases move things."""
    return next(filter(None, map(reader.package.find, step["paths"])), None)


def _fields(reader: Reader, step: Json) -> Iterator[tuple[str, NativeObject]]:
    found = _first(reader, step)
    if isinstance(found, griffe.Class):
        yield step["object"], reader.declared(found)


def _parameters(reader: Reader, step: Json) -> Iterator[tuple[str, NativeObject]]:
    found = _first(reader, step)
    function = _constructor(reader, found) if isinstance(found, griffe.Class) else found
    if isinstance(function, griffe.Function) and found is not None:
        yield step["object"], reader.constructed(function, found.path, tuple(step.get("skip", ())))


def _constructor(reader: Reader, owner: griffe.Class) -> griffe.Object | None:
    for cls in (owner, *reader.package.bases(owner)):
        if isinstance(function := cls.members.get("__init__"), griffe.Function):
            return function
    return None


def _keywords(reader: Reader, step: Json) -> Iterator[tuple[str, NativeObject]]:
    for path in step["paths"]:
        found = reader.package.find(path)
        if not isinstance(found, griffe.Function):
            continue
        taken = reader.taken(found, tuple(step.get("mappings", ["kwargs"])))
        kept = {name: field for name, field in taken.items() if name not in step.get("skip", ())}
        yield step["object"], NativeObject(step["paths"][0], "call", kept)


def _subclasses(reader: Reader, step: Json) -> Iterator[tuple[str, NativeObject]]:
    """Yield every class of a module that derives from ``base``, read by its constructor or its fields."""
    module = _first(reader, step)
    for member in module.members.values() if module else ():
        if not isinstance(member, griffe.Class):
            continue
        if step["base"] in {base.name for base in reader.package.bases(member)}:
            function = _constructor(reader, member)
            if isinstance(function, griffe.Function):
                yield member.name, reader.constructed(function, member.path, tuple(step.get("skip", ())))
            else:
                yield member.name, reader.declared(member)


def _environment_table(reader: Reader, step: Json) -> Iterator[tuple[str, NativeObject]]:
    found = environment.declared(reader, step["paths"][0], step["table"])
    if found:
        yield step["object"], NativeObject("os.environ", "environment", found)


def _environment(reader: Reader, step: Json) -> Iterator[tuple[str, NativeObject]]:
    found = environment.read_anywhere(reader, step["names"], step.get("under", ""))
    if found:
        yield step["object"], NativeObject("os.environ", "environment", found)


def _module(reader: Reader, step: Json) -> Iterator[tuple[str, NativeObject]]:
    for path in step["paths"]:
        if reader.package.module(path) is not None:
            yield path, settings.module_attributes(reader, path)


def _switches(reader: Reader, step: Json) -> Iterator[tuple[str, NativeObject]]:
    for path in step["paths"]:
        if reader.package.module(path) is not None:
            yield path, settings.switches(reader, path, step["functions"])


_READERS: dict[str, Callable[[Reader, Json], Iterator[tuple[str, NativeObject]]]] = {
    "fields": _fields,
    "parameters": _parameters,
    "keywords": _keywords,
    "subclasses": _subclasses,
    "environment table": _environment_table,
    "environment": _environment,
    "module": _module,
    "switches": _switches,
}
"""How each kind of step reads; a step is a row of ``audit/surfaces.json``."""
