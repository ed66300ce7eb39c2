"""What the schema says of native parameters is what the inventories of the engines' releases say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from llmcfg.audit import store
from llmcfg.audit.coverage import coverage, is_audited, stale
from llmcfg.audit.differences import Difference, differences
from llmcfg.audit.facts import Inventory
from llmcfg.audit.matching import Matched, matched, unmatched
from llmcfg.audit.natives import Native, natives
from llmcfg.catalog import backends
from llmcfg.checking.versions import in_range, order

BACKENDS = list(backends())
RELEASES = [
    (backend, item.package, item.version)
    for backend in BACKENDS
    for item in store.inventories(backend)
    if is_audited(backend, item.package, item.version)
]
KINDS = {"internal", "plumbing", "build", "test", "secret", "elsewhere", "code", "unused"}
MOVED = {"energy", "throughput", "latency", "memory", "quality"}

each_release = pytest.mark.parametrize(("backend", "package", "version"), RELEASES)
each_backend = pytest.mark.parametrize("backend", BACKENDS)


class Compared(NamedTuple):
    """A parameter of the schema beside its native field."""

    native: Native
    field: Matched
    found: tuple[Difference, ...]


def inventory(backend: str, package: str, version: str) -> Inventory:
    found = store.inventory(backend, version, package)
    assert found is not None
    return found


@cache
def compared(backend: str, package: str, version: str) -> list[Compared]:
    known = inventory(backend, package, version)
    return [
        Compared(native, field, tuple(differences(native, field.field, known)))
        for field in matched(known)
        for native in field.natives
    ]


def everywhere(backend: str) -> Iterator[tuple[str, Compared]]:
    for release in RELEASES:
        if release[0] == backend:
            for item in compared(*release):
                yield release[2], item


def key(native: Native) -> tuple[str, str]:
    return native.type, native.name


@pytest.mark.parametrize(
    ("backend", "package", "least"),
    [("vllm", "vllm", 4), ("tensorrt_llm", "tensorrt-llm", 2), ("pytorch", "transformers", 3)],
)
def test_releases_are_stored(backend: str, package: str, least: int) -> None:
    stored = {item.version for item in store.inventories(backend) if item.package == package}
    assert len(stored) >= least
    assert set(backends()[backend]["versions"]) <= stored


@each_release
def test_defaults_types_choices_and_bounds_are_the_engines(backend: str, package: str, version: str) -> None:
    items = compared(backend, package, version)
    assert len(items) > 100
    wrong = [
        (item.field.id, difference)
        for item in items
        for difference in item.found
        if difference.question not in item.native.schema.get("x-differs", {})
    ]
    assert wrong == []


@each_backend
def test_deliberate_differences_are_differences(backend: str) -> None:
    real = {(key(item.native), one.question) for _, item in everywhere(backend) for one in item.found}
    claimed = {
        (key(native), name) for native in natives(backend) for name in native.schema.get("x-differs", {})
    }
    assert claimed - real == set()


@each_backend
def test_former_defaults_were_defaults(backend: str) -> None:
    seen = {
        (key(item.native), release)
        for version, item in everywhere(backend)
        for release in item.native.schema.get("x-former-default", {})
        if order(version) < order(release) and item.field.field.has_default
    }
    claimed = {
        (key(native), release)
        for native in natives(backend)
        for release in native.schema.get("x-former-default", {})
    }
    assert claimed == seen


@each_release
def test_every_parameter_is_in_the_releases_that_the_schema_names(
    backend: str, package: str, version: str
) -> None:
    assert [native.id for native in unmatched(inventory(backend, package, version))] == []


@each_backend
def test_no_parameter_is_denied_to_a_release_that_has_it(backend: str) -> None:
    package = store.own_package(backend)
    for release in RELEASES:
        if release[:2] != (backend, package):
            continue
        present = {field.id for field in matched(inventory(*release))}
        denied = [
            native.id
            for native in natives(backend)
            if native.id in present and not native.is_in(release[2]) and not elsewhere(native, release[2])
        ]
        assert denied == []


def elsewhere(native: Native, version: str) -> bool:
    """Tell whether another parameter of the schema sets the field in this release."""
    return any(
        other.id == native.id and other is not native and other.is_in(version)
        for backend in BACKENDS
        for other in natives(backend)
    )


@each_backend
def test_what_came_with_a_release_was_not_in_the_one_before(backend: str) -> None:
    package = store.own_package(backend)
    stored = [item.version for item in store.inventories(backend) if item.package == package]
    for before, release in itertools.pairwise(stored):
        earlier = {field.id for field in matched(inventory(backend, package, before))}
        came = [native.id for native in natives(backend) if native.schema.get("x-since") == release]
        assert not [name for name in came if name in earlier], release


@each_backend
def test_bounds_of_releases_make_sense(backend: str) -> None:
    """A parameter is in one audited release at least, and so is every value of it."""
    releases = backends()[backend]["versions"]
    for native in natives(backend):
        assert any(native.is_in(version) for version in releases), native.id
        for value, about in native.schema.get("x-values", {}).items():
            bounds = about.get("x-since"), about.get("x-until")
            assert any(in_range(version, *bounds) for version in releases), (native.id, value)


class TestCoverage:
    """Every native parameter is modelled, or somebody decided that it is not."""

    @each_backend
    def test_nothing_is_missing(self, backend: str) -> None:
        found = list(coverage(backend))
        assert found
        assert [name for item in found for name in item.missing] == []

    @each_backend
    def test_nothing_is_stale(self, backend: str) -> None:
        assert list(stale(backend)) == []

    @each_backend
    def test_all_that_moves_energy_or_throughput(self, backend: str) -> None:
        for item in coverage(backend):
            assert item.impactful.covered == item.impactful.total, (item.version, item.object, item.left_out)

    @each_backend
    def test_nearly_all_that_is_public(self, backend: str) -> None:
        for item in coverage(backend):
            if item.object is None:
                assert item.public.total > 100
                assert item.public.percent >= 95, item.version


class TestDecisions:
    @each_backend
    def test_each_has_its_reasons(self, backend: str) -> None:
        for name, about in store.decisions(backend).items():
            assert about.keys() == {"kind", "reason", "impact", "source"}, name
            assert about["kind"] in KINDS, name
            assert len(about["reason"]) >= 30, name
            assert about["reason"].endswith("."), name
            assert about["source"], name
            impact = about["impact"]
            if isinstance(impact, list):
                assert impact, name
                assert set(impact) <= MOVED, name
            else:
                assert list(impact) == ["none"], name
                assert len(impact["none"]) >= 20, name
