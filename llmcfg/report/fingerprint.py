"""What tells a finding from others when lines move: GitHub's hash of a line, and one of the parameter."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Collection

from llmcfg.diagnostics import Diagnostic, dotted

_BLOCK, _FACTOR, _MASK = 100, 37, (1 << 64) - 1
_END = 0xFFFF


def line_hashes(text: str, wanted: Collection[int]) -> dict[int, str]:
    """Return for each wanted line what code scanning computes of it (``primaryLocationLineHash``).

    It hashes the hundred UTF-16 units that follow the line's start, blanks left out, and counts the lines
    before that have the same hash. An upload with other values would be warned about.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
    units = array("H", text.encode("utf-16-le", "surrogatepass"))
    units.extend((_END, *(0,) * _BLOCK))
    starts = [0, *(index + 1 for index, unit in enumerate(units) if unit == 10)]
    seen: Counter[bytes] = Counter()
    hashes = {}
    for number, start in enumerate(starts, 1):
        block = units[start : start + _BLOCK]
        seen[key := block.tobytes()] += 1
        if number in wanted:
            hashes[number] = f"{_rolling(block):x}:{seen[key]}"
    return hashes


def _rolling(block: array[int]) -> int:
    total = 0
    for unit in block:
        total = (total * _FACTOR + unit) & _MASK
    return total


def parameter_hash(item: Diagnostic, seen: Counter[str]) -> str:
    """Return a hash of code, rule and path, with the number of those before that have the same."""
    identity = "\0".join((item.code, item.rule or "", dotted(item.path)))
    seen[identity] += 1
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digest[:32]}:{seen[identity]}"
