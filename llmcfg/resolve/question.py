"""What is asked of an engine, and what it answered: plain data that crosses a process boundary."""

from __future__ import annotations

from typing import Any, NamedTuple

Json = dict[str, Any]


class Machine(NamedTuple):
    """The machine that the engine shall believe to be on.

    ``gpu`` is a name of the table of GPUs, ``none`` for the CPU; None is the machine that is there.
    ``cards`` is the number of GPUs. ``packages`` are those that a virtual machine has besides the engine and
    what comes with it (``flash-attn``, ``bitsandbytes==0.49.0``).
    """

    gpu: str | None = None
    cards: int = 1
    packages: tuple[str, ...] = ()


class Model(NamedTuple):
    """What of the model is known: its name, and the ``config.json`` to take for it (None: look for it).

    ``kind`` is the stand-in, of ``audit/models.json``, for a model that is nowhere to be found.
    """

    name: str
    config: str | None = None
    kind: str = "dense"


class Setup(NamedTuple):
    """What a worker is told before it imports the engine.

    ``source`` is a folder with another release of the engine's package, to be asked instead of the
    installed one; ``folder`` is the worker's own, for stand-ins and caches. ``resolver`` is the module
    that asks the engine, by default the backend's own.
    """

    backend: str
    machine: Machine
    folder: str
    source: str | None = None
    resolver: str | None = None


class Question(NamedTuple):
    """One native config, with the environment to set before it is built.

    ``is_served``: the engine answers requests as a server; otherwise a script calls it. Engines take other
    defaults for the two. ``with_choices``: tell also what the engine chose by itself.
    """

    native: dict[str, Json]
    env: dict[str, str]
    model: Model
    is_served: bool = True
    with_choices: bool = True


class Assumption(NamedTuple):
    """An answer that the virtual machine gave in place of hardware or a compiled kernel."""

    question: str
    answer: Any
    source: str


class Engine(NamedTuple):
    """What answers: the engine's package and version, its platform, and the device in words.

    ``assumed`` is what it took on trust while it was imported; ``unknown`` what nobody could answer then.
    """

    package: str
    version: str
    platform: str
    device: str
    packages: dict[str, str] = {}
    assumed: tuple[Assumption, ...] = ()
    unknown: tuple[str, ...] = ()


class Refusal(NamedTuple):
    """Why the engine takes the config no further.

    ``where`` is the place in the engine's code (``vllm/config/model.py:verify``); ``kind`` the exception.
    """

    kind: str
    text: str
    where: str = ""

    @property
    def is_end(self) -> bool:
        """Tell whether the engine came to its end, or was ended, instead of answering."""
        return self.kind in (DIED, TIMED_OUT)


DIED, TIMED_OUT = "Died", "TimedOut"


class Said(NamedTuple):
    """Something that the engine logged or warned."""

    level: str
    text: str
    where: str = ""


class Held(NamedTuple):
    """What became of a value: where the engine holds it (dotted), and what it holds there."""

    place: str
    value: Any


class Choice(NamedTuple):
    """Something that the engine chose by itself.

    ``against`` gives its reasons against the alternatives; ``because`` what it says for this one.
    """

    topic: str
    value: Any
    because: tuple[str, ...] = ()
    against: dict[str, str] = {}


class Answer(NamedTuple):
    """How far the engine came with a config, and what it made of it.

    ``stage`` is the last step that was done: "nothing", "constructed", "resolved", "accepted" (a request
    too), or "built" (the layers of the model).
    ``held`` is keyed by the dotted native path of each value that was asked for
    (``EngineArgs.compilation_config.mode``); a value whose place is not known is left out.
    ``unknown`` names what the engine asked on the way of a machine that is not there, and nobody can answer:
    such an answer is no pass. A choice that nobody can foresee has the value None, and says so itself.
    """

    stage: str
    refusal: Refusal | None = None
    said: tuple[Said, ...] = ()
    held: dict[str, Held] = {}
    chosen: tuple[Choice, ...] = ()
    assumed: tuple[Assumption, ...] = ()
    unknown: tuple[str, ...] = ()
    model: str = ""


def engine_as_json(engine: Engine) -> Json:
    """Return what answers as JSON data."""
    return {
        **engine._asdict(),
        "assumed": [item._asdict() for item in engine.assumed],
        "unknown": list(engine.unknown),
    }


def engine_from_json(data: Json) -> Engine:
    """Read the data of `engine_as_json`."""
    assumed = tuple(Assumption(**item) for item in data["assumed"])
    return Engine(**{**data, "assumed": assumed, "unknown": tuple(data["unknown"])})


def as_json(answer: Answer) -> Json:
    """Return an answer as JSON data."""
    return {
        "stage": answer.stage,
        "refusal": answer.refusal._asdict() if answer.refusal else None,
        "said": [item._asdict() for item in answer.said],
        "held": {key: item._asdict() for key, item in answer.held.items()},
        "chosen": [item._asdict() for item in answer.chosen],
        "assumed": [item._asdict() for item in answer.assumed],
        "unknown": list(answer.unknown),
        "model": answer.model,
    }


def from_json(data: Json) -> Answer:
    """Read the data of `as_json`."""
    refusal = data["refusal"]
    return Answer(
        data["stage"],
        Refusal(**refusal) if refusal else None,
        tuple(Said(**item) for item in data["said"]),
        {key: Held(**item) for key, item in data["held"].items()},
        tuple(Choice(**{**item, "because": tuple(item["because"])}) for item in data["chosen"]),
        tuple(Assumption(**item) for item in data["assumed"]),
        tuple(data["unknown"]),
        data["model"],
    )
