"""A file that was checked: what every report is made from."""

from __future__ import annotations

from typing import NamedTuple

from llmcfg.diagnostics import ERROR, INFO, WARNING, Diagnostic
from llmcfg.document import Document

OK, REFUSED, UNREADABLE = "ok", "refused", "unreadable"
STATUSES = (OK, REFUSED, UNREADABLE)
"""What became of a file; the index is the exit status."""
SEVERITIES = (ERROR, WARNING, INFO)
_UNUSABLE = frozenset(("L001", "L405"))
"""Codes of what the call, not the config, has wrong."""


class Checked(NamedTuple):
    """A document and everything that was found in it."""

    document: Document
    diagnostics: list[Diagnostic]
    strict: bool = False

    @property
    def file(self) -> str:
        """Return the name under which the file is reported."""
        return self.document.file or "<config>"

    @property
    def status(self) -> str:
        """Return what became of the file; with ``strict``, warnings refuse it, too."""
        if any(item.code in _UNUSABLE for item in self.diagnostics):
            return UNREADABLE
        refusing = (ERROR, WARNING) if self.strict else (ERROR,)
        return REFUSED if any(item.severity in refusing for item in self.diagnostics) else OK

    def count(self, severity: str) -> int:
        """Return the number of diagnostics of a severity."""
        return sum(item.severity == severity for item in self.diagnostics)


def exit_status(checked: Checked) -> int:
    """Return the exit status of a run over this file alone: 2 unreadable, 1 refused, 0 clean."""
    return STATUSES.index(checked.status)
