"""Answer in a forked child: whatever it changes in the process is gone afterwards."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable


class Died(Exception):
    """The child ended without an answer."""


class TimedOut(Died):
    """The child ran past its time."""


def forked(work: Callable[[], bytes], seconds: float) -> bytes:
    """Return what ``work`` returns, from a child with a process group of its own, which is then killed.

    Raises:
        Died: if there is no answer in time.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(writing, work)
    os.close(writing)
    try:
        return _read(reading, seconds)
    finally:
        os.close(reading)
        _end(child)


def _work(writing: int, work: Callable[[], bytes]) -> None:
    try:
        os.setpgid(0, 0)
        data = work()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(0)


def _read(reading: int, seconds: float) -> bytes:
    parts = []
    end = time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            raise TimedOut(f"no answer within {seconds:g} seconds")
        part = os.read(reading, 1 << 20)
        if not part:
            break
        parts.append(part)
    if not parts:
        raise Died("the process ended without an answer")
    return b"".join(parts)


def _end(child: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue
    os.waitpid(child, 0)
