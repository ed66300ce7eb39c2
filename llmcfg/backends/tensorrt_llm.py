"""TensorRT-LLM: ``trtllm-serve``, ``trtllm-build``, and the objects of its Python API.

``trtllm-serve`` has flags for a few arguments only; its ``--config`` file takes all of them. The
schema names the flags (``x-native.flag``); a parameter without one has none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmcfg.backends import Emission
from llmcfg.backends.flags import (
    cannot_carry,
    environment_left_out,
    flag_of,
    looks_like_a_flag,
    looks_like_flag,
    option,
    parameters,
    sampling_left_out,
    word,
)
from llmcfg.catalog import backends
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import Diagnostic, Path, dotted
from llmcfg.emit.python_text import Imports, call, environment, expression
from llmcfg.emit.python_text import document as python_document
from llmcfg.native import construct, instance

_LLM, _BUILD, _SAMPLING = "LlmArgs", "BuildConfig", "SamplingParams"
_HANDED = backends()["tensorrt_llm"]["handed"]
_FIELDS: dict[str, str] = {name: facts["name"] for name, facts in _HANDED.items()}
_PLACES: dict[str, Path] = {
    name: ("tensorrt_llm", *facts["section"].split(".")) for name, facts in _HANDED.items()
}
_SERVE_HINT = "Use --format yaml, and `trtllm-serve MODEL --config FILE`."
_BUILD_HINT = "Use --format python, or --format yaml."
_ENGINE_HINT = "Only the engine backend takes it: set llm.backend to tensorrt."

_ENGINE = "tensorrt"
_ENGINE_DIRECTORY = "engine_outputs"
_CLASSES = {
    _ENGINE: "tensorrt_llm._tensorrt_engine.LLM",
    "_autodeploy": "tensorrt_llm._torch.auto_deploy.LLM",
}
_DEFAULT_CLASS = "tensorrt_llm.LLM"

_UNWRITABLE_NOTHING = frozenset((
    "attention_dp_config", "backend", "enable_build_cache", "lora_config", "sparse_attention_config",
    "speculative_config",
))  # fmt: skip
"""Keys of the YAML file under which its reader cannot take null or false, which are their defaults."""

Words = tuple[list[str], list[Diagnostic]]
Form = Callable[[dict[str, Any], Any], "list[str] | None"]


def argv(compiled: Compiled) -> Emission:
    """Return ``trtllm-build …`` where the config builds an engine, and ``trtllm-serve MODEL …``."""
    commands, found = [], sampling_left_out(compiled)
    if _BUILD in compiled.native:
        words, problems = _build_command(compiled)
        commands.append(words)
        found += problems
    for name, place in _PLACES.items():
        if name in compiled.native and name != _BUILD:
            found.append(cannot_carry(dotted(place[1:]), place, _BUILD_HINT))
    words, problems = _serve_command(compiled)
    return Emission([*commands, words], [*found, *problems])


def document(compiled: Compiled) -> Emission:
    """Return the mapping that ``trtllm-serve MODEL --config FILE`` takes: the fields of ``LlmArgs``.

    The model in the file wins over the one on the command line. Under some keys the reader calls a
    class with the mapping it finds; true becomes an empty mapping there: the class's own defaults.
    """
    mapping, found = {}, sampling_left_out(compiled)
    for name, value in compiled.native.get(_LLM, {}).items():
        if name not in _UNWRITABLE_NOTHING or not (value is None or isinstance(value, bool)):
            mapping[name] = value
        elif value:
            mapping[name] = {}
    for name, field in _FIELDS.items():
        if name in compiled.native and _is_engine(compiled):
            mapping[field] = compiled.native[name]
        elif name in compiled.native:
            place = _PLACES[name]
            found.append(cannot_carry(dotted(place[1:]), place, _ENGINE_HINT))
    return Emission(mapping, [*found, *environment_left_out(compiled)])


def script(compiled: Compiled) -> str:
    """Return a file that defines ``llm_arguments`` and ``sampling_params``, and ``load()``."""
    imports = Imports()
    native = compiled.native
    lines = []
    for name, field in _FIELDS.items():
        if name in native:
            lines.append(f"{field} = {expression(native[name], imports)}")
    lines.append(f"llm_arguments = {expression(_llm_keywords(compiled), imports)}")
    lines += [f'llm_arguments["{field}"] = {field}' for name, field in _FIELDS.items() if name in native]
    if _SAMPLING in native:
        function = imports.name("tensorrt_llm.SamplingParams")
        lines.append(f"sampling_params = {call(function, native[_SAMPLING], imports)}")
    llm = imports.name(_CLASSES.get(_backend(compiled), _DEFAULT_CLASS))
    load = ["", "", "def load():", '    """Start the engine."""', f"    return {llm}(**llm_arguments)"]
    header = f'"""TensorRT-LLM {compiled.version}: compiled by llmcfg."""'
    return python_document(header, [*environment(compiled.env), *imports.lines(), "", *lines, *load])


def build(compiled: Compiled) -> dict[str, Any]:
    """Construct the config objects; ``LlmArgs`` stays the keyword arguments of ``LLM``."""
    native = compiled.native
    built = {name: construct(native[name], instance) for name in _FIELDS if name in native}
    if _SAMPLING in native:
        keywords = construct(dict(native[_SAMPLING]), instance)
        built[_SAMPLING] = instance("tensorrt_llm.SamplingParams", keywords)
    fields = {field: built[name] for name, field in _FIELDS.items() if name in native}
    built[_LLM] = {**construct(_llm_keywords(compiled), instance), **fields}
    return built


def _backend(compiled: Compiled) -> Any:
    return compiled.native.get(_LLM, {}).get("backend")


def _is_engine(compiled: Compiled) -> bool:
    return bool(_backend(compiled) == _ENGINE)


def _llm_keywords(compiled: Compiled) -> dict[str, Any]:
    """Return the arguments of ``LLM``.

    On the engine backend the class itself stands for ``backend``; ``LLM`` would take a null for it.
    """
    keywords = dict(compiled.native.get(_LLM, {}))
    if keywords.get("backend") in (None, _ENGINE):
        keywords.pop("backend", None)
    return keywords


def _serve_command(compiled: Compiled) -> Words:
    """Serve the model, or the engine that ``trtllm-build`` makes of it."""
    values = {key: value for key, value in compiled.native.get(_LLM, {}).items() if key != "model"}
    served = compiled.model
    if _BUILD in compiled.native and _is_engine(compiled):
        served = _ENGINE_DIRECTORY
        values["tokenizer"] = values.get("tokenizer") or compiled.model
    words, found = _words("TensorrtLlmLlm", values, ("tensorrt_llm", "llm"), _SERVE_HINT)
    if looks_like_flag(compiled.model):
        found.append(looks_like_a_flag(("model",), _SERVE_HINT))
    return ["trtllm-serve", served, *words], found


def _build_command(compiled: Compiled) -> Words:
    path = _PLACES[_BUILD]
    values = dict(compiled.native[_BUILD])
    plugins = values.pop("plugin_config", {})
    words, found = _words("TensorrtLlmBuild", values, path, _BUILD_HINT)
    switches, problems = _words(
        "TensorrtLlmPluginConfig", plugins, (*path, "plugin_config"), _BUILD_HINT, _plugin
    )
    start = ["trtllm-build", "--checkpoint_dir", compiled.model, "--output_dir", _ENGINE_DIRECTORY]
    return [*start, *words, *switches], [*found, *problems]


def _plain(schema: dict[str, Any], value: Any) -> list[str] | None:
    """Write a flag and its value, true as the flag alone; None if the command has no form for it.

    Null and false have none either, but are what the command takes without the flag where they are
    the default.
    """
    flag = flag_of(schema)
    if flag is None or isinstance(value, (dict, list)):
        return None
    if value is None or value is False:
        return [] if schema.get("default", flag) is value else None
    return [flag] if value is True else option(flag, word(value))


def _plugin(schema: dict[str, Any], value: Any) -> list[str] | None:
    """Write the flag of a plugin, which the words enable and disable switch; null is disable.

    Null is no flag at all where it is the default: ``--gemm_plugin disable`` would forbid more, the
    plugin that the build would pick by itself.
    """
    flag = flag_of(schema)
    if flag is None:
        return None
    if value is None and schema.get("default", flag) is None:
        return []
    if value is True:
        return [flag, "enable"]
    return [flag, "disable"] if value is None or value is False else option(flag, word(value))


def _words(type_name: str, values: dict[str, Any], path: Path, hint: str, form: Form = _plain) -> Words:
    words, found = [], []
    for name, value in values.items():
        written = form(parameters(type_name).get(name, {}), value)
        if written is None:
            found.append(cannot_carry(name, (*path, name), hint))
        else:
            words += written
    return words, found
