"""``llmcfg audit resolve``."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from llmcfg.audit import sources, store
from llmcfg.audit.campaign import Campaign, Opened, Order, Watch
from llmcfg.audit.devices import devices
from llmcfg.audit.journal import Journal
from llmcfg.audit.plan import plan
from llmcfg.audit.results import Results, grouped, read, sorted_by
from llmcfg.audit.verdict import REJECTED, VERDICTS
from llmcfg.cli.files import put, write_whole
from llmcfg.errors import UserError
from llmcfg.report.tables import markdown_table, text_table
from llmcfg.resolve.client import EngineAbsent, EngineFailed, EngineProcess
from llmcfg.resolve.engines import SOURCES

Json = dict[str, Any]
_INTERRUPTED = 130
_COUNTED = ("value", "default")


def run(
    backend: str | None,
    gpus: str,
    param: str,
    source: str | None,
    packages: str | None,
    jobs: str | None,
    resume: bool,
    format: str,
    output: str | None,
) -> int:
    """Ask the engine about every value on every device; print how many got which verdict.

    Exit 1 where an engine took everything that it should have refused: such answers prove nothing.
    """
    if backend is None:
        raise UserError(f"say which engine is to be asked: --backend {'|'.join(SOURCES)}")
    with ExitStack() as stack:
        opened = _opener(stack, backend, source)
        path = output or str(Path(stack.enter_context(TemporaryDirectory())) / "results.jsonl")
        added = tuple(filter(None, (packages or "").split(",")))
        order = Order(backend, devices(gpus), opened, param, _jobs(jobs), added)
        is_whole = _asked(order, path, resume)
        results = _grouped(path)
    put(_FORMATS[format](results))
    return 1 if _unproven(results) else 0 if is_whole else _INTERRUPTED


def _opener(stack: ExitStack, backend: str, source: str | None) -> Opened:
    """Return what starts the engine: the installed one, or another release of its package."""
    if source is None:
        return partial(SOURCES[backend].opened, backend)
    package = store.own_package(backend)
    module = store.surfaces(backend)[package].get("import", package)
    root = stack.enter_context(sources.given(Path(source), module)).root
    return lambda machine: EngineProcess(backend, machine, str(root))


def _jobs(text: str | None) -> int:
    if text is None:
        return os.cpu_count() or 1
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise UserError(f"--jobs: {text} is no number of processes")
    return int(text)


def _asked(order: Order, path: str, resume: bool) -> bool:
    """Run the campaign; False where it was interrupted."""
    watch = _Bar() if sys.stderr is not None and sys.stderr.isatty() else Watch()
    try:
        with Journal(path, resume) as journal:
            Campaign(order, journal, watch).run()
    except KeyboardInterrupt:
        return False
    except EngineAbsent as absent:
        raise UserError(f"{order.backend} is not installed here: {absent}") from None
    except EngineFailed as failed:
        raise UserError(f"{order.backend} cannot be asked: {failed}") from None
    return True


def _grouped(path: str) -> Results:
    """Group the file of results, in the order of the plan."""
    results = read(path)
    if results.campaigns:
        last = results.campaigns[-1]
        results = sorted_by(results, (trial.id for trial in plan(last["backend"], last["version"])))
        write_whole(path, grouped(results))
    return results


# --- progress ---------------------------------------------------------------------------------------------


class _Bar(Watch):
    """Shows on a terminal how far it is, how fast, and what the verdicts are."""

    def begin(self, count: int) -> None:
        self._count, self._done, self._start, self._shown = count, 0, time.monotonic(), 0.0
        self._verdicts: Counter[str] = Counter()

    def answer(self, verdict: str) -> None:
        self._done += 1
        self._verdicts[verdict] += 1
        now = time.monotonic()
        if now - self._shown > 0.2 or self._done == self._count:
            self._shown = now
            sys.stderr.write(f"\r{self._line(now)}\x1b[K" + ("\n" if self._done == self._count else ""))
            sys.stderr.flush()

    def _line(self, now: float) -> str:
        rate = self._done / max(now - self._start, 1e-9)
        left = (self._count - self._done) / rate
        counts = ", ".join(f"{number} {verdict}" for verdict, number in self._verdicts.most_common(4))
        return f"{self._done}/{self._count}  {rate:.0f}/s  {left:.0f} s left  {counts}"


# --- the summary ------------------------------------------------------------------------------------------


def _counts(results: Results) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {name: Counter() for name in results.devices}
    for record in results.records.values():
        for answer in record["answers"]:
            for device in answer["devices"] if record["role"] in _COUNTED else ():
                counts[device][answer["verdict"]] += 1
    return counts


def _controls(results: Results) -> dict[str, Json]:
    """Count, for each device, what was forbidden, and what of it the engine refused."""
    found: dict[str, Json] = {name: {"forbidden": 0, "refused": 0} for name in results.devices}
    for record in results.records.values():
        for answer in record["answers"] if record["role"] == "forbidden" else ():
            for device in answer["devices"]:
                found[device]["forbidden"] += 1
                found[device]["refused"] += answer["verdict"] == REJECTED
    return found


def _unproven(results: Results) -> list[str]:
    controls = _controls(results).items()
    return [name for name, count in controls if count["forbidden"] and not count["refused"]]


def _as_json(results: Results) -> str:
    data = {
        "campaigns": results.campaigns,
        "verdicts": {name: dict(counts) for name, counts in _counts(results).items()},
        "controls": _controls(results),
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _as_table(results: Results) -> str:
    rows = list(_rows(results))
    return "\n".join([*text_table(rows, range(1, len(rows[0]))), *_remarks(results)]) + "\n"


def _as_markdown(results: Results) -> str:
    rows = list(_rows(results))
    return "\n".join([*markdown_table(rows, range(1, len(rows[0]))), *_remarks(results)]) + "\n"


def _rows(results: Results) -> Iterator[tuple[str, ...]]:
    counts = _counts(results)
    used = [verdict for verdict in VERDICTS if any(verdict in found for found in counts.values())]
    yield ("device", *(verdict.replace("_", " ") for verdict in used), "forbidden values refused")
    for name, control in _controls(results).items():
        refused = f"{control['refused']}/{control['forbidden']}"
        yield (name, *(str(counts[name][verdict] or "") for verdict in used), refused)


def _remarks(results: Results) -> Iterator[str]:
    for campaign in results.campaigns[-1:]:
        yield ""
        yield f"{campaign['package']} {campaign['version']}, evidence: {campaign['evidence']}"
    for name in _unproven(results):
        yield f"{name}: nothing that is forbidden was refused, so that these answers prove nothing"


_FORMATS = {"table": _as_table, "json": _as_json, "markdown": _as_markdown}
