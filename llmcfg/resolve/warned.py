"""Python's warnings, while an engine's code resolves a config."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

Hear = Callable[[str, str, str], None]
"""Takes a level, a text and a place."""


def hear_warnings(hear: Hear, place: Callable[[str, int], str]) -> None:
    """Hand over every warning from now on; ``place`` writes where it comes from."""

    def show(message: Any, category: type, filename: str, lineno: int, *_: Any) -> None:
        hear("WARNING", str(message), place(filename, lineno))

    warnings.showwarning = show  # type: ignore[assignment]
    for kind in (UserWarning, FutureWarning):
        warnings.simplefilter("always", kind)
