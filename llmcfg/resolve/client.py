"""Ask an engine in a process of its own, bounded in time."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from llmcfg.resolve.question import Answer, Engine, Machine, Question, Setup, engine_from_json, from_json

START_SECONDS = 180.0
ANSWER_SECONDS = 120.0


# What the working folder holds must not stand in for modules.
_START = f"""
import sys
sys.path[:] = [*filter(None, sys.path), {str(Path(__file__).parents[2])!r}]
from llmcfg.resolve.worker import main
main()
"""


class EngineFailed(Exception):
    """The engine's process could not be asked; the text says why."""


class EngineTimedOut(EngineFailed):
    """The engine's process did not answer in time."""


class EngineAbsent(EngineFailed):
    """The engine is not installed, or can't be imported."""


_ERROR = re.compile(r"[\w.]+(Error|Exception|Exit|Interrupt)\b")


class EngineProcess:
    """An engine that believes to be on a machine; a context manager, which ends its process.

    ``source`` is a folder with another release of the package, ``resolver`` the module that asks it, by
    default the backend's own. ``engine`` says who answers.
    """

    def __init__(
        self, backend: str, machine: Machine, source: str | None = None, resolver: str | None = None
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="llmcfg-resolve-")
        self._setup = Setup(backend, machine, self._folder.name, source, resolver)

    def __enter__(self) -> EngineProcess:
        ours, theirs = socket.socketpair()
        self._log = open(os.path.join(self._folder.name, "stderr"), "w+b")
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own worker
                [sys.executable, "-c", _START, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        try:
            self._connection.send(self._setup)
            self.engine = self._begin(self._receive(START_SECONDS))
        except BaseException:
            self.__exit__()
            raise
        return self

    def ask(self, question: Question, seconds: float = ANSWER_SECONDS) -> Answer:
        """Return the engine's answer; one that came to its end is a refusal of kind ``Died`` or ``TimedOut``.

        Raises:
            EngineFailed: if the whole process ended.
        """
        self._connection.send((question, seconds))
        return from_json(self._receive(seconds + START_SECONDS))

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()
        self._folder.cleanup()

    def _begin(self, told: Any) -> Engine:
        if "absent" in told:
            raise EngineAbsent(told["absent"])
        return engine_from_json(told["engine"])

    def _receive(self, seconds: float) -> Any:
        try:
            if not self._connection.poll(seconds):
                raise EngineTimedOut(f"no answer within {seconds:g} seconds")
            return json.loads(self._connection.recv_bytes())
        except (EOFError, ConnectionError):
            raise EngineFailed(self._last_words()) from None

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        errors = [line for line in lines if _ERROR.match(line)]
        return (errors or lines or ["the engine's process ended without a word"])[-1]
