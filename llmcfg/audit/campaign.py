"""A campaign: all trials of a plan, on all devices, each answer written as it comes."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from threading import Event, Lock
from typing import Any, NamedTuple

import llmcfg
from llmcfg.audit.asker import Asker
from llmcfg.audit.devices import about
from llmcfg.audit.journal import Journal
from llmcfg.audit.opinion import opinion
from llmcfg.audit.plan import plan
from llmcfg.audit.trial import Trial
from llmcfg.audit.values import FORBIDDEN
from llmcfg.audit.verdict import LONGEST, Judged
from llmcfg.gpus import Gpu
from llmcfg.resolve.engines import SOURCES, Answering, release
from llmcfg.resolve.question import Engine, Machine
from llmcfg.resolve.wording import steady

Json = dict[str, Any]
Opened = Callable[[Machine], AbstractContextManager[Answering]]
GPUS = 8
"""Devices of a machine: as many as the partners of any value ask for."""

_POLL_SECONDS = 0.2
_REFUSED_HERE = "L301"


class Order(NamedTuple):
    """What is to be asked: which trials, on which devices, how many processes at a time."""

    backend: str
    devices: list[Gpu]
    opened: Opened
    only: str = "*"
    jobs: int = 1
    packages: tuple[str, ...] = ()

    def machine(self, gpu: Gpu) -> Machine:
        """Return the machine that the engine shall believe to be on."""
        return Machine(gpu.name, 0 if gpu.name == "none" else GPUS, self.packages)


class Watch:
    """Is told how a campaign goes; this one does not care."""

    def begin(self, count: int) -> None:
        """Hear how many answers are to come."""

    def answer(self, verdict: str) -> None:
        """Hear of an answer."""


class Campaign:
    """Runs an order; several threads each hold an engine's process."""

    def __init__(self, order: Order, journal: Journal, watch: Watch) -> None:
        self._order = order
        self._journal = journal
        self._watch = watch
        self._lock = Lock()
        self._stop = Event()
        self._trials: list[Trial] | None = None
        self._described: set[str] = set(journal.known.devices)

    def run(self) -> None:
        """Ask everything that the journal does not hold yet.

        Raises:
            EngineAbsent: if the engine is not installed.
            KeyboardInterrupt: after the running questions were answered.
        """
        parts = max(1, -(-self._order.jobs // len(self._order.devices)))
        shares = [(gpu, part, parts) for gpu in self._order.devices for part in range(parts)]
        with ThreadPoolExecutor(self._order.jobs) as pool:
            running = [pool.submit(self._share, *share) for share in shares]
            try:
                self._wait(running)
            finally:
                self._stop.set()
        for future in running:
            future.result()

    def _wait(self, running: list[Future[None]]) -> None:
        pending = set(running)
        while pending:
            done, pending = wait(pending, _POLL_SECONDS, FIRST_EXCEPTION)
            if any(future.exception() for future in done):
                return

    def _share(self, gpu: Gpu, part: int, parts: int) -> None:
        """Ask a device about every so manyth trial; what goes wrong here stops the others as well."""
        try:
            if not self._stop.is_set():
                self._ask(gpu, part, parts)
        except BaseException:
            self._stop.set()
            raise

    def _ask(self, gpu: Gpu, part: int, parts: int) -> None:
        with Asker(lambda: self._order.opened(self._order.machine(gpu))) as asker:
            version = release(asker.engine.version)
            share = self._begun(gpu, asker.engine, version)[part::parts]
            done = self._journal.known.done
            missing = [trial for trial in share if (trial.id, gpu.name) not in done]
            for trial in missing:
                if self._stop.is_set():
                    return
                codes = opinion(trial, gpu.name, version).codes
                judged = asker.judged(trial, _REFUSED_HERE in codes)
                self._journal.record(_record(trial, gpu, judged, codes))
                self._watch.answer(judged.verdict)

    def _begun(self, gpu: Gpu, engine: Engine, version: str) -> list[Trial]:
        """Return the trials; the first to come writes down whose campaign it is."""
        with self._lock:
            if self._trials is None:
                self._trials = self._plan(version)
                self._journal.campaign(self._about(engine, version, len(self._trials)))
                self._watch.begin(self._to_come(self._trials))
            if gpu.name not in self._described:
                self._described.add(gpu.name)
                self._journal.device(gpu.name, self._device(gpu, engine))
            return self._trials

    def _plan(self, version: str) -> list[Trial]:
        """Return the trials; rules that stand in for an engine say nothing of what the schema forbids."""
        trials = plan(self._order.backend, version, self._order.only)
        is_engine = SOURCES[self._order.backend].is_engine
        return [trial for trial in trials if is_engine or trial.role != FORBIDDEN]

    def _to_come(self, trials: list[Trial]) -> int:
        names = {trial.id for trial in trials}
        devices = {gpu.name for gpu in self._order.devices}
        done = self._journal.known.done
        return len(names) * len(devices) - sum(name in names and device in devices for name, device in done)

    def _about(self, engine: Engine, version: str, count: int) -> Json:
        is_engine = SOURCES[self._order.backend].is_engine
        return {
            "backend": self._order.backend,
            "package": engine.package,
            "version": version,
            "evidence": "resolved" if is_engine else "rules",
            "llmcfg": llmcfg.__version__,
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "trials": count,
            "only": self._order.only,
            "host": {
                "system": platform.system(),
                "machine": platform.machine(),
                "python": platform.python_version(),
                "cores": os.cpu_count(),
            },
        }

    def _device(self, gpu: Gpu, engine: Engine) -> Json:
        return {
            **about(gpu),
            "platform": engine.platform,
            "count": self._order.machine(gpu).cards,
            "added": list(self._order.packages),
            "order": len(self._journal.known.devices) + self._order.devices.index(gpu),
            "packages": engine.packages,
            "assumed": [item._asdict() for item in engine.assumed],
            "unknown": list(engine.unknown),
        }


def _record(trial: Trial, gpu: Gpu, judged: Judged, codes: tuple[str, ...]) -> Json:
    answer = {
        "devices": [gpu.name],
        "verdict": judged.verdict,
        "model": judged.model,
        "asked": judged.asked,
        "got": _limited(judged.got),
        "refusal": judged.refusal and _filled(judged.refusal._asdict()),
        "said": [_filled(item._asdict()) for item in judged.said],
        "chosen": _limited(judged.chosen),
        "assumed": [item._asdict() for item in judged.assumed],
        "unknown": list(judged.unknown),
        "otherwise": judged.otherwise,
        "llmcfg": list(codes),
    }
    beside = trial.before[trial.backend]
    head = {"trial": trial.id, "parameter": trial.parameter, "value": trial.value, "role": trial.role}
    return {**head, **({"beside": beside} if beside else {}), "answers": [_filled(answer)]}


def _filled(data: Json) -> Json:
    """Leave out what is empty; the kind of a refusal and a message's text always stand."""
    always = ("devices", "kind", "text", "level")
    return {key: value for key, value in data.items() if key in always or value not in (None, "", [], {}, ())}


def _limited(values: Json | None) -> Json | None:
    return values and {key: _short(value) for key, value in values.items()}


def _short(value: Any) -> Any:
    """Return a value without the folders of this process; one that is long as the beginning of its text."""
    value = _steady(value)
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _steady(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_steady(item) for item in value]
    return steady(value) if isinstance(value, str) else value
