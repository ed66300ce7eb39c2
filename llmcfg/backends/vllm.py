"""vLLM: ``vllm serve``, its YAML reader, and ``EngineArgs`` with ``SamplingParams``.

The command line and the YAML file start a server; sampling parameters reach a server with each
request, so neither form carries them.
"""

from __future__ import annotations

from typing import Any

from llmcfg.backends import Emission
from llmcfg.backends.flags import (
    cannot_carry,
    environment_left_out,
    flag_of,
    form_of,
    has_no_flag,
    is_flag,
    kinds,
    looks_like_a_flag,
    looks_like_flag,
    option,
    parameters,
    sampling_left_out,
    separator_of,
    word,
)
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import Diagnostic
from llmcfg.emit.python_text import Imports, call, environment
from llmcfg.emit.python_text import document as python_document
from llmcfg.native import construct, instance

_ENGINE = "EngineArgs"
_SAMPLING = "SamplingParams"
_HINT = "Use --format json or python."
_VARIABLES = {_ENGINE: "engine_args", _SAMPLING: "sampling_params"}


def argv(compiled: Compiled) -> Emission:
    """Return ``vllm serve MODEL --flag value …``."""
    words = ["vllm", "serve"]
    flagged, found = _flagged(compiled)
    if looks_like_flag(compiled.model):
        found.append(looks_like_a_flag(("model",), _HINT))
    elif compiled.model is not None:
        words.append(compiled.model)
    words += [word for _, option_words in flagged for word in option_words]
    return Emission([words], [*sampling_left_out(compiled), *found])


def document(compiled: Compiled) -> Emission:
    """Return the mapping that ``vllm serve --config FILE`` turns into the same words.

    Its reader drops ``false``, null and empty lists, so false is written as ``no-<flag>: true``, and
    a value that looks like a flag goes into the key, behind an equals sign.
    """
    mapping: dict[str, Any] = {"model": compiled.model} if compiled.model is not None else {}
    flagged, found = _flagged(compiled)
    for value, words in flagged:
        if len(words) == 1:
            mapping[words[0].removeprefix("--")] = True
        elif words:
            as_written = len(words) > 2 or isinstance(value, (bool, int, float, dict))
            mapping[words[0].removeprefix("--")] = value if as_written else words[1]
    return Emission(mapping, [*sampling_left_out(compiled), *environment_left_out(compiled), *found])


def script(compiled: Compiled) -> str:
    """Return a file that defines ``engine_args`` and ``sampling_params``."""
    imports = Imports()
    lines = []
    for name, arguments in compiled.native.items():
        function = imports.name(f"vllm.{name}")
        lines.append(f"{_VARIABLES.get(name, name)} = {call(function, arguments, imports)}")
    header = f'"""vLLM {compiled.version}: compiled by llmcfg."""'
    return python_document(header, [*environment(compiled.env), *imports.lines(), "", *lines])


def build(compiled: Compiled) -> dict[str, Any]:
    """Construct ``EngineArgs`` and ``SamplingParams``; ``env`` is left to the caller to set before."""
    return {
        name: instance(f"vllm.{name}", construct(dict(arguments), instance))
        for name, arguments in compiled.native.items()
    }


class _NoForm(Exception):
    """vLLM's parser has no form for a value; the text says what is in the way."""


class _NoFlag(_NoForm):
    """It has none for any value of the parameter."""


def _flagged(compiled: Compiled) -> tuple[list[tuple[Any, list[str]]], list[Diagnostic]]:
    """Return each value of the engine with its words, and what has none."""
    flagged, found = [], []
    for name, value in compiled.native.get(_ENGINE, {}).items():
        if name == "model":
            continue
        try:
            flagged.append((value, _words(name, value)))
        except _NoForm as reason:
            of_value = not isinstance(reason, _NoFlag)
            path = ("vllm", "engine", name)
            found.append(cannot_carry(name, path, _HINT, str(reason), of_value=of_value))
    return flagged, found


def _words(name: str, value: Any) -> list[str]:
    schema = parameters("VllmEngine").get(name, {})
    flag = flag_of(schema) or f"--{name.replace('_', '-')}"
    if has_no_flag(schema):
        raise _NoFlag("the server has no flag for it")
    if not is_flag(flag):
        raise _NoFlag("no flag can be called that")
    if isinstance(value, bool):
        return _switch(flag, value, schema)
    if value is None or value == []:
        return _nothing(flag, value, schema)
    if isinstance(value, list) and (separator := separator_of(schema)):
        return option(flag, separator.join(map(word, value)))
    if isinstance(value, list):
        return _list(flag, value)
    if isinstance(value, str) and value in ("", "None") and "null" in kinds(schema):
        raise _NoForm("the parser would take the text for null")
    return option(flag, word(value))


def _switch(flag: str, value: bool, schema: dict[str, Any]) -> list[str]:
    if value:
        return [flag]
    if "string" in kinds(schema) or form_of(schema) == "store_true":
        if schema.get("default") is False:
            return []
        raise _NoForm("the parser has no negative form of this flag")
    return [f"--no-{flag.removeprefix('--')}"]


def _nothing(flag: str, value: Any, schema: dict[str, Any]) -> list[str]:
    if "default" in schema and schema["default"] == value:
        return []
    if value is None and "boolean" not in kinds(schema) and "enum" not in schema:
        return [flag, "None"]
    raise _NoForm("the parser cannot be given null" if value is None else "it cannot be given an empty list")


def _list(flag: str, value: list[Any]) -> list[str]:
    words = [word(item) for item in value]
    if any(item.startswith("-") for item in words):
        raise _NoForm("an item looks like a flag")
    return [flag, *words]
