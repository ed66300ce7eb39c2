"""``llmcfg resolve``."""

from __future__ import annotations

import json
import os

from llmcfg import __version__
from llmcfg.cli.checked import one_version, records, report, request, status
from llmcfg.cli.files import deliver, keep_apart
from llmcfg.diagnostics import Diagnostic, has_errors
from llmcfg.document import Document
from llmcfg.errors import UserError
from llmcfg.pipeline import AUTO, Request, choose
from llmcfg.pipeline import run as run_pipeline
from llmcfg.reading.reader import read
from llmcfg.resolve.asking import Ask, answered, other_releases, prepared
from llmcfg.resolve.resolution import Resolution, as_json
from llmcfg.resolve.session import Limits

_MOST_GPUS = 4096
_LEAST_SEARCH = 60.0
_MOST_SECONDS = 86400.0


def run(
    file: str,
    backend: str | None,
    backend_version: str | None,
    gpu: str | None,
    gpus: str | None,
    packages: str | None,
    model_config: str | None,
    timeout: str,
    format: str,
    output: str | None,
    strict: bool,
    color: str,
) -> int:
    """Ask the engine of each backend; the result is written whether it accepts the config or not."""
    keep_apart(output, file)
    asked = request(backend, gpu, backend_version)
    seconds = _seconds(timeout)
    ask = Ask(
        asked.version,
        asked.gpu,
        gpu == AUTO,
        _count(gpus),
        tuple(filter(None, (packages or "").replace(" ", "").split(","))),
        _existing(model_config),
        Limits(seconds, max(_LEAST_SEARCH, 2 * seconds)),
    )
    document = read(file)
    problems, results = _resolve(document, asked, ask)
    found = list(dict.fromkeys([*problems, *(item for result in results for item in result.diagnostics)]))
    report(document, sorted(found, key=lambda item: item.place or (0, 0)), color)
    if text := _render(format, document, problems, results):
        deliver(text, output)
    return status(found, strict)


def _resolve(document: Document, asked: Request, ask: Ask) -> tuple[list[Diagnostic], list[Resolution]]:
    """Return what is wrong with the config, else what the engines make of it."""
    chosen = choose(document.data, asked) if isinstance(document.data, dict) else []
    if not chosen:
        return run_pipeline(document, asked).diagnostics, []
    if problems := one_version(document, asked):
        return problems, []
    compiled = [prepared(document, backend, ask) for backend in chosen]
    found = list(dict.fromkeys(item for result in compiled for item in result.diagnostics))
    if has_errors(found):
        return [*found, *other_releases(document, chosen, ask, found)], []
    return [], [answered(document, result.compiled[0], ask) for result in compiled]


def _render(format: str, document: Document, problems: list[Diagnostic], results: list[Resolution]) -> str:
    if format == "json":
        data = {
            "llmcfg": __version__,
            "model": results[0].model if results else None,
            "resolved": [
                {**as_json(item), "diagnostics": records(document, item.diagnostics)} for item in results
            ],
            "diagnostics": records(document, problems),
        }
        return json.dumps(data, indent=2) + "\n"
    from llmcfg.report.resolution import resolution_text

    return "\n".join(resolution_text(item) for item in results if item.engine is not None)


def _count(gpus: str | None) -> int | None:
    if gpus is None:
        return None
    if gpus.isascii() and gpus.isdigit() and 1 <= int(gpus) <= _MOST_GPUS:
        return int(gpus)
    raise UserError(f"--gpus: {gpus} is no number of GPUs from 1 to {_MOST_GPUS}")


def _seconds(timeout: str) -> float:
    try:
        seconds = float(timeout)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= _MOST_SECONDS:
        raise UserError(f"--timeout: {timeout} is no number of seconds above 0, up to a day")
    return seconds


def _existing(path: str | None) -> str | None:
    """Return the whole path of a file, since the engine's process may stand somewhere else."""
    if path is not None and not os.path.isfile(path):
        raise UserError(f"--model-config: {path} is not a file")
    return os.path.abspath(path) if path is not None else None
