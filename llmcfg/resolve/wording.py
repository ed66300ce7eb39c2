"""What engines say, without what validators and loggers wrap around it."""

from __future__ import annotations

import re

from llmcfg.secrets import without_tokens

_HEAD = re.compile(r"\d+ validation errors? for .*")
_FURTHER = re.compile(r"\s*For further information visit .*")
_TAIL = re.compile(r"\s*\[type=\w+, input_value=.*\]$")
_PREFIX = re.compile(r"^(Value|Assertion) (error|failed), ")
_VOLATILE = re.compile(r"0x[0-9a-fA-F]+|\d+(\.\d+)? ?(s|ms|seconds)\b|/tmp/\S+|\bpid[= ]\d+")
_MOST_LINES = 4


def cleaned(text: str) -> str:
    """Return an exception's text as one line: pydantic's head, tail and links are dropped."""
    lines = [line for line in text.strip().splitlines() if not _FURTHER.fullmatch(line)]
    if lines and _HEAD.fullmatch(lines[0]):
        lines = _fields(lines[1:])
    kept = [line for line in map(_bare, lines) if line]
    return without_tokens(" ".join(kept[:_MOST_LINES]))


def steady(text: str) -> str:
    """Return a text that is the same for the same message of another process: no addresses, no times."""
    return _VOLATILE.sub("…", text)


def names(text: str, name: str) -> bool:
    """Tell whether a text speaks of a parameter: its name as a word, or as the flag of a command."""
    flag = re.escape(name.replace("_", "-"))
    return bool(re.search(rf"(?<![\w-])(--)?({re.escape(name)}|{flag})(?![\w-])", text))


def _bare(line: str) -> str:
    return _PREFIX.sub("", _TAIL.sub("", line).strip())


def _fields(lines: list[str]) -> list[str]:
    """Join a field's name, which stands on a line of its own, with what is wrong with it."""
    found: list[str] = []
    field = ""
    for line in lines:
        if line.startswith(" "):
            found.append(f"{field}: {_bare(line)}" if field else _bare(line))
            field = ""
        else:
            field = line.strip()
    return found
