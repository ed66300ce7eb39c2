"""Write a starter config: above each line what it does, in the schema's own words."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from llmcfg.catalog import Facts, backends, bundle
from llmcfg.emit.yaml_text import yaml_text
from llmcfg.explain.places import Place, places
from llmcfg.explain.words import description_of
from llmcfg.starter.fit import Starter, nested

_WIDTH = 100
_SENTENCE = re.compile(r".*?[.!?](?=\s+[A-Z0-9`(]|$)", re.DOTALL)
_ABBREVIATED = ("e.g.", "i.e.", "vs.", "etc.")


def starter_text(starter: Starter, schema: str) -> str:
    """Return the file; ``schema`` is where editors find the schema, as the first line names it."""
    backend = starter.template.backend
    section = {backend: nested(starter.settings)}
    whys = {(backend, *setting.path): setting.why for setting in starter.settings}
    return "\n".join([*_head(starter, schema), *_lines(section, (), _texts(starter), whys), ""])


def _head(starter: Starter, schema: str) -> Iterator[str]:
    facts = backends()[starter.template.backend]
    yield f"# yaml-language-server: $schema={schema}"
    package = " " if facts["package"] == facts["title"].lower() else f", {facts['package']} "
    yield f"# {starter.template.title}. For {facts['title']}{package}{facts['reference']}."
    yield "# Whatever is not written here keeps the engine's own default; `llmcfg explain NAME` tells more."
    yield "# What llmcfg does not know goes under `extra:`, beside the parameters of the same object."
    properties = bundle()["properties"]
    yield from ("", *_comment(first_sentence(properties["model"]["description"]), ""))
    yield yaml_text({"model": starter.model}).rstrip()
    yield from _comment(first_sentence(properties["gpu"]["description"]), "")
    yield f"gpu: {starter.gpu}" if starter.gpu else "# gpu: h100"


def _texts(starter: Starter) -> dict[tuple[str, ...], str]:
    """Return what the schema says of each key that is written, by path."""
    backend = starter.template.backend
    values = {(backend, *setting.path): setting.value for setting in starter.settings}
    wanted = {path[:length] for path in values for length in range(1, len(path) + 1)}
    found: dict[tuple[str, ...], str] = {}
    for place in places():
        if place.path in wanted and _is_chosen(place, values):
            found.setdefault(place.path, _text(place, values.get(place.path)))
    return found


def _is_chosen(place: Place, values: dict[tuple[str, ...], Any]) -> bool:
    """Tell whether the place is there with the types that the settings choose."""
    return all(
        any(path[-1] == key and chosen == value for path, chosen in values.items())
        for key, value in place.choices.items()
    )


def _text(place: Place, value: Any) -> str:
    text = first_sentence(place.schema["description"])
    about = _about(place.schema, value)
    if about and not about.startswith(f"{value}:"):
        about = f"{value}: {about}"
    return f"{text} {about}".rstrip()


def _about(schema: Facts, value: Any) -> str:
    if value not in schema.get("enum", ()):
        return ""
    composed = schema["enumDescriptions"][schema["enum"].index(value)]
    return first_sentence(description_of(composed, schema.get("x-values", {}).get(str(value), {})))


def first_sentence(text: str) -> str:
    """Return the first sentence of a description."""
    for match in _SENTENCE.finditer(text):
        if not match.group().endswith(_ABBREVIATED):
            return text[: match.end()].strip()
    return text


def _lines(
    data: dict[str, Any], path: tuple[str, ...], texts: dict[tuple[str, ...], str], whys: dict[Any, Any]
) -> Iterator[str]:
    indent = "  " * len(path)
    for i, (key, value) in enumerate(data.items()):
        here = (*path, key)
        if len(path) < 2 and (i or not path):
            yield ""
        yield from _comment(texts.get(here, ""), indent)
        if here in whys:
            first, *rest = yaml_text({key: value}).rstrip().split("\n")
            yield f"{indent}{first}  # {whys[here]}" if whys[here] else f"{indent}{first}"
            yield from (f"{indent}{line}" for line in rest)
        else:
            yield f"{indent}{key}:"
            yield from _lines(value, here, texts, whys)


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
