"""A result of `resolve` as text: who answered, what became of each parameter, what the engine chose."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from llmcfg.catalog import backends
from llmcfg.diagnostics import Path, dotted
from llmcfg.printable import printable
from llmcfg.resolve.findings import brief, does, engine_name
from llmcfg.resolve.resolution import (
    ALTERED,
    AS_ASKED,
    FAILED,
    FILLED_IN,
    NOT_REACHED,
    REFUSED,
    UNKNOWN,
    Parameter,
    Resolution,
)
from llmcfg.resolve.wording import cleaned

_WIDTH = 98
_NAME, _VALUE = 52, 40
_MOST_ASSUMED = 12
_MOST_REASON = 300
_LONGEST = 4000
_WORDS = {
    AS_ASKED: "as asked",
    ALTERED: "altered",
    FILLED_IN: "filled in",
    UNKNOWN: "held at no known place",
    REFUSED: "refused",
    NOT_REACHED: "not reached",
}
_MARKS = {AS_ASKED: " ", ALTERED: "!", FILLED_IN: "+", UNKNOWN: "?", REFUSED: "x", NOT_REACHED: "?"}


def resolution_text(item: Resolution) -> str:
    """Return the report of one backend."""
    lines = [*_head(item), *_parameters(item), *_choices(item), *_assumed(item), "", *_summary(item)]
    return "".join(f"{printable(line, _LONGEST)}\n" for line in lines)


def _head(item: Resolution) -> Iterator[str]:
    engine = item.engine
    assert engine is not None  # noqa: S101 - the caller reports of answers only
    own = "" if engine.package == item.backend else f": {engine.package}"
    who = f"{_capital(engine_name(item))}{own} {engine.version}{'' if item.is_engine else ', not the engine'}"
    packages = ", ".join(f"{name} {version}" for name, version in engine.packages.items() if version)
    yield from _wrapped(f"{who}{f' ({packages})' if packages else ''}", 0)
    yield from _wrapped(f"Device: {_device(item)}", 0)
    yield from _wrapped(f"Model: {_model(item)}", 0)
    if item.version != (reference := backends()[item.backend]["reference"]):
        yield from _wrapped(f"Compiled for {item.version}; the schema's reference is {reference}", 0)


def _capital(text: str) -> str:
    """Begin a sentence; the names of engines keep their spelling."""
    return f"T{text[1:]}" if text.startswith("the ") else text


def _device(item: Resolution) -> str:
    assert item.engine is not None  # noqa: S101 - as above
    if not item.is_virtual:
        return f"{item.engine.device}, platform {item.engine.platform}"
    number = f"{item.machine.cards} x "
    device = item.engine.device.removeprefix(number)
    return f"{number}{device}, which is not here; platform {item.engine.platform}"


def _model(item: Resolution) -> str:
    return f"{item.model}; {item.model_note}" if item.model_note not in ("", item.model) else item.model


def _parameters(item: Resolution) -> Iterator[str]:
    if not item.parameters:
        return
    yield from ("", "Asked → got")
    names = [dotted(parameter.path[1:]) for parameter in item.parameters]
    width = min(_NAME, max(map(len, names)))
    for name, parameter in zip(names, item.parameters, strict=True):
        yield from _parameter(name, width, parameter)


def _parameter(name: str, width: int, parameter: Parameter) -> Iterator[str]:
    asked, got = _cut(brief(parameter.asked)), _cut(brief(parameter.got))
    is_shown = parameter.held is not None and parameter.status != AS_ASKED and got != asked
    change = f"{asked} → {got}" if is_shown else asked
    line = f"{_MARKS[parameter.status]} {printable(name):<{width}}  {change}"
    told = "" if parameter.status == AS_ASKED else f"  ({_WORDS[parameter.status]})"
    yield from _hanging(f"{line}{told}", width + 4)
    for reason in parameter.why:
        text = printable(reason.text, _MOST_REASON)
        yield from _wrapped(f"{reason.source}: {text}", 6)
    if parameter.because:
        yield from _wrapped(f"because of {_named(parameter.because)}", 6)


def _choices(item: Resolution) -> Iterator[str]:
    if not item.choices:
        return
    yield from ("", f"Chosen by {engine_name(item)}")
    width = min(_NAME, max(len(choice.topic) for choice in item.choices))
    for choice in item.choices:
        value = "not known" if choice.value is None else brief(choice.value).strip("'")
        line = f"  {printable(choice.topic):<{width}}  {value}"
        reasons = "; ".join(printable(reason, _MOST_REASON).rstrip(".") for reason in choice.because)
        is_short = len(line) + len(reasons) + 4 <= _WIDTH
        yield from _hanging(f"{line}  ({reasons})" if reasons and is_short else line, width + 4)
        if reasons and not is_short:
            yield from _wrapped(reasons, 6)
        for other, reason in choice.against.items():
            yield from _wrapped(f"not {printable(other)}: {printable(reason, _MOST_REASON)}", 6)


def _assumed(item: Resolution) -> Iterator[str]:
    if item.assumed:
        yield from ("", f"Taken on trust ({len(item.assumed)}; --format json names every source)")
        for assumption in item.assumed[:_MOST_ASSUMED]:
            yield from _wrapped(f"{assumption.question}: {brief(assumption.answer)}", 2)
        if rest := len(item.assumed) - _MOST_ASSUMED:
            yield from ([f"  and {rest} more"] if rest > 0 else [])


def _summary(item: Resolution) -> Iterator[str]:
    counts = [
        f"{number} {_WORDS[status]}"
        for status in _WORDS
        if (number := sum(parameter.status == status for parameter in item.parameters))
    ]
    yield from _wrapped(f"{_verdict(item)}{': ' if counts else ''}{', '.join(counts)}", 0)
    for refused in item.refused:
        without = f"without {_named(refused.without)}: " if refused.without else ""
        yield from _wrapped(without + printable(cleaned(refused.refusal.text), _MOST_REASON), 2)
    for found in item.unknown:
        yield from _wrapped(printable(found.question, _MOST_REASON), 2)
    if item.is_cut:
        yield "Not everything could be attributed to parameters within the time."


def _verdict(item: Resolution) -> str:
    if item.status == FAILED:
        return f"No answer of {engine_name(item)}"
    if item.status == REFUSED:
        return _capital(does(item, "refuse")) + " the config"
    if item.status == UNKNOWN:
        return f"Unknown: nobody here can answer what {does(item, 'ask')} for"
    return _capital(does(item, "take")) + " the config"


def _named(paths: tuple[Path, ...]) -> str:
    return ", ".join(dotted(path[1:]) for path in paths)


def _cut(text: str) -> str:
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"


def _wrapped(text: str, indent: int) -> Iterable[str]:
    space = " " * indent
    return textwrap.wrap(
        text, _WIDTH, initial_indent=space, subsequent_indent=f"{space}  ", break_on_hyphens=False
    )


def _hanging(text: str, indent: int) -> Iterable[str]:
    """Wrap a line of a table, whose columns are kept."""
    if len(text) <= _WIDTH:
        return [text.rstrip()]
    head, rest = text[:indent], text[indent:]
    wrapped = textwrap.wrap(rest, _WIDTH - indent, break_on_hyphens=False) or [""]
    return [f"{head}{wrapped[0]}", *(f"{' ' * indent}{line}" for line in wrapped[1:])]
