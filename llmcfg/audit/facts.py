"""Native facts: what the objects of an engine take, as data."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One native parameter.

    ``types`` are JSON types (``any`` for everything), ``foreign`` the Python types that no file holds.
    ``is_open``: other texts than the choices are taken too; ``enums`` names the enumerations they are of.
    ``default`` is JSON; where it can't be known without running code, ``expression`` is its source. ``of`` is
    the field of an inner object that it is handed to; ``constraints`` are conditions read by hand.
    """

    annotation: str | None = None
    types: list[str] = field(default_factory=list)
    choices: list[Any] = field(default_factory=list)
    is_open: bool = False
    enums: list[str] = field(default_factory=list)
    bounds: dict[str, float] = field(default_factory=dict)
    objects: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    required: bool = False
    default: Any = None
    has_default: bool = False
    expression: str | None = None
    status: str | None = None
    deprecated: bool = False
    of: str | None = None
    constraints: str | None = None

    @property
    def is_code(self) -> bool:
        """Whether only Python objects will do, which no file holds."""
        return bool(self.foreign) and set(self.types) <= {"null"}

    def to_json(self) -> Json:
        """Return the facts that there are; ``default`` only where it is known."""
        facts = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "has_default"}
        kept = {key: value for key, value in facts.items() if value or key == "default"}
        if not self.has_default:
            del kept["default"]
        return kept

    @classmethod
    def from_json(cls, facts: Json) -> Field:
        """Read what `to_json` wrote."""
        return cls(**facts, has_default="default" in facts)


@dataclass(frozen=True)
class NativeObject:
    """A configuration object.

    ``path`` is its Python path, ``extra`` what it does with unknown keys, ``bases`` the classes of the
    package that it derives from. ``validators`` maps ``Class.function`` to the fields it looks at, none
    where it looks at the whole object.
    """

    path: str
    kind: str
    fields: dict[str, Field]
    extra: str | None = None
    validators: dict[str, list[str]] = field(default_factory=dict)
    bases: list[str] = field(default_factory=list)

    def to_json(self) -> Json:
        """Return plain data."""
        own = {"extra": self.extra, "bases": self.bases, "validators": self.validators}
        head = {"path": self.path, "kind": self.kind, **own}
        kept = {key: value for key, value in head.items() if value}
        return kept | {"fields": {name: item.to_json() for name, item in self.fields.items()}}

    @classmethod
    def from_json(cls, facts: Json) -> NativeObject:
        """Read what `to_json` wrote."""
        own = {name: Field.from_json(item) for name, item in facts["fields"].items()}
        return cls(**{**facts, "fields": own})


@dataclass(frozen=True)
class Inventory:
    """The objects of one release of a package. ``read_from`` says where the facts were read."""

    backend: str
    package: str
    version: str
    read_from: Json
    objects: dict[str, NativeObject]
    enums: dict[str, Json] = field(default_factory=dict)
    notes: Json = field(default_factory=dict)

    def text(self) -> str:
        """Return the inventory as the text of its file: one field a line, so that diffs read well."""
        head = {"backend": self.backend, "package": self.package, "version": self.version}
        parts = [
            f'  "{key}": {_line(value)}' for key, value in (head | {"read_from": self.read_from}).items()
        ]
        if self.notes:
            parts.append(f'  "notes": {json.dumps(self.notes, indent=2, ensure_ascii=False)}')
        enums = ",\n".join(f"    {_line(name)}: {_line(item)}" for name, item in sorted(self.enums.items()))
        parts.append(f'  "enums": {{\n{enums}\n  }}' if enums else '  "enums": {}')
        objects = ",\n".join(f"    {_line(name)}: {_object(item)}" for name, item in self.objects.items())
        parts.append(f'  "objects": {{\n{objects}\n  }}')
        return "{\n" + ",\n".join(parts) + "\n}\n"

    @classmethod
    def from_json(cls, facts: Json) -> Inventory:
        """Read the data of an inventory's file."""
        objects = {name: NativeObject.from_json(item) for name, item in facts["objects"].items()}
        return cls(**{**facts, "objects": objects})


def _object(item: NativeObject) -> str:
    facts = item.to_json()
    lines = [f"      {_line(key)}: {_line(value)}" for key, value in facts.items() if key != "fields"]
    rows = [f"        {_line(name)}: {_line(value)}" for name, value in facts["fields"].items()]
    lines.append('      "fields": {\n' + ",\n".join(rows) + "\n      }" if rows else '      "fields": {}')
    return "{\n" + ",\n".join(lines) + "\n    }"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
