"""What became of one parameter, and who says why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from llmcfg.catalog import backends, bundle
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import WARNING, Diagnostic, Path, dotted
from llmcfg.document import Document
from llmcfg.lower import ENV
from llmcfg.resolve.attribution import Attribution, Trial
from llmcfg.resolve.resolution import (
    ALTERED,
    AS_ASKED,
    FILLED_IN,
    NOT_REACHED,
    REFUSED,
    UNKNOWN,
    Parameter,
    Reason,
)
from llmcfg.resolve.symptoms import altered, asked_for, gathered, holds_found, is_placeholder, said
from llmcfg.resolve.wording import cleaned
from llmcfg.resolve.written import Written
from llmcfg.secrets import covered

IS_TELLING = frozenset(("warning", "error", "critical"))
IS_TALK = frozenset(("info",))
_PLACEHOLDERS: tuple[Any, ...] = ("", -1, 0, [])
RULES = "llmcfg's rules"
SCHEMA = "llmcfg's schema"


def outcome(
    item: Written, main: Trial, due: Attribution, compiled: Compiled, document: Document
) -> Parameter:
    """Compare what was asked with what the engine holds."""
    asked = _asked(item, compiled, document)
    got, held, is_whole = (
        gathered(item.native, asked, main.answer.held) if item.native else (None, None, False)
    )
    status = _status(item, asked, got, held is not None, is_whole)
    if any(item.path in refused.culprits and not refused.without for refused in due.refused):
        status = REFUSED
    elif status == UNKNOWN and (main.answer.refusal is not None or not main.answer.held):
        status = NOT_REACHED
    because = due.causes.get(altered(item.native), ()) if item.native and status == ALTERED else ()
    return Parameter(
        item.path,
        item.native,
        document.value_place(item.path),
        covered(asked, item.path),
        covered(got, item.path),
        held,
        status,
        tuple(_why(item, status, main, due, compiled)),
        tuple(path for path in because if path != item.path),
    )


def _asked(item: Written, compiled: Compiled, document: Document) -> Any:
    """Return the native value; the written one where there is no native value."""
    try:
        return asked_for({**compiled.native, ENV: compiled.env}, item.native or ())
    except (KeyError, TypeError):
        value = document.data
        for key in item.path:
            value = value[key]
        return value


def _status(item: Written, asked: Any, got: Any, is_held: bool, is_whole: bool) -> str:
    if item.native is None or not is_held:
        return UNKNOWN
    if not holds_found(got, asked):
        return FILLED_IN if is_placeholder(asked) or _stands_for_more(item, asked) else ALTERED
    if is_placeholder(asked) and got != asked:
        return FILLED_IN
    return AS_ASKED if is_whole else UNKNOWN


def _stands_for_more(item: Written, asked: Any) -> bool:
    """Tell whether the schema knows that the engine replaces this default by a value of its own."""
    schema = _schema(item)
    is_default = "default" in schema and schema["default"] == asked and type(schema["default"]) is type(asked)
    return is_default and "x-resolves" in schema and type(asked) is not bool and asked in _PLACEHOLDERS


def _schema(item: Written) -> dict[str, Any]:
    if item.key is None:
        return {}
    found: dict[str, Any] = bundle()["$defs"][item.type]["properties"].get(item.key, {})
    return found


def _why(item: Written, status: str, main: Trial, due: Attribution, compiled: Compiled) -> Iterator[Reason]:
    if status not in (ALTERED, FILLED_IN):
        return
    engine = backends()[compiled.backend]["title"]
    reasons = [Reason(cleaned(text), engine) for text in _said_about(item.path, main, due, IS_TELLING)]
    if not reasons and status == ALTERED:
        reasons = [_rule(found) for found in compiled.diagnostics if _speaks_of(found, item.path)]
    if not reasons:
        reasons = [Reason(cleaned(text), engine) for text in _said_about(item.path, main, due, IS_TALK)]
    if not reasons and (resolves := _schema(item).get("x-resolves")):
        reasons = [Reason(resolves, SCHEMA)]
    yield from reasons


def _said_about(path: Path, main: Trial, due: Attribution, levels: frozenset[str]) -> Iterator[str]:
    for item in main.answer.said:
        if item.level.lower() in levels and path in due.causes.get(said(item.text), ()):
            yield item.text


def is_confirmed(found: Diagnostic, parameters: Iterable[Parameter]) -> bool:
    """Tell whether a warning of our own rules says what the engine was now seen to do."""
    is_prediction = found.severity == WARNING and found.code in ("L201", "L304")
    return is_prediction and any(item.status == ALTERED and found.path == item.path for item in parameters)


def _rule(found: Diagnostic) -> Reason:
    return Reason(found.message, f"{RULES}, {found.rule or found.code}")


def _speaks_of(found: Diagnostic, path: Path) -> bool:
    if not found.code.startswith(("L2", "L3")):
        return False
    return found.path == path or any(text == dotted(path) for text, _ in found.related)
