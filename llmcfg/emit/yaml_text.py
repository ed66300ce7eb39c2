"""Write YAML that YAML 1.1 readers (the engines') and YAML 1.2 readers (editors) read alike."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from llmcfg.printable import INVISIBLE

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*")
_UNWRITTEN = re.compile(f"[\x7f-\x9f\u2028\u2029{INVISIBLE}\ufffe\uffff]")
_RESERVED = frozenset((
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", ".nan", ".inf",
))  # fmt: skip
_LOOKS_NUMERIC = re.compile(r"[.]?[0-9].*|[0-9a-fA-F.]*[eE][0-9+-]*")


def yaml_text(mapping: dict[str, Any]) -> str:
    """Write a mapping in block style, nested lists and leaves in flow style."""
    return "".join(_lines(mapping, 0)) or "{}\n"


def _lines(mapping: dict[str, Any], depth: int) -> list[str]:
    lines = []
    for key, value in mapping.items():
        head = f"{'  ' * depth}{_string(str(key))}:"
        if isinstance(value, dict) and value:
            lines += [f"{head}\n", *_lines(value, depth + 1)]
        else:
            lines.append(f"{head} {_flow(value)}\n")
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_string(str(key))}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, float) and math.isfinite(value):
        return _float(value)
    return json.dumps(value)


def _string(value: str) -> str:
    """Leave a text bare only where every reader takes it for a text; JSON's quotes are YAML's."""
    bare = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED and not _LOOKS_NUMERIC.fullmatch(value)
    return value if bare else _quoted(value)


def _quoted(value: str) -> str:
    """Quote a text; characters beyond the basic plane stand as they are: escapes would split them."""
    return _UNWRITTEN.sub(_escape, json.dumps(value, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _float(value: float) -> str:
    """Write a float so that YAML 1.1 sees one too: 1e-05 needs a point."""
    text = repr(value)
    mantissa, exponent, power = text.partition("e")
    if exponent and "." not in mantissa:
        mantissa += ".0"
    if exponent and power[0] not in "+-":
        power = f"+{power}"
    return f"{mantissa}{exponent}{power}"
