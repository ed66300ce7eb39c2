"""The contract of ``tests/fuzz`` on input that hypothesis makes up; ``make fuzz`` goes further."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmcfg.reading.reader import parse
from tests.fuzz.contract import holds

yaml12 = pytest.importorskip("yaml12", reason="the second opinion is a reader of YAML 1.2 (py-yaml12)")

ROOT = Path(__file__).parents[1]
SEEDS = [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.yaml"))]
SOME = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))

TOKENS = st.sampled_from([
    "a", "b", "model", "vllm", "engine", "extra", "pytorch", "seed", "1", "1.5", "1e-3", "007", ".nan",
    "yes", "~",
    "true", "2001-01-01", "1_0", "'x'", '"y"', '"\\u200b"', "- ", "? ", ": ", ":", ",", "[", "]", "{",
    "}", "&a ",
    "*a", "!t ", "!!str ", "|\n  z\n", ">-\n    z\n", "# c", "\n", "\n  ", "\n    ", "\n\t", " ",
    "---\n", "...\n", "%YAML 1.2\n",
    "<<: ", "\ufeff", "\xa0", "é", "\u202e", "\r", "\r\n", "=", "\\", "\x00", "\u0432llm",
])  # fmt: skip


@SOME
@given(st.binary(max_size=400))
def test_any_bytes(raw: bytes) -> None:
    holds(raw)


@SOME
@given(st.text(max_size=400))
def test_any_text(text: str) -> None:
    holds(text.encode("utf-8", "surrogatepass"))


@SOME
@given(st.lists(TOKENS, max_size=40).map("".join))
def test_text_that_is_almost_yaml(text: str) -> None:
    holds(text.encode())
    holds(f"model: m\nvllm:\n  engine:\n    {text}".encode())
    holds(f"model: m\nvllm: {{engine: {{extra: {{a: {text}}}}}}}".encode())


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_damaged_examples(number: int) -> None:
    random = Random(number)  # noqa: S311
    for _ in range(12):
        raw = bytearray(SEEDS[number])
        for _ in range(random.randint(1, 3)):
            damage(raw, random)
        holds(bytes(raw))


def damage(raw: bytearray, random: Random) -> None:
    """Flip a bit, or delete, repeat or move a part."""
    start = random.randrange(len(raw))
    end = min(len(raw), start + random.choice((1, 2, 8, 64)))
    part = raw[start:end]
    kind = random.randrange(5)
    if kind == 0:
        raw[start] ^= 1 << random.randrange(8)
    elif kind == 1:
        del raw[start:end]
        raw += b"#"
    elif kind == 2:
        raw[start:start] = part
    elif kind == 3:
        place = random.randrange(len(raw))
        raw[place:place] = part
    else:
        raw[start:start] = random.choice(
            (b"\n", b"\t", b"'", b'"', b"\xff", b"\xe2\x80\xae", b"*a", b"- ", b"]", b"{")
        )


@SOME
@given(st.lists(TOKENS, max_size=30).map("".join))
def test_what_is_accepted_means_the_same_to_others(text: str) -> None:
    """A reader of YAML 1.2 sees the same data; PyYAML too, or a warning says where it does not."""
    # py-yaml12 0.2.0 reads these, and a block at whose end no line ends, in its own way
    text = text.replace("\xa0", "").replace("\ufeff", "").rstrip(" ") + "\n"
    found = parse(text.encode(), "c.yaml")
    if found.data is None or any(item.severity == "error" for item in found.problems):
        return
    assert typed(found.data) == typed(yaml12.parse_yaml(text)), text
    if not found.problems and not has_exponent(text):
        assert typed(found.data) == typed(yaml.load(text, yaml.CSafeLoader)), text


def has_exponent(text: str) -> bool:
    """Numbers like 1e-3 and 0o17 are texts to PyYAML alone: nobody means that."""
    return "e-3" in text


def typed(value: Any) -> Any:
    """Make 1, 1.0 and True three values; keys are texts here, and integers elsewhere."""
    if isinstance(value, dict):
        return {str(key): typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return (type(value).__name__, value)
