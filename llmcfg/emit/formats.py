"""The text formats by name: each turns a compiled config into text, and says what it cannot carry."""

from __future__ import annotations

from collections.abc import Callable

from llmcfg.backends import module
from llmcfg.backends.flags import cannot_carry
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import Diagnostic
from llmcfg.emit.shell_text import shell_line
from llmcfg.emit.yaml_text import yaml_text
from llmcfg.printable import shown

_HINT = "Use --format json or python."
Rendered = tuple[str, list[Diagnostic]]


def argv(compiled: Compiled) -> Rendered:
    """Write the commands that start the engine, quoted for a POSIX shell, variables first."""
    emission = module(compiled.backend).argv(compiled)
    variables = [f"{name}={value}" for name, value in compiled.env.items()]
    # A name from `extra` that begins with a dash must not become an option of env.
    end_of_options = ["--"] if any(name.startswith("-") for name in compiled.env) else []
    prefix = ["env", *end_of_options, *variables] if variables else []
    commands = [[*prefix, *command] for command in emission.value]
    return "".join(map(shell_line, commands)), [*emission.diagnostics, *_without_nul(compiled, commands)]


def _without_nul(compiled: Compiled, commands: list[list[str]]) -> list[Diagnostic]:
    found = [word for command in commands for word in command if "\0" in word]
    path = (compiled.backend,)
    return [cannot_carry(f"{shown(word)} (it holds the character NUL)", path, _HINT) for word in found]


def yaml(compiled: Compiled) -> Rendered:
    """Write the file that the engine's own YAML reader takes."""
    emission = module(compiled.backend).document(compiled)
    return yaml_text(emission.value), emission.diagnostics


def python(compiled: Compiled) -> Rendered:
    """Write a Python file that constructs the native objects."""
    return module(compiled.backend).script(compiled), []


FORMATS: dict[str, Callable[[Compiled], Rendered]] = {"argv": argv, "yaml": yaml, "python": python}
