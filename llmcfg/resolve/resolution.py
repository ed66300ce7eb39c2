"""What an engine makes of a config: for each parameter that was written, and as a whole."""

from __future__ import annotations

from typing import Any, NamedTuple

from llmcfg.diagnostics import Diagnostic, Path, Place, dotted
from llmcfg.resolve.question import Assumption, Choice, Engine, Machine, Refusal, Said

AS_ASKED, ALTERED, FILLED_IN = "as asked", "altered", "filled in"
UNKNOWN, REFUSED, NOT_REACHED = "unknown", "refused", "not reached"
"""What became of a parameter: ``unknown`` where nobody knows the place that holds it, ``not reached``
where the engine did not come that far."""

RESOLVED, FAILED = "resolved", "failed"
"""What became of a config, beside ``refused`` and ``unknown``; it failed where there is no answer."""


class Reason(NamedTuple):
    """Why a value is another than the asked one; ``source`` is who says so."""

    text: str
    source: str


class Parameter(NamedTuple):
    """A parameter that the user wrote.

    ``held`` is where the engine holds ``got``; ``because`` are other parameters without which the engine
    would hold what was asked.
    """

    path: Path
    native: tuple[str, ...] | None
    place: Place | None
    asked: Any
    got: Any
    held: str | None
    status: str
    why: tuple[Reason, ...] = ()
    because: tuple[Path, ...] = ()


class Refused(NamedTuple):
    """A refusal and the parameters that it is about.

    ``heals`` tells that the engine accepts the config without any one of them, or, where they act
    ``together``, without all of them. ``without`` marks a refusal that only shows once these are left out.
    """

    refusal: Refusal
    culprits: tuple[Path, ...] = ()
    heals: bool = False
    together: bool = False
    without: tuple[Path, ...] = ()


class Message(NamedTuple):
    """What the engine said, and the parameters without which it would not.

    ``always`` marks what it says of a config with nothing but the model too.
    """

    said: Said
    parameters: tuple[Path, ...] = ()
    always: bool = False


class Open(NamedTuple):
    """A question of the engine that nobody could answer, and the parameters without which it is not asked."""

    question: str
    parameters: tuple[Path, ...] = ()


class Resolution(NamedTuple):
    """The whole result for one backend.

    ``version`` is the release that the config was compiled for. ``questions`` counts the answers that
    the result rests on; ``is_cut`` tells that time or number of questions did not suffice to attribute
    everything. ``engine`` is None where it could not be asked.
    """

    backend: str
    version: str
    model: str
    machine: Machine
    engine: Engine | None
    is_engine: bool
    stage: str = "nothing"
    model_note: str = ""
    parameters: tuple[Parameter, ...] = ()
    choices: tuple[Choice, ...] = ()
    refused: tuple[Refused, ...] = ()
    messages: tuple[Message, ...] = ()
    assumed: tuple[Assumption, ...] = ()
    unknown: tuple[Open, ...] = ()
    questions: int = 0
    is_cut: bool = False
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def status(self) -> str:
        """Return what became of the config."""
        if self.engine is None or any(item.refusal.is_end for item in self.refused[:1]):
            return FAILED
        if self.refused:
            return REFUSED
        return UNKNOWN if self.unknown else RESOLVED

    @property
    def is_virtual(self) -> bool:
        """Tell whether the GPUs are only believed to be there."""
        return self.machine.gpu not in (None, "none")

    @property
    def has_stand_in(self) -> bool:
        """Tell whether another model's shape was taken in place of the model's own."""
        return STAND_IN in self.model_note


STAND_IN = "stand-in"


def as_json(item: Resolution) -> dict[str, Any]:
    """Return a result as JSON data, the form of ``resolve --format json``, without its diagnostics."""
    return {
        "backend": item.backend,
        "version": item.version,
        "status": item.status,
        "stage": item.stage,
        "answered_by": _engine(item),
        "machine": _machine(item),
        "model": {"name": item.model, "note": item.model_note, "stand_in": item.has_stand_in},
        "parameters": [_parameter(found) for found in item.parameters],
        "choices": [{**found._asdict(), "because": list(found.because)} for found in item.choices],
        "refusals": [_refused(found) for found in item.refused],
        "messages": [
            {**found.said._asdict(), "parameters": _paths(found.parameters), "always": found.always}
            for found in item.messages
        ],
        "assumed": [found._asdict() for found in item.assumed],
        "unknown": [
            {"question": found.question, "parameters": _paths(found.parameters)} for found in item.unknown
        ],
        "questions": item.questions,
        "cut_short": item.is_cut,
    }


def _machine(item: Resolution) -> dict[str, Any]:
    gpu, number, packages = item.machine
    return {"gpu": gpu, "count": number, "packages": list(packages), "virtual": item.is_virtual}


def _engine(item: Resolution) -> dict[str, Any] | None:
    if item.engine is None:
        return None
    return {"kind": "engine" if item.is_engine else "rules", **item.engine._asdict()}


def _parameter(item: Parameter) -> dict[str, Any]:
    return {
        "path": dotted(item.path),
        "native": ".".join(item.native) if item.native else None,
        "line": item.place.line if item.place else None,
        "column": item.place.column if item.place else None,
        "status": item.status,
        "asked": item.asked,
        "got": item.got,
        "held": item.held,
        "why": [reason._asdict() for reason in item.why],
        "because": _paths(item.because),
    }


def _refused(item: Refused) -> dict[str, Any]:
    return {
        **item.refusal._asdict(),
        "parameters": _paths(item.culprits),
        "heals": item.heals,
        "together": item.together,
        "without": _paths(item.without),
    }


def _paths(paths: tuple[Path, ...]) -> list[str]:
    return [dotted(path) for path in paths]
