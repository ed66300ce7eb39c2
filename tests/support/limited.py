"""Run the command line as a process of its own that may use only so much time and memory."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmcfg.printable import INVISIBLE, SPACES

ROOT = Path(__file__).parents[2]
MEMORY = 1 << 30
SECONDS = 20
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
UNSAFE = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{SPACES}\u2028\u2029{INVISIBLE}]")
"""What must not reach a terminal."""


def llmcfg(
    *words: str | bytes, seconds: int = SECONDS, prepare: Callable[[], Any] = lambda: None, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run one command; one that takes more processor time than ``seconds`` is ended by the system."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        prepare()

    path = os.pathsep.join((str(ROOT), str(ROOT / "generated")))
    environment = {**os.environ, "PYTHONPATH": path, **options.pop("env", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
    return subprocess.run(
        [sys.executable, "-m", "llmcfg", *words],
        env=environment,
        preexec_fn=limit,
        timeout=6 * seconds,
        **options,
    )


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return what the command said, after making sure that it ended well and a terminal can show it."""
    text = _COLOUR.sub("", (done.stdout or b"").decode() + (done.stderr or b"").decode())
    assert done.returncode in (0, 1, 2), text[-2000:]
    assert "Traceback" not in text
    assert not UNSAFE.search(text), ascii(text)[:2000]
    return text
