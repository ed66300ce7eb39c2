"""Whole reports: each ``cases/NAME.yaml`` has a ``NAME.expected``, what ``llmcfg validate`` says of it.

A first line ``# args: …`` gives options. ``LLMCFG_UPDATE_GOLDENS=1`` rewrites the expectations; read
the difference as a user would.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import llmcfg
from llmcfg.__main__ import run
from llmcfg.checking import checker
from llmcfg.codes import CODES

HERE = Path(__file__).parent / "cases"
CASES = sorted(path.stem for path in HERE.glob("*.yaml"))
OTHER_COMMANDS = {"L001", "L504", "L505", "L506", *(code for code in CODES if code.startswith("L6"))}
"""Codes of unreadable files, of output formats, of building and of resolving, which no file's check gives."""
UPDATE = os.environ.get("LLMCFG_UPDATE_GOLDENS") == "1"


def options(name: str) -> list[str]:
    first, *_ = (HERE / f"{name}.yaml").read_text().split("\n")
    return first.removeprefix("# args:").split() if first.startswith("# args:") else []


@pytest.fixture(params=["jsonschema-rs", "jsonschema"])
def validator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Check by the compiled validator, and by the one in Python that stands in where there is no wheel."""
    if request.param == "jsonschema":
        monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    forget()
    assert type(checker._validator("root")).__module__.partition(".")[0] == request.param.replace("-", "_")
    yield request.param
    forget()


def forget() -> None:
    for function in (checker._validator, checker._small_validator, checker._conditions_validator):
        function.cache_clear()


@pytest.mark.parametrize("name", CASES)
def test_case(
    name: str, validator: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(HERE)
    status = run(["validate", *options(name), f"{name}.yaml"])
    said = capsys.readouterr()
    assert said.out == ""
    report = f"{said.err}exit {status}\n"
    expected = HERE / f"{name}.expected"
    if UPDATE and validator == "jsonschema-rs":
        expected.write_text(report)
    assert report == expected.read_text()


@pytest.mark.parametrize("name", [name for name in CASES if not options(name)])
def test_the_api_finds_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    expected = (HERE / f"{name}.expected").read_text()
    try:
        compiled = llmcfg.compile(f"{name}.yaml")
    except llmcfg.ConfigError as error:
        found = [item for item in error.diagnostics if item.message != several(error)]
    else:
        found = compiled.diagnostics
    assert [item.code for item in found] == [
        line.partition("[")[2][:4] for line in expected.split("\n") if line.startswith(f"{name}.yaml:")
    ]


def several(error: llmcfg.ConfigError) -> str:
    """Return what the API, which compiles for one backend, adds for a file that holds several."""
    last = error.diagnostics[-1]
    return last.message if last.hint == "Pass `backend=`." else ""


def test_no_expectation_is_left_over() -> None:
    assert sorted(path.stem for path in HERE.glob("*.expected")) == CASES


def test_every_code_of_the_check_has_a_case() -> None:
    text = "".join(path.read_text() for path in HERE.glob("*.expected"))
    assert set(re.findall(r"\[(L[0-9]{3})\]", text)) == CODES.keys() - OTHER_COMMANDS
