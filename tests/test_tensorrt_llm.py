"""The schema of TensorRT-LLM and what is compiled from it, against facts about 1.2.1.

The engine cannot be installed where the tests run. Its place is taken by two files of facts:
the inventory of its classes, and the flags of its commands, both transcribed from NVIDIA's pages.
What is asked of every backend, names, types, choices and defaults, is asked in ``test_truth.py``.
"""

from __future__ import annotations

import argparse
import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import llmcfg
from llmcfg.audit import store
from llmcfg.audit.facts import Field, Inventory
from llmcfg.backends import module
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import Diagnostic
from llmcfg.emit.formats import python
from llmcfg.generator.source import Json, Type, load
from llmcfg.native import class_of
from tests.support.parameters import accepted, parameters

HERE = Path(__file__).parent
MODEL = "some/model"

LLM_ARGS = ("TorchLlmArgs", "TrtLlmArgs")
"""What ``LlmArgs`` stands for: ``backend`` decides; where they differ, the first is the default one."""

REEXPORTS = {
    "tensorrt_llm.SamplingParams": "tensorrt_llm.sampling_params",
    "tensorrt_llm.llmapi.BuildConfig": "tensorrt_llm.builder",
    "tensorrt_llm.llmapi.CalibConfig": "tensorrt_llm.llmapi.llm_args",
    "tensorrt_llm.llmapi.GuidedDecodingParams": "tensorrt_llm.sampling_params",
    "tensorrt_llm.llmapi.QuantConfig": "tensorrt_llm.models.modeling_utils",
    "tensorrt_llm.plugin.PluginConfig": "tensorrt_llm.plugin.plugin",
}
"""Public names of classes, with the module that defines them: tensorrt_llm/llmapi/__init__.py, and
the imports at the top of tensorrt_llm/commands/serve.py and build.py."""

NOT_IN_INVENTORY = {
    "tensorrt_llm.llmapi.LlmArgs": "an alias of TorchLlmArgs",
    "tensorrt_llm.bindings.executor.LookaheadDecodingConfig": "a class of the C++ bindings",
}


def facts() -> Inventory:
    found = store.inventory("tensorrt_llm", "1.2.1")
    assert found is not None
    return found


@cache
def flags() -> Json:
    loaded: Json = json.loads((HERE / "data/tensorrt_llm-1.2.1.flags.json").read_text(encoding="utf-8"))
    return loaded


@cache
def types() -> dict[str, Type]:
    return load(HERE.parent / "schema").types["tensorrt_llm"]


def class_path(item: Type) -> str | None:
    native = item.head.get("x-native")
    return native.get("class") if isinstance(native, dict) else native


def native_name(item: Type, key: str) -> str:
    name: str = item.properties[key].get("x-native", {}).get("name", key)
    return name


def fields_of(name: str) -> dict[str, Field]:
    """Return the fields of a native class; those of ``LlmArgs`` are of both kinds of arguments."""
    if name == "LlmArgs":
        torch, engine = (fields_of(member) for member in LLM_ARGS)
        return {**engine, **torch}
    item = facts().objects.get(name)
    return item.fields if item else {}


def declared(parameter: Json) -> set[str]:
    kinds = parameter.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


class TestRequired:
    """What a class demands has to be written."""

    def test_what_the_engine_requires_is_required(self) -> None:
        demanded = set()
        for item in types().values():
            owner = (class_path(item) or "").rpartition(".")[2]
            required = {key for key, field in fields_of(owner).items() if field.required}
            names = {key for key in item.properties if native_name(item, key) in required}
            assert names <= set(item.required), item.name
            demanded |= {f"{owner}.{key}" for key in names}
        assert "KvCacheConnectorConfig.connector_module" in demanded
        assert len(demanded) > 5


class TestClasses:
    """The paths under which the Python script and ``build`` import the classes."""

    def test_paths_are_those_of_the_engine(self) -> None:
        for item in types().values():
            path = class_path(item)
            if path is None or path in NOT_IN_INVENTORY:
                continue
            home, _, name = path.rpartition(".")
            assert f"{REEXPORTS.get(path, home)}.{name}" == facts().objects[name].path, path

    def test_no_path_is_listed_in_vain(self) -> None:
        assert {class_path(item) for item in types().values()} >= REEXPORTS.keys() | NOT_IN_INVENTORY.keys()


class Command(NamedTuple):
    """One of the commands: its flags, and the type of the schema whose parameters they set."""

    table: str
    type_name: str
    path: tuple[str, ...]

    @property
    def flags(self) -> Json:
        known: Json = flags()[self.table]
        return known

    @property
    def flagged(self) -> dict[str, Json]:
        """Return the parameters with a flag, by their names."""
        properties = types()[self.type_name].properties
        return {key: value for key, value in properties.items() if "flag" in value.get("x-native", {})}


COMMANDS = (
    Command("trtllm-serve", "TensorrtLlmLlm", ("llm",)),
    Command("trtllm-build", "TensorrtLlmBuild", ("build",)),
    Command("plugin_config", "TensorrtLlmPluginConfig", ("build", "plugin_config")),
)
each_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.table)

ABSENT = {
    "backend": "null becomes pytorch, which is what the server takes without the flag",
    "max_batch_size": "TorchLlmArgs.validate_misc makes 2048 of null",
    "max_beam_width": "TorchLlmArgs.validate_misc makes 1 of null",
}
"""Parameters of LlmArgs whose null is written as no flag, though the server then takes another value."""


class TestFlags:
    """The flags that the schema declares are flags of the commands, with the same meaning."""

    @each_command
    def test_flags_set_the_field_of_that_name(self, command: Command) -> None:
        declared_flags = {value["x-native"]["flag"]: key for key, value in command.flagged.items()}
        known = {flag: fact["field"] for flag, fact in command.flags.items() if "field" in fact}
        assert declared_flags == known

    def test_plugins_are_those_that_the_command_takes(self) -> None:
        assert {f"--{name}" for name in facts().notes["cli_plugin_args"]} == flags()["plugin_config"].keys()

    def test_no_other_type_has_flags(self) -> None:
        for item in types().values():
            if item.name not in {command.type_name for command in COMMANDS}:
                assert not any("flag" in value.get("x-native", {}) for value in item.properties.values())

    @each_command
    def test_kinds_agree(self, command: Command) -> None:
        kinds = {"int": "integer", "number": "number", "text": "string", "switch": "boolean"}
        for key, parameter in command.flagged.items():
            fact = command.flags[parameter["x-native"]["flag"]]
            if fact.get("choices") == ["enable", "disable"]:
                assert declared(parameter) == {"boolean"}, key
            else:
                assert declared(parameter) - {"null"} == {kinds[fact["kind"]]}, key

    @each_command
    def test_the_command_takes_every_choice(self, command: Command) -> None:
        for key, parameter in command.flagged.items():
            choices = command.flags[parameter["x-native"]["flag"]].get("choices")
            if choices and "boolean" not in declared(parameter):
                assert set(parameter.get("enum", ())) - {None} <= set(choices), key

    def test_null_and_false_are_what_the_commands_take_without_a_flag(self) -> None:
        for command in COMMANDS[:2]:
            for key, parameter in command.flagged.items():
                if parameter["default"] in (None, False) and key not in ABSENT:
                    absent = command.flags[parameter["x-native"]["flag"]]["absent"]
                    assert absent is parameter["default"], key

    def test_null_is_what_the_build_takes_without_a_plugin(self) -> None:
        for key, parameter in COMMANDS[2].flagged.items():
            if parameter["default"] is None:
                assert flags()["plugin_config"][f"--{key}"]["absent"] in (None, "disable"), key


def compiled(section: Json) -> Compiled:
    return llmcfg.compile({"model": MODEL, "tensorrt_llm": section}, backend="tensorrt_llm")


def every_config() -> Iterator[tuple[str, Compiled]]:
    """Compile each parameter alone, with each of its values that a config may hold."""
    for parameter in parameters("tensorrt_llm"):
        for value, _, result in accepted(parameter):
            (config,) = result.compiled
            yield f"{parameter.name}: {value!r}", config


@cache
def parser(command: str) -> argparse.ArgumentParser:
    """Return a parser with the command's flags, which names the values by the fields they set."""
    made = argparse.ArgumentParser(allow_abbrev=False, argument_default=argparse.SUPPRESS)
    if command == "trtllm-serve":
        made.add_argument("model")
    for table in ("trtllm-serve",) if command == "trtllm-serve" else ("trtllm-build", "plugin_config"):
        for flag, fact in flags()[table].items():
            names = [flag, fact.get("also", flag)]
            name = fact.get("field", flag)
            if fact["kind"] == "switch":
                made.add_argument(*names, dest=name, action="store_true")
            else:
                reader = {"int": int, "number": float}.get(fact["kind"], str)
                made.add_argument(*names, dest=name, type=reader, choices=fact.get("choices"))
    return made


def parse(words: list[str]) -> Json:
    return vars(parser(words[0]).parse_args(words[1:]))


def refused(diagnostics: list[Diagnostic]) -> set[str]:
    return {str(item.path[-1]) for item in diagnostics if item.code == "L504"}


def switched(value: Any) -> Any:
    """Return the word that means the value to a plugin's flag; null is no flag, or the word disable."""
    if value is True:
        return "enable"
    return "disable" if value is False else value


def assert_same(native: Json, parsed: Json, lost: set[str], command: Command, config: str) -> None:
    """Compare a native object with what the command's parser read, key by key."""
    for key, value in native.items():
        if key in lost:
            assert key not in command.flagged or value is None, config
            assert key not in parsed, config
        elif value is None:
            assert parsed.get(key) in (None, "disable"), config
        elif command.table == "plugin_config":
            assert parsed[key] == switched(value), config
        else:
            assert parsed.get(key, False) == value, config


class TestCommandLine:
    """The commands, read back by a parser with the engine's flags."""

    def test_every_value_comes_back_or_is_refused(self) -> None:
        serve, build, plugin = COMMANDS
        tried: set[str] = set()
        for config, result in every_config():
            emission = module("tensorrt_llm").argv(result)
            lost = refused(emission.diagnostics)
            *building, serving = emission.value
            parsed = parse(serving)
            arguments = dict(result.native["LlmArgs"])
            if parsed["model"] != MODEL:
                assert parsed["model"] == parse(building[0])["--output_dir"], config
                arguments["model"] = parsed["model"]
            assert_same(arguments, parsed, lost - {"model"}, serve, config)
            tried |= parsed.keys()
            for words in building:
                parsed = parse(words)
                values = dict(result.native["BuildConfig"])
                plugins = values.pop("plugin_config", {})
                assert_same(values, parsed, lost, build, config)
                assert_same(plugins, parsed, lost, plugin, config)
                tried |= parsed.keys()
        assert tried >= {key for command in COMMANDS for key in command.flagged}

    def test_a_server(self) -> None:
        result = compiled({"llm": {"tensor_parallel_size": 2, "moe_expert_parallel_size": -1}})
        assert module("tensorrt_llm").argv(result).value == [
            ["trtllm-serve", MODEL, "--tp_size", "2", "--ep_size=-1"]
        ]

    def test_what_the_server_has_no_flag_for_is_refused(self) -> None:
        llm = {
            "kv_cache_config": {"free_gpu_memory_fraction": 0.8},
            "moe_cluster_parallel_size": 2,
            "max_num_tokens": None,
            "stream_interval": 4,
            "trust_remote_code": False,
            "extra": {"unheard_of": 1},
        }
        emission = module("tensorrt_llm").argv(compiled({"llm": llm}))
        assert refused(emission.diagnostics) == llm.keys() - {"trust_remote_code", "extra"} | {"unheard_of"}
        assert emission.value == [["trtllm-serve", MODEL]]

    def test_an_engine_is_built_and_served(self) -> None:
        plugins = {"gemm_plugin": None, "moe_plugin": None, "context_fmha": False, "tokens_per_block": 1}
        build = {"max_batch_size": 8, "use_strip_plan": True, "dry_run": False, "plugin_config": plugins}
        emission = module("tensorrt_llm").argv(compiled({"llm": {"backend": "tensorrt"}, "build": build}))
        building, serving = emission.value
        assert parse(building) == {
            "--checkpoint_dir": MODEL,
            "--output_dir": "engine_outputs",
            "max_batch_size": 8,
            "use_strip_plan": True,
            "moe_plugin": "disable",
            "context_fmha": "disable",
            "tokens_per_block": 1,
        }
        assert parse(serving) == {"model": "engine_outputs", "tokenizer": MODEL, "backend": "tensorrt"}
        assert emission.diagnostics == []

    def test_what_the_build_has_no_flag_for_is_refused(self) -> None:
        build = {
            "opt_batch_size": 8,
            "speculative_decoding_mode": 4,
            "plugin_config": {"paged_kv_cache": True},
        }
        section = {
            "build": build,
            "quantization": {"quant_algo": "FP8", "calib_config": {"calib_batches": 8}},
        }
        emission = module("tensorrt_llm").argv(compiled(section))
        assert refused(emission.diagnostics) == {
            "opt_batch_size", "speculative_decoding_mode", "paged_kv_cache", "quantization", "calib_config",
        }  # fmt: skip


READ_AS_CLASSES = {
    "quant_config", "calib_config", "build_config", "decoding_config", "enable_build_cache",
    "speculative_config", "lora_config", "moe_config", "nvfp4_gemm_config", "attention_dp_config",
    "sparse_attention_config", "kv_cache_config",
}  # fmt: skip
"""field_mapping of update_llm_args_with_extra_dict (tensorrt_llm/llmapi/llm_args.py, 1.2.1): for these
the reader calls a class with the mapping, so that nothing but a mapping will do."""

ENGINE_SECTIONS = {
    "build": {"max_batch_size": 8, "plugin_config": {"gemm_plugin": "auto"}},
    "quantization": {"quant_algo": "FP8", "calib_config": {"calib_batches": 8}},
}


class TestYaml:
    """The file for ``trtllm-serve --config``, by the rules of its reader."""

    def test_every_value_is_under_a_key_that_the_reader_takes(self) -> None:
        tried: set[str] = set()
        for config, result in every_config():
            arguments = result.native["LlmArgs"]
            known = fields_of("TrtLlmArgs" if arguments.get("backend") == "tensorrt" else "TorchLlmArgs")
            mapping = module("tensorrt_llm").document(result).value
            assert mapping.keys() <= known.keys(), config
            for key, value in mapping.items():
                assert isinstance(value, dict) or key not in READ_AS_CLASSES, config
            for key in arguments.keys() - READ_AS_CLASSES - {"backend"}:
                assert mapping[key] == arguments[key], config
            tried |= mapping.keys()
        assert tried >= types()["TensorrtLlmLlm"].properties.keys()

    def test_nothing_is_left_out_where_null_does_not_mean_the_default(self) -> None:
        mapping = module("tensorrt_llm").document(compiled({"llm": {"cuda_graph_config": None}})).value
        assert mapping == {"model": MODEL, "cuda_graph_config": None}

    def test_what_the_reader_would_choke_on_is_left_out(self) -> None:
        llm = {"backend": None, "lora_config": None, "attention_dp_config": None, "speculative_config": None}
        assert module("tensorrt_llm").document(compiled({"llm": llm})).value == {"model": MODEL}

    def test_no_build_cache(self) -> None:
        llm = {"backend": "tensorrt", "enable_build_cache": False}
        mapping = module("tensorrt_llm").document(compiled({"llm": llm})).value
        assert mapping == {"model": MODEL, "backend": "tensorrt"}

    def test_the_build_cache_is_a_mapping(self) -> None:
        llm = {"backend": "tensorrt", "enable_build_cache": True}
        mapping = module("tensorrt_llm").document(compiled({"llm": llm})).value
        assert mapping == {"model": MODEL, "backend": "tensorrt", "enable_build_cache": {}}

    def test_the_engine_backend_takes_all_sections(self) -> None:
        emission = module("tensorrt_llm").document(
            compiled({"llm": {"backend": "tensorrt"}, **ENGINE_SECTIONS})
        )
        assert emission.diagnostics == []
        assert emission.value == {
            "model": MODEL,
            "backend": "tensorrt",
            "build_config": {"max_batch_size": 8, "plugin_config": {"gemm_plugin": "auto"}},
            "quant_config": {"quant_algo": "FP8"},
            "calib_config": {"calib_batches": 8},
        }

    def test_other_backends_do_not(self) -> None:
        emission = module("tensorrt_llm").document(compiled(ENGINE_SECTIONS))
        assert emission.value == {"model": MODEL}
        assert [item.code for item in emission.diagnostics] == ["L504"] * 3


class TestPython:
    """The script imports what the engine has, and hands the objects over."""

    @pytest.mark.parametrize(
        ("backend", "home"),
        [
            (None, "tensorrt_llm"),
            ("pytorch", "tensorrt_llm"),
            ("tensorrt", "tensorrt_llm._tensorrt_engine"),
            ("_autodeploy", "tensorrt_llm._torch.auto_deploy"),
        ],
    )
    def test_the_class_for_the_backend(self, backend: str | None, home: str) -> None:
        text, _ = python(compiled({"llm": {"backend": backend}}))
        assert f"\nfrom {home} import LLM\n" in text
        assert ("'backend'" in text) == (backend in ("pytorch", "_autodeploy"))

    def test_objects_of_the_engine(self) -> None:
        text, _ = python(compiled({"llm": {"backend": "tensorrt"}, **ENGINE_SECTIONS}))
        tree = ast.parse(text)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert names >= {"LLM", "BuildConfig", "PluginConfig", "QuantConfig", "CalibConfig"}
        assert 'llm_arguments["build_config"] = build_config' in text

    def test_the_choice_of_a_class_is_no_argument_of_it(self) -> None:
        llm = {
            "speculative_config": {"decoding_type": "NGram", "max_draft_len": 3, "max_matching_ngram_size": 2}
        }
        result = compiled({"llm": llm})
        nested = result.native["LlmArgs"]["speculative_config"]
        assert class_of(nested) == "tensorrt_llm.llmapi.llm_args.NGramDecodingConfig"
        text, _ = python(result)
        assert "NGramDecodingConfig(max_draft_len=3, max_matching_ngram_size=2)" in text
        mapping = module("tensorrt_llm").document(result).value
        assert mapping["speculative_config"]["decoding_type"] in facts().notes["spec_decoding_yaml_dispatch"]
