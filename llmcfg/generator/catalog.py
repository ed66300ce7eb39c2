"""The lowering catalog: for each type what becomes of its parameters, and under which conditions.

A parameter that goes into the native object under its own name, unchanged and unconditionally, maps
to null; ``simple`` marks one that goes there under its own name too, perhaps as another type of number, or
under conditions (``when``).
"""

from __future__ import annotations

import json
from typing import Any

from llmcfg.generator.rules import rule_index
from llmcfg.generator.shapes import variants
from llmcfg.generator.source import Json, Source, Type, section_name

_CONDITIONS = {
    "x-requires": "requires",
    "x-since": "since",
    "x-until": "until",
    "x-replaced-by": "replaced_by",
    "deprecated": "deprecated",
}


def index(source: Source) -> Json:
    """Return the small catalog that every run loads: the backends and the GPUs."""
    backends = {
        name: {**facts, "sections": _sections(source.types[name], name)}
        for name, facts in source.backends.items()
    }
    gpus = {
        name: {key: value for key, value in facts.items() if key != "source"}
        for name, facts in source.gpus["gpus"].items()
    }
    return {"backends": backends, "gpus": {**source.gpus, "gpus": gpus}}


def _sections(types: dict[str, Type], backend: str) -> Json:
    sections = types[section_name(backend)].properties
    return {name: _native_object(section, types) for name, section in sections.items()}


def _native_object(section: Json, types: dict[str, Type]) -> str:
    own = section.get("x-native", {})
    if "object" in own:
        return str(own["object"])
    return str(types[section["$type"]].head["x-native"]["object"])


def backend_catalog(types: dict[str, Type], backend: str) -> Json:
    """Return the lowering catalog of one backend."""
    catalog = {name: _type(item, types) for name, item in types.items()}
    section = catalog[section_name(backend)]["parameters"]
    for name, native in _sections(types, backend).items():
        section[name]["object"] = native
    return {"root": section_name(backend), "types": catalog}


def _type(item: Type, types: dict[str, Type]) -> Json:
    entry: Json = {
        "parameters": {name: _facts(value, item, types) for name, value in item.properties.items()}
    }
    native = item.head.get("x-native")
    if native is not None:
        entry["class"] = native if isinstance(native, str) else native.get("class")
    if conditions := _conditions(item.head):
        entry["when"] = conditions
    renamed = {
        old: name for name, value in item.properties.items() for old in value.get("x-renamed-from", ())
    }
    if renamed:
        entry["renamed"] = renamed
    if item.rules:
        entry["rules"] = rule_index(item.rules)
    return entry


def _facts(parameter: Json, holder: Type, types: dict[str, Type]) -> Json | None:
    facts: Json = {}
    if "$type" in parameter:
        facts["type"] = parameter["$type"]
    if "$types" in parameter:
        facts["variants"] = [parameter["discriminator"]["propertyName"], variants(parameter, types)]
    for key, name in (("items", "items"), ("additionalProperties", "entries")):
        nested = parameter.get(key)
        if isinstance(nested, dict) and "$type" in nested:
            facts[name] = nested["$type"]
    native = parameter.get("x-native")
    if isinstance(native, dict):
        facts |= {key: native[key] for key in ("object", "name", "form", "flag") if key in native}
    if _is_integral(parameter):
        facts["integral"] = True
    if _is_floating(parameter) and not _is_environment(holder):
        facts["floating"] = True
    if inner := _integral_parts(parameter):
        facts["inner"] = inner
    conditions = _conditions(parameter) | _security(parameter)
    values = {
        value: own for value, about in parameter.get("x-values", {}).items() if (own := _conditions(about))
    }
    if values:
        conditions["values"] = values
    if facts.keys() <= {"integral", "floating", "inner"} and (facts or conditions):
        facts["simple"] = True
    if conditions:
        facts["when"] = conditions
    return facts or None


def _conditions(about: Json) -> Json:
    return {name: _normal(key, about[key]) for key, name in _CONDITIONS.items() if key in about}


def _security(parameter: Json) -> Json:
    """Say what the parameter exposes: by which values alone, or by all but the default."""
    about = parameter.get("x-security")
    if about is None:
        return {}
    if isinstance(about, dict):
        return {"security": {"kind": about["kind"], "only": [_text(value) for value in about["values"]]}}
    return {"security": {"kind": about, "harmless": _text(parameter.get("default"))}}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _normal(key: str, value: Any) -> Any:
    """Write requirements as a list of alternatives, whichever form they have in the schema."""
    if key != "x-requires":
        return value
    if isinstance(value, str):
        return [{"arch": value}]
    alternatives = value if isinstance(value, list) else [value]
    return [{k: v for k, v in item.items() if k != "source"} for item in alternatives]


def _is_environment(holder: Type) -> bool:
    native = holder.head.get("x-native")
    return isinstance(native, dict) and native.get("object") == "env"


def _integral_parts(parameter: Json) -> Json:
    """Describe where, inside lists and open mappings, integers stand."""
    parts: Json = {}
    for key, name in (("items", "items"), ("additionalProperties", "entries")):
        nested = parameter.get(key)
        if isinstance(nested, dict):
            own = {"integral": True} if _is_integral(nested) else {}
            if own := own | _integral_parts(nested):
                parts[name] = own
    return parts


def _is_floating(parameter: Json) -> bool:
    """Tell whether 2 must reach the engine as 2.0: some classes refuse an integer for a float."""
    kinds = parameter.get("type", [])
    return "number" in kinds and "integer" not in kinds


def _is_integral(parameter: Json) -> bool:
    """Tell whether 16.0 must reach the engine as 16: JSON Schema takes both for an integer."""
    kinds = parameter.get("type", [])
    return "integer" in kinds and "number" not in kinds
