"""Write results: to standard output, or into a file that is never left half-written."""

from __future__ import annotations

import os
import sys

from llmcfg.errors import UserError


def deliver(text: str, output: str | None) -> None:
    """Write ``text`` to the file ``output``, or to standard output where there is none."""
    if output is None:
        if sys.stdout is None:
            raise UserError("cannot write the result: standard output is closed")
        sys.stdout.write(text)
        return
    try:
        write_whole(output, text)
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror or error}") from None


def write_whole(path: str, text: str) -> None:
    """Write the file beside its place and move it there, so that a reader sees all of it or nothing.

    Raises:
        OSError: if the folder is missing, not writable, or the disk is full.
    """
    import tempfile

    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w", encoding="utf-8") as device:
            device.write(text)
        return
    target = os.path.realpath(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".llmcfg-", dir=os.path.dirname(target))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(target: str) -> int:
    try:
        return os.stat(target).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
