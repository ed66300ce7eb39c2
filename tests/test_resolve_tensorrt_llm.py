"""TensorRT-LLM's rules as data: what they make of configs, by the sources of 1.2.1 and their neighbours."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from llmcfg.audit.facts import Field
from llmcfg.compiled import Compiled
from llmcfg.gpus import Gpu
from llmcfg.gpus import table as gpus
from llmcfg.resolve.question import Answer, Held, Machine, Model, Question, as_json, from_json
from llmcfg.resolve.tensorrt_llm.course import Course
from llmcfg.resolve.tensorrt_llm.facts import known, machine_facts, model_facts
from llmcfg.resolve.tensorrt_llm.operands import OPERATIONS
from llmcfg.resolve.tensorrt_llm.rules import answer, engine
from llmcfg.resolve.tensorrt_llm.state import State, lookup
from llmcfg.resolve.tensorrt_llm.table import Step, inventory, steps, table, topics
from tests.support.parameters import check, parameters

Json = dict[str, Any]
HERE = Path(__file__).parent


class Case(NamedTuple):
    """A config, and what must become of it; the data say what the keys mean."""

    name: str
    section: Json
    gpu: str = "h100"
    gpus: int = 1
    model: str = "kind:dense"
    config: Json | None = None
    variables: dict[str, str] = {}
    held: Json = {}
    chosen: Json = {}
    said: tuple[str, ...] = ()
    refused: tuple[str, str] | None = None
    unknown: tuple[str, ...] = ()


def rows(name: str) -> list[Json]:
    found: list[Json] = json.loads((HERE / "data" / f"tensorrt_llm-1.2.1.{name}.json").read_text("utf-8"))[
        "rows"
    ]
    return found


CASES = [Case(row.pop("case"), **row) for row in rows("answers")]


def llm(**arguments: Any) -> Case:
    return Case("", {"llm": arguments})


def compiled(case: Case) -> Compiled:
    document = {"model": case.model, "tensorrt_llm": case.section}
    return check(document, backend="tensorrt_llm", gpu=case.gpu).compiled[0]


def question(case: Case, folder: Path) -> Question:
    config = None
    if case.config is not None:
        config = str(folder / "config.json")
        Path(config).write_text(json.dumps(case.config), encoding="utf-8")
    found = compiled(case)
    return Question(dict(found.native), {**found.env, **case.variables}, Model(case.model, config))


def machine(case: Case) -> Machine:
    return Machine(case.gpu, case.gpus)


def answered(case: Case, folder: Path) -> Answer:
    return answer(question(case, folder), machine(case))


def course(case: Case, folder: Path) -> Course:
    asked = question(case, folder)
    facts = {"machine": machine_facts(machine(case)), "model": model_facts(known(asked.model).config)}
    return Course(State(asked.native, asked.env, facts)).run()


def warnings(found: Answer) -> set[str]:
    return {item.text for item in found.said if item.level == "warning"}


def names(cases: list[Case]) -> list[str]:
    return [case.name for case in cases]


class TestAnswers:
    @pytest.mark.parametrize("case", CASES, ids=names(CASES))
    def test_what_is_held_and_chosen(self, case: Case, tmp_path: Path) -> None:
        found = answered(case, tmp_path)
        assert {path: found.held[path].value for path in case.held} == case.held
        chosen = {choice.topic: choice.value for choice in found.chosen}
        assert {topic: chosen.get(topic) for topic in case.chosen} == case.chosen

    @pytest.mark.parametrize("case", CASES, ids=names(CASES))
    def test_what_is_said(self, case: Case, tmp_path: Path) -> None:
        found = answered(case, tmp_path)
        said = "\n".join(item.text for item in found.said)
        assert [words for words in case.said if words.lower() not in said.lower()] == []
        assert [words for words in case.unknown if not any(words in text for text in found.unknown)] == []
        assert bool(found.unknown) is bool(case.unknown)

    @pytest.mark.parametrize("case", CASES, ids=names(CASES))
    def test_nothing_else_is_altered(self, case: Case, tmp_path: Path) -> None:
        """What the case does not name is held as it was asked for."""
        asked, held = question(case, tmp_path).native, answered(case, tmp_path).held
        others = [path for path in held if path not in case.held and not path.startswith("env.")]
        assert {path: held[path].value for path in others} == {path: lookup(asked, path) for path in others}

    @pytest.mark.parametrize("case", CASES, ids=names(CASES))
    def test_nothing_else_is_warned_of(self, case: Case, tmp_path: Path) -> None:
        """Apart from what is said of every config of that backend."""
        backend = case.section.get("llm", {}).get("backend")
        plain = case._replace(section={"llm": {"backend": backend}})
        news = warnings(answered(case, tmp_path)) - warnings(answered(plain, tmp_path))
        assert {
            text for text in news if not any(words.lower() in text.lower() for words in case.said)
        } == set()

    @pytest.mark.parametrize("case", CASES, ids=names(CASES))
    def test_what_is_refused(self, case: Case, tmp_path: Path) -> None:
        found = answered(case, tmp_path)
        if case.refused is None:
            assert (found.stage, found.refusal) == ("accepted", None)
        else:
            assert found.stage in ("nothing", "constructed")
            assert found.refusal is not None
            kind, words = case.refused
            assert found.refusal.kind == kind
            assert words in found.refusal.text
            assert found.refusal.where.startswith("tensorrt_llm ")
            assert (found.held, found.chosen) == ({}, ())

    def test_there_are_enough(self) -> None:
        assert len(CASES) > 100
        assert len(set(names(CASES))) == len(CASES)

    @pytest.mark.parametrize("case", CASES, ids=names(CASES))
    def test_the_schema_lets_it_through(self, case: Case) -> None:
        """What the schema refuses by itself is not for the rules: there is one home for each fact."""
        assert [item.message for item in compiled(case).diagnostics if item.severity == "error"] == []

    @pytest.mark.parametrize("case", CASES, ids=names(CASES))
    def test_it_crosses_a_process_boundary(self, case: Case, tmp_path: Path) -> None:
        asked = question(case, tmp_path)
        before = copy.deepcopy(asked.native)
        found = answer(asked, machine(case))
        crossed = json.dumps(as_json(found))
        assert json.dumps(as_json(from_json(json.loads(crossed)))) == crossed
        assert asked.native == before, "what was asked is changed"

    def test_an_asked_value_that_no_rule_speaks_of(self, tmp_path: Path) -> None:
        held = answered(llm(trust_remote_code=True, cp_config={"cp_type": "HELIX"}), tmp_path).held
        assert held["LlmArgs.trust_remote_code"] == Held("llm.args.trust_remote_code", True)
        assert held["LlmArgs.cp_config.cp_type"].value == "HELIX"

    def test_objects_that_pytorch_never_sees(self, tmp_path: Path) -> None:
        section = {"llm": {}, "build": {"max_batch_size": 1}, "quantization": {"quant_algo": "FP8"}}
        assert {path.partition(".")[0] for path in answered(Case("", section), tmp_path).held} == {"LlmArgs"}

    def test_the_environment_is_held(self, tmp_path: Path) -> None:
        found = answered(llm()._replace(variables={"TLLM_LOG_LEVEL": "INFO"}), tmp_path)
        assert found.held["env.TLLM_LOG_LEVEL"].value == "INFO"

    def test_choices_are_left_out_if_nobody_wants_them(self, tmp_path: Path) -> None:
        asked = question(llm(), tmp_path)._replace(with_choices=False)
        assert answer(asked, Machine("h100")).chosen == ()

    def test_a_value_of_another_type_is_no_pass(self, tmp_path: Path) -> None:
        """``extra`` hands anything on."""
        found = answered(llm(cuda_graph_config={"extra": {"batch_sizes": [1, "two"]}}), tmp_path)
        assert any("graph-sizes-sorted" in text for text in found.unknown)

    def test_a_machine_that_cannot_be_asked(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for module in ("facts", "rules"):
            monkeypatch.setattr(f"llmcfg.resolve.tensorrt_llm.{module}.gpu", lambda machine: None)
        found = answer(question(llm(), tmp_path), Machine())
        assert found.unknown == ("which GPU this machine has",)
        assert "cannot be asked" in engine(Machine()).device

    def test_a_config_that_cannot_be_read(self, tmp_path: Path) -> None:
        asked = question(llm(), tmp_path)._replace(model=Model("m", str(tmp_path / "absent.json")))
        refusal = answer(asked, Machine("h100")).refusal
        assert refusal is not None
        assert "absent.json" in refusal.text

    def test_who_answers(self) -> None:
        found = engine(Machine("b200"))
        assert (found.package, found.version, found.platform) == ("tensorrt_llm", "1.2.1", "rules")
        assert "B200" in found.device

    @pytest.mark.parametrize("card", gpus(), ids=lambda card: card.name)
    def test_dtype_by_gpu(self, card: Gpu, tmp_path: Path) -> None:
        held = answered(llm(dtype="auto")._replace(gpu=card.name), tmp_path).held
        assert held["LlmArgs.dtype"].value == ("auto" if card.capability >= (8, 0) else "float16")


class TestTrust:
    """What an answer takes on trust is listed in it."""

    def test_facts_of_the_machine(self, tmp_path: Path) -> None:
        found = {item.question: item.answer for item in answered(llm()._replace(gpu="l4"), tmp_path).assumed}
        assert found["machine.capability of l4"] == 89
        assert found["machine.count of l4"] == 1

    def test_a_fact_that_no_rule_looked_at(self, tmp_path: Path) -> None:
        found = answered(llm(backend="tensorrt", dtype="float16")._replace(gpu="l4"), tmp_path)
        assert "machine.capability of l4" not in {item.question for item in found.assumed}

    def test_copies_that_stand_for_the_release(self, tmp_path: Path) -> None:
        found = answered(llm(attn_backend="FLASHINFER"), tmp_path)
        assert any("has step" in item.question and "000429d5" in item.source for item in found.assumed)

    def test_the_model(self, tmp_path: Path) -> None:
        assert answered(llm(), tmp_path).model.startswith("a stand-in")
        assert answered(llm()._replace(model="some/model"), tmp_path).model.startswith("a stand-in")
        assert not answered(llm()._replace(config={}), tmp_path).model.startswith("a stand-in")


def conditions(step: Step) -> Iterator[str]:
    for condition in step.alternatives:
        yield from condition


def operands(operand: Any) -> Iterator[str]:
    """Yield the paths in an operand."""
    if isinstance(operand, str):
        yield operand
    elif isinstance(operand, dict) and "value" not in operand:
        for name, parts in operand.items():
            assert name in OPERATIONS
            for part in parts if isinstance(parts, list) else [parts]:
                yield from operands(part)


def read_by(step: Step) -> Iterator[str]:
    yield from conditions(step)
    if step.comparison:
        yield from operands(step.comparison.left)
        yield from operands(step.comparison.right)
    for operand in step.effect.get("set", {}).values():
        yield from operands(operand)


def written_by(step: Step) -> Iterator[str]:
    yield from step.effect.get("set", {})
    yield from step.effect.get("unsettle", ())


def classes(name: str) -> list[str]:
    return ["TorchLlmArgs", "TrtLlmArgs"] if name == "LlmArgs" else [name]


def fields(path: str) -> list[Field]:
    """Return the inventory's fields that a native path may mean."""
    name, *keys = path.split(".")
    found: list[Field] = []
    owners = classes(name)
    for key in keys:
        found = [
            inventory().objects[owner].fields[key]
            for owner in owners
            if key in inventory().objects[owner].fields
        ]
        owners = [inner for field in found for inner in field.objects]
        if not owners and any("object" in field.types for field in found):
            return found
    return found


NATIVE = ("LlmArgs", "BuildConfig", "QuantConfig", "SamplingParams")
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def json_type(value: Any) -> str:
    return "null" if value is None else TYPES[type(value)]


def is_of_type(path: str, value: Any) -> bool:
    """Tell whether the inventory's field takes the value; Python's own types are not compared."""
    found = fields(path)
    is_foreign = any(field.foreign for field in found)
    return is_foreign or any(json_type(value) in field.types or "any" in field.types for field in found)


class TestTable:
    def test_every_rule_is_taken_by_a_case(self, tmp_path: Path) -> None:
        taken = {item.step.id for case in CASES for item in course(case, tmp_path).taken}
        assert [step.id for step in steps() if step.id not in taken] == []

    def test_every_topic_is_told_by_a_case(self, tmp_path: Path) -> None:
        told = {choice.topic for case in CASES for choice in answered(case, tmp_path).chosen}
        assert {topic.name for topic in topics()} - told == set()

    def test_no_rule_has_the_name_of_another(self) -> None:
        assert len({step.id for step in steps()}) == len(steps())

    @pytest.mark.parametrize("step", steps(), ids=lambda step: step.id)
    def test_native_paths_are_of_the_inventory(self, step: Step) -> None:
        paths = {path.removeprefix("asked.") for path in (*read_by(step), *written_by(step))}
        tags = {f"LlmArgs.{key}.{variant['tag']}" for key, variant in table()["variants"].items()}
        native = {path for path in paths if path.startswith(NATIVE) and "." in path}
        assert {path for path in native - tags if not fields(path)} == set()

    @pytest.mark.parametrize("step", steps(), ids=lambda step: step.id)
    def test_other_paths_are_facts(self, step: Step) -> None:
        facts = {
            "machine": {"capability", "count"},
            "model": set(model_facts(known(Model("kind:fp8")).config)),
        }
        variables = {item.path[-1] for item in parameters("tensorrt_llm") if item.path[0] == "env"}
        for path in read_by(step):
            name, _, rest = path.partition(".")
            if name == "engine":
                earlier = steps()[: steps().index(step)]
                assert any(path in written_by(other) for other in earlier), path
            elif name == "env":
                assert rest in variables | {"RAY_LOCAL_WORLD_SIZE"}
            elif not path.startswith((*NATIVE, "asked.")):
                assert rest in facts[name], path

    @pytest.mark.parametrize("case", CASES, ids=names(CASES))
    def test_values_are_of_the_inventorys_types(self, case: Case, tmp_path: Path) -> None:
        """Each value that a rule set last, in each of the cases."""
        found = course(case, tmp_path)
        changed = {path for taken in found.taken for path in taken.paths if path.startswith(NATIVE)}
        values = {path: found.state.get(path) for path in changed}
        assert {path: value for path, value in values.items() if not is_of_type(path, value)} == {}

    def test_choices_are_of_the_inventory(self) -> None:
        """Constants for a field with choices are among them."""
        for step in steps():
            for path, operand in step.effect.get("set", {}).items():
                for field in fields(path) if path.startswith(NATIVE) else ():
                    if (
                        isinstance(operand, dict)
                        and "value" in operand
                        and field.choices
                        and not field.is_open
                    ):
                        assert operand["value"] in [*field.choices, None], path

    @pytest.mark.parametrize("step", steps(), ids=lambda step: step.id)
    def test_what_a_rule_is(self, step: Step) -> None:
        assert set(step.effect) <= {"set", "refuse", "unsettle", "unknown", "log", "usual"}
        assert step.effect.keys() - {"log", "usual"} or "log" in step.effect
        assert step.effect.get("log", "info") in ("warning", "info")
        assert step.stage in ("arguments", "start", "build")
        assert step.says.strip()

    @pytest.mark.parametrize("step", steps(), ids=lambda step: step.id)
    def test_sources_name_a_release_or_a_copy(self, step: Step) -> None:
        marks = ("around 1.2", "before 1.2")
        for source in step.sources:
            assert source.startswith("tensorrt_llm ")
            assert source.startswith("tensorrt_llm 1.2.1 ") or any(mark in source for mark in marks)

    def test_classes_that_a_source_names_exist(self) -> None:
        """``llm_args.py Class.member``: a class of the inventory, or one of its bases."""
        own = {name for key, item in inventory().objects.items() for name in (key, *item.bases)}
        named = {
            source.rpartition(" ")[2].partition(".")[0]
            for step in steps()
            for source in step.sources
            if "1.2.1 tensorrt_llm/llmapi/llm_args.py" in source
        }
        assert named - own == {"_ParallelConfig"}


def rewrites() -> list[Json]:
    return [row for row in rows("validators") if row["does"] == "rewrites"]


def differences(section: Json, gpu: str, folder: Path) -> set[str]:
    """Return the asked values that are not held, and what is said."""
    case = Case("", section, gpu, gpus=8)
    asked, found = compiled(case).native, answered(case, folder)
    altered = {path for path, held in found.held.items() if held.value != lookup(asked, path)}
    return altered | {item.text for item in found.said}


class TestValidators:
    """Each validator that changes a value, in the table of checks, changes it here."""

    @pytest.mark.parametrize("row", rewrites(), ids=lambda row: f"{row['validator']}: {row['fact']}")
    def test_a_value_that_is_rewritten(self, row: Json, tmp_path: Path) -> None:
        gpu = row.get("gpu", "h100")
        bad, good = (differences(row[kind], gpu, tmp_path) for kind in ("bad", "good"))
        assert bad - good
