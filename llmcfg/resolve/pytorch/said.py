"""What transformers, torch and accelerate say: their loggers, Python's warnings, and the error stream."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llmcfg.resolve.question import Said
from llmcfg.resolve.warned import hear_warnings

SPEAKERS = frozenset({"transformers", "torch", "accelerate", "huggingface_hub", "compressed_tensors"})


class Listener:
    """Collects what is said from now on, each text once; nothing is printed any more.

    A text that names a folder of ours names the model instead.
    """

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.names: dict[str, str] = {}
        self._is_muted = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open to the end of the process
        _say_again()
        os.dup2(self._errors.fileno(), 2)
        _hear_loggers(self.hear)
        hear_warnings(self.hear, place)

    def hear(self, level: str, text: str, where: str) -> None:
        """Note a text, unless this was said before."""
        item = Said(level, self.named(text).strip(), where)
        is_dump = level == "INFO" and "{\n" in text  # a whole config, printed
        if not self._is_muted and item.text and not is_dump and item not in self.said:
            self.said.append(item)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Take no notice of what is said meanwhile: it is none of the config's doing."""
        before, self._is_muted = self._is_muted, True
        try:
            yield
        finally:
            self._is_muted = before

    def close(self) -> list[Said]:
        """Return everything, the error stream at the end."""
        self._errors.seek(0)
        for line in self._errors.read().decode(errors="replace").splitlines():
            self.hear("STDERR", line, "")
        return self.said

    def named(self, text: str) -> str:
        """Return a text with the name of the model in place of our folder."""
        for folder, name in self.names.items():
            text = text.replace(folder, name)
        return text


def _say_again() -> None:
    """Forget what was said once already, before this process was forked."""
    from transformers.utils import logging as of_transformers

    for name in ("warning_once", "info_once"):
        getattr(of_transformers, name).cache_clear()


def _hear_loggers(hear: Any) -> None:
    def handle(logger: logging.Logger, record: logging.LogRecord) -> None:
        if logger.name.partition(".")[0] in SPEAKERS:
            hear(record.levelname, record.getMessage(), _speaker())

    def is_enabled(logger: logging.Logger, level: int) -> bool:
        return level >= logging.INFO and logger.name.partition(".")[0] in SPEAKERS

    logging.Logger.handle = handle  # type: ignore[assignment, method-assign]
    logging.Logger.isEnabledFor = is_enabled  # type: ignore[assignment, method-assign]


def _speaker() -> str:
    """Return the place that spoke: the first one that is neither ours nor a logger's."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.endswith("logging/__init__.py"):
        frame = frame.f_back
    while frame.f_back is not None and frame.f_code.co_filename.endswith(
        ("utils/logging.py", "functools.py")
    ):
        frame = frame.f_back
    return place(frame.f_code.co_filename, frame.f_lineno)


def place(file: str, line: int) -> str:
    """Return a place in a package's source, without the folder that the package is installed in."""
    inside = re.split(r"/(?:site|dist)-packages/|(?=/(?:transformers|torch|accelerate|llmcfg)/)", file)
    return f"{inside[-1].lstrip('/') if len(inside) > 1 else os.path.basename(file)}:{line}"
