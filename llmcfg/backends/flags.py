"""Native values as words of a command line, where the engine's parser has a form for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from llmcfg.catalog import bundle
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import WARNING, Diagnostic, Path
from llmcfg.printable import shown

_FLAG = re.compile(r"--[A-Za-z0-9][\w.-]*", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,60}", re.ASCII)


@cache
def parameters(type_name: str) -> dict[str, dict[str, Any]]:
    """Return the schemas of a type's parameters, by their native names."""
    properties: dict[str, dict[str, Any]] = bundle()["$defs"][type_name]["properties"]
    return {_native(schema).get("name", name): schema for name, schema in properties.items()}


def flag_of(schema: dict[str, Any]) -> str | None:
    """Return the flag that the schema declares for a parameter; None where it declares none."""
    flag: str | None = _native(schema).get("flag")
    return flag


def has_no_flag(schema: dict[str, Any]) -> bool:
    """Tell whether the schema says that the command line does not take the parameter."""
    return "flag" in _native(schema) and flag_of(schema) is None


def form_of(schema: dict[str, Any]) -> str | None:
    """Return the form that the schema declares for a parameter, if it is a special one."""
    form: str | None = _native(schema).get("form")
    return form


def separator_of(schema: dict[str, Any]) -> str | None:
    """Return what joins the items of a list into one word, where the flag takes it so."""
    separator: str | None = _native(schema).get("separator")
    return separator


def kinds(schema: dict[str, Any]) -> list[str]:
    """Return the JSON types of a parameter."""
    declared = schema.get("type", [])
    return [declared] if isinstance(declared, str) else list(declared)


def word(value: Any) -> str:
    """Write one value as one word: texts as they are, mappings and lists as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def option(flag: str, value: str) -> list[str]:
    """Write an option with its value; joined where the value could be taken for a flag."""
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]


def is_flag(name: str) -> bool:
    """Tell whether a key of ``extra`` can be a flag, without becoming a value or an argument as well."""
    return _FLAG.fullmatch(name) is not None


def looks_like_flag(value: Any) -> bool:
    """Tell whether a parser would take an argument for a flag."""
    return isinstance(value, str) and value.startswith("-")


def cannot_carry(
    name: str, path: Path, hint: str, why: str | None = None, *, of_value: bool = False
) -> Diagnostic:
    """Say that the format has no form for a value, and why; ``of_value`` if another value would have one."""
    reason = f" ({why})" if why else ""
    message = f"{_named(name)}{reason} has no form that the engine would read back"
    return Diagnostic("L504", message, path, hint=hint, of_value=of_value)


def looks_like_a_flag(path: Path, hint: str) -> Diagnostic:
    """Say that a parser would take an argument for a flag."""
    return cannot_carry(str(path[-1]), path, hint, "it looks like a flag", of_value=True)


def _named(name: str) -> str:
    """Write a name as it is; in quotes where it comes from ``extra`` and reads as none."""
    from llmcfg.secrets import hidden

    return name if _NAME.fullmatch(name) and hidden(name) == name else shown(hidden(name))


def sampling_left_out(compiled: Compiled) -> list[Diagnostic]:
    """Say that a server's command or file holds no sampling parameters, where the config has some."""
    why = "a server takes sampling parameters with each request, not at start-up"
    return _left_out(compiled, "sampling", compiled.native.get("SamplingParams", {}), why)


def environment_left_out(compiled: Compiled) -> list[Diagnostic]:
    """Say that a server's file holds no environment variables, where the config has some."""
    return _left_out(compiled, "env", compiled.env, "the file holds no environment variables")


def _left_out(compiled: Compiled, section: str, names: Iterable[str], why: str) -> list[Diagnostic]:
    listed = ", ".join(map(_named, names))
    if not listed:
        return []
    path, hint = (compiled.backend, section), "--format json and python carry them."
    return [Diagnostic("L505", f"{why}: {listed}", path, severity=WARNING, hint=hint)]


def _native(schema: dict[str, Any]) -> dict[str, Any]:
    native = schema.get("x-native")
    return native if isinstance(native, dict) else {}
