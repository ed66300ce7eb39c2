"""The editor schema: one file, with every text that a completion or a hover shows."""

from __future__ import annotations

from llmcfg.document import copied
from llmcfg.generator.rules import mentions
from llmcfg.generator.shapes import discriminator, pointer, render_nested, render_reference
from llmcfg.generator.source import Json, Source, Type, section_name
from llmcfg.generator.texts import enum_texts, parameter_text
from llmcfg.generator.validator import DIALECT

_COPIED = (
    "type", "enum", "default", "examples", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "pattern", "patternErrorMessage", "minItems",
    "maxItems", "uniqueItems", "minProperties", "propertyNames", "deprecated", "x-native",
    "x-requires", "x-values", "x-impact", "x-since", "x-until", "x-renamed-from", "x-replaced-by",
    "x-former-default", "x-differs", "x-resolves", "x-security", "x-audit", "x-source",
)  # fmt: skip
_SCHEMA: Json = {
    "title": "Schema of this file",
    "description": "Where an editor finds the schema, if no comment can say it. No engine sees it.",
    "type": "string",
}
_EXTRA_TEXT = (
    "What the schema does not know: merged into this object last, key by key, unchecked and unchanged."
)
EXTRA: Json = {
    "title": "Passed on as it is",
    "description": _EXTRA_TEXT,
    "markdownDescription": _EXTRA_TEXT,
    "type": ["object", "null"],
    "additionalProperties": True,
}


def bundle(source: Source) -> Json:
    """Return the whole editor schema."""
    properties: Json = {"$schema": copied(_SCHEMA)}
    properties |= {
        name: _parameter(_filled(name, parameter, source), {})
        for name, parameter in source.root["properties"].items()
    }
    for backend in source.backends:
        head = source.types[backend][section_name(backend)].head
        properties[backend] = {
            "title": head["title"],
            "description": head["description"],
            "markdownDescription": head["description"],
            "type": ["object", "null"],
            "allOf": [pointer(section_name(backend))],
        }
    defs = {name: _object(item, types) for types in source.types.values() for name, item in types.items()}
    return {
        "$schema": DIALECT,
        "title": source.root["title"],
        "description": source.root["description"],
        "type": "object",
        "properties": properties,
        "required": source.root["required"],
        "additionalProperties": False,
        "$defs": defs,
    }


def _filled(name: str, parameter: Json, source: Source) -> Json:
    """Complete the two parameters whose values are tables: the backends, and the GPUs."""
    if name == "backend":
        values = {key: {"description": facts["description"]} for key, facts in source.backends.items()}
        return {**parameter, "enum": list(values), "x-values": values}
    if name == "gpu":
        values = {key: {"description": gpu["title"]} for key, gpu in source.gpus["gpus"].items()}
        values |= parameter["x-values"]
        return {**parameter, "enum": list(values), "x-values": values}
    return parameter


def _object(item: Type, types: dict[str, Type]) -> Json:
    """Render a type without description and JSON type: the parameter that refers to it has its own.

    Editors would show the type's in place of it, and report a wrong type twice. The title stays where
    editors offer all required keys at once, under this title.
    """
    properties = {
        name: _parameter(value, types, item.themes[name]) for name, value in item.properties.items()
    }
    if item.is_native:
        properties["extra"] = copied(EXTRA)
    rendered: Json = {
        "properties": properties,
        "additionalProperties": False,
    }
    if item.required:
        rendered |= {"title": item.head["title"], "required": item.required}
    for key in ("x-native", "x-requires", "x-since", "x-until", "x-replaced-by", "x-source"):
        if key in item.head:
            rendered[key] = copied(item.head[key])
    if item.rules:
        rendered["x-rules"] = [_rule(rule) for rule in item.rules]
    return rendered


def _rule(rule: Json) -> Json:
    """Keep what a reader wants to know of a rule: what it says, and which keys and values it speaks of."""
    told = {key: value for key, value in copied(rule).items() if key not in ("if", "then", "compare")}
    return {**told, "mentions": mentions(rule)}


def _parameter(parameter: Json, types: dict[str, Type], theme: str | None = None) -> Json:
    rendered: Json = {"title": parameter["title"], "description": parameter["description"]}
    rendered["markdownDescription"] = parameter_text(parameter)
    rendered |= {key: copied(parameter[key]) for key in _COPIED if key in parameter}
    if "enum" in parameter:
        rendered |= _described(enum_texts(parameter))
        rendered["x-values"] = {
            value: {key: item for key, item in about.items() if key != "description"}
            for value, about in rendered["x-values"].items()
        }
    if theme is not None:
        rendered["x-theme"] = theme
    rendered |= render_nested(parameter, lambda nested, _: _shape(nested, types))
    render_reference(parameter, rendered, types)
    if "$types" in parameter:
        name = parameter["discriminator"]["propertyName"]
        rendered["properties"] = {name: _discriminator(parameter, types)}
        for choice in rendered["allOf"]:  # or editors offer each condition's only value as the key's own
            choice["if"]["properties"][name]["doNotSuggest"] = True
    return rendered


def _described(texts: list[str]) -> Json:
    """Give the texts of an enum's values; as markdown too where they make use of it."""
    plain: Json = {"enumDescriptions": texts}
    return {**plain, "markdownEnumDescriptions": texts} if any("`" in text for text in texts) else plain


def _shape(nested: Json, types: dict[str, Type]) -> Json:
    rendered = {key: copied(nested[key]) for key in _COPIED if key in nested}
    rendered |= render_nested(nested, lambda deeper, _: _shape(deeper, types))
    return render_reference(nested, rendered, types)


def _discriminator(parameter: Json, types: dict[str, Type]) -> Json:
    name = parameter["discriminator"]["propertyName"]
    heads = [types[choice] for choice in parameter["$types"]]
    texts = [f"{item.head['title']}: {item.head['description']}" for item in heads]
    first = heads[0].properties[name]
    kinds = f"Chooses between {len(heads)} kinds, each with keys of its own."
    text = f"{kinds} {parameter['description']}"
    return {
        "title": first["title"],
        "description": text,
        "markdownDescription": text,
        **discriminator(parameter, types),
        **_described(texts),
    }
