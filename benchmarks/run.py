"""Measure side by side, in one run, and print ratios: cold start, throughput, scaling.

The table is printed and written to docs/benchmarks.md. Nothing here passes or fails.
"""

from __future__ import annotations

import gc
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BACKENDS = ("vllm", "tensorrt_llm", "pytorch")
SHOWCASES = {name: ROOT / "examples" / "showcase" / f"{name}.yaml" for name in BACKENDS}
SCHEMA = ROOT / "generated" / "llmcfg.schema.json"
PAGE = ROOT / "docs" / "benchmarks.md"
ROUNDS = 25


class Row(NamedTuple):
    """One measured figure: median time, and the ratio to what it is held against."""

    what: str
    figure: str
    against: str
    ratio: str


def main() -> None:
    """Run all measurements."""
    with tempfile.TemporaryDirectory() as folder:
        installed = install(Path(folder))
        tables = {
            "Cold start": cold(installed),
            "Compile from a parsed mapping": throughput(),
            "Many configs in one process": scaling(),
        }
    page = render(tables)
    print(page)
    PAGE.write_text(page, encoding="utf-8")


def install(folder: Path) -> Path:
    """Install llmcfg as a user does, and check-jsonschema beside it; return the folder of commands."""
    venv.create(folder / "venv", with_pip=True)
    commands = folder / "venv" / "bin"
    subprocess.run(
        [commands / "pip", "install", "--quiet", "--disable-pip-version-check", ROOT, "check-jsonschema"],
        check=True,
    )
    return commands


def cold(commands: Path) -> list[Row]:
    """Time whole processes, in turn: a bare interpreter, llmcfg, check-jsonschema."""
    python = commands / "python"
    cases: dict[str, list[Any]] = {"python -c pass": [python, "-c", "pass"]}
    for name, file in SHOWCASES.items():
        cases[f"llmcfg compile, {name} showcase"] = [commands / "llmcfg", "compile", file, "--backend", name]
        cases[f"check-jsonschema, {name} showcase"] = [
            commands / "check-jsonschema", "--schemafile", SCHEMA, file,
        ]  # fmt: skip
    times = in_turn({name: lambda words=words: quiet(words) for name, words in cases.items()}, ROUNDS)
    rows = []
    for name in SHOWCASES:
        ours = f"llmcfg compile, {name} showcase"
        for other in ("python -c pass", f"check-jsonschema, {name} showcase"):
            against = f"{other}: {ms(times[other])}"
            rows.append(Row(ours, ms(times[ours]), against, ratio(times[ours], times[other])))
    return rows


def throughput() -> list[Row]:
    """Time validation, rules and lowering of mappings; other libraries only validate them."""
    import jsonschema
    from llmcfg_models import Config

    from llmcfg.document import Document
    from llmcfg.pipeline import Request, run
    from llmcfg.reading.reader import read

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    judge = jsonschema.Draft202012Validator(schema)
    rows = []
    small = ROOT / "examples" / "vllm-8b-one-24gb-card.yaml"
    for name, file in {**SHOWCASES, "8B on one card": small}.items():
        data = read(str(file)).data
        request = Request(name if name in SHOWCASES else None)
        times = in_turn(
            {
                "llmcfg": repeat(lambda data=data, request=request: run(Document(data), request)),
                "jsonschema": repeat(lambda data=data: judge.is_valid(data), 5),
                "pydantic": repeat(lambda data=data: Config.model_validate(data)),
            },
            7,
        )
        ours = f"llmcfg (validate, rules, lower), {name}"
        for other in ("jsonschema", "pydantic"):
            rows.append(
                Row(
                    ours,
                    f"{per_second(times['llmcfg'])} configs/s",
                    f"{other} (validate alone): {per_second(times[other])} configs/s",
                    ratio(times[other], times["llmcfg"]),
                )
            )
    return rows


def scaling() -> list[Row]:
    """Compile 100 to 100,000 distinct configs, each in a fresh process; time and memory per config."""
    rows = []
    base: tuple[float, float] | None = None
    for count in (100, 1_000, 10_000, 100_000):
        code = f"import benchmarks.run; benchmarks.run.sweep({count})"
        command = [sys.executable, "-c", code]
        printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        seconds, peak = map(float, printed.stdout.split())
        base = base or (seconds / count, peak)
        rows.append(
            Row(
                f"{count:,} configs",
                f"{seconds:.2f} s, peak memory {peak:.0f} MiB",
                "time per config and memory at 100",
                f"{seconds / count / base[0]:.2f}, {peak / base[1]:.2f}",
            )
        )
    return rows


def sweep(count: int) -> None:
    """Compile ``count`` configs one after the other; print the seconds and the peak memory in MiB."""
    from llmcfg.document import Document
    from llmcfg.pipeline import Request, run

    def config(number: int) -> dict[str, Any]:
        engine = {"max_num_seqs": 1 + number % 512, "max_model_len": 1024 + number, "dtype": "bfloat16"}
        section = {"engine": engine, "sampling": {"top_p": 0.9}}
        return {"model": f"org/model-{number}", "gpu": "h100", "vllm": section}

    run(Document(config(0)), Request())
    start = time.perf_counter()
    for number in range(count):
        if not run(Document(config(number)), Request()).compiled:
            raise RuntimeError("a sweep of refused configs measures nothing")
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def in_turn(cases: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Time the cases one after the other, round by round, so that a drift of the machine hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds + 1):
        for name, case in cases.items():
            times[name].append(case())
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def quiet(words: Iterable[Any]) -> float:
    """Return the wall time of a command whose output is thrown away."""
    start = time.perf_counter()
    devnull = subprocess.DEVNULL
    subprocess.run([str(word) for word in words], check=False, stdout=devnull, stderr=devnull)
    return time.perf_counter() - start


def repeat(call: Callable[[], Any], times: int = 100) -> Callable[[], float]:
    """Return a case that measures the mean of many calls."""

    def case() -> float:
        gc.collect()
        start = time.perf_counter()
        for _ in range(times):
            call()
        return (time.perf_counter() - start) / times

    return case


def ms(seconds: float) -> str:
    """Write a time in milliseconds."""
    return f"{seconds * 1000:.1f} ms"


def per_second(seconds: float) -> str:
    """Write a rate."""
    return f"{1 / seconds:,.0f}"


def ratio(left: float, right: float) -> str:
    """Write how many times ``left`` is ``right``."""
    return f"{left / right:.2f}"


def render(tables: dict[str, list[Row]]) -> str:
    """Write the page."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`: medians of runs made in turn on one machine "
        f"({platform.machine()}, Python {platform.python_version()}). The ratios are what carries over to "
        "another machine; the times do not.",
    ]
    for title, rows in tables.items():
        lines += ["", f"## {title}", ""]
        lines += ["| what | measured | held against | ratio |", "| --- | --- | --- | --- |"]
        lines += [f"| {row.what} | {row.figure} | {row.against} | {row.ratio} |" for row in rows]
    lines += [
        "",
        "In the first table the ratio is time over time (smaller is better); in the second, configs per "
        "second over configs per second (larger is better); in the third, how time per config and peak "
        "memory grow.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
