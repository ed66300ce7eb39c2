"""``llmcfg init``."""

from __future__ import annotations

import os
import sys
from urllib.parse import quote

from llmcfg.catalog import backends
from llmcfg.cli.checked import request
from llmcfg.cli.files import deliver
from llmcfg.cli.schema import NAME
from llmcfg.data import data_path, data_text
from llmcfg.emit.yaml_text import yaml_text
from llmcfg.errors import UserError


def run(
    path: str | None,
    backend: str | None,
    gpu: str | None,
    model: str | None,
    copy_schema: bool,
    force: bool,
) -> int:
    """Write a starter config to ``path`` (``llmcfg.yaml``)."""
    path = path or "llmcfg.yaml"
    if path != "-" and os.path.exists(path) and not force:
        raise UserError(f"{path} exists; --force overwrites it")
    gpu = request(None, gpu, None).gpu
    text = starter(_schema_reference(path, copy_schema), backend or "vllm", gpu, model)
    deliver(text, None if path == "-" else path)
    if path != "-":
        print(f"wrote {path}; check it with: llmcfg validate {path}", file=sys.stderr)
    return 0


def starter(schema: str, backend: str, gpu: str | None, model: str | None) -> str:
    """Return the text of a starter config."""
    title = backends()[backend]["title"]
    lines = [
        f"# yaml-language-server: $schema={schema}",
        f"# A starting point for {title}. Whatever is not written here keeps the engine's own default;",
        "# what the schema does not know goes under `extra:` of a section.",
        yaml_text({"model": model or "Qwen/Qwen3-8B"}).rstrip(),
        f"gpu: {gpu}" if gpu else "# gpu: h100                       # `llmcfg gpus` lists the names",
    ]
    return "\n".join([*lines, *backends()[backend]["starter"]]) + "\n"


def _schema_reference(path: str, copy_schema: bool) -> str:
    if not copy_schema:
        return quote(data_path(NAME))
    if path == "-":
        raise UserError("--copy-schema needs a file to stand beside")
    deliver(data_text(NAME), os.path.join(os.path.dirname(path), NAME))
    return NAME
