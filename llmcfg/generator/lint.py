"""Check the files under ``schema/`` against the dialect, and for what a metaschema cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match


def lint_file(path: Path, dialect: Draft202012Validator) -> Iterator[str]:
    """Yield one line for each mistake in one schema file."""
    try:
        schema = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unique)
    except ValueError as malformed:
        yield f"{path}: {malformed}"
        return
    errors = list(dialect.iter_errors(schema))
    for error in errors:
        deepest = best_match([error]) or error
        where = "/".join(str(part) for part in deepest.absolute_path)
        yield f"{path}: {where}: {deepest.message[:300]}"
    if errors:
        return
    for name, parameter in schema.get("properties", {}).items():
        for problem in _lint_parameter(parameter, path):
            yield f"{path}: properties/{name}: {problem}"
    for reference in schema.get("allOf", ()):
        for problem in _lint_reference(reference, path):
            yield f"{path}: allOf: {problem}"
    ids = [rule.get("id") for rule in schema.get("x-rules", ())]
    for duplicate in {rule for rule in ids if ids.count(rule) > 1}:
        yield f"{path}: rule {duplicate} is declared twice"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"duplicate key {key!r}")
    return dict(pairs)


def _lint_parameter(parameter: dict[str, Any], path: Path) -> Iterator[str]:
    for reference in (*parameter.get("allOf", ()), *parameter.get("oneOf", ())):
        yield from _lint_reference(reference, path)
    enum = parameter.get("enum")
    if enum is not None:
        texts = {value if isinstance(value, str) else json.dumps(value) for value in enum}
        described = set(parameter.get("x-values", ()))
        for missing in sorted(texts - described - {"null"}):
            yield f"x-values does not describe {missing}"
        for stale in sorted(described - texts):
            yield f"x-values describes {stale}, which is not in enum"
    if "allOf" in parameter or "oneOf" in parameter:
        return
    plain = {key: value for key, value in parameter.items() if not key.startswith("x-")}
    plain.pop("discriminator", None)
    for part in ("items", "additionalProperties"):
        if isinstance(plain.get(part), dict):
            plain[part] = {key: value for key, value in plain[part].items() if key != "allOf"}
    validator = Draft202012Validator(plain)
    values = [("example", value) for value in parameter.get("examples", ())]
    if "default" in parameter:
        values.append(("default", parameter["default"]))
    for kind, value in values:
        for error in validator.iter_errors(value):
            yield f"{kind} {value!r} does not satisfy the schema: {error.message[:200]}"


def _lint_reference(reference: dict[str, str], path: Path) -> Iterator[str]:
    target = reference.get("$ref", "")
    if not (path.parent / target).exists():
        yield f"{target} does not exist"


def lint(root: Path, files: list[Path] | None = None) -> list[str]:
    """Return every mistake in the given files, or in all schema files under ``root``."""
    metaschema = json.loads((root / "dialect.json").read_text(encoding="utf-8"))
    dialect = Draft202012Validator(metaschema)
    everything = sorted(root.glob("*/**/*.json"))
    chosen = files or everything
    found = [problem for path in chosen for problem in lint_file(path, dialect)]
    return [*found, *_shared_ids(chosen, everything)]


def _shared_ids(chosen: list[Path], everything: list[Path]) -> Iterator[str]:
    """Yield one line for each rule of the chosen files whose id a rule of another file has, too."""
    declared: dict[str, list[Path]] = {}
    for path in everything:
        for rule in _rule_ids(path):
            declared.setdefault(rule, []).append(path)
    for path in chosen:
        for rule in _rule_ids(path):
            for other in declared.get(rule, ()):
                if other.resolve() != path.resolve():
                    yield f"{path}: rule {rule} is declared in {other} as well"


def _rule_ids(path: Path) -> list[str]:
    """Return the ids of a file's rules, each once; a malformed file has none."""
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
        return list(dict.fromkeys(rule["id"] for rule in schema.get("x-rules", ())))
    except (ValueError, AttributeError, TypeError, KeyError):
        return []
