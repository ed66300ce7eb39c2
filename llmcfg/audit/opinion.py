"""What llmcfg itself says of a trial on a device: its warnings and errors."""

from __future__ import annotations

from typing import NamedTuple

from llmcfg.audit.trial import Trial
from llmcfg.diagnostics import ERROR, INFO
from llmcfg.document import Document
from llmcfg.pipeline import Request, run

TAKEN, WARNED, REFUSED = "taken", "warned", "refused"
_EXTRAPOLATED = "L403"


class Opinion(NamedTuple):
    """Whether llmcfg takes, warns of or refuses a config; ``codes`` like ``L301`` and ``L201:<rule>``."""

    verdict: str
    codes: tuple[str, ...]


def opinion(trial: Trial, device: str, version: str) -> Opinion:
    """Return what llmcfg says of a trial's config for a device and a release of the engine."""
    result = run(Document(trial.document), Request(trial.backend, device, version))
    told = [item for item in result.diagnostics if item.severity != INFO and item.code != _EXTRAPOLATED]
    codes = dict.fromkeys(f"{item.code}:{item.rule}" if item.rule else item.code for item in told)
    worst = REFUSED if any(item.severity == ERROR for item in told) else WARNED if told else TAKEN
    return Opinion(worst, tuple(codes))
