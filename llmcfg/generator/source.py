"""Read ``schema/``: the types, their themes joined and their references resolved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]


class Type(NamedTuple):
    """One object type: its head file, and the parameters and rules of all its themes."""

    name: str
    file: str
    head: Json
    properties: dict[str, Json]
    themes: dict[str, str]
    required: list[str]
    rules: list[Json]

    @property
    def is_native(self) -> bool:
        """Tell whether the type becomes an object of the engine; a backend's section only groups them."""
        return not self.file.endswith("/section.json")


class Source(NamedTuple):
    """Everything that is written by hand under ``schema/``."""

    root: Json
    backends: dict[str, Json]
    gpus: Json
    types: dict[str, dict[str, Type]]
    """The types of each backend, by name; the section's own type comes first."""
    names: Json
    """What people write in place of a parameter's name or value."""


def type_name(file: Path) -> str:
    """Name a type after its file: ``vllm/pass_config.json`` is ``VllmPassConfig``."""
    words = "_".join(file.with_suffix("").parts).split("_")
    return "".join(word[:1].upper() + word[1:] for word in words)


def section_name(backend: str) -> str:
    """Name the type of a backend's whole section."""
    return type_name(Path(backend) / "section.json")


def load(root: Path) -> Source:
    """Read all files under ``root`` (the ``schema/`` folder)."""
    backends: dict[str, Json] = _read(root / "backends.json")
    types = {backend: _Reader(root).read_backend(backend) for backend in backends}
    return Source(
        _read(root / "root.json"), backends, _read(root / "gpus.json"), types, _read(root / "names.json")
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


class _Reader:
    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.types: dict[str, Type] = {}

    def read_backend(self, backend: str) -> dict[str, Type]:
        self.read_type(self.root / backend / "section.json")
        return self.types

    def read_type(self, file: Path) -> str:
        relative = file.relative_to(self.root)
        name = type_name(relative)
        if name in self.types:
            return name
        head = _read(file)
        joined = Type(name, relative.as_posix(), head, {}, {}, list(head.get("required", ())), [])
        self.types[name] = joined
        for theme_file in (file, *(file.parent / theme["$ref"] for theme in head.get("allOf", ()))):
            self._join(joined, theme_file)
        return name

    def _join(self, joined: Type, file: Path) -> None:
        theme = _read(file)
        for name, parameter in theme.get("properties", {}).items():
            if name in joined.properties:
                raise ValueError(f"{file}: {name} is declared twice in {joined.file}")
            joined.properties[name] = self._resolve(parameter, file)
            joined.themes[name] = theme["title"]
        joined.rules.extend(theme.get("x-rules", ()))

    def _resolve(self, parameter: Json, file: Path) -> Json:
        """Replace file references by type names, under ``$type`` (one) or ``$types`` (a choice)."""
        resolved = dict(parameter)
        if "allOf" in resolved:
            (reference,) = resolved.pop("allOf")
            resolved["$type"] = self._target(reference, file)
        if "oneOf" in resolved:
            resolved["$types"] = [self._target(item, file) for item in resolved.pop("oneOf")]
        for key in ("items", "additionalProperties"):
            if isinstance(resolved.get(key), dict):
                resolved[key] = self._resolve(resolved[key], file)
        return resolved

    def _target(self, reference: Json, file: Path) -> str:
        return self.read_type((file.parent / reference["$ref"]).resolve())
