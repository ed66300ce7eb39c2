"""Reports: excerpts, colours, JSON, SARIF, GitHub's commands; folders of configs; what can't be written."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pty
import re
import stat
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import jsonschema
import pytest

import llmcfg
from llmcfg.__main__ import run
from llmcfg.cli.configs import NAMES
from llmcfg.cli.files import write_whole
from llmcfg.codes import CODES
from llmcfg.diagnostics import ERROR, INFO, WARNING, Diagnostic, Place
from llmcfg.document import Document
from llmcfg.printable import one_line, printable
from llmcfg.reading.extent import Source
from llmcfg.report.as_json import diagnostic_records, schema
from llmcfg.report.checked import Checked
from llmcfg.report.excerpt import excerpt
from llmcfg.report.fingerprint import line_hashes
from llmcfg.report.github import github_report
from llmcfg.report.look import Look
from llmcfg.report.sarif import sarif_report
from llmcfg.report.text import text_report
from tests.support.sarif_tool import SarifTool, sarif_tool

ROOT = Path(__file__).parents[1]
CASES = Path(__file__).parent / "cases"
GOLDENS = Path(__file__).parent / "data" / "reports"
UPDATE = os.environ.get("LLMCFG_UPDATE_GOLDENS") == "1"

CLEAN = "model: m\nvllm: {engine: {max_num_seqs: 8}}\n"
WARNED = "model: m\ngpu: a100\nvllm: {engine: {quantization: fp8}}\n"
WRONG = "model: m\nvllm: {engine: {max_num_seq: 8}}\n"
TWICE = "model: m\nvllm:\n  engine: {dtype: auto}\n  engine: {dtype: auto}\n"
SEVERAL = "model: m\nvllm: {}\npytorch: {}\n"
EVIL = "\x1b[31m\u202e\x9b::error::%0A,:\n"

Said = pytest.CaptureFixture[str]
Json = dict[str, Any]

__all__ = ["sarif_tool"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty folder, with no wish about colours in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


def write(**texts: str) -> None:
    for name, text in texts.items():
        Path(f"{name}.yaml").write_text(text, encoding="utf-8")


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    return {**kept, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "generated"))), **variables}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "llmcfg", *words]


def spawn(*words: str, variables: dict[str, str] | None = None, **options: Any) -> Any:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(command(*words), timeout=60, env=environment(**variables or {}), **options)


def in_terminal(*words: str, **variables: str) -> tuple[int, str]:
    """Run the command with a terminal as standard error; return its status and what was shown."""
    shown, terminal = pty.openpty()
    done = subprocess.Popen(
        command(*words), env=environment(**variables), stdin=subprocess.DEVNULL, stderr=terminal
    )
    os.close(terminal)
    text = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(shown, 65536):
            text += chunk
    os.close(shown)
    return done.wait(timeout=60), text.decode().replace("\r\n", "\n")


class Marked(NamedTuple):
    """A line with a token marked by ``«`` and ``»``, and what is shown of it."""

    marked: str
    line: str
    marks: str
    width: int = 80
    encoding: str = "utf-8"


# The gutter takes four columns: a width of 40 leaves 36.
MARKED = [
    Marked("    «max_num_seq»: 8", "    max_num_seq: 8", "    ^^^^^^^^^^^"),
    Marked("«a»", "a", "^"),
    Marked("key:«»", "key:", "    ^"),
    Marked("漢字: «bf16»", "漢字: bf16", "      ^^^^"),
    Marked("k: «漢字»", "k: 漢字", "   ^^^^"),
    Marked("한글: «\uff46\uff55»", "한글: \uff46\uff55", "      ^^^^"),
    Marked("e\u0301a\u0308: «o\u0308x»", "e\u0301a\u0308: o\u0308x", "    ^^"),
    Marked("\u1112\u1161\u11ab: «x»", "\u1112\u1161\u11ab: x", "    ^"),
    Marked("😀: «😀»", "😀: 😀", "    ^^"),
    Marked("\t«x»: 1", "    x: 1", "    ^"),
    Marked("ab\t«x»: 1", "ab  x: 1", "    ^"),
    Marked("漢a\t«x»", "漢a x", "    ^"),
    Marked("«a\tb» c", "a   b c", "^^^^^"),
    Marked("a\u202eb: «c»", "a\\u202eb: c", "          ^"),
    Marked("\x1b[31m«x\x07y»", "\\x1b[31mx\\x07y", "        ^^^^^^"),
    Marked("z\u200b\ufeff: «1»", "z\\u200b\\ufeff: 1", "               ^"),
    Marked("漢: «é»", "\\u6f22: \\xe9", "        ^^^^", encoding="ascii"),
    Marked("漢: «é»", "\\u6f22: é", "        ^", encoding="latin-1"),
    Marked("«a»" + "b" * 99, "a" + "b" * 32 + "...", "^", 40),
    Marked("b" * 99 + "«a»", "..." + "b" * 32 + "a", " " * 35 + "^", 40),
    Marked("b" * 50 + "«aa»" + "c" * 50, "..." + "b" * 9 + "aa" + "c" * 19 + "...", " " * 12 + "^^", 40),
    Marked("b" * 9 + "«" + "a" * 99 + "»", "b" * 9 + "a" * 24 + "...", " " * 9 + "^" * 24, 40),
    Marked("漢" * 50 + "«é»", "..." + "漢" * 16 + "é", " " * 35 + "^", 40),
    Marked("b" * 35 + "«»", "b" * 35, " " * 35 + "^", 40),
    Marked("b" * 36 + "«»", "..." + "b" * 32, " " * 35 + "^", 40),
    Marked("b" * 35 + "«a»", "b" * 35 + "a", " " * 35 + "^", 40),
]


@pytest.mark.parametrize("case", MARKED, ids=lambda case: ascii(case.marked)[:40])
def test_an_excerpt(case: Marked) -> None:
    before, _, rest = case.marked.partition("«")
    token, _, after = rest.partition("»")
    start = Place(7, len(before) + 1)
    end = Place(7, start.column + len(token))
    shown = excerpt(
        f"{before}{token}{after}", start, end, Look(True, False, case.width, case.encoding), ERROR
    )
    assert shown == ["  |", f"7 | {case.line}", f"  | {case.marks}"]
    assert all(columns(line) <= case.width for line in shown)


def columns(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.category(character) == "Mn" for character in text)


@pytest.mark.parametrize("width", [40, 41, 60])
@pytest.mark.parametrize("word", ["x", "漢", "e\u0301", "\t", "\u202e"])
def test_an_excerpt_never_wraps_and_always_shows_the_token(word: str, width: int) -> None:
    for before in range(0, 90, 7):
        line = word * before + "TOKEN" + word * 60
        place = Place(12345, before * len(word) + 1)
        shown = excerpt(line, place, Place(12345, place.column + 5), Look(True, False, width), ERROR)
        assert all(columns(text) <= width for text in shown)
        assert columns(shown[1][: shown[1].index("TOKEN")]) == shown[2].index("^^^^^")


def test_an_excerpt_of_a_huge_line_is_quick() -> None:
    line = "漢" * 4_000_000
    shown = excerpt(line, Place(1, 2_000_000), Place(1, 4_000_000), Look(True, False, 80), ERROR)
    assert max(map(len, shown)) < 80


def test_no_excerpt_of_a_blank_line() -> None:
    assert excerpt("  ", Place(1, 1), Place(1, 1), Look(True), ERROR) == []


@pytest.mark.parametrize(
    ("text", "place", "token"),
    [
        ("a: [1, {b: c}, 'x']", (1, 4), "[1, {b: c}, 'x']"),
        ("a: [1, {b: c}, 'x']", (1, 8), "{b: c}"),
        ("a: [1, {b: c}, 'x']", (1, 16), "'x'"),
        ("a: b, c # d", (1, 4), "b, c"),
        ("k: |-\n  foo\n  bar\nz: 1", (1, 4), "|-\n  foo\n  bar"),
        ('q: "a\n  b"', (1, 4), '"a\n  b"'),
        ("z: &a foo", (1, 4), "&a"),
        ("a: &x 1\nb: *x", (2, 4), "*x"),
        ("l:\n- x", (2, 3), "x"),
        ("漢: é ü", (1, 4), "é ü"),
        ("a: 1\r\nb: x\r\n", (2, 4), "x"),
        ("a: 1\rb: x\r", (2, 4), "x"),
        ("a: [1, 2", (1, 4), "["),
        ("a: @b", (1, 4), "@"),
        ("a: 1\n\tb: 1", (2, 1), ""),
        ("a: 1\n", (2, 1), ""),
        ("a: 1", (9, 9), ""),
        ("a: 1\nb: 2", (1, 99), ""),
        ("", (1, 1), ""),
    ],
)
def test_the_extent_of_a_token(text: str, place: tuple[int, int], token: str) -> None:
    source, start = Source(text), Place(*place)
    end = source.ends([start])[start]
    assert end >= start
    assert text[source.offset(start) : source.offset(end)] == token


def test_a_deep_text_has_extents_in_bounded_time() -> None:
    start = time.monotonic()
    assert Source("[" * 100_000).ends([Place(1, 66)]) == {Place(1, 66): Place(1, 67)}
    assert time.monotonic() - start < 5


class Wish(NamedTuple):
    """Where a report goes, what is wished for, and what it must look like."""

    terminal: bool
    words: str
    variables: dict[str, str]
    excerpts: bool
    colour: bool


WISHES = [
    Wish(True, "", {}, True, True),
    Wish(True, "", {"NO_COLOR": "1"}, True, False),
    Wish(True, "", {"NO_COLOR": ""}, True, True),
    Wish(True, "", {"TERM": "dumb"}, False, False),
    Wish(True, "", {"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    Wish(True, "", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
    Wish(True, "--color never", {}, True, False),
    Wish(True, "--color never", {"FORCE_COLOR": "1"}, True, False),
    Wish(True, "--color always", {"NO_COLOR": "1"}, True, True),
    Wish(True, "--color auto", {}, True, True),
    Wish(False, "", {}, False, False),
    Wish(False, "", {"FORCE_COLOR": "1"}, True, True),
    Wish(False, "", {"FORCE_COLOR": ""}, False, False),
    Wish(False, "", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    Wish(False, "--color always", {}, True, True),
    Wish(False, "--color always", {"TERM": "dumb", "NO_COLOR": "1"}, True, True),
    Wish(False, "--color never", {}, False, False),
]


class TestTerminal:
    @pytest.mark.parametrize("wish", WISHES, ids=str)
    def test_when_there_are_excerpts_and_colours(self, wish: Wish) -> None:
        write(wrong=WRONG)
        words = ("validate", "wrong.yaml", *wish.words.split())
        variables = {"TERM": "xterm", **wish.variables}
        if wish.terminal:
            status, shown = in_terminal(*words, **variables)
        else:
            done = spawn(*words, variables=variables)
            status, shown = done.returncode, done.stderr.decode()
        assert status == 1
        assert ("2 | vllm: {engine" in re.sub("\x1b\\[[0-9;]*m", "", shown)) is wish.excerpts
        assert ("\x1b[" in shown) is wish.colour
        assert "error[L101]" in shown

    @pytest.mark.parametrize("name", ["plain", "colour"])
    def test_the_whole_report(self, name: str) -> None:
        write(
            wrong=WRONG,
            twice=TWICE,
            warned=WARNED,
            clean=CLEAN,
            wide="{model: 漢字, model: m, vllm: {}}\n",
        )
        colour = "always" if name == "colour" else "never"
        files = [f"{file}.yaml" for file in ("wrong", "twice", "warned", "clean", "wide", "missing")]
        status, shown = in_terminal("validate", *files, "--color", colour, TERM="xterm", COLUMNS="100")
        expect(f"terminal-{name}.txt", f"{shown}exit {status}\n")

    @pytest.mark.parametrize(
        ("files", "last"),
        [
            ("clean", "1 file checked: no errors"),
            ("clean warned", "1 warning in 1 of 2 files"),
            ("wrong", "1 error in 1 file"),
            ("wrong clean missing", "2 errors in 2 of 3 files"),
            ("wrong warned", "1 error, 1 warning in 2 files"),
        ],
    )
    def test_the_last_line(self, files: str, last: str) -> None:
        write(clean=CLEAN, warned=WARNED, wrong=WRONG)
        words = [f"{name}.yaml" for name in files.split()]
        _, shown = in_terminal("validate", *words, NO_COLOR="1", TERM="xterm")
        assert shown.split("\n")[-2] == last

    def test_compile_and_resolve_show_excerpts_too(self) -> None:
        write(wrong=WRONG)
        for name in ("compile", "resolve"):
            status, shown = in_terminal(name, "wrong.yaml", NO_COLOR="1", TERM="xterm")
            assert status == 1
            assert "  |                 ^^^^^^^^^^^\n" in shown

    def test_nothing_of_a_file_reaches_the_terminal_raw(self) -> None:
        name = "evil\x1b[31m\u202e\n.yaml"
        Path(name).write_text('model: "\u200b\u2066"\nvllm: {"\\e[31m\\u202e": 1, "a\u200bb": 2}\n', "utf-8")
        _, shown = in_terminal("validate", name, NO_COLOR="1", TERM="xterm")
        assert "evil\\x1b[31m\\u202e\\n.yaml:" in shown
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e\u2066]", shown)

    def test_no_secret_is_shown(self) -> None:
        write(token="model: m\nvllm: {engine: {hf_token: hf_abcdefghijklmnop, max_num_seq: 8}}\n")
        for words in ((), ("--color", "always")):
            _, shown = in_terminal("validate", "token.yaml", *words, TERM="xterm", COLUMNS="200")
            assert "max_num_seq: 8" in shown
            assert "abcdefgh" not in shown
        for name in FORMATS:
            done = spawn("validate", "token.yaml", "--format", name)
            assert b"abcdefgh" not in done.stdout + done.stderr

    def test_an_encoding_that_lacks_the_characters(self) -> None:
        write(wide="model: m\n漢字: {é: 1}\nvllm: {}\n")
        done = spawn("validate", "wide.yaml", "--color", "always", variables={"PYTHONIOENCODING": "ascii"})
        plain = re.sub("\x1b\\[[0-9;]*m", "", done.stderr.decode("ascii"))
        assert "2 | \\u6f22\\u5b57: {\\xe9: 1}\n  | ^^^^^^^^^^^^\n" in plain


def expect(name: str, text: str) -> None:
    text = text.replace(llmcfg.__version__, "VERSION")
    path = GOLDENS / name
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def options(case: Path) -> list[str]:
    first, *_ = case.read_text(encoding="utf-8").split("\n")
    return first.removeprefix("# args:").split() if first.startswith("# args:") else []


VALIDATOR = jsonschema.Draft202012Validator(json.loads(schema()))
OF_DIAGNOSTIC = VALIDATOR.evolve(schema={"$ref": "#/$defs/diagnostic", **json.loads(schema())})


def all_cases() -> list[str]:
    return [path.name for path in sorted(CASES.glob("*.yaml"))]


class TestJson:
    def test_the_schema_is_one(self) -> None:
        VALIDATOR.check_schema(VALIDATOR.schema)

    @pytest.mark.parametrize("name", all_cases())
    def test_reports_of_all_cases(self, name: str, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
        monkeypatch.chdir(CASES)
        status = run(["validate", *options(CASES / name), name, "missing.yaml", "--format", "json"])
        report = json.loads(capsys.readouterr().out)
        VALIDATOR.validate(report)
        assert status == 2
        assert [item["file"] for item in report["files"]] == [name, "missing.yaml"]
        for file in report["files"]:
            counted = [item["severity"] for item in report["diagnostics"] if item["file"] == file["file"]]
            assert [file["errors"], file["warnings"], file["infos"]] == [
                counted.count(severity) for severity in (ERROR, WARNING, INFO)
            ]

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("version", 2), ("files", [{"file": "a"}]), ("diagnostics", [{}]), ("diagnostics", None),
            ("llmcfg", 1),
        ],
    )  # fmt: skip
    def test_the_schema_refuses(self, key: str, value: Any, capsys: Said) -> None:
        write(wrong=WRONG)
        run(["validate", "wrong.yaml", "--format", "json"])
        report = json.loads(capsys.readouterr().out)
        assert VALIDATOR.is_valid(report)
        assert not VALIDATOR.is_valid({**report, key: value})
        del report[key]
        assert not VALIDATOR.is_valid(report)

    @pytest.mark.parametrize(
        "key", list(diagnostic_records(Checked(Document(None), [Diagnostic("L001", "m")]))[0])
    )
    def test_every_key_of_a_diagnostic_is_described(self, key: str) -> None:
        (record,) = diagnostic_records(Checked(Document(None), [Diagnostic("L001", "m")]))
        assert key in VALIDATOR.schema["$defs"]["diagnostic"]["properties"]
        assert OF_DIAGNOSTIC.is_valid(
            {"llmcfg": "", "version": 1, "files": [], "diagnostics": [record]} | record
        )
        del record[key]
        assert not VALIDATOR.is_valid({"llmcfg": "", "version": 1, "files": [], "diagnostics": [record]})

    @pytest.mark.parametrize("status", [(CLEAN, "ok"), (WARNED, "ok"), (WRONG, "refused"), (SEVERAL, "ok")])
    def test_the_status(self, status: tuple[str, str], capsys: Said) -> None:
        write(file=status[0])
        run(["validate", "file.yaml", "--format", "json"])
        assert json.loads(capsys.readouterr().out)["files"][0]["status"] == status[1]

    def test_strict_refuses_warnings(self, capsys: Said) -> None:
        write(warned=WARNED)
        assert run(["validate", "warned.yaml", "--format", "json", "--strict"]) == 1
        assert json.loads(capsys.readouterr().out)["files"][0]["status"] == "refused"

    def test_compile_gives_the_same_records(self, capsys: Said) -> None:
        write(warned=WARNED)
        run(["validate", "warned.yaml", "--format", "json"])
        expected = json.loads(capsys.readouterr().out)["diagnostics"]
        run(["compile", "warned.yaml", "--format", "json"])
        assert json.loads(capsys.readouterr().out)["compiled"][0]["diagnostics"] == expected != []

    def test_resolve_gives_such_records(self, capsys: Said) -> None:
        write(
            wrong=WRONG,
            rules="model: m\ntensorrt_llm: {llm: {max_batch_size: 8, tensor_parallel_size: 3}}\n",
        )
        run(["resolve", "wrong.yaml", "--format", "json"])
        found = json.loads(capsys.readouterr().out)["diagnostics"]
        run(["resolve", "rules.yaml", "--format", "json", "--gpu", "h100"])
        resolved = json.loads(capsys.readouterr().out)["resolved"]
        found += [item for result in resolved for item in result["diagnostics"]]
        assert {item["file"] for item in found} == {"wrong.yaml", "rules.yaml"}
        VALIDATOR.validate({"llmcfg": "", "version": 1, "files": [], "diagnostics": found})
        assert any(item["end_column"] for item in found if item["file"] == "rules.yaml")

    def test_the_command_prints_the_schema(self, capsys: Said) -> None:
        assert run(["schema", "--report"]) == 0
        assert json.loads(capsys.readouterr().out) == VALIDATOR.schema

    def test_it_is_ascii(self, capsys: Said) -> None:
        Path("é\x1b.yaml").write_text('model: m\n"\u202e漢": 1\nvllm: {}\n', encoding="utf-8")
        run(["validate", "é\x1b.yaml", "--format", "json"])
        text = capsys.readouterr().out
        assert text.isascii()
        assert "\x1b" not in text
        assert json.loads(text)["files"][0]["file"] == "é\x1b.yaml"


def command_of(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as the runner does (ActionCommand.TryParseV2)."""
    line = line.lstrip()
    assert line.startswith("::")
    end = line.index("::", 2)
    name, _, listed = line[2:end].partition(" ")
    properties = {}
    for part in filter(None, listed.strip().split(",")):
        key, _, value = part.partition("=")
        properties[key] = unescaped(value, "%0D\r", "%0A\n", "%3A:", "%2C,", "%25%")
    return name, properties, unescaped(line[end + 2 :], "%0D\r", "%0A\n", "%25%")


def unescaped(text: str, *table: str) -> str:
    for entry in table:
        text = text.replace(entry[:3], entry[3:])
    return text


TEXTS = [
    "plain",
    "a: b, c",
    "100%",
    "%0A",
    "%250A%25",
    "two\nlines\r\n",
    "::error::x",
    "=a=b",
    " x",
    EVIL,
    "é漢",
]


class TestGithub:
    @pytest.mark.parametrize("text", TEXTS, ids=ascii)
    def test_the_runner_reads_what_was_meant(self, text: str) -> None:
        item = Diagnostic("L103", f"m{text}", hint=text, place=Place(1, 4), rule="r")
        checked = Checked(Document({}, f"f{text}", text="a: [b]\n"), [item])
        (written,) = github_report([checked])
        assert written.endswith("\n")
        assert len(re.split("[\r\n]", written[:-1])) == 1
        name, properties, message = command_of(written[:-1])
        assert name == "error"
        assert properties == {
            "file": printable(f"f{text}"), "line": "1", "col": "4", "endColumn": "7",
            "title": f"L103 {CODES['L103'].title}",
        }  # fmt: skip
        assert message == f"{printable(f'm{text}')} [r]\nhint: {printable(text)}"

    @pytest.mark.parametrize(("severity", "name"), [(ERROR, "error"), (WARNING, "warning"), (INFO, "notice")])
    def test_the_levels(self, severity: str, name: str) -> None:
        (line,) = github_report([Checked(Document({}, "f"), [Diagnostic("L101", "m", severity=severity)])])
        assert command_of(line)[0] == name

    def test_without_a_place_it_is_the_first_line(self, capsys: Said) -> None:
        assert run(["validate", "missing.yaml", "--format", "github"]) == 2
        _, properties, _ = command_of(capsys.readouterr().out)
        assert (properties["line"], properties["col"]) == ("1", "1")

    def test_a_token_of_several_lines_has_no_end(self) -> None:
        item = Diagnostic("L102", "m", place=Place(1, 4))
        (line,) = github_report([Checked(Document({}, "f", text="a: [1,\n  2]\n"), [item])])
        assert "endColumn" not in command_of(line)[1]

    def test_other_places_stand_in_the_message(self, capsys: Said) -> None:
        write(twice=TWICE)
        run(["validate", "twice.yaml", "--format", "github"])
        assert command_of(capsys.readouterr().out)[2].endswith("\nnote: line 3, column 3: first engine\n")

    def test_paths_start_at_the_workspace(self, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
        Path("sub").mkdir()
        monkeypatch.setenv("GITHUB_WORKSPACE", os.getcwd())
        monkeypatch.chdir("sub")
        write(wrong=WRONG)
        for file in ("wrong.yaml", os.path.abspath("wrong.yaml"), "../sub/wrong.yaml"):
            run(["validate", file, "--format", "github"])
            assert command_of(capsys.readouterr().out)[1]["file"] == "sub/wrong.yaml"
        run(["validate", "/missing.yaml", "--format", "github"])
        assert command_of(capsys.readouterr().out)[1]["file"] == "/missing.yaml"

    def test_the_whole_report(self, capsys: Said) -> None:
        write(wrong=WRONG, twice=TWICE, warned=WARNED, clean=CLEAN)
        run(["validate", "wrong.yaml", "twice.yaml", "warned.yaml", "clean.yaml", "-f", "github"])
        expect("github.txt", capsys.readouterr().out)


def sarif(capsys: Said, *words: str) -> Json:
    run(["validate", *words, "--format", "sarif"])
    log: Json = json.loads(capsys.readouterr().out)
    return log


def resolved(log: Json, location: Json) -> str:
    """Return the path that an artifact location means."""
    uri = location["uri"]
    if base := location.get("uriBaseId"):
        uri = urljoin(log["runs"][0]["originalUriBaseIds"][base]["uri"], uri)
    return os.fsdecode(os.fsencode(unquote(urlsplit(uri).path, errors="surrogateescape")))


class TestSarif:
    def test_the_whole_log(self, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
        write(wrong=WRONG, twice=TWICE, warned=WARNED, clean=CLEAN)
        log = sarif(capsys, "wrong.yaml", "twice.yaml", "warned.yaml", "clean.yaml", "missing.yaml")
        (one,) = log["runs"]
        del one["tool"]["driver"]["rules"]
        one["originalUriBaseIds"]["%SRCROOT%"]["uri"] = "file:///HERE/"
        for result in one["results"]:
            del result["ruleIndex"]
        for notification in one["invocations"][0]["toolExecutionNotifications"]:
            del notification["associatedRule"]["index"]
        expect("log.sarif", json.dumps(log, indent=2) + "\n")

    @pytest.mark.parametrize("code", list(CODES))
    def test_a_rule(self, code: str, capsys: Said) -> None:
        rules = sarif(capsys, "missing.yaml")["runs"][0]["tool"]["driver"]["rules"]
        (rule,) = (rule for rule in rules if rule["id"] == code)
        assert re.fullmatch("([A-Z][a-z0-9]+)+", rule["name"])
        assert rule["shortDescription"]["text"].lower() == f"{CODES[code].title.lower()}."
        assert rule["fullDescription"]["text"] == CODES[code].explanation
        for form in ("text", "markdown"):
            assert CODES[code].explanation in rule["help"][form]
            assert CODES[code].example in rule["help"][form]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")

    def test_what_code_scanning_asks_for(self, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
        monkeypatch.chdir(CASES)
        log = sarif(capsys, *all_cases(), "missing.yaml")
        (one,) = log["runs"]
        rules = one["tool"]["driver"]["rules"]
        assert len(one["results"]) > 100
        assert len(rules) < 25_000
        for rule in rules:
            assert len(rule["shortDescription"]["text"]) <= 1024
            assert len(rule["fullDescription"]["text"]) <= 1024
            assert rule["help"]["text"]
            assert len(rule["properties"]["tags"]) <= 10
            assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
        for result in one["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["level"] in ("error", "warning", "note")
            assert result["message"]["text"]
            (location,) = result["locations"]
            region = location["physicalLocation"]["region"]
            assert (region["startLine"], region["startColumn"]) >= (1, 1)
            assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])
            is_text = result["ruleId"] not in ("L001", "L002", "L007")
            assert "primaryLocationLineHash" in result["partialFingerprints"] or not is_text
            assert not location["physicalLocation"]["artifactLocation"]["uri"].startswith(("/", "file:"))

    @pytest.mark.parametrize(
        "name",
        [
            "a b.yaml",
            "#?%41&.yaml",
            "a:b.yaml",
            "é漢.yaml",
            "[x]{y}.yaml",
            "\udcff.yaml",
            "new\nline.yaml",
            "sub/x.yaml",
        ],
        ids=ascii,
    )
    def test_a_path_comes_back(self, name: str, capsys: Said) -> None:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(WRONG)
        for given in (name, f"./{name}", os.path.abspath(name)):
            log = sarif(capsys, given)
            location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
            assert location["uriBaseId"] == "%SRCROOT%"
            assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", location["uri"])
            assert resolved(log, location) == os.path.abspath(name)

    def test_a_path_elsewhere_is_whole(self, capsys: Said) -> None:
        for name in ("/missing dir/x.yaml", "../x.yaml"):
            log = sarif(capsys, name)
            location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
            assert location["uri"].startswith("file:///")
            assert resolved(log, location) == os.path.abspath(name)

    def test_the_fingerprints_stay_when_lines_move(self, capsys: Said) -> None:
        seen = []
        for before in ("", "# a\n\n# b\n"):
            write(twice=before + TWICE)
            results = sarif(capsys, "twice.yaml")["runs"][0]["results"]
            seen.append([result["partialFingerprints"] for result in results])
        assert seen[0] == seen[1] != []

    def test_findings_of_a_line_are_told_apart(self, capsys: Said) -> None:
        write(two="model: m\nvllm: {engine: {a_: 1, b_: 2}}\n")
        results = sarif(capsys, "two.yaml")["runs"][0]["results"]
        assert (
            len({result["partialFingerprints"]["llmcfgParameter/v1"] for result in results})
            == len(results)
            == 2
        )

    @pytest.mark.parametrize(
        ("text", "hashes"),
        [
            ("", "c129715d7a2bc9a3:1"),
            ("a: 1\n" * 3, "41d42ad4da390f65:1 3dfdfb3a91647b6f:1 4037987d9a8320d9:1 c129715d7a2bc9a3:1"),
            ("m: 😀\n" * 40, None),
        ],
    )
    def test_the_hash_of_a_line(self, text: str, hashes: str | None) -> None:
        """Code scanning's own program (fingerprints.ts) gives the same for a text."""
        numbers = range(1, text.count("\n") + 2)
        found = line_hashes(text, numbers)
        for ending in ("\r\n", "\r"):
            assert line_hashes(text.replace("\n", ending), numbers) == found
        assert line_hashes(text.replace(" ", " \t "), numbers) == found
        assert list(found.values()) == [rolled(text, number) for number in numbers]
        assert " ".join(found.values()) == hashes or not hashes
        assert any(value.endswith(":2") for value in found.values()) is not bool(hashes)

    def test_nothing_of_a_config_becomes_a_link(self, capsys: Said) -> None:
        write(link='model: m\nvllm: {engine: {"[x](https://example.com)": 1}}\n')
        (result,) = sarif(capsys, "link.yaml")["runs"][0]["results"]
        assert "](" not in result["message"]["text"]

    def test_too_many_results_are_left_out(self) -> None:
        many = [Diagnostic("L101", "m", place=Place(1, 1))] * 25_001
        (text,) = sarif_report([Checked(Document({}, "f", text="a: 1\n"), many)])
        (one,) = json.loads(text)["runs"]
        assert len(one["results"]) == 25_000
        (told,) = one["invocations"][0]["toolExecutionNotifications"]
        assert told["message"]["text"] == "1 more results are left out"
        assert one["invocations"][0]["executionSuccessful"]

    def test_unreadable_files_are_notified(self, capsys: Said) -> None:
        write(clean=CLEAN)
        (invocation,) = sarif(capsys, "missing.yaml", "clean.yaml")["runs"][0]["invocations"]
        assert not invocation["executionSuccessful"]
        assert invocation["exitCode"] == 2
        assert [item["associatedRule"]["id"] for item in invocation["toolExecutionNotifications"]] == ["L001"]

    @pytest.mark.slow
    def test_the_official_tool_finds_nothing(
        self, sarif_tool: SarifTool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Said
    ) -> None:
        """Also what GitHub adds: the rules of kind Ghas."""
        monkeypatch.chdir(CASES)
        log = sarif(capsys, *all_cases(), "missing.yaml", "/missing.yaml", str(tmp_path))
        jsonschema.validators.validator_for(sarif_tool.schema)(sarif_tool.schema).validate(log)
        assert sarif_tool.problems(log) == []

    @pytest.mark.slow
    def test_the_official_tool_would_find_something(
        self, sarif_tool: SarifTool, monkeypatch: pytest.MonkeyPatch, capsys: Said
    ) -> None:
        monkeypatch.chdir(CASES)
        log = sarif(capsys, "bad-value.yaml")
        (one,) = log["runs"]
        one["results"][0]["ruleIndex"] += 1
        del one["results"][0]["locations"]
        assert sarif_tool.problems(log)


def rolled(text: str, line: int) -> str:
    """Hash a line as the definition says it: in a window that rolls over every character."""
    units: list[int] = []
    starts = [0]
    data = re.sub("[ \t]", "", text).encode("utf-16-le")
    for index in range(0, len(data), 2):
        units.append(int.from_bytes(data[index : index + 2], "little"))
        if units[-1] == 10:
            starts.append(len(units))
    units += [65535] + [0] * 100
    hashes = [
        sum(unit * 37 ** (99 - offset) for offset, unit in enumerate(units[start : start + 100])) % 2**64
        for start in starts[:line]
    ]
    return f"{hashes[-1]:x}:{hashes.count(hashes[-1])}"


class TestFolders:
    FILES = (
        "llmcfg.yaml", "b.llmcfg.yml", "a.llmcfg.json", "deep/er/llmcfg.json", "deep/x.llmcfg.yaml",
        "z/llmcfg.yml", "other.yaml", "llmcfg.yaml.bak", "xllmcfg.yaml", ".git/llmcfg.yaml",
        "node_modules/m/llmcfg.yaml", ".venv/llmcfg.yaml", "env/pyvenv.cfg", "env/llmcfg.yaml",
        "__pycache__/llmcfg.yaml",
    )  # fmt: skip
    FOUND = (
        "a.llmcfg.json", "b.llmcfg.yml", "llmcfg.yaml", "deep/x.llmcfg.yaml", "deep/er/llmcfg.json",
        "z/llmcfg.yml",
    )  # fmt: skip

    def fill(self, folder: str = ".") -> None:
        for name in self.FILES:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('{"model": "m", "vllm": {}}')

    def checked(self, capsys: Said, *words: str) -> list[str]:
        run(["validate", *words, "--format", "json"])
        return [item["file"] for item in json.loads(capsys.readouterr().out)["files"]]

    def test_what_is_searched(self, capsys: Said) -> None:
        self.fill()
        assert self.checked(capsys, ".") == list(self.FOUND)
        assert self.checked(capsys, "./", "deep") == list(self.FOUND)
        assert self.checked(capsys, os.getcwd()) == [os.path.abspath(name) for name in self.FOUND]
        assert self.checked(capsys, "deep/..", "other.yaml")[-1] == "other.yaml"

    def test_a_hidden_folder_that_is_named_is_searched(self, capsys: Said) -> None:
        self.fill()
        assert self.checked(capsys, ".git") == [".git/llmcfg.yaml"]

    def test_links(self, capsys: Said) -> None:
        self.fill("real")
        Path("real/loop").symlink_to("..")
        Path("real/deep/self").symlink_to("self")
        Path("real/self.llmcfg.yaml").symlink_to("self.llmcfg.yaml")
        Path("real/linked.llmcfg.json").symlink_to("a.llmcfg.json")
        Path("real/folder.llmcfg.yaml").mkdir()
        found = self.checked(capsys, "real")
        assert [name for name in found if "loop" in name] == []
        assert "real/linked.llmcfg.json" in found
        assert "real/self.llmcfg.yaml" in found
        assert len(found) == len(self.FOUND) + 2

    def test_a_deep_tree(self, capsys: Said) -> None:
        depth, here = 1500, os.getcwd()
        for _ in range(depth):
            os.mkdir("d")
            os.chdir("d")
        Path("llmcfg.yaml").write_text(CLEAN)
        os.chdir(here)
        try:
            assert self.checked(capsys, "d") == [f"{'d/' * depth}llmcfg.yaml"]
        finally:
            subprocess.run(["/bin/rm", "-r", "d"], check=True)  # pytest itself does not go that deep

    def test_a_folder_without_configs(self, capsys: Said) -> None:
        Path("empty").mkdir()
        write(clean=CLEAN)
        assert run(["validate", "empty", "clean.yaml"]) == 2
        first, hint, _ = capsys.readouterr().err.split("\n")
        assert first == "empty: error[L001] the folder holds no config"
        assert hint == (
            f"  hint: Looked for {', '.join((*NAMES, *(f'*.{name}' for name in NAMES)))},"
            " then for any YAML file."
        )

    def test_a_folder_of_files_with_other_names(self, capsys: Said) -> None:
        for name in ("b.yml", "a.yaml", "deep/c.yaml", "package.json", "notes.txt"):
            path = Path("configs", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(CLEAN)
        assert self.checked(capsys, "configs") == ["configs/a.yaml", "configs/b.yml", "configs/deep/c.yaml"]
        Path("configs/deep/llmcfg.yaml").write_text(CLEAN)
        assert self.checked(capsys, "configs") == ["configs/deep/llmcfg.yaml"]

    def test_a_folder_that_cannot_be_read(self, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
        self.fill()
        scandir = os.scandir

        def refusing(path: str) -> Any:
            if path.endswith("deep"):
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refusing)
        assert run(["validate", "."]) == 2
        said = capsys.readouterr().err
        assert said == "./deep: error[L001] cannot search the folder: Permission denied\n"

    def test_a_broken_file_stops_nothing(self, capsys: Said) -> None:
        write(wrong=WRONG, broken="a: [", clean=CLEAN, warned=WARNED, several=SEVERAL)
        Path("fifo.yaml").unlink(missing_ok=True)
        os.mkfifo("fifo.yaml")
        names = [
            f"{name}.yaml" for name in ("broken", "missing", "fifo", "several", "wrong", "clean", "warned")
        ]
        assert run(["validate", *names, "--backend-version", "0.32.0"]) == 2
        said = [line for line in capsys.readouterr().err.split("\n") if not line.startswith("  ")]
        assert [re.sub(r"(:\d+)*: \w+\[(L\d+)\].*", r" \2", line) for line in said] == [
            "broken.yaml L003", "missing.yaml L001", "fifo.yaml L001", "several.yaml L405", "wrong.yaml L101",
            "warned.yaml L302", "",
        ]  # fmt: skip

    def test_the_same_file_is_checked_once(self, capsys: Said) -> None:
        write(wrong=WRONG)
        names = ["wrong.yaml", "./wrong.yaml", os.path.abspath("wrong.yaml"), "x/../wrong.yaml", "wrong.yaml"]
        assert self.checked(capsys, *names) == ["wrong.yaml"]

    @pytest.mark.parametrize("name", ["text", "json", "sarif", "github"])
    def test_a_current_folder_that_is_gone(self, name: str) -> None:
        gone = Path("gone")
        gone.mkdir()
        here = os.open(".", os.O_RDONLY)
        os.chdir("gone")
        os.rmdir("../gone")
        try:
            done = spawn(
                "validate", "x.yaml", "-", "-f", name, variables={"GITHUB_WORKSPACE": "/w"}, input=b"a"
            )
        finally:
            os.fchdir(here)
            os.close(here)
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr
        assert b"x.yaml" in done.stdout + done.stderr

    def test_standard_input_is_read_once(self, capsys: Said) -> None:
        assert run(["validate", "-", "missing.yaml", "-"]) == 2
        assert capsys.readouterr().err == "llmcfg: `-` stands for standard input, which can be read once\n"
        done = spawn("validate", "-", "--format", "sarif", input=WRONG.encode())
        assert done.returncode == 1
        (result,) = json.loads(done.stdout)["runs"][0]["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "%3Cstdin%3E"

    def test_one_version_for_several_backends(self, capsys: Said) -> None:
        write(several=SEVERAL)
        for name in ("validate", "compile", "resolve"):
            assert run([name, "several.yaml", "--backend-version", "0.32.0"]) == 2
            assert "error[L405] --backend-version is the version of one backend" in capsys.readouterr().err
            assert run([name, "several.yaml", "--backend-version", "0.32.0", "--backend", "vllm"]) < 2
            capsys.readouterr()


FORMATS = ("text", "json", "sarif", "github")


class TestWriting:
    @pytest.mark.parametrize("format", FORMATS)
    @pytest.mark.parametrize(("file", "status"), [("wrong.yaml", 1), ("warned.yaml", 0), ("missing.yaml", 2)])
    def test_a_reader_that_leaves(self, format: str, file: str, status: int) -> None:
        write(wrong=WRONG, warned=WARNED)
        reader, writer = os.pipe()
        os.close(reader)
        done = spawn("validate", file, "--format", format, stdout=writer, stderr=writer)
        os.close(writer)
        assert done.returncode == status
        with subprocess.Popen(
            command("validate", file, "--format", format), env=environment(), stdout=writer_of_nothing(),
            stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            _, said = process.communicate(timeout=60)
        assert process.returncode == status
        assert said == b"" or format == "text"

    @pytest.mark.parametrize("format", FORMATS)
    def test_a_full_disk(self, format: str) -> None:
        write(wrong=WRONG)
        with open("/dev/full", "wb") as full:
            done = spawn("validate", "wrong.yaml", "--format", format, stdout=full)
            assert done.returncode == (1 if format == "text" else 2)
            if format != "text":
                assert done.stderr == b"llmcfg: cannot write the result: No space left on device\n"
            done = spawn("validate", "wrong.yaml", "--format", format, stdout=full, stderr=full)
            assert done.returncode == (1 if format == "text" else 2)

    @pytest.mark.parametrize(
        "words", ["compile clean.yaml", "schema", "gpus", "explain L101", "validate wrong.yaml"]
    )
    def test_a_full_disk_for_people(self, words: str) -> None:
        write(wrong=WRONG, clean=CLEAN)
        with open("/dev/full", "wb") as full:
            done = spawn(*words.split(), stderr=full)
        assert done.returncode == (1 if "wrong" in words else 0)
        assert b"Traceback" not in done.stdout

    @pytest.mark.parametrize("words", ["compile clean.yaml", "schema", "gpus", "explain L101"])
    def test_other_results_on_a_full_disk(self, words: str) -> None:
        write(clean=CLEAN)
        with open("/dev/full", "wb") as full:
            done = spawn(*words.split(), stdout=full)
        assert (done.returncode, done.stderr) == (
            2,
            b"llmcfg: cannot write the result: No space left on device\n",
        )

    @pytest.mark.parametrize("format", FORMATS)
    @pytest.mark.parametrize("number", [1, 2])
    def test_closed_streams(self, format: str, number: int) -> None:
        write(wrong=WRONG)
        done = spawn("validate", "wrong.yaml", "--format", format, preexec_fn=lambda: os.close(number))
        assert b"Traceback" not in done.stderr + done.stdout
        assert done.returncode == (2 if number == 1 and format != "text" else 1)

    def test_an_encoding_that_lacks_a_character(self) -> None:
        Path("é漢.yaml").write_text("model: é漢\nvllm: {engine: {max_num_seq: 1}}\n", encoding="utf-8")
        done = spawn("validate", "é漢.yaml", "-f", "github", variables={"PYTHONIOENCODING": "latin-1"})
        assert done.returncode == 1
        assert "file=é漢.yaml," in done.stdout.decode("utf-8")

    def test_what_is_written(self) -> None:
        write_whole("new", "text")
        assert Path("new").read_text() == "text"
        assert os.listdir() == ["new"]

    @pytest.mark.parametrize(
        ("target", "number"),
        [
            ("", errno.ENOENT), (".", errno.EISDIR), ("..", errno.EISDIR), ("folder", errno.EISDIR),
            ("folder/", errno.EISDIR), ("missing/", errno.EISDIR), ("missing/x", errno.ENOENT),
            ("file/x", errno.ENOTDIR), ("loop", errno.ELOOP), ("dangling-folder", errno.ENOENT),
            ("x" * 300, errno.ENAMETOOLONG), ("/dev/full", errno.ENOSPC),
        ],
    )  # fmt: skip
    def test_what_cannot_be_written(self, target: str, number: int) -> None:
        Path("folder").mkdir()
        Path("file").write_text("before")
        Path("loop").symlink_to("loop")
        Path("dangling-folder").symlink_to("missing/x")
        before = sorted(os.listdir()), sorted(os.listdir(".."))
        with pytest.raises(OSError, match=r".") as raised:
            write_whole(target, "text")
        assert raised.value.errno == number
        assert (sorted(os.listdir()), sorted(os.listdir(".."))) == before
        assert Path("file").read_text() == "before"

    @pytest.mark.parametrize("failing", ["fsync", "chmod", "replace"])
    @pytest.mark.parametrize("error", [OSError(errno.EIO, "I/O error"), KeyboardInterrupt()])
    def test_a_failure_midway(
        self, failing: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise error

        Path("file").write_text("before")
        monkeypatch.setattr(os, failing, fail)
        with pytest.raises(type(error)):
            write_whole("file", "text")
        assert os.listdir() == ["file"]
        assert Path("file").read_text() == "before"

    def test_a_dangling_link_is_filled(self) -> None:
        Path("folder").mkdir()
        Path("link").symlink_to("folder/new")
        write_whole("link", "text")
        assert Path("link").is_symlink()
        assert Path("folder/new").read_text() == "text"

    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
    def test_the_mode_stays(self, mode: int) -> None:
        Path("file").touch()
        Path("file").chmod(mode)
        write_whole("file", "text")
        assert stat.S_IMODE(os.stat("file").st_mode) == mode

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
    def test_the_owner_stays(self) -> None:
        Path("file").touch(0o600)
        os.chown("file", 12345, 23456)
        write_whole("file", "text")
        found = os.stat("file")
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 23456, 0o600)

    def test_a_file_that_is_read_only_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("file").write_text("before")
        Path("file").chmod(0o444)
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        with pytest.raises(PermissionError):
            write_whole("file", "text")
        assert Path("file").read_text() == "before"

    def test_a_stream_by_name(self) -> None:
        write(clean=CLEAN)
        Path("log").write_text("before\n")
        with open("log", "ab") as log:
            done = spawn("compile", "clean.yaml", "--output", "/dev/stderr", stderr=log)
        assert done.returncode == 0
        before, rest = Path("log").read_text().split("\n", 1)
        assert (before, json.loads(rest)["model"]) == ("before", "m")


def writer_of_nothing() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def test_names_and_messages_stay_on_their_line() -> None:
    item = Diagnostic("L101", f"m{EVIL}", hint=EVIL, place=Place(1, 1), related=((EVIL, Place(1, 1)),))
    for look in (Look(), Look(True, True)):
        text = "".join(text_report(Checked(Document({}, f"f{EVIL}", text="a: 1\n"), [item]), look))
        plain = re.sub("\x1b\\[[0-9;]*m", "", text)
        assert plain.startswith(f"{one_line(f'f{EVIL}')}:1:1: error[L101] ")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", plain)
        assert len(plain.splitlines()) == (9 if look.excerpts else 3)
