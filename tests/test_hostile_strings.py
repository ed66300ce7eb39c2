"""Texts that try to break out of a form arrive as they were written, and nothing of them runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmcfg.backends import module
from llmcfg.catalog import backends
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import has_errors
from llmcfg.emit.formats import FORMATS
from llmcfg.emit.yaml_text import yaml_text
from tests.support.limited import UNSAFE
from tests.support.parameters import Parameter, check, every_parameter, kinds
from tests.support.stubs import run_script

CANARY = "canary"
HOSTILE = [
    f"$(touch {CANARY})",
    f"`touch {CANARY}`",
    f"x; touch {CANARY}",
    f"'; touch {CANARY}; '",
    f'"; touch {CANARY}; "',
    f"x\ntouch {CANARY}\n",
    f"x && touch {CANARY} || touch {CANARY} & touch {CANARY}",
    f"> {CANARY}",
    f"');__import__('pathlib').Path('{CANARY}').touch();('",
    f'"""\n__import__("pathlib").Path("{CANARY}").touch()\n"""',
    f"!!python/object/apply:pathlib.Path.touch [{CANARY}]",
    "{{ template }} ${HOME} $HOME %PATH% ~ *",
    "back\\slash \\n \\' \\\" \\x41 \\u0041",
    "quotes ' \" ''' \"\"\"",
    "a: b\n- c # d\n? e",
    "--flag=value",
    "-x",
    "tab\tand\rreturn",
    "ünïcödé 漢字 🙂 \u202e\u200b\ufeff",
    "\x7f\x85\u2028",
    "\x1b[31m\x07\x9b2J\n\x1b]0;title\x07",
    "\u200b\u2066\U000e0041 \n\n",
    "%s %d \\033 \\0 $'\\x41' !! !$ #",
    "no",
    "0x10",
    "1e3",
    "1_000",
    "2001-01-01",
    "12:30",
    "=",
    "<<",
    "null",
    "~",
    ".nan",
    "a=b=c",
    "${IFS}",
    "*?[a-z]",
    "\\",
    "\n",
    " ",
    "'",
    '"',
    "'" * 4,
    "x" * 5000,
]


def takes_any_text(parameter: Parameter) -> bool:
    """A parameter of free text, alone in a document that llmcfg accepts."""
    if "string" not in kinds(parameter.schema) or "enum" in parameter.schema or len(parameter.path) < 2:
        return False
    return all(not has_errors(compile_text(parameter, text).diagnostics) for text in HOSTILE)


def compile_text(parameter: Parameter, text: str) -> Any:
    return check(parameter.document(text, partners=True), backend=parameter.backend)


CASES = [parameter for parameter in every_parameter() if takes_any_text(parameter)]


def test_every_backend_has_cases() -> None:
    found = [parameter.backend for parameter in CASES]
    assert {name: found.count(name) >= 3 for name in backends()} == dict.fromkeys(backends(), True)


def every_text(parameter: Parameter) -> list[tuple[str, Compiled]]:
    return [(text, compile_text(parameter, text).compiled[0]) for text in HOSTILE]


def holds(data: Any, text: str) -> bool:
    """Find the text in data, whole: a value, a list's item, or glued to its flag.

    vLLM's reader makes words of its file, so what starts with a dash is written as one word, `flag=text`.
    """
    if isinstance(data, dict):
        glued = text.startswith("-") and any(str(key).endswith(f"={text}") for key in data)
        return glued or any(holds(item, text) for item in data.values())
    return any(holds(item, text) for item in data) if isinstance(data, list) else bool(data == text)


@pytest.fixture(autouse=True)
def _nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir())


KEYS = [
    "$(touch canary)", "`touch canary`", "a; touch canary", "a=b", "--flag", "-x", "", " ", "a b", "a\nb",
    "a'b", 'a"b', "x\0y", "\x1b[31m", "\u202e", "é", "): import os #", "**", "class", "no", "1", "a.b",
    "__class__", "\\",
]  # fmt: skip
OPEN = ("engine.extra", "engine.hf_overrides", "engine.additional_config", "sampling.extra", "env.extra")


@pytest.mark.parametrize("key", KEYS, ids=ascii)
@pytest.mark.parametrize("place", OPEN)
def test_keys(place: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile key arrives as it was written, or an error says that the format has no form for it."""
    section, name = place.split(".")
    data = {"model": "m", "vllm": {section: {name: {key: "value"}}}}
    result = check(data, backend="vllm")
    if has_errors(result.diagnostics):
        assert section == "env"
        assert not key or "=" in key or "\0" in key
        return
    (item,) = result.compiled
    variables, _ = run_script(FORMATS["python"](item)[0], monkeypatch)
    objects = [value for value in variables.values() if isinstance(value, dict)]
    assert section == "env" or any(has_key(value, key) for value in objects)
    written, found = FORMATS["yaml"](item)
    assert has_errors(found) or yaml.safe_load(written) == json.loads(json.dumps(document_of(item)))
    lines, found = FORMATS["argv"](item)
    if not has_errors(found):
        commands = module("vllm").argv(item).value
        assert shell_words(lines) == [
            word for command in commands for word in [*shell_prefix(item), *command]
        ]
        assert all(is_plain_flag(word) for word in commands[0] if word.startswith("-"))


def shell_prefix(item: Compiled) -> list[str]:
    end_of_options = ["--"] if any(name.startswith("-") for name in item.env) else []
    words = [f"{name}={value}" for name, value in item.env.items()]
    return ["env", *end_of_options, *words] if words else []


def is_plain_flag(word: str) -> bool:
    return re.fullmatch(r"--[A-Za-z0-9][A-Za-z0-9_.-]*", word) is not None


def document_of(item: Compiled) -> Any:
    return module(item.backend).document(item).value


def has_key(value: Any, key: str) -> bool:
    return isinstance(value, dict) and (key in value or any(has_key(inner, key) for inner in value.values()))


@pytest.mark.parametrize("backend", ["vllm", "tensorrt_llm"])
@pytest.mark.parametrize("model", ["--help", "-x", "-", "--config=evil.yaml"])
def test_a_model_is_never_a_flag(backend: str, model: str) -> None:
    (item,) = check({"model": model, backend: {}}, backend=backend).compiled
    assert [problem.code for problem in FORMATS["argv"](item)[1]] == ["L504"]


def test_nul_has_no_form_in_a_command() -> None:
    (item,) = check({"model": "a\0b", "vllm": {}}, backend="vllm").compiled
    assert [problem.code for problem in FORMATS["argv"](item)[1]] == ["L504"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_running_the_command(text: str, shell: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A program of the engine's name is started by the line, and gets the words and the variables."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "vllm").write_text('#!/bin/sh\nprintf "%s\\0" "$@" "$VLLM_CONFIG_ROOT"\n')
    (folder / "vllm").chmod(0o755)
    section = {"engine": {"served_model_name": text}, "env": {"VLLM_CONFIG_ROOT": text}}
    (item,) = check({"model": "m", "vllm": section}, backend="vllm").compiled
    lines, _ = FORMATS["argv"](item)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run([shell], input=lines.encode(), env=environment, capture_output=True, check=True)
    *words, variable = done.stdout.decode().split("\0")[:-1]
    assert words[:2] == ["serve", "m"]
    assert words[2:] in (["--served-model-name", text], [f"--served-model-name={text}"])
    assert variable == text
    assert not UNSAFE.search(lines.replace("\xa0", ""))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_yaml_for_both_readers(text: str) -> None:
    yaml12 = pytest.importorskip("yaml12")
    expected = {"a": text, f"k{text}"[:100]: [text, {"b": text}]}
    written = yaml_text(expected)
    assert yaml.safe_load(written) == expected
    assert yaml12.parse_yaml(written) == expected
    assert not UNSAFE.search(written)


@pytest.mark.parametrize("parameter", CASES, ids=lambda parameter: parameter.name)
def test_in_python(parameter: Parameter, monkeypatch: pytest.MonkeyPatch) -> None:
    for text, item in every_text(parameter):
        for name in item.env:
            monkeypatch.setenv(name, "to be overwritten")
        source, found = FORMATS["python"](item)
        assert not found
        variables, switches = run_script(source, monkeypatch)
        objects = [value for name, value in variables.items() if not name.startswith("__")]
        plain = [value for value in objects if isinstance(value, (dict, list))]
        environment = {name: os.environ[name] for name in item.env}
        assert holds([plain, switches, environment], text), source


@pytest.mark.parametrize("parameter", CASES, ids=lambda parameter: parameter.name)
def test_in_yaml(parameter: Parameter) -> None:
    for text, item in every_text(parameter):
        written, found = FORMATS["yaml"](item)
        expected = module(item.backend).document(item).value
        assert yaml.safe_load(written) == json.loads(json.dumps(expected))
        if holds(item.native, text) and not found:
            assert holds(yaml.safe_load(written), text)


@pytest.mark.parametrize("parameter", CASES, ids=lambda parameter: parameter.name)
def test_in_argv(parameter: Parameter) -> None:
    """The shell itself splits the line: the words are those that the backend meant."""
    items = [item for _, item in every_text(parameter)]
    emitted = [(FORMATS["argv"](item)[0], module(item.backend).argv(item).value, item.env) for item in items]
    for lines, commands, variables in emitted:
        prefix = ["env", *(f"{name}={value}" for name, value in variables.items())] if variables else []
        assert shell_words(lines) == [word for command in commands for word in [*prefix, *command]]


def shell_words(lines: str) -> list[str]:
    """Let sh print the words of the commands instead of running them: a function takes each name."""
    if not lines:
        return []
    names = ("env", "vllm", "trtllm-build", "trtllm-serve")
    printing = " ".join(f"alias {name}='printf \"%s\\0\" {name}';" for name in names)
    script = f"{printing}\n{lines}".encode()  # as bytes: text mode would turn carriage returns into newlines
    done = subprocess.run(["/bin/sh"], input=script, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]
