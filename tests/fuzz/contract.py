"""What holds of any input, whatever its bytes."""

from __future__ import annotations

import json
from typing import Any

import yaml

from llmcfg.diagnostics import has_errors
from llmcfg.document import Document
from llmcfg.emit.formats import FORMATS
from llmcfg.pipeline import ALL, Request, Result, run
from llmcfg.reading.reader import parse

SUFFIXES = (".yaml", ".json")


def holds(raw: bytes) -> list[Result]:
    """Read and compile the bytes as YAML and as JSON; return the results.

    Raises:
        AssertionError: if a part of the contract is broken; anything else that is raised breaks it too.
    """
    return [_holds(raw, f"c{suffix}") for suffix in SUFFIXES]


def _holds(raw: bytes, name: str) -> Result:
    document = parse(raw, name)
    result = run(document, Request(ALL))
    assert result == run(parse(raw, name), Request(ALL)), "not the same twice"
    assert bool(result.compiled) != has_errors(result.diagnostics)
    _has_places(result, raw)
    for compiled in result.compiled:
        json.dumps(compiled.native, allow_nan=False).encode()
        for form in FORMATS.values():
            form(compiled)[0].encode()
    if result.compiled:
        _means_the_same(document)
    return result


def _has_places(result: Result, raw: bytes) -> None:
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    places = [item.place for item in result.diagnostics if item.place]
    assert len(places) == len(result.diagnostics)
    assert places == sorted(places)
    for line, column in places:
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


def _means_the_same(document: Document) -> None:
    """What is accepted is written as JSON, read by PyYAML, and is the same: nothing depends on the reader."""
    text = json.dumps(document.data)
    assert json.loads(text) == document.data
    again: Any = parse(text.encode(), "again.json")
    assert again.data == document.data
    assert yaml.safe_load(json.dumps({"a": text})) == {"a": text}
