"""Write results: to standard output, or into a file that is never left half-written."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import TextIO

from llmcfg.errors import UserError

_DEVICES = ("/dev/", "/proc/")


class Closed(io.StringIO):
    """Stands for a standard output that was closed at the start: who writes a result to it is told."""

    def write(self, _: str) -> int:
        """Refuse.

        Raises:
            UserError: always.
        """
        raise UserError("cannot write the result: standard output is closed")


def deliver(text: str, output: str | None) -> None:
    """Write ``text`` to the file ``output``, or to standard output where there is none.

    Raises:
        UserError: if it cannot be written; a file that was there before is as it was.
    """
    if output is None:
        put(text)
        return
    try:
        write_whole(output, text)
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror or error}") from None


def keep_apart(output: str | None, source: str) -> None:
    """Refuse to write the result over the file that it is made from.

    Raises:
        UserError: if both are the same file.
    """
    both_exist = output is not None and os.path.exists(output) and os.path.exists(source)
    if output is not None and both_exist and os.path.samefile(output, source):
        raise UserError(f"{output} is the config itself; name another file for the result")


def put(text: str) -> None:
    """Write to standard output, as UTF-8 where the terminal's encoding lacks a character.

    Nobody reading on is no failure: the exit status stays that of the work.

    Raises:
        UserError: if standard output is closed, or its disk is full.
    """
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        raise UserError(f"cannot write the result: {error.strerror or error}") from None


def tell(text: str) -> None:
    """Write to people, on standard error; where that is closed or full, nobody can be told."""
    if sys.stderr is None:
        return
    try:
        _write(sys.stderr, text)
    except OSError:
        _silence(sys.stderr)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:
        stream.flush()
        stream.buffer.write(text.encode("utf-8", "backslashreplace"))
    stream.flush()


def _silence(stream: TextIO) -> None:
    """Let what is left in the stream's buffer go nowhere, so that flushing it again does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def write_whole(path: str, text: str) -> None:
    """Write the file beside its place and move it there, so that a reader sees all of it or nothing.

    Links stay links, and the file keeps its mode and its owner; devices are written to as they are.

    Raises:
        OSError: if the folder is missing, not writable, or the disk is full.
    """
    if not os.path.basename(path):
        number = errno.EISDIR if path else errno.ENOENT
        raise OSError(number, os.strerror(number))
    if _is_device(path):
        with open(path, "a", encoding="utf-8") as device:  # /dev/stdout may be a file that holds something
            device.write(text)
        return
    target = os.path.realpath(path)
    _replace(target, text, _state(target))


def _is_device(path: str) -> bool:
    return os.path.abspath(path).startswith(_DEVICES) or (os.path.exists(path) and not os.path.isfile(path))


def _replace(target: str, text: str, before: os.stat_result | None) -> None:
    import tempfile

    descriptor, temporary = tempfile.mkstemp(prefix=".llmcfg-", dir=os.path.dirname(target))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        if before is not None and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(PermissionError):
                os.chown(temporary, before.st_uid, before.st_gid)
        os.chmod(temporary, _new_mode() if before is None else before.st_mode & 0o777)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _state(target: str) -> os.stat_result | None:
    """Return what is known of the file, or None for a new one; a file that is read-only stays as it is."""
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return None
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return found


def _new_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
