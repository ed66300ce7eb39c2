"""A file of results that grows while a campaign runs, and is valid whenever that is killed."""

from __future__ import annotations

import os
from threading import Lock
from typing import Any

from llmcfg.audit.results import Encoder, Json, Results, read
from llmcfg.errors import UserError


class Journal:
    """Appends whole lines; a context manager, for several threads.

    ``known`` is what the file held before; an unfinished last line of it is cut off.
    """

    def __init__(self, path: str, resume: bool) -> None:
        self._path = path
        self._lock = Lock()
        self.known = read(path) if resume and os.path.exists(path) else Results([], {}, {})
        self._resumes = resume

    def __enter__(self) -> Journal:
        try:
            self._file = open(self._path, "r+b" if self.known.campaigns else "wb", buffering=0)
            self._to_end_of_last_line()
        except OSError as error:
            raise UserError(f"cannot write {self._path}: {error.strerror or error}") from None
        self._encoder = Encoder(self._append, self.known.next_number)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def campaign(self, about: Json) -> None:
        """Begin a campaign."""
        with self._lock:
            self._encoder.campaign(about)

    def device(self, name: str, about: Json) -> None:
        """Describe a device that answers."""
        with self._lock:
            self._encoder.device(name, about)

    def record(self, record: Json) -> None:
        """Add a record."""
        with self._lock:
            self._encoder.record(record)

    def _append(self, line: str) -> Any:
        data = line.encode()
        while data:
            data = data[self._file.write(data) :]

    def _to_end_of_last_line(self) -> None:
        if self.known.campaigns:
            content = self._file.read()
            self._file.truncate(content.rfind(b"\n") + 1)
            self._file.seek(0, os.SEEK_END)
