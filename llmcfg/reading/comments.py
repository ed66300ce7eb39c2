"""Comments that are glued to what stands before them: libyaml takes them, other readers do not."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_GLUED = re.compile(r"""(?<=['"\[\]{},])#""")


def glued_comment(text: str) -> int | None:
    """Return the index of the first comment without a blank before it, in a text that libyaml can read."""
    found = [match.start() for match in _GLUED.finditer(text)]
    if not found:
        return None
    spans = [(token.start_mark.index, token.end_mark.index) for token in yaml.scan(text, _Loader)]
    starts = [start for start, _ in spans]
    for index in found:
        before = bisect_right(starts, index) - 1
        if before < 0 or index >= spans[before][1]:
            return index
    return None
