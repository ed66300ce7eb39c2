"""``llmcfg explain`` tells every fact of ``schema/``: compared with the files, for every parameter."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from llmcfg.__main__ import run
from llmcfg.backends import module
from llmcfg.catalog import backends
from llmcfg.checking.hardware import check_requirements
from llmcfg.cli.options import BACKENDS
from llmcfg.compiled import Compiled
from llmcfg.diagnostics import dotted
from llmcfg.explain.native import Native
from llmcfg.explain.needs import EMULATED, IGNORED, NATIVE, UNSUPPORTED
from llmcfg.explain.places import Place, places
from llmcfg.explain.plain import plain
from llmcfg.explain.record import Question, Record, answered, record
from llmcfg.explain.search import search
from llmcfg.explain.text import record_text
from llmcfg.explain.values import Value, problems, written
from llmcfg.generator.source import Json, Type, load, section_name
from llmcfg.gpus import find
from tests.support.parameters import ANY_KEY, Parameter, accepted, get, parameters, samples

ROOT = Path(__file__).parents[1]
SOURCE = load(ROOT / "schema")
GOLDENS = Path(__file__).parent / "explained"
UPDATE = os.environ.get("LLMCFG_UPDATE_GOLDENS") == "1"
GPUS = ("t4", "a100", "h100", "none")
LEVELS = {(): NATIVE, ("L302",): EMULATED, ("L304",): IGNORED, ("L301",): UNSUPPORTED}

Said = pytest.CaptureFixture[str]
Around = tuple[tuple[int, str], ...]
"""The types around a parameter, each with the depth of its object."""


class Written:
    """A parameter as ``schema/`` has it: where, the types around it, and its own facts."""

    def __init__(self, backend: str, path: tuple[str, ...], around: Around, facts: Json) -> None:
        self.backend, self.path, self.around, self.facts = backend, path, around, facts

    @property
    def holder(self) -> Type:
        return SOURCE.types[self.backend][self.around[-1][1]]

    @property
    def is_choice(self) -> bool:
        """Tell whether the parameter chooses its own type; ``explain`` joins those of all types."""
        return self.around[-1][1] in CHOSEN and CHOSEN[self.around[-1][1]] == self.path[-1]


CHOSEN = {
    name: parameter["discriminator"]["propertyName"]
    for types in SOURCE.types.values()
    for item in types.values()
    for parameter in item.properties.values()
    for name in parameter.get("$types", ())
}


def targets(parameter: Json) -> Iterator[str]:
    yield from parameter.get("$types", ())
    if "$type" in parameter:
        yield parameter["$type"]
    for key in ("items", "additionalProperties"):
        if isinstance(parameter.get(key), dict):
            yield from targets(parameter[key])


def below(backend: str, name: str, path: tuple[str, ...], around: Around) -> Iterator[Written]:
    here = (*around, (len(path), name))
    for key, facts in SOURCE.types[backend][name].properties.items():
        yield Written(backend, (*path, key), here, facts)
        for inner in targets(facts):
            if inner not in {known for _, known in here}:
                yield from below(backend, inner, (*path, key), here)


WRITTEN = [item for name in BACKENDS for item in below(name, section_name(name), (name,), ())]
PLAIN = [item for item in WRITTEN if not item.is_choice]
CHOICES = sorted({item.path for item in WRITTEN if item.is_choice})
TYPES = sorted({item.around[-1][1] for item in PLAIN})


@cache
def records() -> dict[tuple[tuple[str, ...], str], Record]:
    """Return the record of every place, by path and holder."""
    return {key(place): record(place, Question()) for place in places() if place.inside}


def key(place: Place) -> tuple[tuple[str, ...], str]:
    return place.path, place.inside[-1].type


def explained(item: Written) -> Record:
    return records()[item.path, item.around[-1][1]]


def of_type(name: str) -> Iterator[tuple[Written, Record]]:
    for item in PLAIN:
        if item.around[-1][1] == name:
            yield item, explained(item)


def lines(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class TestEveryParameter:
    def test_each_has_one_record_at_each_place(self) -> None:
        expected = {(item.path, item.around[-1][1]) for item in PLAIN}
        joined = {found for found in records() if found[0] in CHOICES}
        assert records().keys() - joined == expected
        assert {path for path, _ in joined} == set(CHOICES)
        assert len(expected) > 1900

    @pytest.mark.parametrize("name", TYPES)
    def test_text_and_default(self, name: str) -> None:
        for item, found in of_type(name):
            assert (found.path, found.title, found.text) == (
                dotted(item.path), item.facts["title"], item.facts["description"],
            )  # fmt: skip
            assert found.has_default == ("default" in item.facts)
            assert found.default == item.facts.get("default")
            assert found.resolves == item.facts.get("x-resolves")
            assert found.required == (item.path[-1] in item.holder.required)
            assert list(found.examples) == item.facts.get("examples", [])

    @pytest.mark.parametrize("name", TYPES)
    def test_type_and_range(self, name: str) -> None:
        words = {"string": "text", "boolean": "true or false", "array": "list", "object": "mapping"}
        bounds = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems")
        for item, found in of_type(name):
            for kind in lines(item.facts["type"]):
                assert words.get(kind, kind) in found.type
            for bound in bounds:
                assert bound not in item.facts or str(item.facts[bound]) in found.type

    @pytest.mark.parametrize("name", TYPES)
    def test_impact_and_sources(self, name: str) -> None:
        for item, found in of_type(name):
            impact = item.facts.get("x-impact", [])
            assert list(found.impact) == (impact if isinstance(impact, list) else [])
            assert found.no_impact == (impact["none"] if isinstance(impact, dict) else None)
            nested = [name for name in targets(item.facts) if name not in item.facts.get("$types", ())]
            inner = [
                line
                for name in nested
                for line in lines(SOURCE.types[item.backend][name].head.get("x-source", []))
            ]
            own = lines(item.facts.get("x-source", []))
            assert list(found.sources) == list(dict.fromkeys(own + inner))
            assert found.sources or len(item.path) == 2 or item.facts.get("$types"), found.path

    @pytest.mark.parametrize("name", TYPES)
    def test_versions(self, name: str) -> None:
        for item, found in of_type(name):
            facts, versions = item.facts, found.versions
            assert list(versions.audited) == backends()[item.backend]["versions"]
            assert versions.since == facts.get("x-since")
            assert versions.until == facts.get("x-until")
            assert versions.replaced_by == facts.get("x-replaced-by")
            assert versions.deprecated == facts.get("deprecated", False)
            assert list(versions.renamed_from) == facts.get("x-renamed-from", [])

    @pytest.mark.parametrize("name", TYPES)
    def test_requirements_of_it_and_of_what_is_around_it(self, name: str) -> None:
        for item, found in of_type(name):
            assert [way.facts for way in found.needs] == requirement(item.facts)
            around = [SOURCE.types[item.backend][known] for _, known in item.around]
            around += [SOURCE.types[item.backend][inner] for inner in [item.facts.get("$type")] if inner]
            expected = [needed for needed in map(of_object, around) if needed]
            assert [[way.facts for way in part.needs] for part in found.around if part.needs] == expected

    @pytest.mark.parametrize("name", TYPES)
    def test_rules(self, name: str) -> None:
        for item, found in of_type(name):
            assert sorted(rule.id for rule in found.rules) == sorted(rules_about(item)), found.path
            for rule in found.rules:
                assert rule.message
                assert rule.hint
                assert rule.sources
                assert rule.severity in ("error", "warning", "info")

    @pytest.mark.parametrize("name", TYPES)
    def test_it_is_all_in_the_text(self, name: str) -> None:
        for _, found in of_type(name):
            text = " ".join(record_text(found).split())
            told = [found.path, found.title, found.text, found.type, found.resolves, found.no_impact]
            told += [*found.sources, *found.impact, *(way.text for way in found.needs)]
            told += [
                fact for rule in found.rules for fact in (rule.id, rule.message, rule.hint, *rule.sources)
            ]
            told += [fact for value in found.values for fact in (written(value.value), value.text)]
            told += [fact for native in found.native for fact in (native.name, native.flag, native.key)]
            missing = [fact for fact in told if fact and " ".join(fact.split()) not in text]
            assert not missing, found.path


def requirement(facts: Json) -> list[Json]:
    requires = facts.get("x-requires", [])
    return [{"arch": requires}] if isinstance(requires, str) else lines(requires)


def of_object(item: Type) -> list[Json]:
    """Return what an object of the type needs: as the type says, or the value that chooses it."""
    if item.name not in CHOSEN or "x-requires" in item.head:
        return requirement(item.head)
    (about,) = item.properties[CHOSEN[item.name]]["x-values"].values()
    return requirement(about)


def rules_about(item: Written) -> Iterator[str]:
    """Yield the rules that speak of the parameter, read from the files of all types around it."""
    for depth, name in item.around:
        for rule in SOURCE.types[item.backend][name].rules:
            if any(path[: len(item.path) - depth] == item.path[depth:] for path in spoken_of(rule)):
                yield rule["id"]


def spoken_of(rule: Json) -> set[tuple[str, ...]]:
    sides = (rule.get("compare", {}).get(side) for side in ("left", "right"))
    named = [rule["at"], *rule.get("also", ()), *(side for side in sides if isinstance(side, str))]
    found = {tuple(path.split(".")) for path in named}
    for condition in (rule.get("if"), rule.get("then")):
        found |= set(conditioned(condition, ()))
    return found


def conditioned(condition: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key in a condition, whatever keywords it stands in."""
    if isinstance(condition, list):
        for part in condition:
            yield from conditioned(part, path)
    if not isinstance(condition, dict):
        return
    for keyword, value in condition.items():
        if keyword == "required":
            yield from ((*path, name) for name in value)
        elif keyword == "properties":
            for name, inner in value.items():
                yield (*path, name)
                yield from conditioned(inner, (*path, name))
        elif keyword not in ("enum", "const"):
            yield from conditioned(value, path)


class TestEveryValue:
    @pytest.mark.parametrize("name", TYPES)
    def test_text_and_conditions(self, name: str) -> None:
        for item, found in of_type(name):
            assert [value.value for value in found.values] == item.facts.get("enum", [])
            for value in found.values:
                about = item.facts["x-values"].get(written(value.value), {})
                assert value.text == about.get("description", "No value: the engine decides.")
                assert [way.facts for way in value.needs] == requirement(about)
                assert list(value.sources) == lines(about.get("x-source", []))
                assert value.versions.since == about.get("x-since")
                assert value.versions.until == about.get("x-until")
                assert value.versions.deprecated == about.get("deprecated", False)
                assert value.is_default == (
                    "default" in item.facts
                    and type(value.value) is type(found.default)
                    and value.value == found.default
                )

    @pytest.mark.parametrize("gpu", GPUS)
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_the_verdict_is_that_of_the_check(self, backend: str, gpu: str) -> None:
        device = find(gpu)
        judged = 0
        for place in places():
            if place.backend == backend and place.inside:
                found = record(place, Question(gpu=device))
                for part in (found, *found.values, *found.around):
                    assert part.verdict is not None
                    facts = [way.facts for way in part.needs]
                    codes = (
                        tuple(item.code for item in check_requirements(facts, "it", (), device))
                        if facts
                        else ()
                    )
                    assert part.verdict.level == LEVELS[codes], found.path
                    judged += bool(facts)
        assert judged > 50

    def test_they_are_not_all_alike(self) -> None:
        place = search("vllm.engine.kv_cache_dtype", None)[0].place
        levels = {
            gpu: {value.value: verdict_of(value) for value in record(place, Question(gpu=find(gpu))).values}
            for gpu in GPUS
        }
        assert levels["h100"]["fp8"] == NATIVE
        assert levels["a100"]["fp8"] == EMULATED
        assert levels["t4"]["fp8"] == UNSUPPORTED

    def test_a_value_that_turns_it_off_needs_nothing(self) -> None:
        place = search("VLLM_USE_DEEP_GEMM", None)[0].place
        assert not judged(place, 0, "a100").startswith((UNSUPPORTED, IGNORED))
        assert judged(place, 1, "a100") == IGNORED
        assert judged(place, 1, "h100") == NATIVE

    @pytest.mark.parametrize(
        ("name", "value", "rule"),
        [
            ("vllm.sampling.temperature", 0, "vllm-greedy-top-p"),
            ("vllm.engine.kv_cache_dtype", "bfloat16", "vllm-kv-bfloat16-needs-model-bfloat16"),
            ("vllm.engine.enable_prefix_caching", False, "vllm-kv-events-need-prefix-caching"),
        ],
    )
    def test_rules_that_name_the_value_come_first(self, name: str, value: Any, rule: str) -> None:
        rules = record(search(name, None)[0].place, Question(value=value, has_value=True)).rules
        named = [item.names_value for item in rules]
        assert named == sorted(named, reverse=True)
        assert rule in [item.id for item in rules if item.names_value]

    @pytest.mark.parametrize("path", CHOICES, ids=dotted)
    def test_a_choice_of_types_is_joined(self, path: tuple[str, ...]) -> None:
        (found,) = [item for (place, _), item in records().items() if place == path]
        own = [item for item in WRITTEN if item.path == path]
        assert [value.value for value in found.values] == [item.facts["enum"][0] for item in own]
        for value, item in zip(found.values, own, strict=True):
            (about,) = item.facts["x-values"].values()
            assert [way.facts for way in value.needs] == (requirement(about) or requirement(item.holder.head))
            assert value.text is not None
            assert item.holder.head["description"] in value.text
            assert set(lines(item.facts["x-source"])) <= set(found.sources)


def verdict_of(value: Value) -> str:
    assert value.verdict is not None
    return value.verdict.level


def judged(place: Place, value: Any, gpu: str) -> str:
    question = Question(gpu=find(gpu), value=value, has_value=True)
    outcome = answered(record(place, question), question).outcome
    assert outcome is not None
    return outcome.level


class TestNative:
    """Compiling a config that sets the parameter must put it where the record says."""

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_it_lands_there(self, backend: str) -> None:
        checked = sum(self.lands(parameter) for parameter in parameters(backend) if len(parameter.path) > 1)
        assert checked > 200

    def lands(self, parameter: Parameter) -> bool:
        (native,) = found_for(parameter).native
        native = replace(native, path=with_keys(native.path, parameter))
        seen = [self.one(native, value, result.compiled[0]) for value, _, result in accepted(parameter)]
        assert seen or not samples(parameter.schema), parameter.name
        return True in seen

    def one(self, native: Native, value: Any, item: Compiled) -> bool:
        emitter = module(item.backend)
        if native.object == "env":
            assert value is None or native.name in item.env
        elif native.form != "class" and value != {}:
            get(item.native[native.object], native.path)
        plain_value = value is not None and not isinstance(value, bool)
        if native.backend == "tensorrt_llm" and native.object == "LlmArgs" and native.key and plain_value:
            get(emitter.document(item).value, native.key.split("."))
        if native.command and not native.in_json and isinstance(value, (int, float, str)) and plain_value:
            words = {word.partition("=")[0] for line in emitter.argv(item).value for word in line}
            assert native.flag in words or value in ("", "None"), native
        return plain_value

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_the_class_is_the_holders(self, backend: str) -> None:
        for item in (item for item in PLAIN if item.backend == backend and len(item.path) > 2):
            (native,) = explained(item).native
            holds = SOURCE.types[backend][item.facts["$type"]] if not native.path else item.holder
            declared = holds.head.get("x-native", {})
            assert native.cls == (declared if isinstance(declared, str) else declared.get("class"))
            own = item.facts.get("x-native", {})
            assert native.name == own.get("name", own.get("object", item.path[-1]))


def without_keys(parameter: Parameter) -> tuple[str, ...]:
    """The keys of a mapping are the user's own: a place has none."""
    return (parameter.backend, *(str(step) for step in parameter.path if step != ANY_KEY))


def with_keys(path: tuple[str, ...], parameter: Parameter) -> tuple[str, ...]:
    if ANY_KEY not in parameter.path:
        return path
    inside = len(parameter.path) - parameter.path.index(ANY_KEY) - 1
    return (*path[:-inside], ANY_KEY, *path[-inside:])


def found_for(parameter: Parameter) -> Record:
    path = without_keys(parameter)
    by_owner = records().get((path, parameter.owner))
    return by_owner or next(item for (place, _), item in records().items() if place == path)


class TestSearch:
    def test_by_path(self) -> None:
        for place in places():
            assert any(found.place is place for found in search(dotted(place.path), None))

    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("max_num_seqs", "vllm.engine.max_num_seqs"),
            ("pass_config.fuse_norm_quant", "vllm.engine.compilation_config.pass_config.fuse_norm_quant"),
            ("max-num-seqs", "vllm.engine.max_num_seqs"),
            ("--max-num-seqs", "vllm.engine.max_num_seqs"),
            ("--no-enable-prefix-caching", "vllm.engine.enable_prefix_caching"),
            ("--gemm_plugin", "tensorrt_llm.build.plugin_config.gemm_plugin"),
            ("pretrained_model_name_or_path", "model"),
            ("set_float32_matmul_precision", "pytorch.runtime.float32_matmul_precision"),
            ("build_config.max_beam_width", "tensorrt_llm.build.max_beam_width"),
        ],
    )
    def test_by_other_names(self, name: str, path: str) -> None:
        assert path in [dotted(found.place.path) for found in search(name, None)]

    @pytest.mark.parametrize(
        ("former", "item"),
        [(former, item) for item in PLAIN for former in item.facts.get("x-renamed-from", ())],
        ids=lambda value: value if isinstance(value, str) else dotted(value.path),
    )
    def test_by_former_names(self, former: str, item: Written) -> None:
        found = search(former, item.backend)
        assert item.path in [one.place.path for one in found if one.former == former]

    def test_only_the_backend_asked_for(self) -> None:
        assert {found.place.backend for found in search("temperature", "pytorch")} == {"pytorch"}


class TestValidity:
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_what_a_config_may_hold_is_accepted(self, backend: str) -> None:
        for parameter in parameters(backend):
            for value, _, _ in accepted(parameter):
                wrong = [
                    item for item in problems(place_of(parameter), value) if "missing" not in item.message
                ]
                assert not wrong, (parameter.name, value)

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_what_no_config_may_hold_is_refused(self, backend: str) -> None:
        for parameter in parameters(backend):
            if "object" not in parameter.schema["type"]:
                assert problems(place_of(parameter), {"no": "such"}), parameter.name


def place_of(parameter: Parameter) -> Place:
    path = without_keys(parameter)
    return next(
        place for place in places()
        if place.path == path and parameter.owner in {holder.type for holder in place.holders}
    )  # fmt: skip


class TestText:
    """Whole answers; ``LLMCFG_UPDATE_GOLDENS=1`` rewrites them."""

    @pytest.mark.parametrize(
        ("name", "line"),
        [
            ("parameter", "vllm.sampling.min_tokens"),
            ("value", "vllm.engine.mamba_backend=flashinfer --gpu a100"),
            ("values", "tensorrt_llm.llm.kv_cache_config.dtype --gpu l40s"),
            ("switch", "pytorch.generate.use_cache=false --backend-version 5.19.0"),
            ("nested", "vllm.engine.kernel_config.ir_op_priority.rms_norm"),
            ("variable", "VLLM_USE_DEEP_GEMM=1 --gpu a100"),
            ("former", "torch_dtype=float32"),
            ("variant", "pytorch.quantization.method=eetq --gpu none"),
            ("function", "set_num_interop_threads"),
            ("rule", "vllm-active-seqs-above-seqs"),
            ("section", "tensorrt_llm.quantization"),
        ],
    )
    def test_whole(self, name: str, line: str, capsys: Said) -> None:
        assert run(["explain", *line.split()]) == 0
        said = capsys.readouterr().out
        golden = GOLDENS / f"{name}.txt"
        if UPDATE:
            golden.write_text(said)
        assert said == golden.read_text()
        assert max(map(len, said.split("\n"))) <= 110

    def test_as_json(self, capsys: Said) -> None:
        assert run(["explain", "kv_cache_dtype=fp8", "--gpu", "a100", "--format", "json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found[0]["path"] == "vllm.engine.kv_cache_dtype"
        assert found[0]["value"]["value"] == "fp8"
        assert found[0]["value"]["verdict"]["level"] == EMULATED
        assert found[0]["outcome"]["gpu"] == "a100"
        assert found[0]["native"][0]["flag"] == "--kv-cache-dtype"

    @pytest.mark.parametrize("name", BACKENDS)
    def test_every_record_is_json(self, name: str) -> None:
        for found in records().values():
            if found.path.startswith(name):
                data = json.loads(json.dumps(found.as_json()))
                assert ("default" in data) == found.has_default
                assert data["type"] == found.type

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("vllm-active-seqs-above-seqs", [("rule", "vllm-active-seqs-above-seqs")]),
            ("L302", [("code", None)]),
            ("vllm.engine.quantization", [("parameter", None)]),
        ],
    )
    def test_other_kinds_as_json(self, line: str, expected: Any, capsys: Said) -> None:
        assert run(["explain", *line.split(), "--format", "json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert [(item["kind"], item.get("id")) for item in found][: len(expected)] == expected

    def test_what_does_not_take_the_value_is_told(self, capsys: Said) -> None:
        assert run(["explain", "dtype=bf16", "--format", "json"]) == 0
        found = json.loads(capsys.readouterr().out)
        refused = {
            item["problem"]["path"]: item["problem"]["code"] for item in found if item["kind"] == "refused"
        }
        assert refused["vllm.engine.dtype"] == "L103"
        assert run(["explain", "dtype=bf16"]) == 0
        assert "It is not taken elsewhere: vllm.engine.dtype: error[L103]" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("vllm.engine.max_num_seqs=0", "error[L105] max_num_seqs is 0, expected at least 1"),
            (
                "vllm.engine.max_num_seqs=many",
                "error[L102] max_num_seqs is the text 'many', expected an integer",
            ),
            ("vllm.engine.max_num_seqs=[1", "the value cannot be read"),
            ("vllm.engine.dtype=bf16", "Did you mean bfloat16?"),
            ("max_num_seq", "did you mean max_num_seqs?"),
            ("swap_space", "Removed in vllm 0.18.0. Instead: kv_offloading_size"),
            ("tp", "Here it is called vllm.engine.tensor_parallel_size or "),
            ("trtllm", "Here it is called tensorrt_llm."),
            ("=x", "say what to explain"),
            ("enable_prefix_caching=no", "YAML 1.2 reads yes, no, on and off as texts: write false."),
            ("temperature=hot", "expected a number\nllmcfg: tensorrt_llm.sampling.temperature"),
            ("vllm-active-seqs-above-seq", "did you mean vllm-active-seqs-above-seqs?"),
            ("temperature --backend-version 0.32.0", "name it with --backend"),
            ("temperature --backend vllm --backend-version new", "is not a version number"),
        ],
    )
    def test_refused(self, line: str, expected: str, capsys: Said) -> None:
        assert run(["explain", *line.split()]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert expected in said.err

    def test_what_is_taken_nowhere_as_json(self, capsys: Said) -> None:
        assert run(["explain", "temperature=hot", "--format", "json"]) == 2
        assert [item["kind"] for item in json.loads(capsys.readouterr().out)] == ["refused"] * 3

    def test_a_text_that_old_readers_take_for_something_else(self, capsys: Said) -> None:
        assert run(["explain", "tokenizer=no", "-b", "vllm"]) == 0
        assert capsys.readouterr().out

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("vllm.engine.max_num_seqs --backend-version 0.32.0", "In 0.32.0: has it"),
            ("vllm.engine.max_num_seqs --backend-version 0.1", "is not among the audited releases"),
            (
                "tensorrt_llm.build --backend-version 1.3.0",
                "is gone since tensorrt-llm 1.3.0rc21; asked for is 1.3.0",
            ),
        ],
    )
    def test_one_release(self, line: str, expected: str, capsys: Said) -> None:
        assert run(["explain", *line.split()]) == 0
        assert expected in " ".join(capsys.readouterr().out.split())

    def test_many_are_cut(self, capsys: Said) -> None:
        assert run(["explain", "modules_to_not_convert"]) == 0
        said = capsys.readouterr().out
        assert said.count("  Type: ") == 6
        assert "more: pytorch.quantization.modules_to_not_convert  (with method: " in said


def test_empty_fields_stay_away_and_values_do_not() -> None:
    value = Value(None, None, False, (), None, record(places()[0], Question()).versions, ())
    assert plain(value) == {"value": None, "versions": {}}
