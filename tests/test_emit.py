"""Emitted text means the same to every reader: YAML 1.1, YAML 1.2, a POSIX shell, Python."""

from __future__ import annotations

import ast
import math
import os
import shlex
import subprocess
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import llmcfg
from llmcfg.cli.compile import _native
from llmcfg.emit.formats import FORMATS
from llmcfg.emit.python_text import Imports, expression
from llmcfg.emit.yaml_text import yaml_text
from llmcfg.pipeline import Request, in_order, run
from llmcfg.reading.reader import parse
from tests.support.stubs import run_script

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab-_1", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(st.text("abc_-.", min_size=1, max_size=8), VALUES, max_size=6)

TOKEN = "hf_neverToBeSeen0123456789"  # noqa: S105 - the secret of these tests

# Texts that YAML 1.1 or 1.2 would take for something else.
AMBIGUOUS = [
    "yes", "no", "on", "off", "y", "n", "Yes", "NO", "true", "True", "null", "Null", "~", "", " ",
    "1e3", "1e-3", "1E5", "0o17", "017", "08", "0x1f", "1_000", "12:30", "1:20:30", "1.", ".5",
    "+1", "-1", "-", "--flag", "?", ":", "a: b", "a #b", "#x", "&a", "*a", "!t", "|", ">", "%x",
    "@x", "`x`", "=", "<<", ".nan", ".inf", "-.INF", "2024-01-02", "2024-13-45", "[a]", "{a}",
    "a,b", "'q'", "\"q\"", "back\\slash", "tab\there", "new\nline", "é", "日本", "\u00a0", "e5", "E",
    "0b1", "1__0", "inf", "nan",
]  # fmt: skip


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_texts_stay_texts(text: str) -> None:
    written = yaml_text({"key": text, text: 1} if text else {"key": text})
    assert yaml.safe_load(written)["key"] == text
    assert parse(written.encode(), "x.yaml").data["key"] == text


@given(MAPPINGS)
@settings(max_examples=400, deadline=None)
def test_yaml_reads_alike(mapping: dict[str, Any]) -> None:
    written = yaml_text(mapping)
    assert yaml.safe_load(written) == mapping
    document = parse(written.encode(), "x.yaml")
    assert document.problems == ()
    assert document.data == mapping


@given(VALUES)
@settings(max_examples=400, deadline=None)
def test_python_reads_alike(value: Any) -> None:
    assert ast.literal_eval(expression(value, Imports())) == value


@pytest.mark.parametrize("number", [1e-5, 1e22, 0.1, 1e300, 5e-324, -0.0, 2.5, 100000.0])
def test_floats_stay_floats(number: float) -> None:
    read = yaml.safe_load(yaml_text({"key": number}))["key"]
    assert isinstance(read, float)
    assert math.copysign(1, read) == math.copysign(1, number)
    assert read == number


@pytest.mark.parametrize(
    "key",
    [
        "x = 1; import os; os.environ['INJECTED'] = '1' #",
        "a\nimport os",
        "backends.class",
        "",
        "a b",
        "__import__('os')",
    ],
)
def test_keys_of_extra_are_never_code(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = llmcfg.compile({"model": "m", "pytorch": {"runtime": {"extra": {key: 1}}}})
    text, _ = FORMATS["python"](compiled)
    _, switches = run_script(text, monkeypatch)
    assert switches == {key: 1}
    assert "INJECTED" not in os.environ


def test_names_of_variables_are_no_options_of_env() -> None:
    compiled = llmcfg.compile({"model": "m", "vllm": {"env": {"extra": {"-S": "touch x"}}}})
    text, _ = FORMATS["argv"](compiled)
    assert shlex.split(text) == ["env", "--", "-S=touch x", "vllm", "serve", "m"]


NOT_CARRIED: list[tuple[str, str, list[str]]] = [
    # the format, the config, and for each finding in order: code, what it points at, how it begins
    ("argv", 'model: "a\\0"\nvllm: {}\n', ['L504|"a\\0"|model (it holds the character NUL)']),
    ("argv", 'model: m\nvllm: {engine: {tokenizer: "\\0"}}\n', ['L504|"\\0"|tokenizer (it holds']),
    ("argv", 'model: m\nvllm: {engine: {extra: {a: "\\0"}}}\n', ['L504|"\\0"|a (it holds']),
    ("argv", "model: m\nvllm: {engine: {extra: {x y: 1}}}\n", ["L504|x y|'x y' (no flag can be called"]),
    ("argv", 'model: m\nvllm: {engine: {extra: {"": 1}}}\n', ["L504|\"\"|'' (no flag can be called that)"]),
    ("yaml", 'model: m\nvllm: {engine: {extra: {"a\\e": 1}}}\n', ["L504|\"a|'a\\x1b' (no flag"]),
    ("argv", f'model: m\nvllm: {{engine: {{extra: {{"{TOKEN}=": 1}}}}}}\n', ["L504|\"hf_|'***=' (no flag"]),
    ("argv", "model: --help\nvllm: {}\n", ["L504|--help|model (it looks like a flag)"]),
    ("argv", "model: m\nvllm: {engine: {extra: {l: [-x]}}}\n", ["L504|[-x]|l (an item looks like a flag)"]),
    ("argv", "model: m\ntensorrt_llm: {llm: {extra: {x: 1}}}\n", ["L504|x: 1|x has no form"]),
    ("argv", "model: m\ntensorrt_llm: {quantization: {quant_algo: FP8}}\n",
     ["L201|quantization|", "L504|quantization|quantization has no form"]),
    ("argv", "model: m\npytorch: {}\n", ["L504|pytorch|pytorch has no form"]),
    ("argv", 'model: m\nvllm: {engine: {extra: {"": 1}}, sampling: {n: 1, extra: {"a\\n": 1}}}\n',
     ["L504|\"\"|''", "L505|sampling|a server takes sampling parameters with each request"]),
]  # fmt: skip


@pytest.mark.parametrize(("form", "text", "expected"), NOT_CARRIED)
def test_what_a_format_cannot_carry_is_named_in_its_place(form: str, text: str, expected: list[str]) -> None:
    document = parse(text.encode(), "c.yaml")
    result = run(document, Request())
    _, found = _native(form, result.compiled[0], document)
    lines = text.split("\n")
    told = [item for item in in_order([*result.diagnostics, *found]) if item.severity != "info"]
    for item, words in zip(told, expected, strict=True):
        code, pointed, message = words.split("|")
        assert item.place is not None
        assert (item.code, item.message[: len(message)]) == (code, message)
        assert lines[item.place.line - 1][item.place.column - 1 :].startswith(pointed)


def test_shell_words_survive_a_shell() -> None:
    words = [text for text in AMBIGUOUS if text] + [
        "$(touch /tmp/x)",
        "`id`",
        "a'b",
        '"',
        "*",
        "~root",
        "\\",
        "a b",
    ]
    printed = subprocess.run(
        ["/bin/sh", "-c", f"printf '%s\\0' {shlex.join(words)}"], check=True, capture_output=True
    )
    assert printed.stdout.decode().split("\0")[:-1] == words
