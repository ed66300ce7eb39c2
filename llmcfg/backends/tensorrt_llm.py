"""TensorRT-LLM: ``trtllm-serve``, ``trtllm-build``, and the objects of its Python API.

``trtllm-serve`` has flags for a few arguments only; its ``--config`` file takes all of them. The
schema names the flags (``x-native.flag``); a parameter without one has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmcfg.backends import Emission
from llmcfg.backends.flags import cannot_carry, flag_of, kinds, not_carried, option, parameters, word
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import Diagnostic, Path
from llmcfg.emit.python_text import Imports, call, environment, expression
from llmcfg.emit.python_text import document as python_document
from llmcfg.native import construct, instance

_LLM, _BUILD, _SAMPLING = "LlmArgs", "BuildConfig", "SamplingParams"
_FIELDS = {"BuildConfig": "build_config", "QuantConfig": "quant_config", "CalibConfig": "calib_config"}
_SERVE_HINT = "Use --format yaml, and `trtllm-serve MODEL --config FILE`."
_BUILD_HINT = "Use --format python, or --format yaml."
_ENGINE_LLM, _PYTORCH_LLM = "tensorrt_llm._tensorrt_engine.LLM", "tensorrt_llm.LLM"


def argv(compiled: Compiled) -> Emission:
    """Return ``trtllm-build …`` where the config builds an engine, and ``trtllm-serve MODEL …``."""
    commands, found = [], _sampling(compiled)
    if _BUILD in compiled.native:
        words, problems = _build_command(compiled)
        commands.append(words)
        found += problems
    for name in _FIELDS.keys() & compiled.native.keys() - {_BUILD}:
        found.append(cannot_carry(name, ("tensorrt_llm", "quantization"), _BUILD_HINT))
    words = ["trtllm-serve", compiled.model]
    for name, value in _llm(compiled).items():
        flagged = list(_serve_words(name, value))
        words += flagged
        if not flagged:
            found.append(cannot_carry(name, ("tensorrt_llm", "llm", name), _SERVE_HINT))
    commands.append(words)
    return Emission(commands, found)


def document(compiled: Compiled) -> Emission:
    """Return the mapping that ``trtllm-serve MODEL --config FILE`` takes: the fields of ``LlmArgs``."""
    mapping = {**compiled.native.get(_LLM, {})}
    for name, field in _FIELDS.items():
        if name in compiled.native:
            mapping[field] = compiled.native[name]
    found = _sampling(compiled)
    if compiled.env:
        found.append(not_carried(compiled, "env", compiled.env, "the file holds no environment variables"))
    return Emission(mapping, found)


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
    llm = imports.name(_llm_class(compiled))
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


def _llm(compiled: Compiled) -> dict[str, Any]:
    return {key: value for key, value in compiled.native.get(_LLM, {}).items() if key != "model"}


def _is_engine(compiled: Compiled) -> bool:
    return compiled.native.get(_LLM, {}).get("backend") == "tensorrt"


def _llm_class(compiled: Compiled) -> str:
    return _ENGINE_LLM if _is_engine(compiled) else _PYTORCH_LLM


def _llm_keywords(compiled: Compiled) -> dict[str, Any]:
    """Return the arguments of ``LLM``; on the engine backend the class itself stands for ``backend``."""
    keywords = dict(compiled.native.get(_LLM, {}))
    if _is_engine(compiled):
        del keywords["backend"]
    return keywords


def _sampling(compiled: Compiled) -> list[Diagnostic]:
    names = compiled.native.get(_SAMPLING)
    why = "a server takes sampling parameters with each request, not at start-up"
    return [not_carried(compiled, "sampling", names, why)] if names else []


def _serve_words(name: str, value: Any) -> Iterator[str]:
    schema = parameters("TensorrtLlmLlm").get(name, {})
    flag = flag_of(schema)
    if flag is None or value is None or isinstance(value, (dict, list)):
        return
    if value is True:
        yield flag
    elif value is not False:
        yield from option(flag, word(value))


def _build_command(compiled: Compiled) -> tuple[list[str], list[Diagnostic]]:
    words, found = ["trtllm-build", "--checkpoint_dir", compiled.model], []
    for name, value in compiled.native[_BUILD].items():
        path: Path = ("tensorrt_llm", "build", name)
        nested = value if name == "plugin_config" and isinstance(value, dict) else {}
        for plugin, choice in nested.items():
            flagged = list(_plugin_words(plugin, choice))
            words += flagged
            if not flagged:
                found.append(cannot_carry(plugin, (*path, plugin), _BUILD_HINT))
        if name == "plugin_config":
            continue
        flagged = list(_build_words(name, value))
        words += flagged
        if not flagged:
            found.append(cannot_carry(name, path, _BUILD_HINT))
    return words, found


def _build_words(name: str, value: Any) -> Iterator[str]:
    flag = flag_of(parameters("TensorrtLlmBuild").get(name, {}))
    if flag is None or value is None or value is False or isinstance(value, (dict, list)):
        return
    yield from [flag] if value is True else option(flag, word(value))


def _plugin_words(name: str, value: Any) -> Iterator[str]:
    """Plugins are switched by the words enable and disable; null is disable."""
    schema = parameters("TensorrtLlmPluginConfig").get(name, {})
    flag = flag_of(schema)
    if flag is None:
        return
    if "boolean" in kinds(schema):
        yield from (flag, "enable" if value else "disable")
    else:
        yield from (flag, "disable" if value is None else word(value))
