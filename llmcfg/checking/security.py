"""What a config hands over: code that the engine will run, and secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from llmcfg.catalog import Facts, names
from llmcfg.diagnostics import INFO, Diagnostic, Path
from llmcfg.printable import printable

SECRET = "secret"  # noqa: S105 - the word of the schema for it
_ABSENT = frozenset(("", "null", "false", "true"))
_NO_CODE = frozenset(("", "null", "false", "[]", "{}"))


def check_security(facts: Facts, what: str, text: str) -> Iterator[Diagnostic]:
    """Call out a parameter that runs code or holds a secret, for a value as `Use` names it."""
    about = facts.get("security")
    if about is None or text == about.get("harmless") or text not in about.get("only", (text,)):
        return
    if about["kind"] == SECRET:
        if text not in _ABSENT:
            yield holds_a_secret(what)
    elif text not in _NO_CODE or "only" in about:
        yield Diagnostic(
            "L701",
            f"{what} lets the engine run code that is not its own",
            severity=INFO,
            hint="Use it only with models and files that you trust.",
        )


def check_extra(facts: Facts | None, key: str, value: Any, path: Path) -> Iterator[Diagnostic]:
    """Call out the same for what stands in ``extra``; an unknown key counts by its name."""
    when = (facts or {}).get("when", {})
    if "security" in when:
        text = value if isinstance(value, str) else json.dumps(value)
        yield from (found._replace(path=path) for found in check_security(when, key, text))
    elif isinstance(value, str) and value and is_secret_name(key):
        yield holds_a_secret(printable(key, 60), path)


def holds_a_secret(what: str, path: Path = ()) -> Diagnostic:
    """Say that a key holds a secret, which is not shown."""
    return Diagnostic(
        "L702",
        f"{what} holds a secret",
        path,
        severity=INFO,
        hint="The compiled config carries it in the clear: keep both files to yourself, or leave it to the "
        "environment of the engine.",
    )


def is_secret(path: Path) -> bool:
    """Tell whether a secret stands at the path: the schema says so, or the key is called like one."""
    keys = [part for part in path if isinstance(part, str) and part != "extra"][-2:]
    return bool(keys) and (".".join(keys) in _secrets() or is_secret_name(keys[-1]))


def is_secret_name(name: str) -> bool:
    """Tell whether a key is called like a secret: ``HF_TOKEN``, ``--api-key``."""
    return bool(_pattern().fullmatch(name.strip("-\"' ")))


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(names()["secret"])


@cache
def _secrets() -> frozenset[str]:
    return frozenset(names()["secrets"])
