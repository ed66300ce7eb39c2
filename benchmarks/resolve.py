"""How fast vLLM's own code answers about configs on a card that is not here: `make bench-resolve`.

Held against the one way there is without llmcfg: a Python process for each config. Needs vLLM's CPU build.
Writes a page of the docs; nothing is judged by wall time. An argument is the number of answers.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from llmcfg.audit.plan import plan
from llmcfg.audit.trial import Trial
from llmcfg.lower import ENV, lower
from llmcfg.resolve.client import EngineProcess
from llmcfg.resolve.models import KIND, STAND_IN, provide
from llmcfg.resolve.question import Machine, Model, Question

ANSWERS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
PROCESSES = 2
COLD = 3
CARD = "h100"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-resolve.md"
_HEAD = (
    "# Benchmarks of resolve",
    "",
    "Written by `make bench-resolve`, with vLLM's CPU build asked about a card that is not there. The ratios",
    "are what carries over to another machine; the times do not.",
    "",
    "| what | measured | held against | ratio |",
    "| --- | --- | --- | --- |",
)


def main() -> None:
    """Measure, and write the page."""
    trials = [trial for trial in plan("vllm", "0.32.0") if trial.parameter.startswith("vllm.engine.")]
    with tempfile.TemporaryDirectory() as folder:
        model = provide(Model(f"{KIND}{STAND_IN}"), Path(folder)).path
        cold = min(_cold(model) for _ in range(COLD))
    with EngineProcess("vllm", Machine(CARD, 8)) as engine:
        plain = _each(engine, trials[:200], with_choices=False)
        built = _each(engine, trials[:100], with_choices=True)
    seconds = _many(trials)
    against = f"a process for the config: {cold:.1f} s"
    rate = ANSWERS / seconds
    rows = [
        ("an answer, the config alone", f"{plain * 1000:.0f} ms", against, cold / plain),
        ("an answer, with the layers of the model", f"{built * 1000:.0f} ms", against, cold / built),
        (
            f"{ANSWERS:,} answers, {PROCESSES} processes on {os.cpu_count()} cores, start-up included",
            f"{seconds:.0f} s, {rate:.0f}/s",
            f"{PROCESSES} processes at a time: {ANSWERS * cold / PROCESSES / 3600:.1f} h",
            cold / PROCESSES * rate,
        ),
    ]
    lines = [*_HEAD, *(f"| {' | '.join(cells)} | {ratio:.0f} |" for *cells, ratio in rows)]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def _question(trial: Trial, with_choices: bool) -> Question:
    name = f"{KIND}{trial.kinds[0]}"
    native = {**lower("vllm", trial.document["vllm"], name).native}
    env = dict(native.pop(ENV, {}))
    return Question(native, env, Model(name), with_choices=with_choices)


def _each(engine: EngineProcess, trials: list[Trial], with_choices: bool) -> float:
    start = time.perf_counter()
    for trial in trials:
        engine.ask(_question(trial, with_choices))
    return (time.perf_counter() - start) / len(trials)


def _cold(model: str) -> float:
    program = "from vllm import EngineArgs; import sys; EngineArgs(model=sys.argv[1]).create_engine_config()"
    start = time.perf_counter()
    environment = {**os.environ, "VLLM_LOGGING_LEVEL": "ERROR", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", program, model]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    return time.perf_counter() - start


def _many(trials: list[Trial]) -> float:
    """Return the seconds that all answers take, starting the processes included."""
    work = list(itertools.islice(itertools.cycle(trials), ANSWERS))
    start = time.perf_counter()
    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(_share, [work[part::PROCESSES] for part in range(PROCESSES)]))
    return time.perf_counter() - start


def _share(trials: list[Trial]) -> None:
    with EngineProcess("vllm", Machine(CARD, 8)) as engine:
        for trial in trials:
            engine.ask(_question(trial, with_choices=False))


if __name__ == "__main__":
    main()
