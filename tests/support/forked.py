"""Run a function in a forked child: whatever it changes in the process is gone afterwards."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from typing import Any

from llmcfg.resolve.fork import Died as Crashed
from llmcfg.resolve.fork import forked as answered

__all__ = ["Crashed", "forked"]


def forked(function: Callable[..., Any], *arguments: Any, seconds: float = 30.0) -> Any:
    """Return what ``function`` returns, from a child process that prints nothing.

    Raises:
        Crashed: if the child ends without an answer, or runs past its time.
    """

    def work() -> bytes:
        _be_silent()
        return pickle.dumps(function(*arguments))

    return pickle.loads(answered(work, seconds))  # noqa: S301 - what our own child wrote


def _be_silent() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno() if hasattr(sys.stdout, "fileno") else 1)
