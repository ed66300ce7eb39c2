"""Compile a document for the engine that is here, and let it answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from llmcfg.catalog import backends
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import INFO, WARNING, Diagnostic, has_errors
from llmcfg.document import Document
from llmcfg.pipeline import Request, Result
from llmcfg.pipeline import run as compiled_by
from llmcfg.resolve.client import EngineAbsent, EngineFailed, EngineTimedOut
from llmcfg.resolve.engines import SOURCES, Answering, installed, needed, release
from llmcfg.resolve.findings import findings
from llmcfg.resolve.kinds import for_config
from llmcfg.resolve.needs import of_model
from llmcfg.resolve.outcome import is_confirmed
from llmcfg.resolve.question import Engine, Machine, Model
from llmcfg.resolve.resolution import Resolution
from llmcfg.resolve.session import Limits, Session

_ABSENT, _FAILED, _LATE, _OTHER_VERSION = "L506", "L606", "L607", "L608"


class Ask(NamedTuple):
    """What is asked for beside the config; None leaves it to the config.

    ``gpu`` is a name of the table; ``is_here`` that it is the one in this machine; ``gpus`` their number;
    ``packages`` what a virtual machine has beside the engine; ``model_config`` the path of a ``config.json``.
    """

    version: str | None
    gpu: str | None
    is_here: bool
    gpus: int | None
    packages: tuple[str, ...]
    model_config: str | None
    limits: Limits


def prepared(document: Document, backend: str, ask: Ask) -> Result:
    """Compile for the release that will answer, as far as that is known before the engine is asked."""
    return _compiled(document, backend, ask, ask.version or installed(backend))


def other_releases(
    document: Document, chosen: list[str], ask: Ask, found: list[Diagnostic]
) -> Iterator[Diagnostic]:
    """Yield which installed releases the config was checked for, where errors may come of that."""
    for backend in chosen:
        version, reference = installed(backend), backends()[backend]["reference"]
        is_judged = any(item.code.startswith("L4") and item.path[:1] == (backend,) for item in found)
        if is_judged and ask.version is None and version not in (None, reference):
            yield Diagnostic(
                _OTHER_VERSION,
                f"checked for {backends()[backend]['title']} {version}, which is installed here",
                (backend,),
                severity=INFO,
                hint=f"--backend-version {reference} checks for the reference release.",
                place=document.key_place((backend,)),
            )


def answered(document: Document, compiled: Compiled, ask: Ask) -> Resolution:
    """Ask the engine; what goes wrong with that is a diagnostic of the result."""
    machine = _machine(document, compiled, ask)
    source = SOURCES[compiled.backend]
    nothing = Resolution(
        compiled.backend, compiled.version, compiled.model, machine, None, source.is_engine,
        diagnostics=tuple(compiled.diagnostics),
    )  # fmt: skip
    try:
        with source.opened(compiled.backend, machine) as engine:
            return _asked(engine, document, compiled, nothing, ask)
    except EngineFailed as failed:
        return nothing._replace(
            diagnostics=(*nothing.diagnostics, _failure(failed, compiled.backend, document))
        )


def _asked(
    engine: Answering, document: Document, compiled: Compiled, nothing: Resolution, ask: Ask
) -> Resolution:
    version = release(engine.engine.version)
    if ask.version is None and version != compiled.version:
        again = _compiled(document, compiled.backend, ask, version)
        if has_errors(again.diagnostics):
            return nothing._replace(version=version, diagnostics=tuple(again.diagnostics))
        compiled = again.compiled[0]
    section = document.data.get(compiled.backend) or {}
    wanted = of_model(compiled.backend, {compiled.backend: section})
    model = Model(compiled.model, ask.model_config, for_config(section, wanted))
    found = Session(engine, document, compiled, model, ask.limits).run()
    result = nothing._replace(
        version=compiled.version,
        engine=engine.engine,
        stage=found.answer.stage,
        model_note=found.answer.model,
        parameters=found.parameters,
        choices=found.answer.chosen,
        refused=found.attribution.refused,
        messages=found.messages,
        assumed=tuple(
            {item.question: item for item in (*engine.engine.assumed, *found.answer.assumed)}.values()
        ),
        unknown=found.unknown,
        questions=found.questions,
        is_cut=found.attribution.is_cut,
    )
    kept = [item for item in compiled.diagnostics if not is_confirmed(item, result.parameters)]
    told = [
        *kept,
        *_other_version(engine.engine, compiled, document),
        *findings(result, compiled, document),
    ]
    return result._replace(diagnostics=tuple(sorted(told, key=lambda item: item.place or (0, 0))))


def _compiled(document: Document, backend: str, ask: Ask, version: str | None) -> Result:
    return compiled_by(document, Request(backend, ask.gpu, version))


def _machine(document: Document, compiled: Compiled, ask: Ask) -> Machine:
    """Return the machine that is asked for: the config's GPU, and as many as it needs."""
    from llmcfg.gpus import find

    name = None if ask.is_here else ask.gpu or document.data.get("gpu")
    number = ask.gpus or needed(compiled.backend, compiled.native)
    return Machine(find(name).name if name else None, number, ask.packages)


def _failure(failed: EngineFailed, backend: str, document: Document) -> Diagnostic:
    title, text = backends()[backend]["title"], str(failed)
    place = document.key_place((backend,))
    if isinstance(failed, EngineAbsent):
        hint = f"Install it: pip install 'llmcfg[{backends()[backend]['package']}]'"
        others = SOURCES[backend].distributions[1:]
        hint += f"; {others[0]}, its build without a GPU, answers as well." if others else "."
        return Diagnostic(_ABSENT, f"{title} cannot be asked: {text}", (backend,), hint=hint, place=place)
    code = _LATE if isinstance(failed, EngineTimedOut) else _FAILED
    return Diagnostic(code, f"{title} cannot be asked: {text}", (backend,), place=place)


def _other_version(engine: Engine, compiled: Compiled, document: Document) -> list[Diagnostic]:
    version = release(engine.version)
    if version == compiled.version:
        return []
    title = backends()[compiled.backend]["title"]
    return [
        Diagnostic(
            _OTHER_VERSION,
            f"{title} {version} answers for {compiled.version}",
            (compiled.backend,),
            severity=WARNING,
            hint=f"Leave --backend-version out to compile for {version}, or install {compiled.version}.",
            place=document.key_place((compiled.backend,)),
        )
    ]
