"""``llmcfg compile``."""

from __future__ import annotations

import json
from typing import Any

from llmcfg import __version__
from llmcfg.cli.checked import check, records, report, request, status
from llmcfg.cli.files import deliver, keep_apart
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import Diagnostic
from llmcfg.document import Document
from llmcfg.errors import UserError
from llmcfg.pipeline import Result, in_order, placed
from llmcfg.reading.reader import read


def run(
    file: str,
    backend: str | None,
    backend_version: str | None,
    gpu: str | None,
    format: str,
    output: str | None,
    strict: bool,
    color: str,
) -> int:
    """Compile ``file``; nothing is written unless the whole result is there."""
    keep_apart(output, file)
    asked = request(backend, gpu, backend_version)
    document = read(file)
    result = check(document, asked)
    text, found = _render(format, result, document) if result.compiled else ("", [])
    found = in_order([*result.diagnostics, *found])
    report(document, found, color)
    code = status(found, strict)
    if code == 0:
        deliver(text, output)
    return code


def _render(format: str, result: Result, document: Document) -> tuple[str, list[Diagnostic]]:
    if format == "json":
        return _json(result.compiled, document), []
    if len(result.compiled) > 1:
        names = ", ".join(item.backend for item in result.compiled)
        raise UserError(f"--format {format} holds one backend; choose with --backend: {names}")
    return _native(format, result.compiled[0], document)


def _json(compiled: list[Compiled], document: Document) -> str:
    data: dict[str, Any] = {
        "llmcfg": __version__,
        "model": compiled[0].model,
        "compiled": [
            {**item.as_json(), "diagnostics": records(document, item.diagnostics)} for item in compiled
        ],
    }
    return json.dumps(data, indent=2) + "\n"


def _native(format: str, compiled: Compiled, document: Document) -> tuple[str, list[Diagnostic]]:
    from llmcfg.emit.formats import FORMATS

    text, found = FORMATS[format](compiled)
    return text, placed([item._replace(path=document.written(item.path)) for item in found], document)
