"""Answers about TensorRT-LLM configs: from rules read in its sources, not from the engine."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from llmcfg.lower import ENV
from llmcfg.resolve.question import (
    Answer,
    Assumption,
    Choice,
    Engine,
    Held,
    Machine,
    Question,
    Refusal,
    Said,
)
from llmcfg.resolve.tensorrt_llm.conditions import holds
from llmcfg.resolve.tensorrt_llm.course import Course, Taken
from llmcfg.resolve.tensorrt_llm.facts import gpu, known, machine_facts, model_facts
from llmcfg.resolve.tensorrt_llm.state import ABSENT, State, lookup
from llmcfg.resolve.tensorrt_llm.table import BACKEND, VERSION, Topic, table, topics

_RELEASE = f"{BACKEND} {VERSION} "
_REACHED = {"arguments": "nothing", "start": "constructed", "build": "constructed"}
_GPUS = "the table of GPUs"
_HERE = "which GPU this machine has"


def engine(machine: Machine) -> Engine:
    """Return who answers: rules of one release, for a device."""
    card = gpu(machine)
    title = card.title if card else "the GPU of this machine, which cannot be asked"
    return Engine(BACKEND, VERSION, "rules", title)


def answer(question: Question, machine: Machine) -> Answer:
    """Return what the rules make of a config.

    A rule that changes an asked value without the engine saying so is said as ``info``, to name the reason.
    """
    try:
        model = known(question.model)
    except ValueError as error:
        return Answer("nothing", Refusal("ValueError", str(error)))
    facts = {"machine": machine_facts(machine), "model": model_facts(model.config)}
    native = copy.deepcopy({name: dict(given) for name, given in question.native.items()})
    course = Course(State(native, dict(question.env), facts)).run()
    return Answer(
        _REACHED[course.refused.step.stage] if course.refused else "accepted",
        _refusal(course),
        tuple(_said(course)),
        dict(_held(course)),
        tuple(_chosen(course)) if question.with_choices else (),
        tuple(_assumed(course, machine)),
        (*([] if facts["machine"] else [_HERE]), *course.unknown, *_unsettled(course)),
        model.note,
    )


def _refusal(course: Course) -> Refusal | None:
    if course.refused is None:
        return None
    return Refusal(course.refused.step.effect["refuse"], course.refused.text, _where(course.refused))


def _said(course: Course) -> Iterator[Said]:
    asked = set(course.asked())
    for taken in course.taken:
        level = _level(taken, not asked.isdisjoint(taken.paths))
        if level:
            yield Said(level, taken.text, _where(taken))


def _level(taken: Taken, is_about_asked: bool) -> str | None:
    """Return the level of what is said; what is said of defaults in every run is no warning."""
    effect = taken.step.effect
    if effect.get("usual") and not is_about_asked:
        return "info"
    return effect.get("log") or ("info" if is_about_asked else None)


def _held(course: Course) -> Iterator[tuple[str, Held]]:
    """Yield what became of each value that was asked for, as far as the engine has a place for it."""
    places = table()["places"]
    if course.refused:
        return
    for path in course.asked():
        name, _, rest = path.partition(".")
        if name not in course.state.data or name not in places or path in course.unsettled:
            continue
        found = lookup(course.state.data, path)
        yield path, Held(f"{places[name]}.{rest}", None if found is ABSENT else found)
    for name, text in course.state.data[ENV].items():
        yield f"{ENV}.{name}", Held(f"os.environ.{name}", text)


def _unsettled(course: Course) -> Iterator[str]:
    for path in course.asked():
        if path in course.unsettled:
            yield f"what {path} becomes"


def _chosen(course: Course) -> Iterator[Choice]:
    for topic in () if course.refused else topics():
        found = ABSENT if topic.path in course.unsettled else lookup(course.state.data, topic.path)
        if found is not ABSENT and holds(topic.condition, course.state):
            yield Choice(topic.name, found, tuple(_because(topic, course)))


def _because(topic: Topic, course: Course) -> Iterator[str]:
    changes = [taken.text for taken in course.taken if topic.path in taken.paths]
    is_asked = lookup(course.state.data["asked"], topic.path) is not ABSENT
    yield from changes or ["As asked." if is_asked else f"The default of {VERSION}."]


def _assumed(course: Course, machine: Machine) -> Iterator[Assumption]:
    """Yield the facts of the device that were looked at, and the rules that other copies stand for."""
    for fact, found in course.state.data["machine"].items():
        if f"machine.{fact}" in course.state.looked_at:
            yield Assumption(f"machine.{fact} of {machine.gpu or 'this machine'}", found, _GPUS)
    for taken in course.taken:
        copies = [source for source in taken.step.sources if not source.startswith(_RELEASE)]
        if copies:
            question = f"{VERSION} has step {taken.step.id}"
            yield Assumption(question, "as a neighbouring copy of the file has it", "; ".join(copies))


def _where(taken: Taken) -> str:
    return "; ".join(taken.step.sources)
