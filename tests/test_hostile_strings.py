"""Texts that try to break out of a form arrive as they were written, and nothing of them runs."""

from __future__ import annotations

import json
import os
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
