"""The checks of TensorRT-LLM 1.2.1, and its hardware, against what llmcfg says.

The engine cannot run where the tests run. Its place is taken by two tables of facts: one row for each
condition under which its code refuses or changes a config, and one for each value that asks for an
architecture. Both are complete: what is in neither a row nor a list with its reason fails.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from llmcfg.audit import store
from llmcfg.audit.facts import Inventory
from llmcfg.catalog import bundle
from llmcfg.diagnostics import Diagnostic, dotted
from llmcfg.generator.source import Json, load
from llmcfg.gpus import find
from tests.support.parameters import MODEL, Parameter, check, first_sample, parameters, put

HERE = Path(__file__).parent
BACKEND = "tensorrt_llm"
SEVERITIES = {
    "raises": {"error"},
    "rewrites": {"warning", "info"},
    "warns": {"warning", "info"},
    "ignores": {"warning", "info"},
}
"""What llmcfg should answer to a check that does this; a row that differs has its reason."""

TAGS = {"algorithm", "decoding_type"}
"""Keys that choose one of several types."""

OWN_SECTIONS = {"build_config", "quant_config", "calib_config"}
"""Fields of ``TrtLlmArgs`` that are sections of a config, not keys of ``llm``."""


class Said(NamedTuple):
    """What matters of a diagnostic: all but its words."""

    code: str
    rule: str | None
    at: str
    severity: str


@cache
def read(name: str) -> Json:
    loaded: Json = json.loads((HERE / "data" / f"tensorrt_llm-1.2.1.{name}.json").read_text(encoding="utf-8"))
    return loaded


def inventory() -> Inventory:
    found = store.inventory(BACKEND, "1.2.1")
    assert found is not None
    return found


def classes() -> set[str]:
    """Return the classes of the inventory, the base classes that share their fields included."""
    return {name for key, item in inventory().objects.items() for name in (key, *item.bases)}


def rows() -> list[Json]:
    found: list[Json] = read("validators")["rows"]
    return found


def name_of(row: Json) -> str:
    return f"{row.get('validator', row.get('value'))}: {row['fact']}"


def diagnostics(section: Json, gpu: str | None = None, model: Any = MODEL) -> list[Diagnostic]:
    return check({"model": model, BACKEND: section}, backend=BACKEND, gpu=gpu).diagnostics


def said(found: list[Diagnostic]) -> set[Said]:
    return {
        Said(item.code, item.rule, dotted(item.path).removeprefix(f"{BACKEND}."), item.severity)
        for item in found
    }


def parameter_at(path: str) -> Parameter:
    return next(item for item in parameters(BACKEND) if item.path == tuple(path.split(".")))


def listed() -> set[str]:
    """Return the checks that the table speaks of."""
    return {row["validator"] for row in rows()} | {item["check"] for item in read("validators")["not_config"]}


class TestChecks:
    @pytest.mark.parametrize("row", rows(), ids=name_of)
    def test_a_config_that_the_check_objects_to(self, row: Json) -> None:
        """Of two configs that differ in the condition, llmcfg says exactly one thing more of the bad one."""
        bad = diagnostics(row["bad"], row.get("gpu"), row.get("model", MODEL))
        good = diagnostics(row["good"], row.get("gpu"))
        expected = row["expected"]
        wanted = Said(expected["code"], expected.get("rule"), expected["at"], expected["severity"])
        assert said(bad) - said(good) == {wanted}
        assert "error" not in {item.severity for item in good}
        if "key" in expected:
            assert any(expected["key"] in item.message for item in bad if item.code == "L104")

    @pytest.mark.parametrize("row", rows(), ids=name_of)
    def test_it_is_as_severe_as_the_check(self, row: Json) -> None:
        agrees = row["expected"]["severity"] in SEVERITIES[row["does"]]
        assert agrees is not ("reason" in row), "a reason where there is none to give, or none where there is"

    def test_every_validator_is_listed(self) -> None:
        validators = {name for item in inventory().objects.values() for name in item.validators}
        assert len(validators) > 50
        assert validators - listed() == set()

    def test_every_other_check_is_listed(self) -> None:
        """Checks outside of validators: constructors, properties of classes, what start-up compares."""
        assert set(read("validators")["checks"]) - listed() == set()

    def test_every_constrained_field_has_a_row(self) -> None:
        """A row may name a base class: it covers the field in all classes that derive from it."""
        rowed = {field for row in rows() for field in row.get("fields", ())}
        covering = [
            {f"{owner}.{field}" for owner in (name, *item.bases)} & rowed
            for name, item in inventory().objects.items()
            for field, facts in item.fields.items()
            if facts.constraints
        ]
        assert len(covering) > 30
        assert all(covering)
        assert set().union(*covering) == rowed

    def test_classes_are_those_of_the_inventory(self) -> None:
        named = listed() | {item["check"] for item in read("validators")["beyond_rules"]}
        assert {name.partition(".")[0] for name in named} <= classes()

    @pytest.mark.parametrize("item", read("validators")["not_config"], ids=lambda item: item["check"])
    def test_what_is_no_rule(self, item: Json) -> None:
        """It has a reason, or it fills in a value that ``x-resolves`` of the parameter names."""
        if "parameter" not in item:
            assert item["reason"].endswith(".")
        else:
            assert item["resolves"] in parameter_at(item["parameter"]).schema["x-resolves"]

    def test_conditions_beyond_rules_belong_to_checks_with_rows(self) -> None:
        for item in read("validators")["beyond_rules"]:
            assert item["check"] in listed()
            assert item["reason"].endswith(".")

    def test_no_condition_is_listed_twice(self) -> None:
        configs = [json.dumps([row["validator"], row["bad"]], sort_keys=True) for row in rows()]
        assert len(set(configs)) == len(configs)


def objects() -> list[Parameter]:
    """Return one parameter for each object that becomes an instance of a class of the engine."""
    first = {item.owner: item for item in parameters(BACKEND) if item.path[0] != "env" and len(item.path) > 1}
    return list(first.values())


def fields(name: str) -> set[str]:
    return set(inventory().objects[name].fields)


def only_of(one: str, other: str) -> list[Parameter]:
    """Return the parameters of ``llm`` that one kind of arguments has and the other has not."""
    paths = {("llm", name) for name in fields(one) - fields(other) - OWN_SECTIONS}
    return [item for item in parameters(BACKEND) if item.path in paths]


def with_backend(parameter: Parameter, backend: str) -> Json:
    section: Json = parameter.document(first_sample(parameter.schema))[BACKEND]
    section["llm"]["backend"] = backend
    return section


class TestKeys:
    """Unknown keys: most classes forbid them, two drop them in silence; llmcfg refuses all."""

    @pytest.mark.parametrize("parameter", objects(), ids=lambda item: item.owner)
    def test_an_unknown_key(self, parameter: Parameter) -> None:
        section = parameter.document(first_sample(parameter.schema))[BACKEND]
        put(section, (*parameter.path[:-1], "no_such_key"), 1)
        assert any(item.code == "L101" and item.path[-1] == "no_such_key" for item in diagnostics(section))

    @pytest.mark.parametrize("parameter", only_of("TrtLlmArgs", "TorchLlmArgs"), ids=lambda item: item.name)
    def test_a_key_of_the_engine_backend(self, parameter: Parameter) -> None:
        found = diagnostics(with_backend(parameter, "pytorch"))
        rule = f"tensorrt-llm-engine-only-{str(parameter.path[-1]).replace('_', '-')}"
        assert Said("L201", rule, ".".join(map(str, parameter.path)), "error") in said(found)
        assert rule not in {item.rule for item in diagnostics(with_backend(parameter, "tensorrt"))}

    @pytest.mark.parametrize("parameter", only_of("TorchLlmArgs", "TrtLlmArgs"), ids=lambda item: item.name)
    def test_a_key_of_the_pytorch_backend(self, parameter: Parameter) -> None:
        rule = "tensorrt-llm-torch-only-fields"
        found = diagnostics(with_backend(parameter, "tensorrt"))
        assert Said("L201", rule, "llm.backend", "error") in said(found)
        assert rule not in {item.rule for item in diagnostics(with_backend(parameter, "pytorch"))}


def verdict(row: Json, at: str, capability: str) -> str:
    """Return what llmcfg makes of a value on the GPU of a capability: yes, emulated or no."""
    section: Json = {}
    put(section, tuple(at.split(".")), row["value"])
    found = diagnostics(section, read("hardware")["gpus"][capability])
    codes = {item.code for item in found if f"{BACKEND}.{at}".startswith(dotted(item.path))}
    return "no" if "L301" in codes else "emulated" if "L302" in codes else "yes"


def source_says(row: Json, capability: str) -> str | None:
    return next((word for word in ("yes", "emulated", "no") if capability in row[word]), None)


def requirements() -> Iterator[tuple[str, str]]:
    """Yield each parameter and value of the schema that asks for an architecture.

    Where a whole type does, the value that chooses the type stands for it.
    """
    for parameter in parameters(BACKEND):
        path = ".".join(map(str, parameter.path))
        if asks_for_arch(parameter.schema):
            yield path, "true"
        if asks_for_arch(bundle()["$defs"][parameter.owner]) and parameter.path[-1] in TAGS:
            yield path, first_sample(parameter.schema)
        for value, about in parameter.schema.get("x-values", {}).items():
            if asks_for_arch(about):
                yield path, value


def asks_for_arch(about: Json) -> bool:
    needs = about.get("x-requires", [])
    alternatives = needs if isinstance(needs, list) else [needs]
    return any(isinstance(item, str) or "arch" in item for item in alternatives)


def hardware_rows() -> list[Json]:
    found: list[Json] = read("hardware")["rows"]
    return found


class TestHardware:
    def test_there_is_a_gpu_of_each_capability(self) -> None:
        gpus = load(HERE.parent / "schema").gpus["gpus"]
        chosen = read("hardware")["gpus"]
        assert set(chosen) == {gpu["capability"] for gpu in gpus.values()}
        assert {name: ".".join(map(str, find(gpu).capability)) for name, gpu in chosen.items()} == {
            name: name for name in chosen
        }

    @pytest.mark.parametrize("row", hardware_rows(), ids=name_of)
    def test_a_row_speaks_of_each_capability_once(self, row: Json) -> None:
        unlisted = row["unlisted"]
        groups = (row["yes"], row["emulated"], row["no"], unlisted["refused"], unlisted["accepted"])
        assert sorted(itertools.chain(*groups)) == sorted(read("hardware")["gpus"])

    @pytest.mark.parametrize("row", hardware_rows(), ids=name_of)
    def test_what_no_source_lists(self, row: Json) -> None:
        for at in row["at"]:
            for answer, verdicts in (("refused", {"no"}), ("accepted", {"yes"})):
                found = {verdict(row, at, capability) for capability in row["unlisted"][answer]}
                assert found <= verdicts

    def test_what_the_sources_list(self) -> None:
        """The differences are these, no more and no fewer."""
        found = [
            (at, row["value"], capability, word, answer)
            for row in hardware_rows()
            for at in row["at"]
            for capability in read("hardware")["gpus"]
            if (word := source_says(row, capability)) and word != (answer := verdict(row, at, capability))
        ]
        assert found == [
            (item["at"], item["value"], item["capability"], item["source_says"], item["llmcfg_says"])
            for item in read("hardware")["differences"]
        ]

    def test_every_requirement_of_an_architecture_has_a_row(self) -> None:
        rows = {(at, text(row["value"])) for row in hardware_rows() for at in row["at"]}
        needed = set(requirements())
        assert len(needed) > 60
        assert needed - rows == set()


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
