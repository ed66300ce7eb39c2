"""All generated files, as a mapping from path to text; written, or compared with what is there."""

from __future__ import annotations

import difflib
import json
import shutil
from pathlib import Path
from typing import Any

from llmcfg.editor_schema import written
from llmcfg.generator.bundle import bundle
from llmcfg.generator.catalog import backend_catalog, index
from llmcfg.generator.models import models
from llmcfg.generator.names import names
from llmcfg.generator.rules import conditions, rule_texts
from llmcfg.generator.schemastore import catalog_files
from llmcfg.generator.source import load
from llmcfg.generator.validator import root_validator, section_validator

COMMAND = "make generate"


def outputs(schema: Path) -> dict[str, str]:
    """Return every file under ``generated/``, by its path there."""
    source = load(schema)
    whole = bundle(source)
    files = {
        "llmcfg.schema.json": written(whole),
        "catalog.json": _compact(index(source)),
        "names.json": _compact(names(source)),
        "starters.json": _compact(json.loads((schema / "starters.json").read_text(encoding="utf-8"))),
        "validator/root.json": _compact(root_validator(source)),
        "llmcfg_models/__init__.py": models(source),
        "llmcfg_models/py.typed": "",
    }
    for backend, types in source.types.items():
        files[f"catalog/{backend}.json"] = _compact(backend_catalog(types, backend))
        files[f"conditions/{backend}.json"] = _compact(conditions(types))
        files[f"rules/{backend}.json"] = _compact(rule_texts(types))
        files[f"validator/{backend}.json"] = _compact(section_validator(types, backend))
    return files | catalog_files(whole, schema.parent / "examples")


def _compact(value: Any) -> str:
    """Write one top-level entry per line: small to load, and still readable in a diff."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) + "\n"
    lines = (
        f"{json.dumps(key)}: {json.dumps(item, ensure_ascii=False, separators=(',', ':'))}"
        for key, item in value.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write(schema: Path, generated: Path) -> None:
    """Write ``generated/`` anew."""
    files = outputs(schema)
    shutil.rmtree(generated, ignore_errors=True)
    for name, text in files.items():
        path = generated / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def stale(schema: Path, generated: Path) -> list[str]:
    """Return a diff of what ``generated/`` holds and what it should hold; empty when fresh."""
    present = {
        path.relative_to(generated).as_posix(): path.read_text(encoding="utf-8")
        for path in generated.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return differences(outputs(schema), present)


def differences(expected: dict[str, str], present: dict[str, str]) -> list[str]:
    """Return the diff that leads from the files that are present to those expected."""
    lines: list[str] = []
    for name in sorted(expected.keys() | present.keys()):
        old, new = present.get(name, ""), expected.get(name, "")
        if old != new or (name in expected) != (name in present):
            lines += difflib.unified_diff(old.splitlines(), new.splitlines(), name, name, lineterm="", n=0)
    return lines
