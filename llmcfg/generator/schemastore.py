"""What SchemaStore wants for its catalog: the entry, the schema as a draft-07 file, and files to test it.

The folders are those under ``src/`` of its repository. Formatting is left to its own hook.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmcfg.editor_schema import written
from llmcfg.editors.changes import PATTERNS
from llmcfg.generator.source import Json

NAME = "llmcfg.json"
URL = f"https://www.schemastore.org/{NAME}"
_FOLDER = "schemastore"
_DRAFT = "http://json-schema.org/draft-07/schema#"
_MODELINE = f"# yaml-language-server: $schema=../../schemas/json/{NAME}\n"
_ENTRY = {
    "name": "llmcfg",
    "description": "Inference config for vLLM, TensorRT-LLM and PyTorch, checked and compiled by llmcfg",
    "fileMatch": list(PATTERNS),
    "url": URL,
}
_KNOWN = frozenset((
    "$schema", "$id", "$ref", "definitions", "title", "description", "default", "deprecated",
    "examples", "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "items",
    "properties", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties",
    "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "markdownDescription", "enumDescriptions",
    "markdownEnumDescriptions",
))  # fmt: skip
"""Keywords of draft-07, and those of editors that SchemaStore's validation lets pass."""
_README = """\
# For SchemaStore

Generated. To submit, in a clone of SchemaStore:

1. copy `schemas/`, `test/` and `negative_test/` into `src/`;
2. put `catalog-entry.json` into the list of `src/api/json/catalog.json`, in alphabetical order;
3. merge `schema-validation.json` into `src/schema-validation.jsonc`;
4. run `npm run prettier:fix`, and `node cli.js check --schema-name=llmcfg.json`.
"""
_NAMED = frozenset(("properties", "$defs", "definitions"))
_SEVERAL = frozenset(("allOf", "anyOf", "oneOf"))
_ONE = frozenset(("items", "additionalProperties", "propertyNames", "if", "then", "else", "not"))
"""Where schemas stand in a schema: under names, in lists, alone."""
_REFUSED = {
    "unknown-section": "model: Qwen/Qwen3-8B\nvlm:\n  engine: {}\n",
    "unknown-parameter": "model: Qwen/Qwen3-8B\nvllm:\n  engine:\n    max_num_seq: 8\n",
    "wrong-type": "model: Qwen/Qwen3-8B\nvllm:\n  engine:\n    max_num_seqs: many\n",
    "out-of-range": "model: Qwen/Qwen3-8B\nvllm:\n  engine:\n    gpu_memory_utilization: 1.5\n",
    "unknown-value": "model: Qwen/Qwen3-8B\npytorch:\n  load:\n    dtype: float7\n",
    "unknown-gpu": "model: Qwen/Qwen3-8B\ngpu: h1000\nvllm: {}\n",
    "unknown-method": "model: Qwen/Qwen3-8B\npytorch:\n  quantization:\n    method: magic\n",
    "missing-model": "tensorrt_llm:\n  llm:\n    max_batch_size: 8\n",
}


def catalog_files(bundle: Json, examples: Path) -> dict[str, str]:
    """Return the files to submit, by their path under ``generated/``."""
    schema = _schema(bundle)
    unknown = sorted(set(_keywords(json.loads(schema))) - _KNOWN)
    options = {"ajvNotStrictMode": [NAME], "options": {NAME: {"unknownKeywords": unknown}}}
    files = {
        "README.md": _README,
        "catalog-entry.json": _indented(_ENTRY),
        "schema-validation.json": _indented(options),
        f"schemas/json/{NAME}": schema,
    }
    for file in sorted(examples.glob("*.yaml")):
        files[f"test/llmcfg/{file.name}"] = _MODELINE + file.read_text(encoding="utf-8").partition("\n")[2]
    for name, text in _REFUSED.items():
        files[f"negative_test/llmcfg/{name}.yaml"] = _MODELINE + text
    return {f"{_FOLDER}/{name}": text for name, text in files.items()}


def _schema(bundle: Json) -> str:
    """Write what editors are given, without our own keys, and with the names that draft-07 has."""
    offered = _plain(json.loads(written(bundle)))
    text = written({"$schema": "", "$id": URL, **offered} | {"$schema": _DRAFT})
    return re.sub(r'"(#/)?\$defs(["/])', r'"\1definitions\2', text)


def _plain(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    return {key: _inner(key, value) for key, value in schema.items() if not key.startswith("x-")}


def _inner(key: str, value: Any) -> Any:
    if key in _NAMED:
        return {name: _plain(schema) for name, schema in value.items()}
    if key in _SEVERAL:
        return [_plain(schema) for schema in value]
    return _plain(value) if key in _ONE else value


def _keywords(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema
        for key, value in schema.items():
            inner = value.values() if key in _NAMED else value if key in _SEVERAL else [value]
            if key in _NAMED | _SEVERAL | _ONE:
                for item in inner:
                    yield from _keywords(item)


def _indented(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
