"""What is ready to submit to SchemaStore keeps the rules of its CONTRIBUTING, and passes its validation."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from llmcfg.cli.configs import NAMES
from llmcfg.generator.schemastore import NAME, URL
from tests.support.node import modules, node

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "generated" / "schemastore"
SCHEMA = json.loads((FOLDER / "schemas" / "json" / NAME).read_text(encoding="utf-8"))
ENTRY = json.loads((FOLDER / "catalog-entry.json").read_text(encoding="utf-8"))
TESTS = sorted(FOLDER.glob("test/llmcfg/*"))
REFUSED = sorted(FOLDER.glob("negative_test/llmcfg/*"))


@cache
def ran() -> subprocess.CompletedProcess[str]:
    script = Path(__file__).parent / "schemastore" / "check.mjs"
    command = [node(), str(script), str(modules()), str(FOLDER)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def judged() -> dict[str, dict[str, list[str]]]:
    """Return what Ajv, set up as in SchemaStore's cli.js, has to say of each test file."""
    assert ran().returncode == 0, ran().stderr
    said: dict[str, dict[str, list[str]]] = json.loads(ran().stdout)
    return said


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_ajv_takes(file: Path) -> None:
    assert judged()["test"][file.name] == []


@pytest.mark.parametrize("file", REFUSED, ids=lambda file: file.name)
def test_ajv_refuses_with_one_reason(file: Path) -> None:
    assert len(judged()["negative_test"][file.name]) == 1


def test_there_are_files_of_both_kinds() -> None:
    assert len(TESTS) > 20
    assert len(REFUSED) >= 6


@pytest.mark.parametrize("file", TESTS + REFUSED, ids=lambda file: file.name)
def test_it_opens_with_the_line_that_is_asked_for(file: Path) -> None:
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    assert first == f"# yaml-language-server: $schema=../../schemas/json/{NAME}"
    assert (file.parent / first.partition("=")[2]).resolve() == FOLDER / "schemas" / "json" / NAME


class TestEntry:
    """The rules of `schema-catalog.json` and of the checks in `cli.js`."""

    def test_its_keys(self) -> None:
        assert list(ENTRY) == ["name", "description", "fileMatch", "url"]
        assert ENTRY["url"] == URL == SCHEMA["$id"]

    @pytest.mark.parametrize("text", [ENTRY["name"], ENTRY["description"]])
    def test_its_texts(self, text: str) -> None:
        assert "schema" not in text.lower()
        assert "\n" not in text
        assert not re.search(r"[,. \t-]$", text)

    def test_its_patterns_are_specific_and_simple(self) -> None:
        patterns = ENTRY["fileMatch"]
        assert len(set(patterns)) == len(patterns)
        assert {"llmcfg.yaml", "*.llmcfg.yaml"} <= set(patterns)
        assert all(re.fullmatch(r"(\*\.)?llmcfg\.(yaml|yml|json)", pattern) for pattern in patterns)

    @pytest.mark.parametrize("name", [*NAMES, *(f"chat.{name}" for name in NAMES)])
    def test_it_covers_what_a_folder_is_searched_for(self, name: str) -> None:
        assert any(fnmatch.fnmatchcase(name, pattern) for pattern in ENTRY["fileMatch"])

    @pytest.mark.parametrize(
        "name", ["config.yaml", "llmcfg.lock.json", "chat.llmcfg.lock.json", "my-llmcfg.yaml"]
    )
    def test_it_covers_nothing_else(self, name: str) -> None:
        assert not any(fnmatch.fnmatchcase(name, pattern) for pattern in ENTRY["fileMatch"])


class TestSchema:
    def test_its_dialect(self) -> None:
        assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"

    def test_no_keyword_is_ours_or_of_a_later_draft(self) -> None:
        later = {"$defs", "unevaluatedProperties", "dependentRequired", "dependentSchemas", "prefixItems"}
        used = set(keywords(SCHEMA))
        assert used & later == set()
        assert [keyword for keyword in used if keyword.startswith("x-")] == []

    def test_every_reference_leads_somewhere(self) -> None:
        text = json.dumps(SCHEMA)
        assert set(re.findall(r'"\$ref": "#/definitions/([^"]+)"', text)) == SCHEMA["definitions"].keys()


def keywords(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [keyword for item in schema for keyword in keywords(item)]
    if not isinstance(schema, dict):
        return []
    found = list(schema)
    for key, value in schema.items():
        if key in ("properties", "definitions"):
            found += [keyword for item in value.values() for keyword in keywords(item)]
        elif key not in ("default", "examples", "enum"):
            found += keywords(value)
    return found
