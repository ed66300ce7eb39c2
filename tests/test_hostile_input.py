"""Hostile and broken input, through the real command line: one clean answer each, in bounded time."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.support import hostile
from tests.support.hostile import BARE, Inputs
from tests.support.limited import ROOT, llmcfg, said

TABLES: dict[str, Inputs] = {
    name: table for name, table in vars(hostile).items() if name.isupper() and isinstance(table, dict)
}
CASES = [(name, number) for name, table in TABLES.items() for number in range(len(table))]


@cache
def answers(name: str) -> dict[int, str]:
    """Return the codes and places for each input of a table; what went wrong for all of them at once."""
    try:
        return asked(name)
    except AssertionError as error:
        return dict.fromkeys(range(len(TABLES[name])), f"{error}"[-500:])


def asked(name: str) -> dict[int, str]:
    """Validate all inputs of a table in one run; return the codes and places for each."""
    with TemporaryDirectory() as folder:
        files = [
            str(number) + (".json" if name == "JSON" else ".yaml") for number in range(len(TABLES[name]))
        ]
        for file, text in zip(files, TABLES[name], strict=True):
            Path(folder, file).write_bytes(text if isinstance(text, bytes) else text.encode())
        for options in ([], ["--color", "always"], ["-f", "github"], ["-f", "sarif"]):
            said(llmcfg("validate", *options, *files, cwd=folder))
        done = llmcfg("validate", "-f", "json", *files, cwd=folder)
    said(done)
    found: dict[int, list[str]] = {number: [] for number in range(len(files))}
    for item in json.loads(done.stdout)["diagnostics"]:
        severity = "" if item["severity"] == "error" else f" {item['severity']}"
        place = f"{item['line']}:{item['column']}"
        found[int(item["file"].partition(".")[0])].append(f"{item['code']} {place}{severity}")
    return {number: "; ".join(items) for number, items in found.items()}


@pytest.mark.parametrize(("name", "number"), CASES, ids=lambda value: str(value))
def test_input(name: str, number: int) -> None:
    text, expected = list(TABLES[name].items())[number]
    assert answers(name)[number] == expected, ascii(text)[:200]


def test_there_are_hundreds() -> None:
    assert len(CASES) > 500


SCALARS = {
    # text: as a number, an integer, true or false, a text, anything
    "yes": "L102 L102 L102 - L006", "no": "L102 L102 L102 - L006", "On": "L102 L102 L102 - L006",
    "OFF": "L102 L102 L102 - L006", "y": "L102 L102 L102 - -", "n": "L102 L102 L102 - -",
    "true": "L102 L102 - L102 -", "False": "L102 L102 - L102 -", "tRUE": "L102 L102 L102 - -",
    "~": "L102 - - - -", "null": "L102 - - - -", "Null": "L102 - - - -", "NULL": "L102 - - - -",
    "": "L102 - - - -", "nil": "L102 L102 L102 - -", "None": "L102 L102 L102 - -",
    "1": "- - L102 L102 -", "+1": "- - L102 L102 -", "0": "L105 L105 L102 L102 -",
    "-0": "L105 L105 L102 L102 -",
    "0o17": "L105 - L102 L102 -", "0x1F": "L105 - L102 L102 -", "0X1F": "L102 L102 L102 - -",
    "-0x1F": "L102 L102 L102 - L006", "0b11": "L102 L102 L102 - L006", "0o8": "L102 L102 L102 - -",
    "017": "L006 L006 L006 L006 L006", "00": "L006 L006 L006 L006 L006", "-01": "L006 L006 L006 L006 L006",
    "08": "L006 L006 L006 L006 L006", "01.5": "L006 L006 L006 L006 L006", "01e3": "L006 L006 L006 L006 L006",
    "1_000": "L102 L102 L102 - L006", "1,000": "L102 L102 L102 - L005", "0,9": "L102 L102 L102 - -",
    "12:30:45": "L102 L102 L102 - L006", "12:30": "L102 L102 L102 - L006",
    "2001-01-01": "L102 L102 L102 - L006", "2001-12-14t21:59:43.10-05:00": "L102 L102 L102 - L006",
    "1e-3": "- L102 L102 L102 -", "1e0": "- - L102 L102 -", "1E3": "L105 - L102 L102 -",
    ".5": "- L102 L102 L102 -",
    "1.": "- - L102 L102 -", "1.0": "- - L102 L102 -", "1e": "L102 L102 L102 - -", "e1": "L102 L102 L102 - -",
    ".": "L102 L102 L102 - -", "1.5.2": "L102 L102 L102 - -", "--1": "L102 L102 L102 - -",
    "=": "L102 L102 L102 - L006", "<<": "L102 L102 L102 - L006", "=1": "L102 L102 L102 - -",
    ".nan": "L006 L006 L006 L006 L006", ".NaN": "L006 L006 L006 L006 L006",
    ".NAN": "L006 L006 L006 L006 L006",
    ".inf": "L006 L006 L006 L006 L006", "-.inf": "L006 L006 L006 L006 L006",
    "+.Inf": "L006 L006 L006 L006 L006",
    ".INF": "L006 L006 L006 L006 L006", "nan": "L102 L102 L102 - -", "NaN": "L102 L102 L102 - -",
    "inf": "L102 L102 L102 - -", "-Infinity": "L102 L102 L102 - -",
    "1e400": "L006 L006 L006 L006 L006", "-1e400": "L006 L006 L006 L006 L006",
    "1e-400": "L105 L105 L102 L102 -",
    "9223372036854775807": "L105 - L102 L102 -", "18446744073709551616": "L006 L006 L006 L006 L006",
    "-9223372036854775809": "L006 L006 L006 L006 L006", "0x" + "f" * 17: "L006 L006 L006 L006 L006",
    "9" * 5000: "L006 L006 L006 L006 L006", "-" + "9" * 5000: "L006 L006 L006 L006 L006",
    "0." + "3" * 5000: "L006 L006 L006 L006 L006", "1e" + "9" * 5000: "L006 L006 L006 L006 L006",
    "0x" + "f" * 5000: "L006 L006 L006 L006 L006", "0o" + "7" * 5000: "L006 L006 L006 L006 L006",
    "'1'": "L102 L102 L102 - -", '"true"': "L102 L102 L102 - -", "'no'": "L102 L102 L102 - -",
    "!!int 3": "L005 L005 L005 L005 L005", "!!null": "L005 L005 L005 L005 L003",
    "[1]": "L102 L102 L102 L102 -", "{a: 1}": "L102 L102 L102 L102 -", "1kb": "L102 L102 L102 - -",
    "50%": "L102 L102 L102 - -", "1 2": "L102 L102 L102 - -", "\u0661": "L102 L102 L102 - -",
}  # fmt: skip
PARAMETERS = ("gpu_memory_utilization", "max_num_seqs", "enable_prefix_caching", "revision", "extra")


@cache
def scalar_answers() -> dict[str, str]:
    texts = [
        f"model: m\nvllm:\n  engine:\n    {name}: " + (f"{{x: {text}}}" if name == "extra" else text)
        for text in SCALARS
        for name in PARAMETERS
    ]
    with TemporaryDirectory() as folder:
        files = [f"{number}.yaml" for number in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            Path(folder, file).write_text(text)
        done = llmcfg("validate", "-f", "json", *files, cwd=folder)
    said(done)
    codes: dict[str, list[str]] = {file: [] for file in files}
    for item in json.loads(done.stdout)["diagnostics"]:
        assert (item["line"], item["column"]) >= (4, 12)
        codes[item["file"]].append(item["code"])
    each = [" ".join(codes[file]) or "-" for file in files]
    width = len(PARAMETERS)
    return {text: " ".join(each[row * width : (row + 1) * width]) for row, text in enumerate(SCALARS)}


@pytest.mark.parametrize("text", SCALARS, ids=lambda text: text[:20])
def test_scalar(text: str) -> None:
    assert scalar_answers()[text] == SCALARS[text]


N = 150_000
ENGINE = "model: m\nvllm:\n  engine:\n    "
HUGE: dict[str, tuple[Callable[[], str], str]] = {
    # what: (the text, the codes in the report)
    "flow lists": (lambda: "[" * 100_000, "L008"),
    "flow lists, closed": (lambda: "[" * 100_000 + "]" * 100_000, "L008"),
    "flow mappings": (lambda: "{a: " * 100_000, "L008"),
    "block lists": (lambda: "- " * 100_000, "L008"),
    "block mappings": (lambda: "".join(" " * level + "a:\n" for level in range(2_500)), "L008"),
    "keys of keys": (lambda: "? " * 100_000, "L005"),
    "mixed nesting": (lambda: "[{a: " * 50_000, "L008"),
    "nesting below the model": (lambda: "model: m\nvllm: " + "[" * 100_000, "L008"),
    "aliases that nest": (
        lambda: "a: &a {x: 1}\n"
        + "".join(f"k{i}: &{'ab'[i % 2]} [{'[' * 40}*{'ba'[i % 2]}{']' * 40}]\n" for i in range(1, 100)),
        "L008",
    ),
    "billion laughs": (
        lambda: "a: &a [1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefghi")),
        "L008",
    ),
    "laughs in mappings": (
        lambda: "a: &a {x: 1}\n"
        + "".join(
            f"{b}: &{b} {{{','.join(f'k{i}: *{a}' for i in range(9))}}}\n"
            for a, b in pairwise("abcdefghi")
        ),
        "L008",
    ),
    "quadratic text": (lambda: "a: &a " + "x" * 100_000 + "\nb: [" + "*a," * 190_000 + "]", "L008"),
    "many aliases": (lambda: "a: &a [1]\nb: [" + "*a," * 110_000 + "]", "L008"),
    "nested anchors": (
        lambda: BARE + "a: " + "".join(f"&a{i} [" for i in range(60)) + "1," * N + "]" * 60, "L101"
    ),
    "many anchors": (lambda: BARE + "a: [" + ",".join(f"&a{i} x" for i in range(N)) + "]", "L101"),
    "tag handles": (lambda: "".join(f"%TAG !a{i}! b\n" for i in range(N)) + "---\na: 1", "L008"),
    "documents": (lambda: "---\n" * 1_000_000, "L005"),
    "a million keys": (lambda: "".join(f"{i}:\n" for i in range(500_000)), "L008"),
    "unknown keys": (lambda: BARE + "".join(f"key{i}: 1\n" for i in range(N)), "L008 L101"),
    "unknown parameters": (lambda: ENGINE + "\n    ".join(f"max_num{i}: 1" for i in range(N)), "L008 L101"),
    "unknown variables": (
        lambda: "model: m\nvllm: {env: {" + ",".join(f"VLLM_{i}: x" for i in range(N)) + "}}", "L008 L101"
    ),
    "unknown extra keys": (
        lambda: ENGINE + "extra: {" + ",".join(f"max_num{i}: 1" for i in range(N)) + "}", ""
    ),
    "repeated keys": (lambda: BARE + "model: n\n" * N, "L004 L008"),
    "invisible keys": (lambda: BARE + "".join(f"k\u200b{i}: 1\n" for i in range(N)), "L002 L008"),
    "ambiguous texts": (lambda: ENGINE + "extra: {a: [" + "no," * N + "]}", "L006 L008"),
    "items of a wrong type": (lambda: ENGINE + "cudagraph_capture_sizes: [" + "x," * N + "]", "L008 L102"),
    "values of a wrong type": (
        lambda: "model: m\nvllm: {sampling: {logit_bias: {" + ",".join(f"{i}: x" for i in range(N)) + "}}}",
        "L008 L102",
    ),
    "a long list": (lambda: "model: m\nvllm: {sampling: {stop: [" + "a," * N + "]}}", ""),
    "distinct items": (
        lambda: ENGINE + "cpu_offload_params: [" + ",".join(f"p{i}" for i in range(N)) + "]", "L201"
    ),
    "a huge value": (lambda: ENGINE + "dtype: " + "a" * 4_000_000, "L103"),
    "a huge value, escaped": (lambda: ENGINE + 'dtype: "' + "\\x41" * 1_000_000 + '"', "L103"),
    "a huge near miss": (lambda: ENGINE + "dtype: " + "bfloat16" * 500_000, "L103"),
    "a huge key": (lambda: ENGINE + "? " + "max_num_seqs" * 300_000 + "\n    : 1", "L101"),
    "a huge anchor": (lambda: BARE + "a: &" + "a" * 4_000_000 + " x", "L101"),
    "a huge alias": (lambda: "a: *" + "a" * 4_000_000, "L003"),
    "a huge tag": (lambda: "a: !" + "%41" * 1_300_000, "L005"),
    "a huge comment": (lambda: "#" + "a" * 4_000_000 + "\n" + BARE, ""),
    "blank lines": (lambda: BARE + "\n" * 4_000_000, ""),
    "colons": (lambda: ":" * 4_000_000, "L003"),
    "an open quote": (lambda: 'a: "' + "x\n" * 2_000_000, "L003"),
    "as large as allowed": (lambda: BARE + "#" * (4 * 1024 * 1024 - len(BARE)), ""),
    "a byte more": (lambda: BARE + "#" * (4 * 1024 * 1024 - len(BARE) + 1), "L008"),
    "json: lists": (lambda: "[" * 100_000, "L008"),
    "json: mappings": (lambda: '{"a":' * 100_000, "L008"),
    "json: nested and closed": (lambda: "[" * 100_000 + "]" * 100_000, "L008"),
    "json: a long list": (lambda: "[" + "1," * 300_000 + "1]", "L008"),
    "json: a huge text": (lambda: '{"model": "' + "a" * 4_000_000 + '", "backend": "vllm"}', ""),
    "json: a huge number": (lambda: '{"model": "m", "vllm": ' + "9" * 4_000_000 + "}", "L006"),
}  # fmt: skip


@pytest.mark.parametrize("what", HUGE)
def test_huge(what: str, tmp_path: Path) -> None:
    """The bound is a gibibyte and 20 seconds of processor time; most take half a second."""
    text, codes = HUGE[what]
    file = tmp_path / ("c.json" if what.startswith("json") else "c.yaml")
    file.write_text(text())
    report = said(llmcfg("validate", str(file)))
    assert " ".join(sorted(set(re.findall(r"\[(L\d+)\]", report)))) == codes
    assert len(report) < 100_000


def test_a_file_of_many_gigabytes(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 36)
    assert "c.yaml:1:1: error[L008]" in said(llmcfg("validate", str(file), seconds=5))


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(str(path))


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


SPECIAL: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a fifo": (_fifo, "not a regular file"),
    "a socket": (_socket, "No such device"),
    "a folder": (Path.mkdir, "holds no config"),
    "a loop of links": (_loop, "Too many levels"),
    "a dangling link": (lambda path: path.symlink_to("nowhere"), "No such file"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "a link to a terminal": (lambda path: path.symlink_to("/dev/tty"), ""),
    "nothing": (lambda path: None, "No such file"),
}


@pytest.mark.parametrize("what", SPECIAL)
@pytest.mark.parametrize("command", ["validate", "compile"])
def test_special_files(what: str, command: str, tmp_path: Path) -> None:
    make, expected = SPECIAL[what]
    make(tmp_path / "c.yaml")
    done = llmcfg(command, "c.yaml", cwd=tmp_path, seconds=5)
    if (what, command) != ("a folder", "compile"):
        assert expected in said(done)
    assert "c.yaml: error[L001]" in said(done)
    assert done.returncode == 2


@pytest.mark.parametrize(
    "path",
    ["/dev/zero", "/dev/null", "/dev/full", "/dev/random", "/proc/self/mem", "/proc/kmsg", "/dev/stdin"],
)
def test_devices(path: str) -> None:
    if not os.path.exists(path):
        pytest.skip(f"there is no {path}")
    assert "error[L001] cannot read the file" in said(llmcfg("validate", path, seconds=5))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
def test_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(BARE)
    (tmp_path / "c.yaml").chmod(0)
    with (tmp_path / "c.yaml").open("rb") as file:
        assert file.read(), "root reads everything"
    program = (
        "import os, sys; from llmcfg.reading.reader import read; import llmcfg.pipeline; os.setuid(65534);"
        "print(read(sys.argv[1]).problems[0].message)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", program, "c.yaml"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"cannot read the file: Permission denied\n"


NAMES = [
    b"line\nbreak.yaml", b"c\x1b[31m.yaml", b"c\x07\x9b.yaml", "c\u202elmay.yaml".encode(), b"\xff\xfe.yaml",
    "\u200b.yaml".encode(), b"a b.yaml", b"'\"$(id)`id`.yaml", b"%0A::error::x.yaml",
    b"a:1:1: error[L999] x.yaml",
    b"[x]%s{}.yaml", "é漢😀.yaml".encode(), b"x" * 250 + b".yaml", b"c.YAML", b"c", b"c.yaml:1:1",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("format", ["text", "json", "github", "sarif"])
def test_odd_names(name: bytes, format: str, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(name)).write_text("model: [")
    done = llmcfg("validate", "-f", format, name, cwd=tmp_path, seconds=5)
    text = said(done)
    assert done.returncode == 1
    if format in ("text", "github"):
        assert len(text.splitlines()) == (2 if format == "text" else 1), text
    else:
        json.loads(done.stdout)


def test_a_name_that_begins_with_a_dash(tmp_path: Path) -> None:
    (tmp_path / "-c.yaml").write_text(BARE)
    assert llmcfg("validate", "--", "-c.yaml", cwd=tmp_path).returncode == 0
    assert llmcfg("validate", "./-c.yaml", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("command", ["validate", "compile"])
def test_an_empty_name(command: str) -> None:
    done = llmcfg(command, "")
    assert "cannot read the file" in said(done)
    assert done.returncode == 2


def test_as_many_files_as_fit(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(BARE)
    assert llmcfg("validate", *["c.yaml"] * 20_000, cwd=tmp_path).returncode == 0


class TestStreams:
    def test_standard_input_closed(self) -> None:
        assert "standard input is closed" in said(llmcfg("validate", "-", prepare=lambda: os.close(0)))

    def test_standard_input_without_end(self) -> None:
        with open("/dev/zero", "rb") as zeros:
            assert "<stdin>:1:1: error[L008]" in said(llmcfg("validate", "-", stdin=zeros, seconds=5))

    def test_standard_input_that_has_nothing_yet(self) -> None:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        assert "nothing to read at the moment" in said(llmcfg("validate", "-", stdin=reading, seconds=5))
        os.close(reading)
        os.close(writing)

    def test_standard_input_in_pieces(self, tmp_path: Path) -> None:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            for piece in BARE:
                os.write(writing, piece.encode())
            os._exit(0)
        os.close(writing)
        assert llmcfg("validate", "-", stdin=reading).returncode == 0
        os.close(reading)
        os.waitpid(child, 0)

    @pytest.mark.parametrize("closed", [(1,), (2,), (1, 2), (0, 1, 2)])
    @pytest.mark.parametrize("words", [["validate"], ["compile"], ["validate", "-f", "json"]])
    @pytest.mark.parametrize("text", [BARE, "model: ["])
    def test_closed(self, closed: tuple[int, ...], words: list[str], text: str, tmp_path: Path) -> None:
        (tmp_path / "c.yaml").write_text(text)
        done = llmcfg(*words, "c.yaml", cwd=tmp_path, prepare=lambda: [os.close(number) for number in closed])
        said(done)
        if text != BARE:
            assert done.returncode in (1, 2)

    @pytest.mark.parametrize(
        "line",
        [
            "explain max_num_seqs", "explain dtype=half", "explain vllm-active-seqs-above-seqs",
            "explain L103", "explain codes", "explain dtype -f json", "gpus", "gpus --format json",
            "schema", "schema --path", "schema --report", "completion bash", "init -", "--help", "--version",
        ],
    )  # fmt: skip
    def test_a_result_that_nobody_can_read(self, line: str, tmp_path: Path) -> None:
        done = llmcfg(*line.split(), cwd=tmp_path, prepare=lambda: os.close(1))
        assert done.returncode == 2
        assert said(done) == "llmcfg: cannot write the result: standard output is closed\n"

    def test_a_name_that_is_no_utf8_makes_no_lone_surrogate(self, tmp_path: Path) -> None:
        name = os.fsdecode(b"\xff.yaml")
        (tmp_path / name).write_text("model: m\nvllm: {engine: {seed: x}}\n")
        report = json.loads(llmcfg("validate", "-f", "json", name, cwd=tmp_path).stdout)
        for item in (*report["files"], *report["diagnostics"]):
            assert item["file"].encode() == b"\\udcff.yaml"

    @pytest.mark.parametrize("words", [["validate", "-f", "json"], ["validate", "-f", "sarif"], ["compile"]])
    def test_a_full_disk(self, words: list[str], tmp_path: Path) -> None:
        (tmp_path / "c.yaml").write_text(BARE)
        with open("/dev/full", "wb") as full:
            done = llmcfg(*words, "c.yaml", cwd=tmp_path, stdout=full)
        assert done.returncode == 2
        assert said(done) == "llmcfg: cannot write the result: No space left on device\n"

    def test_a_file_that_cannot_grow(self, tmp_path: Path) -> None:
        import resource

        (tmp_path / "out.json").write_text("before")
        done = llmcfg(
            "compile", str(ROOT / "examples/showcase/vllm.yaml"), "-o", "out.json", cwd=tmp_path,
            prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512)),
        )  # fmt: skip
        assert done.returncode == 2
        assert "cannot write out.json: File too large" in said(done)
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"out.json": "before"}

    def test_a_reader_that_leaves(self, tmp_path: Path) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        done = llmcfg("compile", str(ROOT / "examples/showcase/vllm.yaml"), stdout=writing)
        os.close(writing)
        assert b"Traceback" not in done.stderr
        assert done.returncode in (0, 1, 2, -signal.SIGPIPE)

    def test_a_terminal_that_knows_ascii_alone(self, tmp_path: Path) -> None:
        ascii_alone = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
        (tmp_path / "c.yaml").write_text("model: é\u6f22\nvllm: {engine: {dtype: é}}")
        done = llmcfg("validate", "c.yaml", cwd=tmp_path, env=ascii_alone)
        assert said(done).isascii()
        (tmp_path / "c.yaml").write_text("model: é\u6f22\nbackend: vllm")
        for form in ("json", "yaml", "argv", "python"):
            done = llmcfg("compile", "-f", form, "c.yaml", cwd=tmp_path, env=ascii_alone)
            assert done.returncode == 0, done.stderr

    def test_nothing_odd_reaches_a_terminal(self, tmp_path: Path) -> None:
        """What is written as an escape is legitimate, and stays one in every output."""
        (tmp_path / "c.yaml").write_text(
            'model: "a\\e[31m\\x9b\\u202e\\u200b\\U000e0041\\x7f"\n'
            'vllm: {engine: {served_model_name: "\\a\\b"}}'
        )
        for form in ("json", "yaml", "argv", "python"):
            done = llmcfg("compile", "-f", form, "c.yaml", cwd=tmp_path)
            said(done)
            assert done.returncode == 0


def test_on_a_terminal(tmp_path: Path) -> None:
    """With excerpts and colours, only what colours is written."""
    texts = [text for table in TABLES.values() for text in table if isinstance(text, str)]
    files = [f"{number}.yaml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        (tmp_path / file).write_text(text)
    ours, theirs = pty.openpty()
    pid = os.fork()
    if not pid:
        os.close(ours)
        done = llmcfg(
            "validate", *(f"{number}.yaml" for number in range(len(texts))), cwd=tmp_path, stderr=theirs
        )
        os._exit(done.returncode)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            shown += chunk
    except OSError:
        pass  # the other end is closed
    os.waitpid(pid, 0)
    assert b"\x1b[" in shown
    said(subprocess.CompletedProcess([], 1, shown.replace(b"\r\n", b"\n")))


WATCHED = """
import sys
seen = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        seen.append((event, str(arguments[0]), arguments[1]))
    elif event.partition(".")[0] in ("socket", "subprocess", "shutil", "ctypes", "tempfile", "urllib"):
        seen.append((event, repr(arguments), None))
    elif event in ("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.remove", "os.rename", "os.mkdir",
                   "os.listdir", "os.scandir", "os.chmod", "os.link", "os.symlink", "os.truncate"):
        seen.append((event, repr(arguments), None))
sys.addaudithook(watch)
sys.dont_write_bytecode = True
from llmcfg.__main__ import run
status = run(sys.argv[1:])
import json
print("\\n#" + json.dumps([status, seen]))
"""
TEMPTING = """
$schema: file:///etc/passwd
model: /etc/passwd
vllm:
  engine: {tokenizer: ../secret, revision: "$(touch canary)", hf_config_path: "/etc", extra: {a: "file:///etc"}}
  env: {VLLM_CONFIG_ROOT: /root, HF_TOKEN: "`touch canary`"}
pytorch: {load: {trust_remote_code: true}}
"""


@pytest.mark.parametrize(
    "text",
    [
        TEMPTING, "model: [", "model: !!python/object/apply:os.system [touch canary]",
        "model: !include /etc/passwd",
        "model: m\nvllm: {engine: {max_num_seq: 1}}", "model: m\ngpu: h100\nvllm: {engine: {dtyp: x}}",
    ],
    ids=range(6),
)  # fmt: skip
@pytest.mark.parametrize(
    "words", [["validate"], ["validate", "-f", "sarif"], ["compile", "--backend", "vllm"]]
)
def test_only_the_named_file_is_touched(text: str, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "generated")))}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *words, "c.yaml"], cwd=tmp_path, env=environment, capture_output=True
    )
    status, seen = json.loads(done.stdout.rpartition(b"\n#")[2])
    own = tuple({sys.prefix, sys.base_prefix, str(ROOT / "llmcfg"), str(ROOT / "generated")})
    foreign = [item for item in seen if item[0] != "open" or not item[1].startswith(own)]
    assert status in (0, 1)
    assert ["open", "c.yaml"] in [item[:2] for item in foreign]
    listed = [item for item in foreign if item[0] not in ("os.listdir", "os.scandir")]
    assert {item[1] for item in listed} <= {"c.yaml", "/dev/null"}, foreign
    assert all(mode in (None, "r", "rb") for _, _, mode in seen), [item for item in seen if item[2] == "w"]
    assert [path.name for path in tmp_path.iterdir()] == ["c.yaml"]
