"""Editions of the editor schema: cut down to one backend, or to one release of it.

An edition for a release offers what ``validate --backend-version`` takes, and nothing else: both go by the
same ``x-since`` and ``x-until``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from llmcfg.catalog import Facts, backends, bundle
from llmcfg.checking.versions import in_range, order

_PARALLEL = re.compile(r"(enum|markdownEnum)[A-Z].*")
"""Lists of an editor schema that stand beside ``enum`` and are as long."""


def edition(backend: str, version: str | None = None) -> Facts:
    """Return the schema with only this backend's section and types, and only what the release has."""
    whole = bundle()
    others = backends().keys() - {backend}
    properties = {name: schema for name, schema in whole["properties"].items() if name not in others}
    properties["backend"] = _keep(properties["backend"], lambda value: value == backend)
    defs = whole["$defs"]
    if version is not None:
        release = _Release(version, defs)
        properties = {name: release.schema(schema) for name, schema in properties.items()}
        defs = {name: release.schema(entry) for name, entry in defs.items()}
    used = _reachable(properties, defs)
    kept = {name: entry for name, entry in defs.items() if name in used}
    return {**whole, **_names(whole, backend, version), "properties": properties, "$defs": kept}


def _names(whole: Facts, backend: str, version: str | None) -> Facts:
    of = " ".join(filter(None, (backends()[backend]["title"], version)))
    identifier = ":".join(filter(None, ("urn", "llmcfg", "schema", backend, version)))
    return {"$schema": whole["$schema"], "$id": identifier, "title": f"{whole['title']} for {of}"}


class _Release:
    """Leaves out of a schema what one release of the backend does not have."""

    def __init__(self, version: str, defs: Facts) -> None:
        self.version = version
        self.defs = defs

    def schema(self, schema: Any) -> Any:
        """Return the schema of an object or a parameter as it was in the release."""
        if isinstance(schema, list):
            return [self.schema(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        kept = {key: self._keyword(key, value) for key, value in schema.items()}
        if "enum" in kept:
            kept = _keep(kept, lambda value: self._has(schema.get("x-values", {}).get(_named(value), {})))
        if "default" in kept:
            kept = _with_default(kept, default_of(schema, self.version))
        if "required" in kept and "properties" in kept:
            kept["required"] = [name for name in kept["required"] if name in kept["properties"]]
        return _choosing(kept) if len(kept.get("allOf", ())) != len(schema.get("allOf", ())) else kept

    def _keyword(self, key: str, value: Any) -> Any:
        if key == "properties":
            return {name: self.schema(inner) for name, inner in value.items() if self._has_parameter(inner)}
        if key == "allOf":
            return [self.schema(item) for item in value if self._has_branch(item)]
        if key == "x-rules":
            return [rule for rule in value if self._has(rule)]
        return self.schema(value) if key in ("items", "additionalProperties") else value

    def _has(self, about: Facts) -> bool:
        return in_range(self.version, about.get("x-since"), about.get("x-until"))

    def _has_parameter(self, schema: Facts) -> bool:
        references = [item for item in schema.get("allOf", ()) if "$ref" in item]
        return self._has(schema) and all(self._has(self.defs[_target(item)]) for item in references)

    def _has_branch(self, item: Facts) -> bool:
        """Tell whether the release has what a choice among types leads to."""
        if "then" not in item:
            return True
        ((key, condition),) = item["if"]["properties"].items()
        chosen = self.defs[_target(item["then"])]
        about = chosen["properties"][key].get("x-values", {}).get(condition["enum"][0], {})
        return self._has(chosen) and self._has(about)


def default_of(schema: Facts, version: str) -> Any:
    """Return the default in a release: the present one, or what it was before it changed."""
    former = sorted(schema.get("x-former-default", {}).items(), key=lambda item: order(item[0]))
    return next((value for bound, value in former if order(version) < order(bound)), schema["default"])


def _with_default(schema: Facts, default: Any) -> Facts:
    """Set the default, or none where the release does not have that value."""
    rest = {key: value for key, value in schema.items() if key != "default"}
    return {**schema, "default": default} if default in schema.get("enum", (default,)) else rest


def _choosing(schema: Facts) -> Facts:
    """Offer only the types that are left to the key that chooses among them."""
    conditions = [item["if"]["properties"] for item in schema["allOf"]]
    left = [value for condition in conditions for part in condition.values() for value in part["enum"]]
    properties = {key: _keep(inner, left.__contains__) for key, inner in schema["properties"].items()}
    return {**schema, "properties": properties}


def _keep(schema: Facts, wanted: Callable[[Any], bool]) -> Facts:
    """Return the schema with the wanted values of its enum, and what stands beside them."""
    enum = schema["enum"]
    chosen = [i for i, value in enumerate(enum) if wanted(value)]
    beside = {key: [value[i] for i in chosen] for key, value in schema.items() if _PARALLEL.fullmatch(key)}
    kept = {**schema, **beside}
    values = [enum[i] for i in chosen]
    names = {_named(value) for value in values}
    if "x-values" in schema:
        kept["x-values"] = {name: about for name, about in schema["x-values"].items() if name in names}
    if "examples" in schema:
        kept["examples"] = [value for value in schema["examples"] if value in values]
    return {**kept, "enum": values}


def _named(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _reachable(schema: Any, defs: Facts) -> set[str]:
    """Return the names of the types that a schema refers to, directly or through others."""
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = _target(part) if "$ref" in part else None
            if name is not None and name not in found:
                found.add(name)
                waiting.append(defs[name])
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def _target(reference: Facts) -> str:
    return str(reference["$ref"]).removeprefix("#/$defs/")
