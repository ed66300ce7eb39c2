"""``llmcfg validate``."""

from __future__ import annotations

import json
import sys

from llmcfg import __version__
from llmcfg.cli.checked import one_version, request, status, tell
from llmcfg.pipeline import run as run_pipeline
from llmcfg.reader import read


def run(
    files: tuple[str, ...],
    backend: str | None,
    backend_version: str | None,
    gpu: str | None,
    strict: bool,
    format: str,
) -> int:
    """Check each file by itself; a broken one does not stop the others."""
    asked = request(backend, gpu, backend_version)
    worst = 0
    records = []
    for file in files:
        document = read(file)
        result = run_pipeline(document, asked)
        one_version(backend_version, result)
        found = result.diagnostics
        worst = max(worst, status(found, strict))
        if format == "json":
            records += [item.as_json(document.file) for item in found]
        else:
            tell(document.file, found)
    if format == "json":
        json.dump({"llmcfg": __version__, "diagnostics": records}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif worst == 0:
        print(f"{len(files)} file{'s' if len(files) != 1 else ''} checked: no errors", file=sys.stderr)
    return worst
