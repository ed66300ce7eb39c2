"""Every parameter: valid by construction is accepted; one mutation away is refused, and where it is."""

from __future__ import annotations

import copy
from collections import Counter
from functools import cache
from random import Random
from typing import Any

import pytest

from llmcfg.catalog import backends
from llmcfg.diagnostics import ERROR, Diagnostic, Place
from llmcfg.document import Document
from llmcfg.emit.yaml_text import yaml_text
from llmcfg.pipeline import ALL, Request, run
from llmcfg.reading.reader import parse
from tests.support.documents import documents
from tests.support.mutations import APPLY, KINDS, Mutation, mutations, spots
from tests.support.parameters import Parameter, accepted, every_parameter

CASES = every_parameter()
AT_KEY = {"unknown key"}


def written(data: dict[str, Any]) -> tuple[Document, list[Diagnostic]]:
    """Write a config as a file, and read and check that."""
    document = parse(yaml_text(data).encode(), "c.yaml")
    return document, run(document, Request(ALL)).diagnostics


def missed(mutation: Mutation) -> str | None:
    """Say what is wrong with the answer to a mutation; None if an error stands where the mutation is."""
    document, found = written(mutation.data)
    if document.data is None:  # a number beyond 64 bits ends the reading, where it stands
        return None if [item.code for item in found] == ["L006"] else str(found)
    expected = place_of(mutation, document)
    errors = [item for item in found if item.severity == ERROR]
    if (mutation.path, expected) in [(item.path, item.place) for item in errors]:
        return None
    return f"{mutation.kind} at {mutation.path}, {expected}: {[(item.path, item.place) for item in errors]}"


def place_of(mutation: Mutation, document: Document) -> Place | None:
    """The key of an unknown key, the value of a wrong value, the parent's key of a missing one."""
    if mutation.kind in AT_KEY or mutation.kind == "missing key":
        return document.key_place(mutation.path)
    return document.value_place(mutation.path)


@cache
def all_mutated() -> list[tuple[Parameter, tuple[Mutation, ...]]]:
    return [(parameter, mutated(parameter)) for parameter in CASES]


def mutated(parameter: Parameter) -> tuple[Mutation, ...]:
    """Make each mistake that the parameter allows, once."""
    found: dict[str, Mutation] = {}
    for _, data, _ in accepted(parameter):
        for spot in spots(data):
            if spot.path[: len(parameter.path) + 1] != (parameter.backend, *parameter.path):
                continue
            for kind, fits in KINDS.items():
                if kind not in found and fits(spot):
                    copied = copy.deepcopy(data)
                    found[kind] = Mutation(kind, APPLY[kind](copied, spot, Random(1)), copied)  # noqa: S311
    return tuple(found.values())


@pytest.mark.parametrize("backend", backends())
def test_every_parameter_written_is_accepted(backend: str) -> None:
    for parameter in CASES:
        if parameter.backend == backend:
            for _, data, _ in list(accepted(parameter))[:1]:
                document, _ = written(data)
                assert document.data == data


@pytest.mark.parametrize("backend", backends())
def test_every_parameter_mutated_is_refused_where_it_is(backend: str) -> None:
    made = [item for parameter, items in all_mutated() if parameter.backend == backend for item in items]
    assert not [problem for item in made if (problem := missed(item))][:5]


def test_every_parameter_has_a_mutation() -> None:
    """All but those that take anything."""
    without = [parameter for parameter, items in all_mutated() if not items]
    assert not [item.name for item in without if "type" in item.schema or "enum" in item.schema]
    assert min(Counter(item.kind for _, items in all_mutated() for item in items).values()) > 10


def test_mutations_of_whole_documents() -> None:
    random = Random(5)  # noqa: S311
    made = [item for data in documents(5, 300) for item in mutations(data, random, 2)]
    assert not [problem for item in made if (problem := missed(item))][:3]
