"""The text formats by name: each turns a compiled config into text, and says what it cannot carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from llmcfg.backends import module
from llmcfg.backends.flags import cannot_carry
from llmcfg.catalog import backends
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import Diagnostic, Path
from llmcfg.emit.shell_text import shell_line
from llmcfg.emit.yaml_text import yaml_text

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
    words = [word for command in commands for word in command if "\0" in word]
    return "".join(map(shell_line, commands)), [*emission.diagnostics, *_with_nul(compiled, words)]


def _with_nul(compiled: Compiled, words: list[str]) -> Iterator[Diagnostic]:
    """Refuse the values that bring NUL into words: no command can hold it."""
    for path, text in _texts(compiled):
        if "\0" in text and any(text in word for word in words):
            name = next(part for part in reversed(path) if isinstance(part, str))
            yield cannot_carry(name, path, _HINT, "it holds the character NUL", of_value=True)


def _texts(compiled: Compiled) -> Iterator[tuple[Path, str]]:
    """Yield the texts of a config, each with its path."""
    backend = backends()[compiled.backend]
    for section, name in backend["sections"].items():
        for path, text in _texts_in(compiled.native.get(name), (compiled.backend, section)):
            is_model = (name, path[2:]) == (backend["model"]["object"], (backend["model"]["name"],))
            yield (("model",) if is_model else path), text


def _texts_in(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts_in(item, (*path, key))


def yaml(compiled: Compiled) -> Rendered:
    """Write the file that the engine's own YAML reader takes."""
    emission = module(compiled.backend).document(compiled)
    return yaml_text(emission.value), emission.diagnostics


def python(compiled: Compiled) -> Rendered:
    """Write a Python file that constructs the native objects."""
    return module(compiled.backend).script(compiled), []


FORMATS: dict[str, Callable[[Compiled], Rendered]] = {"argv": argv, "yaml": yaml, "python": python}
