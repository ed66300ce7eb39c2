"""A result as diagnostics, at their places in the file."""

from __future__ import annotations

from collections.abc import Iterator

from llmcfg.catalog import backends
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import INFO, WARNING, Diagnostic, Path, dotted
from llmcfg.document import Document
from llmcfg.printable import shown
from llmcfg.resolve.outcome import IS_TELLING, is_confirmed
from llmcfg.resolve.question import TIMED_OUT
from llmcfg.resolve.resolution import (
    ALTERED,
    Message,
    Open,
    Parameter,
    Refused,
    Resolution,
)
from llmcfg.resolve.wording import cleaned

_OF_STAND_IN = (
    "It may come of the model that stands in: --model-config FILE names the model's own config.json."
)
_OF_PACKAGES = "Where the machine will have a package that is missing: --packages NAME."
_LACKING = ("ImportError", "ModuleNotFoundError", "PackageNotFoundError")
NO_REASON = "{} gives no reason."
_MOST_SHOWN = 120


def findings(item: Resolution, compiled: Compiled, document: Document) -> list[Diagnostic]:
    """Return what there is to tell of a result, in the order of the file."""
    found = [*_refused(item), *_altered(item, compiled), *_warned(item), *_open(item), *_stand_in(item)]
    placed = [problem._replace(place=document.value_place(problem.path)) for problem in found]
    return sorted(placed, key=lambda problem: problem.place or (0, 0))


def _refused(item: Resolution) -> Iterator[Diagnostic]:
    for refused in item.refused:
        if not refused.without:
            yield _of_failure(item, refused) if refused.refusal.is_end else _of_refusal(item, refused)


def _of_refusal(item: Resolution, refused: Refused) -> Diagnostic:
    refusal = refused.refusal
    raised = f"{refusal.kind} in {refusal.where}" if refusal.where else refusal.kind
    hints = [f"{raised}.", *_ways_out(item, refused)]
    text = cleaned(refusal.text) or refusal.kind
    return _at(item, "L601", f"{does(item, 'refuse')}: {text}", refused.culprits, hint=" ".join(hints))


def _ways_out(item: Resolution, refused: Refused) -> Iterator[str]:
    named = [dotted(path) for path in refused.culprits]
    if refused.heals:
        yield f"The config is accepted without {(' and ' if refused.together else ' or ').join(named)}."
    elif not named:
        yield "No single parameter of the config was found that this is due to."
    for hidden in item.refused:
        if hidden.without == refused.culprits:
            second = " or ".join(dotted(path) for path in hidden.culprits)
            yield f"Without it, {does(item, 'refuse')} {second}: {cleaned(hidden.refusal.text)}"
    if item.has_stand_in:
        yield _OF_STAND_IN
    if refused.refusal.kind in _LACKING and item.machine.gpu is not None:
        yield _OF_PACKAGES


def _of_failure(item: Resolution, refused: Refused) -> Diagnostic:
    code = "L607" if refused.refusal.kind == TIMED_OUT else "L606"
    heals = f"It answers without {' or '.join(map(dotted, refused.culprits))}." if refused.heals else None
    hint = heals or ("--timeout gives it more time." if code == "L607" else None)
    return _at(item, code, f"{engine_name(item)}: {refused.refusal.text}", refused.culprits, hint=hint)


def _altered(item: Resolution, compiled: Compiled) -> Iterator[Diagnostic]:
    """Tell of altered values; a rule of our own that had foreseen it is named."""
    for parameter in item.parameters:
        if parameter.status == ALTERED:
            foreseen = next((own for own in compiled.diagnostics if is_confirmed(own, [parameter])), None)
            found = _at(
                item,
                "L602",
                f"{parameter.path[-1]}: asked for is {brief(parameter.asked)}, "
                f"{does(item, 'take')} {brief(parameter.got)}",
                (parameter.path, *parameter.because),
                severity=WARNING,
                hint=_reasons(item, parameter, foreseen),
            )
            yield found._replace(rule=foreseen.rule if foreseen else None)


def _reasons(item: Resolution, parameter: Parameter, foreseen: Diagnostic | None) -> str:
    reasons = [f"{reason.source}: {reason.text.rstrip('.')}." for reason in parameter.why]
    if parameter.because:
        named = " or ".join(dotted(path) for path in parameter.because)
        reasons.append(f"The asked value is taken without {named}.")
    reasons = reasons or [NO_REASON.format(engine_name(item))]
    reasons += [foreseen.hint] if foreseen and foreseen.hint else []
    reasons += [_OF_STAND_IN] if item.has_stand_in and not parameter.why else []
    return " ".join(reasons)


def _warned(item: Resolution) -> Iterator[Diagnostic]:
    told = {reason.text for parameter in item.parameters for reason in parameter.why}
    for message in item.messages:
        if _is_news(message) and cleaned(message.said.text) not in told:
            yield _at(
                item,
                "L603",
                f"{does(item, 'warn')}: {cleaned(message.said.text)}",
                message.parameters,
                severity=WARNING,
                hint=f"Said in {message.said.where}." if message.said.where else None,
            )


def _is_news(message: Message) -> bool:
    return not message.always and message.said.level.lower() in IS_TELLING


def _open(item: Resolution) -> Iterator[Diagnostic]:
    for found in item.unknown:
        yield _of_open(item, found)


def _of_open(item: Resolution, found: Open) -> Diagnostic:
    message = f"nobody here can answer: {found.question}"
    hint = "What the engine makes of the config depends on it: ask on a machine with the device."
    return _at(item, "L604", message, found.parameters, severity=WARNING, hint=hint)


def _stand_in(item: Resolution) -> Iterator[Diagnostic]:
    if item.has_stand_in:
        hint = "--model-config FILE names the model's own config.json."
        yield Diagnostic("L605", item.model_note, ("model",), severity=INFO, hint=hint)


def _at(
    item: Resolution,
    code: str,
    message: str,
    paths: tuple[Path, ...],
    *,
    severity: str = "error",
    hint: str | None = None,
) -> Diagnostic:
    """Return a diagnostic at the first path, which tells of the others; at the section if there is none."""
    place = paths[0] if paths else (item.backend,)
    related = tuple((dotted(path), None) for path in paths[1:])
    return Diagnostic(code, message, place, severity=severity, hint=hint, related=related)


def engine_name(item: Resolution) -> str:
    """Return the engine's name; rules are named as what they are."""
    title: str = backends()[item.backend]["title"]
    return title if item.is_engine else f"the rules of {title}"


def does(item: Resolution, verb: str) -> str:
    """Return the engine's name and what it does: rules are many."""
    return f"{engine_name(item)} {verb}{'s' if item.is_engine else ''}"


def brief(value: object) -> str:
    """Show a value on one line, in the form in which JSON writes it."""
    if isinstance(value, (dict, list)):
        import json

        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
    return shown(value, _MOST_SHOWN)
