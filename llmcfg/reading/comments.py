"""Comments that are glued to what stands before them: libyaml takes them, other readers do not."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import yaml

from llmcfg.reading.builder import LOADER


def glued_comment(text: str, suspects: Iterable[int]) -> int | None:
    """Return the first of the indexes of ``#`` at which a comment starts, in a text that libyaml can read."""
    spans = [(token.start_mark.index, token.end_mark.index) for token in yaml.scan(text, LOADER)]
    starts = [start for start, _ in spans]
    for index in suspects:
        before = bisect_right(starts, index) - 1
        if before < 0 or index >= spans[before][1]:
            return index
    return None
