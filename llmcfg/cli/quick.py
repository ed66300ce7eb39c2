"""Parse a well-formed command line without click, whose import alone costs more than a compile.

Anything unusual (help, abbreviations, mistakes, shell completion) is left to click, which is made
from the same table, so there is one grammar and one place for errors.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from llmcfg.cli.options import COMMANDS, GROUPS, Command, Option


def parse(words: list[str]) -> tuple[Command, dict[str, Any]] | None:
    """Return the command and its keyword arguments, or None where click should decide."""
    length = 2 if words and words[0] in GROUPS else 1
    command = COMMANDS.get(" ".join(words[:length]))
    if command is None:
        return None
    values = defaults(command)
    options = {f"--{option.name}": option for option in command.options}
    options |= {f"-{option.short}": option for option in command.options if option.short}
    positional: list[str] = []
    rest = iter(words[length:])
    for word in rest:
        if not word.startswith("-") or word == "-":
            positional.append(word)
            continue
        name, equals, value = word.partition("=")
        option = options.get(name)
        if option is None or (equals and (option.flag or not name.startswith("--"))):
            return None
        taken = _take(option, value if equals else None, rest)
        if taken is None:
            return None
        values[key(option)] = taken
    return _with_arguments(command, values, positional)


def key(option: Option) -> str:
    """Return the name of the option's keyword argument."""
    return option.keyword or option.name.replace("-", "_")


def defaults(command: Command) -> dict[str, Any]:
    """Return the values of options that were not given."""
    return {key(option): False if option.flag else option.default for option in command.options}


def call(command: Command, values: dict[str, Any]) -> int:
    """Run the command; return the exit status."""
    status: int = import_module(command.module).run(**values)
    return status


def _take(option: Option, value: str | None, rest: Any) -> Any:
    if option.flag:
        return True
    taken = next(rest, None) if value is None else value
    if taken is None or (value is None and taken.startswith("-")):
        return None
    return taken if option.choices is None or taken in option.choices else None


def _with_arguments(
    command: Command, values: dict[str, Any], positional: list[str]
) -> tuple[Command, dict[str, Any]] | None:
    if len(command.arguments) != 1:
        return (command, values) if not positional and not command.arguments else None
    name, required, many = command.arguments[0]
    if (required and not positional) or (len(positional) > 1 and not many):
        return None
    if many:
        values[name] = tuple(positional)
    else:
        values[name] = positional[0] if positional else None
    return command, values
