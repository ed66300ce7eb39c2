"""``llmcfg explain``."""

from __future__ import annotations

import json
import re
from typing import Any

from llmcfg.cli.checked import request
from llmcfg.cli.files import put
from llmcfg.codes import CODES
from llmcfg.diagnostics import Diagnostic, dotted, one_line
from llmcfg.errors import UserError
from llmcfg.explain.plain import plain
from llmcfg.explain.record import Question, answered, record
from llmcfg.explain.rules import Rule, rules_called
from llmcfg.explain.search import Found, near, search
from llmcfg.explain.text import heading, record_text, rule_text
from llmcfg.explain.values import Unreadable, parsed, problems
from llmcfg.gpus import find
from llmcfg.pipeline import Request

_ALL_CODES = "codes"
_CODE = re.compile(r"[Ll][0-9]{1,4}")
_TAKEN_NOWHERE = 2
_MOST = 6
_MOST_NAMED = 10


def run(
    subject: str,
    backend: str | None = None,
    backend_version: str | None = None,
    gpu: str | None = None,
    format: str = "text",
) -> int:
    """Explain a diagnostic code, a rule, a parameter by any of its names, or one value of it."""
    if subject == _ALL_CODES:
        _say_codes(format)
    elif _CODE.fullmatch(subject):
        _say_code(_code(subject.upper()), format)
    elif rules := rules_called(subject, backend):
        _say_rules(rules, format)
    else:
        return _say_parameters(subject, backend, request(backend, gpu, backend_version), format)
    return 0


def _say_parameters(subject: str, backend: str | None, asked: Request, format: str) -> int:
    name, equals, written = subject.partition("=")
    value = _parsed(written) if equals else None
    question = Question(find(asked.gpu) if asked.gpu else None, asked.version, value, bool(equals))
    taking, refusing = _sorted(_found(name, backend, asked.version), question)
    if format == "json":
        refused = [{"kind": "refused", "problem": problem.as_json()} for problem in refusing]
        _print_json([_data(item, question) for item in taking] + refused)
    elif taking:
        _print_text(taking, question)
        put("".join(f"It is not taken elsewhere: {_sentence(problem)}\n" for problem in refusing[:_MOST]))
    else:
        raise UserError(*dict.fromkeys(map(_sentence, refusing[:_MOST])))
    return 0 if taking else _TAKEN_NOWHERE


def _parsed(written: str) -> Any:
    try:
        return parsed(written)
    except Unreadable as reason:
        raise UserError(f"the value cannot be read: {reason}") from None


def _found(name: str, backend: str | None, version: str | None) -> list[Found]:
    """Return what the name may mean.

    Raises:
        UserError: if it means nothing, or if a release is asked for and several backends have it.
    """
    found = search(name, backend) if name else []
    if not found:
        raise UserError(_nothing(name, backend))
    if version is not None and len({item.place.backend for item in found}) > 1:
        raise UserError("--backend-version is the version of one backend; name it with --backend")
    return found


def _nothing(name: str, backend: str | None) -> str:
    """Say that nothing is called so, and what was meant."""
    from llmcfg.checking.suggest import known_as
    from llmcfg.secrets import hidden

    if not name:
        return "say what to explain: a parameter, a rule, or a code"
    said = f"nothing is called {hidden(name)}"
    if known := list(known_as(name.rpartition(".")[2], backend)):
        return f"{said}. {' '.join(known)}"
    close = near(name, backend)
    return f"{said}; did you mean {close}?" if close else said


def _sorted(found: list[Found], question: Question) -> tuple[list[Found], list[Diagnostic]]:
    """Tell the parameters that take the value from those that do not, with what is wrong with it there."""
    if not question.has_value:
        return found, []
    wrong = [problems(item.place, question.value) for item in found]
    taking = [item for item, problem in zip(found, wrong, strict=True) if not problem]
    return taking, [problem[0] for problem in wrong if problem]


def _sentence(problem: Diagnostic) -> str:
    hint = f". {problem.hint}" if problem.hint else ""
    return f"{one_line(problem)}{hint}"


def _print_text(found: list[Found], question: Question) -> None:
    for item in found[:_MOST]:
        put(_called(item) + record_text(answered(record(item.place, question), question)) + "\n")
    if rest := found[_MOST:]:
        named = ", ".join(heading(dotted(item.place.path), item.place.choices) for item in rest[:_MOST_NAMED])
        put(f"and {len(rest)} more: {named}{', …' if len(rest) > _MOST_NAMED else ''}\n")


def _called(item: Found) -> str:
    """Say that the parameter has another name than the one that was asked for."""
    if item.former:
        return f"{item.former} is called {item.place.name} now.\n"
    return f"{item.native} is the engine's name for {item.place.name}.\n" if item.native else ""


def _data(item: Found, question: Question) -> dict[str, Any]:
    called = {"former": item.former} if item.former else {}
    return {**answered(record(item.place, question), question).as_json(), **called}


def _say_rules(rules: list[Rule], format: str) -> None:
    if format == "json":
        _print_json([{"kind": "rule", **plain(rule)} for rule in rules])
    else:
        put("\n".join(map(rule_text, rules)))


def _code(code: str) -> str:
    """Return the code, if there is one.

    Raises:
        UserError: with the codes of the same stage, if there is none.
    """
    if code in CODES:
        return code
    near = [known for known in CODES if known[:2] == code[:2]]
    meant = f"did you mean {' or '.join(near)}?" if near else f"`llmcfg explain {_ALL_CODES}` lists all codes"
    raise UserError(f"nothing is called {code}; {meant}")


def _say_codes(format: str) -> None:
    if format == "json":
        _print_json([{"kind": "code", "code": code, **entry._asdict()} for code, entry in CODES.items()])
    else:
        put("".join(f"{code}  {entry.title}\n" for code, entry in CODES.items()))


def _say_code(code: str, format: str) -> None:
    entry = CODES[code]
    if format == "json":
        _print_json([{"kind": "code", "code": code, **entry._asdict()}])
        return
    example = [f"    {line}" for line in entry.example.split("\n")]
    lines = [f"{code}: {entry.title}", "", *_paragraphs(entry.explanation), "  For example:", "", *example]
    put("".join(f"{line}\n" for line in lines))


def _paragraphs(text: str) -> list[str]:
    import textwrap

    return [*textwrap.wrap(text, 96, initial_indent="  ", subsequent_indent="  "), ""]


def _print_json(records: list[dict[str, Any]]) -> None:
    put(json.dumps(records, indent=2, ensure_ascii=False) + "\n")
