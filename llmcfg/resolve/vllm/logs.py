"""What vLLM, and the libraries that it asks, say while they resolve a config."""

from __future__ import annotations

import logging
import re
import warnings
from typing import Any

from llmcfg.resolve.question import Said
from llmcfg.resolve.warned import hear_warnings

SPEAKERS = {
    "vllm": logging.INFO,
    "transformers": logging.WARNING,
    "torch": logging.WARNING,
    "huggingface_hub": logging.WARNING,
    "compressed_tensors": logging.WARNING,
}
"""From which level on a package is listened to: what others tell at INFO is not about decisions."""
_ONCE = ("_print_debug_once", "_print_info_once", "_print_warning_once", "_print_error_once")


def listen() -> list[Said]:
    """Return a list that fills with what is said from now on, each text once; nothing is printed any more.

    The levels that the user set decide what is printed, not what is collected here.
    """
    said: list[Said] = []

    def hear(level: str, text: str, where: str) -> None:
        if (item := Said(level, text.strip(), where)) not in said:
            said.append(item)

    _say_again()
    _hear_loggers(hear)
    hear_warnings(hear, place)
    warnings.filterwarnings("always", category=DeprecationWarning, module="vllm")
    return said


def _say_again() -> None:
    """Forget what was said once already, before this process was forked."""
    import transformers.utils.logging as of_transformers
    import vllm.logger

    for name in _ONCE:
        getattr(vllm.logger, name).cache_clear()
    for name in ("warning_once", "info_once"):
        getattr(of_transformers, name).cache_clear()


def _hear_loggers(hear: Any) -> None:
    def handle(logger: logging.Logger, record: logging.LogRecord) -> None:
        if is_enabled(logger, record.levelno):
            hear(record.levelname, record.getMessage(), place(record.pathname, record.lineno))

    def is_enabled(logger: logging.Logger, level: int) -> bool:
        return level >= SPEAKERS.get(logger.name.partition(".")[0], logging.CRITICAL + 1)

    logging.Logger.handle = handle  # type: ignore[assignment, method-assign]
    logging.Logger.isEnabledFor = is_enabled  # type: ignore[assignment, method-assign]


def place(file: str, line: int) -> str:
    """Return a place in a package's source without the folder that it is installed in."""
    inside = re.split(r"/(?:site|dist)-packages/|(?=/vllm/)", file.replace("\\", "/"))[-1]
    return f"{inside.lstrip('/')}:{line}"
