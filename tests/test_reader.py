"""What a file means, and where and why a file is refused."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llmcfg.diagnostics import Place, has_errors
from llmcfg.document import Document
from llmcfg.reading import builder, reader
from llmcfg.reading.reader import parse, read

SCALARS: dict[str, Any] = {
    "text": "text", "two words": "two words", "'1'": "1", '"1"': "1", '"true"': "true", "''": "",
    "|-\n  1": "1", ">\n  a": "a",
    "1": 1, "+1": 1, "-1": -1, "0": 0, "-0": 0, "0x1f": 31, "0o17": 15,
    "9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63), "18446744073709551615": 2**64 - 1,
    "1.0": 1.0, "1.": 1.0, ".5": 0.5, "-.5": -0.5, "1e-3": 0.001, "1E5": 1e5, "1e+3": 1000.0, "1e-400": 0.0,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    "null": None, "Null": None, "NULL": None, "~": None, "": None, "# comment": None,
    # What YAML 1.1 reads as booleans, numbers and dates are texts in 1.2.
    "yes": "yes", "no": "no", "on": "on", "off": "off", "y": "y", "tRUE": "tRUE", "nULL": "nULL",
    "1_000": "1_000", "12:30": "12:30", "12:30:45": "12:30:45", "2001-01-01": "2001-01-01", "0b1": "0b1",
    "-0x1f": "-0x1f", "0X1F": "0X1F", "0xg": "0xg", "1e": "1e", ".": ".", "-.": "-.",
    "+": "+", "1,000": "1,000", "\u0661": "\u0661",
    "nan": "nan", "inf": "inf", "Infinity": "Infinity", "=": "=", "<<": "<<", "a:b": "a:b", "a#b": "a#b",
    "http://a": "http://a", "😀": "😀", '"\\u0041\\U0001f600"': "A😀", '"\\x00"': "\0",
}  # fmt: skip

DOCUMENTS: dict[str, Any] = {
    "a: 1": {"a": 1},
    "---\na: 1\n...\n": {"a": 1},
    "%YAML 1.2\n---\na: 1": {"a": 1},
    "a: 1\r\nb: 2\r\n": {"a": 1, "b": 2},
    "a: 1\rb: 2": {"a": 1, "b": 2},
    "a:\n- 1\n-\n": {"a": [1, None]},
    "? a\n: b": {"a": "b"},
    "1: a\n-1: b": {"1": "a", "-1": "b"},
    "yes: a\n1_000: b": {"yes": "a", "1_000": "b"},
    '"1.5": a\n"true": b\n"<<": c': {"1.5": "a", "true": "b", "<<": "c"},
    "a: &x {p: [1]}\nb: *x": {"a": {"p": [1]}, "b": {"p": [1]}},
    "a: &x 1\nb: &x 2\nc: *x": {"a": 1, "b": 2, "c": 2},
    "a: {b, c: d}": {"a": {"b": None, "c": "d"}},
    "a: {b:1}": {"a": {"b:1": None}},
    "[1]": [1],
    "a:1": "a:1",
    "\ufeffa: 1": {"a": 1},
}

JSON: dict[str, Any] = {
    '{"a": [1, 1.0, 1E5, -0, "b", true, null]}': {"a": [1, 1.0, 1e5, 0, "b", True, None]},
    '{\n\t"a": {\n\t\t"b": 1\n\t}\n}\n': {"a": {"b": 1}},
    '{"a": "\\/ \\n \\u0041 \\ud83d\\ude00 \\\\ud83d\\\\ude00"}': {"a": "/ \n A 😀 \\ud83d\\ude00"},
    '{"<<": {"1": "NaN"}}': {"<<": {"1": "NaN"}},
    '\ufeff{"a": 1}': {"a": 1},
    ' \t\r\n{"a"\n:\n1\n,\n"b"\r:\t2}': {"a": 1, "b": 2},
    '{"' + "a" * 5000 + '": 1}': {"a" * 5000: 1},
}

BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdef", "bcdefg", strict=True)
)
TOWER = "a: &a {x: 1}\n" + "".join(
    f"k{i}: &{'ab'[i % 2]} {'[' * 40}*{'ba'[i % 2]}{']' * 40}\n" for i in range(1, 100)
)

REFUSED: list[tuple[str | bytes, str, int, int]] = [
    # bytes and characters
    (b"\xff\xfea\0:\0", "L002", 1, 1),
    (b"\xfe\xff\0a", "L002", 1, 1),
    (b"a: 1\nb: \xc3\xa9\xff", "L002", 2, 5),
    (b"a: \xed\xa0\x80", "L002", 1, 4),
    (b"a: \xc0\x80", "L002", 1, 4),
    (b"a\0:\0", "L002", 1, 1),
    ("a: 1\nb: x\0", "L002", 2, 5),
    ("a: \x1b[31m", "L002", 1, 4),
    ("a: \x7f", "L002", 1, 4),
    ("a: \x85b: 1", "L002", 1, 4),
    ("a: \x9b", "L002", 1, 4),
    ("# \u2028a: 1", "L002", 1, 3),
    ("a: é\u2029", "L002", 1, 5),
    ("\ufeff\ufeffa: 1", "L002", 1, 1),
    ("a: \ufffe", "L002", 1, 4),
    # syntax
    ("a: b: c", "L003", 1, 5),
    ("a: 1\n  b: 2", "L003", 2, 4),
    ("é😀: 1\nb: 😀: c", "L003", 2, 5),
    ("a: 1\r\nb: @\r\n", "L003", 2, 4),
    ("a: 1\rb: @", "L003", 2, 4),
    ("a:\n\tb: 1", "L003", 2, 1),
    ("a:\n  b: 1\n\tc: 2", "L003", 3, 1),
    ("a: @b", "L003", 1, 4),
    ("a: - b", "L003", 1, 4),
    ("a: ? b", "L003", 1, 4),
    ('a: 1\nb: "x\nc: 1\n', "L003", 2, 4),
    ("a: 'x", "L003", 1, 4),
    ("a: 'it's'", "L003", 1, 8),
    ("a: 1\nb: [1, 2", "L003", 2, 4),
    ("a: [1, 2\nb: 3", "L003", 2, 2),
    ("a: {b: 1\n\n", "L003", 1, 4),
    ("a: [", "L003", 1, 5),
    ("a: ]", "L003", 1, 4),
    ("a: [b,,c]", "L003", 1, 7),
    ("- a\nb: 1", "L003", 2, 1),
    ("a: 1\n- b", "L003", 2, 1),
    ("  a: 1\nb: 2", "L003", 2, 1),
    ("a: 1\n...\nb: 2", "L003", 3, 1),
    ('a: "C:\\models"', "L003", 1, 7),
    ('a: "\\ud800"', "L003", 1, 7),
    ("a: *b", "L003", 1, 4),
    ("a: &", "L003", 1, 5),
    ("%YAML 9.9\n---\na: 1", "L005", 1, 1),
    ("{a:{a:{a:", "L003", 1, 3),
    # duplicate keys
    ("a: 1\na: 2", "L004", 2, 1),
    ('a: 1\n"a": 2', "L004", 2, 1),
    ('1: a\n"1": b', "L004", 2, 1),
    ("a:\n  - b: 1\n    b: 2", "L004", 3, 5),
    # YAML that readers disagree about
    ("a: &b {c: 1}\nd:\n  <<: *b", "L005", 3, 3),
    ("a: !!int '3'", "L005", 1, 4),
    ("a: !b [1]", "L005", 1, 4),
    ("!!map\na: 1", "L005", 1, 1),
    ("%YAML 1.1\n---\na: yes", "L005", 1, 1),
    ("a: 1\n---\nb: 2", "L005", 2, 1),
    ("true: a", "L005", 1, 1),
    ("a:\n  1.5: b", "L005", 2, 3),
    ("null: a", "L005", 1, 1),
    ("01: a", "L005", 1, 1),
    ("+1: a", "L005", 1, 1),
    ("[a]: b", "L005", 1, 1),
    ("{a: 1}: b", "L005", 1, 1),
    ("&k a: 1", "L005", 1, 1),
    ("a: &b c\n*b : d", "L005", 2, 1),
    ("a: &b [*b]", "L005", 1, 8),
    ("a: &b {c: {d: *b}}", "L005", 1, 15),
    # numbers
    ("a: .nan", "L006", 1, 4),
    ("a: [1, -.Inf]", "L006", 1, 8),
    ("a: 007", "L006", 1, 4),
    ("a: 08", "L006", 1, 4),
    ("a: -01.5", "L006", 1, 4),
    ("a: 1e400", "L006", 1, 4),
    ("a: 18446744073709551616", "L006", 1, 4),
    ("a: -9223372036854775809", "L006", 1, 4),
    ("a: 0x" + "f" * 17, "L006", 1, 4),
    ("a: " + "9" * 5000, "L006", 1, 4),
    ("a: 1." + "0" * 5000, "L006", 1, 4),
    # nothing
    ("", "L007", 1, 1),
    ("\n\n", "L007", 1, 1),
    ("# a comment\n", "L007", 1, 1),
    ("---\n", "L007", 1, 1),
    ("null", "L007", 1, 1),
    # too much
    ("[" * 100_000, "L008", 1, 65),
    ("{a: " * 100_000, "L008", 1, 257),
    ("- " * 100_000, "L008", 1, 129),
    (BOMB, "L008", 6, 8),
    (TOWER, "L008", 3, 48),
    ("[" + "1," * 200_001 + "]", "L008", 1, 400_000),
]

REFUSED_JSON: list[tuple[str, str, int, int]] = [
    ('{"a": 1,}', "L003", 1, 8),
    ("{a: 1}", "L003", 1, 2),
    ("{'a': 1}", "L003", 1, 2),
    ("a: 1", "L003", 1, 1),
    ('{"a": 1} // b', "L003", 1, 10),
    ('# b\n{"a": 1}', "L003", 1, 1),
    ('{"a": 1}\n{"b": 2}', "L003", 2, 1),
    ('{"a": 01}', "L003", 1, 7),
    ('{"a": .5}', "L003", 1, 7),
    ('{"a": True}', "L003", 1, 7),
    ('{"a": "\t"}', "L003", 1, 8),
    ('{"a": "\\ud800"}', "L003", 1, 7),
    ('{"a": 1,\n "a": 2}', "L004", 2, 2),
    ('{"a": "NaN",\n "b": NaN}', "L006", 2, 7),
    ('{"a": -Infinity}', "L006", 1, 7),
    ('{"a": 1e400}', "L006", 1, 7),
    ('{"a": ' + "9" * 5000 + "}", "L006", 1, 7),
    ("", "L007", 1, 1),
    ("null", "L007", 1, 1),
    ("[" * 100_000, "L008", 1, 65),
    ('{"a":' * 100_000, "L008", 1, 321),
]


def document(text: str | bytes, name: str = "c.yaml") -> Document:
    return parse(text if isinstance(text, bytes) else text.encode(), name)


def problems(found: Document) -> list[tuple[str, Place | None]]:
    return [(item.code, item.place) for item in found.problems]


def same(left: Any, right: Any) -> bool:
    """Compare with types: 1, 1.0 and True are three values."""
    return repr(left) == repr(right)


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read with libyaml, and with PyYAML's own parser, which has to do where libyaml is missing."""
    monkeypatch.setattr(builder, "LOADER", getattr(yaml, request.param))


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalar(text: str, value: Any) -> None:
    found = document(f"key: {text}")
    assert same(found.data, {"key": value})
    assert not has_errors(list(found.problems))


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(("text", "data"), DOCUMENTS.items())
def test_document(text: str, data: Any) -> None:
    found = document(text)
    assert same(found.data, data)
    assert not has_errors(list(found.problems))


@pytest.mark.parametrize(("text", "data"), JSON.items())
def test_json(text: str, data: Any) -> None:
    found = document(text, "c.json")
    assert same(found.data, data)
    assert not has_errors(list(found.problems))


@pytest.mark.parametrize(("text", "code", "line", "column"), REFUSED, ids=lambda value: repr(value)[:40])
def test_refused(text: str | bytes, code: str, line: int, column: int) -> None:
    assert problems(document(text)) == [(code, Place(line, column))]


@pytest.mark.parametrize(("text", "code", "line", "column"), REFUSED_JSON, ids=lambda value: repr(value)[:40])
def test_refused_json(text: str, code: str, line: int, column: int) -> None:
    assert problems(document(text, "c.json")) == [(code, Place(line, column))]


JSON_WAYS_OUT = [
    ('{"a": 1,}', "a comma before a closing bracket", "Remove the comma."),
    ('{"a": 1, // c\n"b": 2}', "JSON has no comments", "name it .yaml"),
    ("{'a': 1}", "a text in single quotes", "double quotes"),
    ("{a: 1}", "the key 'a' has no quotes", "Write keys in double quotes."),
    ('{"a": True}', "'True' is no value of JSON", "Write true."),
    ('{"a": +1}', "'+1' is no number of JSON", "Write 1,"),
    ('{"a": 017}', "'017' is no number of JSON", "Write 17:"),
    ('{"a": 0x10}', "'0x10' is no number of JSON", "Write 16:"),
    ('{"a": 1_000}', "'1_000' is no number of JSON", "1000"),
    ('{"a": [1, 2', "the list is never closed", "Add the missing `]`."),
    ('{"a": "b', "the quote is never closed", "Close the quote."),
    ('{"a": "b\n"}', "the quote is not closed on its line", "Close the quote"),
    ('{"a": "\\q"}', "unknown escape in a text", "for a backslash"),
    ('{"a" 1}', "a colon is expected here", '"key": value'),
    ('{"a": 1 "b": 2}', "`,` or `}` is expected here", "line 1, column 1 is still open"),
    ('{"a": [1}', "`,` or `]` is expected here", "line 1, column 7 is still open"),
    ('{"a": }', "a value is expected here", "Write a value"),
    ('{"a": 1}}', "`}` closes nothing", "Remove it"),
    ("a: 1", "the file does not start with `{`", "name it .yaml"),
    ('{"a": NaN}', "NaN is not a number", "Write a number"),
]


@pytest.mark.parametrize(("text", "message", "hint"), JSON_WAYS_OUT, ids=lambda value: repr(value)[:40])
def test_json_in_our_words(text: str, message: str, hint: str) -> None:
    (problem,) = document(text, "c.json").problems
    assert problem.message.startswith("not JSON: ")
    assert message in problem.message
    assert hint in (problem.hint or "")


SYNTAX_WAYS_OUT = [
    ("# c\n...\n", "L007", "the config is empty"),
    ("}}}", "L003", "no value starts with }"),
    ("a: &x &y m", "L003", "& is not allowed here"),
    ("%YAML 9.9\n---\na: 1", "L005", "the file asks for another YAML than 1.2"),
    ("{" + "x" * 1100 + ": 1}", "L003", "a key of more than 1024 characters"),
    ('{"' + "x" * 1100 + '": 1}', "L003", "a key of more than 1024 characters"),
    ("{&a b: 1, c: *a}", "L005", "a key cannot carry an anchor"),
]


@pytest.mark.parametrize(("text", "code", "message"), SYNTAX_WAYS_OUT, ids=lambda value: repr(value)[:40])
def test_one_problem_in_our_words(text: str, code: str, message: str) -> None:
    assert [(item.code, item.message) for item in document(text, "c.yaml").problems] == [(code, message)]


def test_an_empty_text_is_told_in_linear_time() -> None:
    for text in ("\n" * 1_000_000 + "}", "# \n" * 300_000 + "...", "{" + "x" * 1_000_000 + ": 1}"):
        assert document(text, "c.yaml").problems


AMBIGUOUS = {
    "yes": "true", "Off": "false", "NO": "false", "1_000": "a number", "0b1": "a number", "12:30": "a number",
    "190:20:30.15": "a number", "+1_0.5": "a number", "2001-01-01": "a date", "2001-1-1 1:01:01": "a date",
}  # fmt: skip
CLEAR = [
    "y",
    "n",
    "tRUE",
    "'no'",
    '"1_000"',
    "1",
    "1.5",
    "1e3",
    "0x1f",
    "0o17",
    "1.2.3",
    "v1_0",
    "-",
    "a:b",
    "1e",
    "~",
]


@pytest.mark.parametrize(("text", "reading"), AMBIGUOUS.items())
def test_two_readings_are_warned_of(text: str, reading: str) -> None:
    (key, value) = document(f"{text}: {text}").problems
    assert [(item.code, item.severity) for item in (key, value)] == [("L006", "warning")] * 2
    assert f"is {reading} to" in key.message
    assert f"is {reading} to" in value.message
    (old,) = yaml.safe_load(f"- {text}")
    assert not isinstance(old, str)


@pytest.mark.parametrize("text", CLEAR)
def test_one_reading_is_not(text: str) -> None:
    assert not [item for item in document(f"a: [{text}]").problems if item.severity == "warning"]


def test_duplicates_are_reported_with_what_follows_them() -> None:
    text = "a: 1\na: 2\nb: {c: 1, c: 2}\nd: [\n"
    assert problems(document(text)) == [("L004", (2, 1)), ("L004", (3, 11)), ("L003", (4, 5))]


def test_tabs_may_separate() -> None:
    assert document("a:\t1\t# b\nc: [\t2 ]").data == {"a": 1, "c": [2]}


def test_an_escape_in_a_tag_that_is_no_text() -> None:
    assert problems(document("a: !%ED%A0%80 b")) == [("L003", (1, 4))]


def test_places() -> None:
    found = document('a: 1\n"é":\n  - x\n  - {b: 😀, c: 2}\nd: &d [1]\ne: *d\n')
    assert found.keys == {
        ("a",): (1, 1), ("é",): (2, 1), ("é", 0): (3, 5), ("é", 1): (4, 5), ("é", 1, "b"): (4, 6),
        ("é", 1, "c"): (4, 12), ("d",): (5, 1), ("d", 0): (5, 8), ("e",): (6, 1),
    }  # fmt: skip
    assert found.values == {
        (): (1, 1), ("a",): (1, 4), ("é",): (3, 3), ("é", 0): (3, 5), ("é", 1): (4, 5), ("é", 1, "b"): (4, 9),
        ("é", 1, "c"): (4, 15), ("d",): (5, 4), ("d", 0): (5, 8), ("e",): (6, 4),
    }  # fmt: skip
    assert found.value_place(("e", 0)) == (6, 4), "what an alias stands for is where the alias is"


def test_aliases_share_nothing() -> None:
    data = document("a: &x [1]\nb: *x").data
    data["a"].append(2)
    assert data["b"] == [1]


@given(st.text(st.sampled_from("ab1.-:?,[]{}#&*!|>'\"%@` \n\t\r\\~<xué\ufeff\x85\0")))
def test_any_text_is_read_or_refused(text: str) -> None:
    for name in ("c.yaml", "c.json"):
        found = document(text, name)
        assert (found.data is None) <= bool(found.problems)
        lines = [*text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
        for _, place in problems(found):
            if place is not None:
                assert place.line <= len(lines)
                assert place.column <= len(lines[place.line - 1]) + 1


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    found = document(raw)
    assert (found.data is None) <= bool(found.problems)


class TestFiles:
    def refusal(self, path: str | Path) -> str:
        (problem,) = read(str(path)).problems
        assert problem.code == "L001"
        assert problem.place is None
        return problem.message

    def test_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "c.yaml"
        path.write_text("a: 1\n")
        assert read(str(path)).data == {"a": 1}
        assert read(str(path)).file == str(path)

    def test_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "c.yaml").write_text("a: 1\n")
        (tmp_path / "link").symlink_to("c.yaml")
        assert read(str(tmp_path / "link")).data == {"a": 1}

    def test_missing(self, tmp_path: Path) -> None:
        assert "No such file" in self.refusal(tmp_path / "c.yaml")
        assert "Not a directory" in self.refusal(f"{os.devnull}/c.yaml")
        assert "too long" in self.refusal("x" * 5000)
        assert "null" in self.refusal("a\0b")

    def test_directory(self, tmp_path: Path) -> None:
        assert "Is a directory" in self.refusal(tmp_path)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_unreadable(self, tmp_path: Path) -> None:
        path = tmp_path / "c.yaml"
        path.write_text("a: 1\n")
        path.chmod(0)
        assert "Permission denied" in self.refusal(path)

    def test_fifo(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        assert "not a regular file" in self.refusal(tmp_path / "fifo")

    @pytest.mark.parametrize("device", ["/dev/zero", os.devnull])
    def test_device(self, device: str) -> None:
        assert "not a regular file" in self.refusal(device)

    def test_huge(self, tmp_path: Path) -> None:
        path = tmp_path / "c.yaml"
        with path.open("wb") as file:
            file.truncate(1 << 33)
        assert problems(read(str(path))) == [("L008", (1, 1))]

    def test_as_large_as_allowed(self, tmp_path: Path) -> None:
        path = tmp_path / "c.yaml"
        path.write_bytes(b"a: 1\n#".ljust(reader.MAX_BYTES))
        assert read(str(path)).data == {"a": 1}

    def test_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a: 1\nb: ]")))
        found = read("-")
        assert found.file == "<stdin>"
        assert problems(found) == [("L003", (2, 4))]

    def test_closed_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", None)
        assert "standard input is closed" in self.refusal("-")
