"""Lay out records as text: a label and its facts, wrapped for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace

from llmcfg.explain.native import Native
from llmcfg.explain.needs import EMULATED, IGNORED, NATIVE, UNSUPPORTED, Alternative, Verdict
from llmcfg.explain.record import Around, Record
from llmcfg.explain.releases import Releases
from llmcfg.explain.rules import Rule
from llmcfg.explain.values import Value, written
from llmcfg.printable import printable

_WIDTH = 98
_MOST_EXAMPLES = 3
_SEVERITIES = {
    "error": "the engine refuses it", "warning": "the engine changes or ignores a value",
    "info": "worth knowing",
}  # fmt: skip
_LEVELS = {
    NATIVE: "supported", EMULATED: "through a slower path: {}", IGNORED: "no effect: {}",
    UNSUPPORTED: "not supported",
}  # fmt: skip
_FORMS = {"call": ", a function that is called", "attribute": ", an attribute that is set",
    "class": ", which chooses the class",
}  # fmt: skip


def record_text(item: Record) -> str:
    """Return everything about a parameter."""
    return "\n".join([heading(item.path, item.where), f"  {item.title}", "", *_body(item)]) + "\n"


def rule_text(rule: Rule) -> str:
    """Return everything about a rule."""
    head = [rule.id, f"  A rule of {rule.of}: {rule.severity}, {_SEVERITIES[rule.severity]}", ""]
    keys = (f"{rule.of}.{key}{_named(values)}" for key, values in rule.mentions.items())
    body = [
        *_wrapped(rule.message, 2), *_wrapped(f"Hint: {rule.hint}", 2), "",
        *_listed("Speaks of", keys), *_wrapped(f"Versions: {_held(rule)}", 2),
        *_listed("Sources", rule.sources),
    ]  # fmt: skip
    return "\n".join([*head, *body]) + "\n"


def heading(path: str, where: dict[str, str]) -> str:
    """Return a parameter's path, and which choice of the objects around it makes it be there."""
    chosen = ", ".join(f"{key}: {value}" for key, value in where.items())
    return f"{path}  (with {chosen})" if chosen else path


def _body(item: Record) -> Iterator[str]:
    yield from _wrapped(item.text, 2)
    yield ""
    if item.value is not None:
        yield from _value(item, item.value)
    yield from _facts(item)
    yield from _values(item)
    yield from _keys(item)
    yield from _rules(item)
    yield from _listed("Sources", item.sources)


def _facts(item: Record) -> Iterator[str]:
    yield from _wrapped(f"Type: {item.type}{', required' if item.required else ''}", 2)
    if item.has_default or item.required or not item.keys:
        yield from _wrapped(f"Default: {_default(item)}{_former(item)}", 2)
    if item.resolves:
        yield from _wrapped(f"What the engine makes of it: {item.resolves}", 2)
    if item.security:
        yield from _wrapped(f"Security: {item.security}", 2)
    if item.examples:
        yield from _wrapped(f"Examples: {' · '.join(map(written, item.examples[:_MOST_EXAMPLES]))}", 2)
    if item.impact:
        yield f"  Moves: {', '.join(item.impact)}"
    if item.no_impact:
        yield from _wrapped(f"Moves nothing measurable: {item.no_impact}", 2)
    yield from _versions(item.versions, 2)
    yield from _needs(item.needs, None if item.outcome and not item.needs else item.verdict, 2)
    for around in item.around:
        yield from _around(around)
    for native in item.native:
        yield from _native(native)
    yield ""


def _former(item: Record) -> str:
    return "".join(
        f" (before {release}: {written(value)})" for release, value in item.former_defaults.items()
    )


def _default(item: Record) -> str:
    if item.has_default:
        return written(item.default) or '""'
    return "none, it must be given" if item.required else "none declared; left out, the engine decides"


def _value(item: Record, value: Value) -> Iterator[str]:
    yield from _described(value, 2)
    if value.is_default:
        yield "    It is the default."
    if item.outcome:
        yield from _wrapped(f"On {item.outcome.title}: {verdict_text(item.outcome)}", 4)
    yield from _conditions(replace(value, verdict=None), 4)
    if item.needs and value.turns_off:
        yield f"    It turns {item.path.rpartition('.')[2]} off, which then needs nothing."
    yield from _listed("Sources of the value", value.sources, 4)
    yield ""


def _values(item: Record) -> Iterator[str]:
    if not item.values:
        return
    yield "  Values:"
    for value in item.values:
        yield from _described(value, 4)
        yield from _conditions(value, 6)
    yield ""


def _keys(item: Record) -> Iterator[str]:
    if item.keys:
        lines = (f"{theme}: {', '.join(keys)}" for theme, keys in item.keys.items())
        yield from _listed("Keys", lines)
        yield ""


def _described(value: Value, indent: int) -> Iterator[str]:
    text = value.text or "accepted; the schema has no text for this value alone."
    name = printable(written(value.value)) or "(empty)"
    yield from _wrapped(f"{name}: {text}", indent, hanging=True)


def _conditions(value: Value, indent: int) -> Iterator[str]:
    if value.chooses:
        yield f"{' ' * indent}Chooses: {value.chooses}"
    yield from _needs(value.needs, value.verdict, indent)
    yield from _own_versions(value.versions, indent)


def _around(around: Around) -> Iterator[str]:
    if around.needs:
        yield from _wrapped(f"{around.of}, as a whole:", 2)
        yield from _needs(around.needs, around.verdict, 4)
    yield from _own_versions(around.versions, 2, f" of {around.of}")


def _needs(needed: tuple[Alternative, ...], verdict: Verdict | None, indent: int) -> Iterator[str]:
    if len(needed) == 1:
        yield from _wrapped(f"Needs: {_way(needed[0])}", indent)
    elif needed:
        yield from _listed("Needs one of", map(_way, needed), indent)
    sources = dict.fromkeys(source for item in needed for source in item.sources)
    yield from _listed("Sources of the requirement", sources, indent)
    if verdict is not None:
        yield from _wrapped(f"On {verdict.title}: {verdict_text(verdict)}", indent)


def _way(item: Alternative) -> str:
    return f"{item.text}; native" if item.facts.get("level") == NATIVE else item.text


def verdict_text(verdict: Verdict) -> str:
    """Say what a GPU makes of a requirement."""
    text = _LEVELS[verdict.level].format(verdict.note)
    is_usable = verdict.level in (NATIVE, EMULATED)
    return f"{text}; also needs {' and '.join(verdict.also)}" if verdict.also and is_usable else text


def _versions(versions: Releases, indent: int) -> Iterator[str]:
    if versions.audited:
        listed = ", ".join(versions.audited)
        always = f"all audited releases: {listed}"
        told = _told(versions)
        if versions.since or versions.until:
            yield from _wrapped(f"Versions: {', '.join(told)}; audited are {listed}", indent)
        else:
            yield from _wrapped(f"Versions: {'; '.join([always, *told])}", indent)
    yield from _asked(versions, indent)


def _own_versions(versions: Releases, indent: int, of: str = "") -> Iterator[str]:
    if told := _told(versions):
        yield from _wrapped(f"Versions{of}: {', '.join(told)}", indent)
        yield from _asked(versions, indent)


def _told(versions: Releases) -> list[str]:
    words = [f"since {versions.since}"] * bool(versions.since)
    words += [f"gone from {versions.until}"] * bool(versions.until)
    words += ["deprecated"] * versions.deprecated
    words += [f"formerly {', '.join(versions.renamed_from)}"] * bool(versions.renamed_from)
    return words + [f"instead: {versions.replaced_by}"] * bool(versions.replaced_by)


def _asked(versions: Releases, indent: int) -> Iterator[str]:
    if versions.asked is not None:
        told = " ".join(versions.asked.problems) or "has it"
        yield from _wrapped(f"In {versions.asked.version}: {told}", indent)


def _native(native: Native) -> Iterator[str]:
    owner = "environment variable" if native.object == "env" else native.cls or native.object
    name = ", ".join([owner, *native.path[-1:]])
    deep = f"; in {native.object} as {'.'.join(native.path)}" if len(native.path) > 1 else ""
    yield from _wrapped(f"Native: {name}{deep}{_FORMS.get(native.form or '', '')}", 2)
    if native.flag:
        nested = ", in the JSON of it" if native.in_json else ""
        yield f"    Flag: {native.command} {native.flag}{nested}"
    if native.key:
        yield f"    Key for {native.file}: {native.key}"


def _rules(item: Record) -> Iterator[str]:
    if not item.rules:
        return
    yield "  Rules:"
    for rule in item.rules:
        held = f", {_held(rule)}" if rule.since or rule.until else ""
        mark = ", names this value" if rule.names_value else ""
        yield f"    {rule.id} ({rule.severity}{held}{mark})"
        yield from _wrapped(rule.message, 6)
        yield from _wrapped(f"Hint: {rule.hint}", 6)
        for source in rule.sources:
            yield from _wrapped(f"Source: {source}", 6)
    yield ""


def _held(rule: Rule) -> str:
    words = [f"since {rule.since}"] * bool(rule.since) + [f"until {rule.until}"] * bool(rule.until)
    return ", ".join(words) or "all audited releases"


def _named(values: list[object]) -> str:
    return f" ({', '.join(map(written, values))})" if values else ""


def _listed(label: str, items: Iterable[str], indent: int = 2) -> Iterator[str]:
    listed = list(items)
    if listed:
        yield f"{' ' * indent}{label}:"
    for item in listed:
        yield from _wrapped(item, indent + 2, hanging=True)


def _wrapped(text: str, indent: int, hanging: bool = False) -> list[str]:
    start = " " * indent
    return textwrap.wrap(
        text, _WIDTH, initial_indent=start, subsequent_indent=f"{start}{'  ' * hanging}",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
