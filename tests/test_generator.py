"""What is written by hand under ``schema/``, and what is generated from it."""

from __future__ import annotations

import ast
import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import llmcfg
from llmcfg.codes import CODES
from llmcfg.generator import docs, output
from llmcfg.generator.lint import lint, lint_file
from llmcfg.generator.source import Json, Type, load

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "schema"
SOURCE = load(SCHEMA)
TYPES = [(backend, name, item) for backend, types in SOURCE.types.items() for name, item in types.items()]

GOOD: Json = {
    "title": "Engine",
    "description": "An engine that is described here for the tests.",
    "type": "object",
    "properties": {
        "size": {
            "title": "Size",
            "description": "How large it is: larger takes more memory and gives more throughput.",
            "type": "integer",
            "minimum": 1,
            "default": 8,
            "examples": [16],
            "x-impact": ["memory", "throughput"],
            "x-source": "engine 1.0 engine/args.py Args.size",
        },
        "kind": {
            "title": "Kind",
            "description": "Which of two kinds it is: the fast one, or the one that takes less memory.",
            "type": ["string", "null"],
            "enum": ["fast", "small", None],
            "x-values": {
                "fast": {"description": "The fast one."},
                "small": {"description": "The small one.", "x-requires": "hopper", "x-since": "1.1"},
            },
            "x-impact": {"none": "It is an example, and moves nothing."},
            "x-source": ["engine 1.0 engine/args.py Args.kind"],
        },
    },
    "required": ["size"],
    "x-rules": [
        {
            "id": "engine-small-is-small",
            "if": {"properties": {"kind": {"const": "small"}}, "required": ["kind"]},
            "then": {"properties": {"size": {"maximum": 8}}},
            "at": "size",
            "also": ["kind"],
            "severity": "error",
            "message": "The small kind takes at most a size of 8.",
            "hint": "Lower size.",
            "source": "engine 1.0 engine/args.py Args.check",
        }
    ],
    "x-source": "engine 1.0 engine/args.py Args",
}
PART = {"title": "Part", "description": "Another object, which another file describes." * 2, "type": "object"}
REMOVED = object()
SIZE, KIND, RULE = ("properties", "size"), ("properties", "kind"), ("x-rules", 0)

BAD: list[tuple[tuple[str | int, ...], Any]] = [
    (("x-note",), "unknown key of the vocabulary"),
    (("patternProperties",), {}),
    (("$defs",), {}),
    (("additionalProperties",), True),
    (("anyOf",), [{"type": "object"}]),
    (("title",), REMOVED),
    (("title",), "x" * 80),
    (("title",), " "),
    (("description",), REMOVED),
    (("description",), "Too short."),
    (("type",), REMOVED),
    (("type",), "string"),
    (("properties", "extra"), {}),
    (("properties", "two words"), {}),
    (("x-native",), 3),
    (("x-since",), "soon"),
    (("allOf",), [{"$ref": "missing.json"}]),
    (("allOf",), [{"$ref": "../../etc/passwd"}]),
    ((*SIZE, "x-note"), "unknown key of the vocabulary"),
    ((*SIZE, "anyOf"), [{"type": "integer"}]),
    ((*SIZE, "const"), 8),
    ((*SIZE, "$ref"), "size.json"),
    ((*SIZE, "title"), REMOVED),
    ((*SIZE, "description"), REMOVED),
    ((*SIZE, "description"), ""),
    ((*SIZE, "description"), "It is the size, and no more is said."),
    ((*SIZE, "type"), REMOVED),
    ((*SIZE, "type"), "int"),
    ((*SIZE, "default"), 0),
    ((*SIZE, "default"), "8"),
    ((*SIZE, "examples"), []),
    ((*SIZE, "examples"), [16, 0]),
    ((*SIZE, "x-impact"), REMOVED),
    ((*SIZE, "x-impact"), []),
    ((*SIZE, "x-impact"), ["speed"]),
    ((*SIZE, "x-impact"), {"none": "none"}),
    ((*SIZE, "x-source"), REMOVED),
    ((*SIZE, "x-source"), []),
    ((*SIZE, "x-source"), "somewhere"),
    ((*SIZE, "x-requires"), "pascal"),
    ((*SIZE, "x-requires"), {"arch": "hopper", "memory": 80}),
    ((*SIZE, "x-requires"), {"level": "emulated"}),
    ((*SIZE, "x-requires"), [{"arch": "hopper"}]),
    ((*SIZE, "x-until"), "1.2"),
    ((*SIZE, "x-values"), {"8": {"description": "The usual size."}}),
    ((*SIZE, "deprecated"), False),
    ((*SIZE, "x-audit"), {"measure": "memory"}),
    ((*KIND, "x-values"), REMOVED),
    ((*KIND, "x-values", "fast"), REMOVED),
    ((*KIND, "x-values", "huge"), {"description": "The huge one."}),
    ((*KIND, "x-values", "fast", "description"), REMOVED),
    ((*KIND, "x-values", "fast", "description"), ""),
    ((*KIND, "x-values", "fast", "x-note"), "unknown"),
    ((*KIND, "enum"), ["fast", "fast", "small"]),
    ((*KIND, "enum"), []),
    ((*KIND, "default"), "huge"),
    ((*KIND, "pattern"), "^f"),
    (("properties", "name"), {**GOOD["properties"]["size"], "type": "string", "examples": REMOVED}),
    (("properties", "part"), {**PART, "allOf": [{"$ref": "missing.json"}]}),
    (("properties", "part"), {**PART, "oneOf": [{"$ref": "missing.json"}] * 2}),
    ((*RULE, "id"), REMOVED),
    ((*RULE, "id"), "Two Words"),
    ((*RULE, "message"), REMOVED),
    ((*RULE, "hint"), REMOVED),
    ((*RULE, "source"), REMOVED),
    ((*RULE, "at"), REMOVED),
    ((*RULE, "severity"), "fatal"),
    ((*RULE, "then"), REMOVED),
    ((*RULE, "compare"), {"left": "size", "is": "<", "right": 8}),
    ((*RULE, "then"), {"patternProperties": {}}),
    (("x-rules",), GOOD["x-rules"] * 2),
]  # fmt: skip


def changed(path: tuple[str | int, ...], value: Any) -> Json:
    schema: Any = copy.deepcopy(GOOD)
    holder = schema
    for part in path[:-1]:
        holder = holder[part]
    if value is REMOVED:
        del holder[path[-1]]
    else:
        holder[path[-1]] = without_removed(value)
    return schema


def without_removed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if item is not REMOVED}
    return value


@pytest.fixture(scope="module")
def dialect() -> Draft202012Validator:
    metaschema = json.loads((SCHEMA / "dialect.json").read_text())
    Draft202012Validator.check_schema(metaschema)
    return Draft202012Validator(metaschema)


class TestDialect:
    def test_the_schema_is_clean(self) -> None:
        assert lint(SCHEMA) == []

    def test_the_good_example_is_good(self, tmp_path: Path, dialect: Draft202012Validator) -> None:
        file = tmp_path / "engine.json"
        file.write_text(json.dumps(GOOD))
        assert list(lint_file(file, dialect)) == []

    @pytest.mark.parametrize(("path", "value"), BAD, ids=lambda value: repr(value)[:60])
    def test_a_bad_one_is_refused(
        self, path: tuple[str | int, ...], value: Any, tmp_path: Path, dialect: Draft202012Validator
    ) -> None:
        file = tmp_path / "engine.json"
        file.write_text(json.dumps(changed(path, value)))
        problems = list(lint_file(file, dialect))
        assert problems
        assert all(problem.startswith(f"{file}: ") for problem in problems)

    @pytest.mark.parametrize("text", ["{", '{"title": "a", "title": "b"}', "[]", "3"])
    def test_what_is_no_schema(self, text: str, tmp_path: Path, dialect: Draft202012Validator) -> None:
        file = tmp_path / "engine.json"
        file.write_text(text)
        assert list(lint_file(file, dialect))

    @pytest.mark.parametrize("names", [(), ("engine/one.json",), ("engine/two.json",)])
    def test_an_id_of_another_file_is_refused(self, names: tuple[str, ...], tmp_path: Path) -> None:
        shutil.copy(SCHEMA / "dialect.json", tmp_path)
        (tmp_path / "engine").mkdir()
        for name in ("one", "two"):
            (tmp_path / "engine" / f"{name}.json").write_text(json.dumps(GOOD))
        problems = lint(tmp_path, [tmp_path / name for name in names])
        assert len(problems) == (len(names) or 2)
        assert all("engine-small-is-small is declared in" in problem for problem in problems)


class TestRules:
    def test_an_id_stands_for_one_fact(self) -> None:
        """Classes that share fields share rules; apart from that an id is unique."""
        rules: dict[str, list[Json]] = {}
        for _, _, item in TYPES:
            for rule in item.rules:
                rules.setdefault(rule["id"], []).append(rule)
        assert [name for name, found in rules.items() if any(rule != found[0] for rule in found)] == []

    @pytest.mark.parametrize("backend", SOURCE.backends)
    def test_paths_name_parameters(self, backend: str) -> None:
        assert list(unknown_paths(backend)) == []

    @pytest.mark.parametrize("backend", SOURCE.backends)
    def test_versions_are_ordered(self, backend: str) -> None:
        """A fact that ends before it begins, or a rule outside every release, can never apply."""
        from llmcfg.checking.versions import order

        spans = [
            (name, about["x-since"], about["x-until"])
            for owner, name, item in TYPES
            if owner == backend
            for about in conditions(item)
            if "x-since" in about and "x-until" in about
        ]
        assert [span for span in spans if order(span[1]) >= order(span[2])] == []


def conditions(item: Type) -> Iterator[Json]:
    yield item.head
    yield from item.rules
    for parameter in item.properties.values():
        yield parameter
        yield from parameter.get("x-values", {}).values()


def unknown_paths(backend: str) -> Iterator[str]:
    types = SOURCE.types[backend]
    for item in types.values():
        for rule in item.rules:
            operands = [rule["compare"][side] for side in ("left", "right")] if "compare" in rule else []
            paths = [rule["at"], *rule.get("also", ()), *(path for path in operands if isinstance(path, str))]
            paths += [*condition_paths(rule.get("if", {})), *condition_paths(rule.get("then", {}))]
            for path in paths:
                if not exists(path.split("."), [item], types):
                    yield f"{item.file}: {rule['id']}: {path}"


def condition_paths(condition: Any, prefix: str = "") -> Iterator[str]:
    """Yield the path of every key that a condition speaks of."""
    if not isinstance(condition, dict):
        return
    for key in (*condition.get("properties", ()), *condition.get("required", ())):
        yield prefix + key
    for key, nested in condition.get("properties", {}).items():
        yield from condition_paths(nested, f"{prefix}{key}.")
    for keyword in ("allOf", "anyOf", "oneOf"):
        for nested in condition.get(keyword, ()):
            yield from condition_paths(nested, prefix)
    yield from condition_paths(condition.get("not"), prefix)


def exists(keys: list[str], owners: list[Type], types: dict[str, Type]) -> bool:
    key, *rest = keys
    found = [owner.properties[key] for owner in owners if key in owner.properties]
    if not found or not rest:
        return bool(found) or (key == "extra" and not rest)
    inner = [types[name] for parameter in found for name in nested(parameter)]
    return exists(rest, inner, types) if inner else any(is_open(parameter) for parameter in found)


def nested(parameter: Json) -> list[str]:
    items = parameter.get("items")
    below = nested(items) if isinstance(items, dict) else []
    return [*parameter.get("$types", ()), *([parameter["$type"]] if "$type" in parameter else []), *below]


def is_open(parameter: Json) -> bool:
    return "object" in parameter["type"]


class TestCodes:
    def used(self) -> set[str]:
        files = [path for path in Path(llmcfg.__file__).parent.rglob("*.py") if path.name != "codes.py"]
        texts = (
            node.value for path in files for node in ast.walk(ast.parse(path.read_text())) if constant(node)
        )
        return {text for text in texts if re.fullmatch(r"L[0-9]{3}", text)}

    def test_declared_and_used_are_the_same(self) -> None:
        assert self.used() == CODES.keys()

    def test_they_are_explained(self) -> None:
        for entry in CODES.values():
            assert entry.title
            assert entry.explanation.endswith(".")
            assert entry.example


def constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


class TestGenerated:
    def test_fresh(self) -> None:
        lines = [*output.stale(SCHEMA, ROOT / "generated"), *docs.stale(ROOT / "docs")]
        shown = [line[:160] for line in lines[:20]]
        assert not lines, "\n".join([*shown, f"generated files are stale: run `{output.COMMAND}`"])

    def test_a_change_is_noticed(self, tmp_path: Path) -> None:
        expected = "\n".join(output.stale(SCHEMA, tmp_path))
        assert "catalog/vllm.json" in expected
        assert "llmcfg_models/__init__.py" in expected

    @pytest.mark.slow
    def test_deterministic(self, tmp_path: Path) -> None:
        schema = shutil.copytree(SCHEMA, tmp_path / "schema")
        program = (
            "import hashlib, sys; from pathlib import Path; from llmcfg.generator.output import outputs\n"
            "for name, text in outputs(Path(sys.argv[1])).items():"
            "    print(name, hashlib.sha256(text.encode()).hexdigest())"
        )
        command = [sys.executable, "-c", program, str(schema)]
        runs = [
            subprocess.run(
                command, cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONHASHSEED": seed},
            ).stdout
            for seed in ("1", "2")
        ]  # fmt: skip
        assert "llmcfg_models/__init__.py" in runs[0]
        assert runs[0] == runs[1]
