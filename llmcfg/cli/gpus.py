"""``llmcfg gpus``."""

from __future__ import annotations

import json

from llmcfg.catalog import index
from llmcfg.cli.files import put
from llmcfg.gpus import Gpu, table
from llmcfg.report.tables import text_table


def run(format: str) -> int:
    """Print the table of GPUs."""
    if format == "json":
        put(json.dumps(index()["gpus"], indent=2) + "\n")
        return 0
    rows = [("name", "GPU", "architecture", "capability", "memory", "native formats")]
    rows += [_row(gpu) for gpu in table()]
    put("".join(f"{line}\n" for line in text_table(rows)))
    return 0


def _row(gpu: Gpu) -> tuple[str, str, str, str, str, str]:
    capability = f"{gpu.capability[0]}.{gpu.capability[1]}"
    return gpu.name, gpu.title, gpu.architecture, capability, f"{gpu.memory:g} GiB", " ".join(gpu.formats)
