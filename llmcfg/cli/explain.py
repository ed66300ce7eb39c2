"""``llmcfg explain``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from llmcfg.catalog import backends, bundle
from llmcfg.cli.checked import request
from llmcfg.cli.errors import UserError
from llmcfg.codes import CODES
from llmcfg.diagnostics import dotted
from llmcfg.gpus import Gpu, find

_MOST = 6


class Found(NamedTuple):
    """A parameter of the schema: where a user writes it, its schema, and the type that holds it."""

    path: tuple[str, ...]
    schema: dict[str, Any]
    holder: dict[str, Any]


def run(subject: str, backend: str | None, gpu: str | None) -> int:
    """Explain a diagnostic code, a parameter by its path or bare name, or one value of it."""
    if subject in CODES:
        _explain_code(subject)
        return 0
    name, _, value = subject.partition("=")
    found = list(search(tuple(name.split(".")), backend))
    if not found:
        raise UserError(f"nothing is called {name}{_near(name)}")
    named = request(None, gpu, None).gpu
    device = find(named) if named else None
    for item in found[:_MOST]:
        sys.stdout.write("\n".join(_lines(item, value or None, device)) + "\n\n")
    if len(found) > _MOST:
        rest = ", ".join(dotted(item.path) for item in found[_MOST : _MOST + 10])
        print(f"and {len(found) - _MOST} more: {rest}")
    return 0


def search(name: tuple[str, ...], backend: str | None) -> Iterator[Found]:
    """Yield the parameters whose path ends in ``name``, the shallowest first."""
    wanted = [backend] if backend else list(backends())
    root = bundle()
    for item in _walk(root, wanted):
        if item.path[-len(name) :] == name:
            yield item


def _walk(root: dict[str, Any], wanted: list[str]) -> Iterator[Found]:
    queue = [
        Found((key,), schema, root)
        for key, schema in root["properties"].items()
        if key in wanted or (key not in backends() and not key.startswith("$"))
    ]
    seen = set()
    while queue:
        item = queue.pop(0)
        yield item
        for name in _types(item.schema):
            if name in seen:
                continue
            seen.add(name)
            holder = root["$defs"][name]
            queue += [
                Found((*item.path, key), schema, holder)
                for key, schema in holder["properties"].items()
                if key != "extra"
            ]


def _types(schema: Any) -> list[str]:
    """Return the types that a parameter refers to, in any position."""
    return re.findall(r'"#/\$defs/([A-Za-z0-9]+)"', json.dumps(schema.get("allOf", []))) + (
        re.findall(r'"#/\$defs/([A-Za-z0-9]+)"', json.dumps(schema.get("items", {})))
    )


def _lines(item: Found, value: str | None, gpu: Gpu | None) -> Iterator[str]:
    schema = item.schema
    yield dotted(item.path)
    yield f"  {schema.get('title', '')}"
    yield ""
    yield from _paragraphs(schema.get("markdownDescription", schema["description"]))
    if value is not None:
        yield from _value(schema, value, gpu)
    elif "enum" in schema:
        yield "  Values:"
        texts = zip(schema["enum"], schema["enumDescriptions"], strict=True)
        yield from (f"    {_text(choice)}: {text}{_on(schema, choice, gpu)}" for choice, text in texts)
        yield ""
    if gpu is not None and "x-requires" in schema:
        yield f"  On {gpu.title}: {_verdict(schema['x-requires'], gpu)}"
    if isinstance(schema.get("x-impact"), dict):
        yield f"  Moves nothing measurable: {schema['x-impact']['none']}"
    if native := item.holder.get("x-native"):
        owner = native if isinstance(native, str) else native.get("class", native.get("object"))
        own = schema.get("x-native")
        name = own.get("name", item.path[-1]) if isinstance(own, dict) else item.path[-1]
        yield f"  Native: {owner}, {name}"
    yield from _rules(item)
    for source in _list(schema.get("x-source", [])):
        yield f"  Source: {source}"


def _on(schema: dict[str, Any], choice: Any, gpu: Gpu | None) -> str:
    requires = schema.get("x-values", {}).get(_text(choice), {}).get("x-requires")
    return f" On {gpu.title}: {_verdict(requires, gpu)}." if gpu and requires else ""


def _paragraphs(text: str) -> Iterator[str]:
    import textwrap

    for paragraph in text.replace("**", "").split("\n\n"):
        yield from textwrap.wrap(paragraph, 96, initial_indent="  ", subsequent_indent="  ")
        yield ""


def _value(schema: dict[str, Any], value: str, gpu: Gpu | None) -> Iterator[str]:
    about = schema.get("x-values", {}).get(value)
    if about is None:
        known = ", ".join(schema.get("x-values", {}))
        raise UserError(f"{value} is not one of its values" + (f": {known}" if known else ""))
    texts = dict(zip(map(_text, schema["enum"]), schema["enumDescriptions"], strict=True))
    yield from _paragraphs(f"{value}: {texts[value]}")
    if gpu is not None and "x-requires" in about:
        yield f"  On {gpu.title}: {_verdict(about['x-requires'], gpu)}"
    for source in _list(about.get("x-source", [])):
        yield f"  Source of the value: {source}"


def _verdict(requires: Any, gpu: Gpu) -> str:
    from llmcfg.hardware import meets

    alternatives = [{"arch": requires}] if isinstance(requires, str) else _list(requires)
    for requirement in alternatives:
        if meets(requirement, gpu):
            slower = requirement.get("level") == "emulated"
            return f"through a slower path: {requirement['note']}" if slower else "supported"
    return "not supported"


def _rules(item: Found) -> Iterator[str]:
    name = item.path[-1]
    for rule in item.holder.get("x-rules", ()):
        mentioned = {rule["at"], *rule.get("also", ())}
        if any(name in path.split(".") for path in mentioned):
            yield f"  Rule {rule['id']} ({rule['severity']}): {rule['message']} {rule['hint']}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _explain_code(code: str) -> None:
    entry = CODES[code]
    print(f"{code}: {entry.title}\n")
    print("\n".join(_paragraphs(entry.explanation)))
    print("  For example:\n")
    print("\n".join(f"    {line}" for line in entry.example.split("\n")))


def _near(name: str) -> str:
    from llmcfg.suggest import nearest

    names = {item.path[-1] for item in _walk(bundle(), list(backends()))}
    near = nearest(name.rpartition(".")[2], names | CODES.keys())
    return f"; did you mean {near}?" if near else ""
