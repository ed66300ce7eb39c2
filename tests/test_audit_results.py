"""Verdicts, the file of results, and campaigns: with a stand-in for the engine that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from llmcfg.audit.campaign import Campaign, Order, Watch
from llmcfg.audit.devices import devices, representatives
from llmcfg.audit.journal import Journal
from llmcfg.audit.plan import NO_SUCH_KEY, plan
from llmcfg.audit.results import Results, grouped, line_schema, read
from llmcfg.audit.trial import Trial
from llmcfg.audit.verdict import LONGEST, VERDICTS, Asked, Judged, asked, judge
from llmcfg.checking.checker import satisfies
from llmcfg.cli.audit.resolve import run
from llmcfg.errors import UserError
from llmcfg.resolve.client import EngineAbsent, EngineFailed
from llmcfg.resolve.engines import SOURCES, Source
from llmcfg.resolve.question import Answer, Assumption, Choice, Engine, Held, Machine, Question, Refusal, Said

VERSION = "0.32.0"
PARAM = "vllm.engine.kv_cache_dtype"
KEY = "EngineArgs.kv_cache_dtype"


# --- verdicts ---------------------------------------------------------------------------------------------

TRIAL = Trial(f"{PARAM}=fp8", "vllm", PARAM, "fp8", "value", {}, {}, ("dense",), default=("auto",))
FINE = Answer("accepted", held={KEY: Held("cache_config.cache_dtype", "fp8")})
PLAIN = Answer("accepted", said=(Said("WARNING", "always"),), chosen=(Choice("sampler", "Triton"),))
STOP = Refusal("ValueError", "fp8 is not for this card", "vllm/config/cache.py:verify")


def refused(text: str, kind: str = "ValueError") -> Answer:
    return Answer("constructed", Refusal(kind, text))


def held(value: Any) -> dict[str, Held]:
    return {KEY: Held("cache_config.cache_dtype", value)}


JUDGED = {
    "held as asked": (FINE, "supported"),
    "says what it always says": (FINE._replace(said=(Said("WARNING", "always"),)), "supported"),
    "says something more": (FINE._replace(said=(Said("WARNING", "slow"),)), "supported_with_warnings"),
    "tells something that is no warning": (FINE._replace(said=(Said("INFO", "using fp8"),)), "supported"),
    "another form of the same": (Answer("accepted", held=held("FP8")), "supported"),
    "a list that was added to": (Answer("accepted", held=held(["fp8", "more"])), "overridden"),
    "another value": (Answer("accepted", held=held("bfloat16")), "overridden"),
    "its own default": (Answer("accepted", held=held("auto")), "ignored"),
    "nothing known of the value": (Answer("accepted"), "unknown"),
    "ended on the way": (Answer("constructed"), "unknown"),
    "asked what nobody can answer": (FINE._replace(unknown=("cutlass_supports_fp7(90)",)), "unknown"),
    "refused after an open question": (Answer("nothing", STOP, unknown=("x",)), "unknown"),
    "refused": (Answer("constructed", STOP), "rejected"),
    "died": (refused("the process ended without an answer", "Died"), "crashed"),
    "took too long": (refused("no answer within 120 seconds", "TimedOut"), "timed_out"),
    "lacks a package": (refused("No module named 'ray'", "ModuleNotFoundError"), "environment"),
    "asks to install one": (refused("Install it with `pip install x`"), "environment"),
    "lacks a file": (
        refused("[Errno 2] No such file or directory: '/x'", "FileNotFoundError"),
        "environment",
    ),
    "lacks a file that is named": (refused("Could not load it. File does not exist: %s"), "environment"),
    "lacks a checkpoint's file": (refused("Cannot find the config file for awq"), "not_runnable"),
    "lacks a checkpoint": (refused("QConfig.__init__() missing 1 required positional"), "not_runnable"),
    "gives up at a choice": (
        FINE._replace(chosen=(Choice("attention_backend", None, ("refused: no backend for fp8",)),)),
        "rejected",
    ),
    "a choice that is open now": (
        FINE._replace(chosen=(Choice("sampler", None, ("unknown: flashinfer.arch()",)),)),
        "unknown",
    ),
}


@pytest.mark.parametrize("case", JUDGED)
def test_verdicts(case: str) -> None:
    answer, verdict = JUDGED[case]
    assert judge(TRIAL, Asked({KEY: "fp8"}, "dense"), answer, PLAIN, PLAIN).verdict == verdict


def judged(answer: Answer, before: Answer = PLAIN, trial: Trial = TRIAL, value: Any = "fp8") -> Judged:
    return judge(trial, Asked({KEY: value}, "dense"), answer, before, PLAIN)


@pytest.mark.parametrize(
    ("value", "got", "default", "verdict"),
    [
        (False, None, (False,), "supported"),
        (True, None, (False,), "overridden"),
        (0, None, (4,), "supported"),
        (4, {"count": 5}, ({},), "overridden"),
    ],
)
def test_what_is_switched_off_need_not_be_anywhere(
    value: Any, got: Any, default: tuple[Any, ...], verdict: str
) -> None:
    answer = Answer("accepted", held=held(got))
    assert judged(answer, trial=TRIAL._replace(default=default), value=value).verdict == verdict


def test_a_value_is_not_to_blame_for_what_is_refused_without_it() -> None:
    same, other = Answer("constructed", STOP), refused("something else")
    assert judged(same, before=same).verdict == "not_runnable"
    assert judged(same, before=other).verdict == "rejected"
    assert judged(same, before=same, trial=TRIAL._replace(is_stored=True)).verdict == "rejected"
    open_before = Answer("accepted", chosen=(Choice("attention_backend", None, ("refused: none",)),))
    later = FINE._replace(chosen=open_before.chosen)
    assert judged(later, before=open_before).verdict == "not_runnable"
    assert judged(FINE, before=open_before).verdict == "supported"


def test_a_choice_that_is_open_anyway_says_nothing_of_the_value() -> None:
    anyway = (Choice("sampler", None, ("unknown: flashinfer.arch()",)),)
    assert judged(FINE._replace(chosen=anyway), PLAIN._replace(chosen=anyway)).verdict == "supported"


def test_a_refusal_for_want_of_a_model_is_no_rejection() -> None:
    assert judged(Answer("nothing", STOP), trial=TRIAL._replace(lacks="diffusion")).verdict == "not_runnable"


@pytest.mark.parametrize(
    ("value", "is_open", "verdict"), [("auto", True, "supported"), ("auto", False, "overridden")]
)
def test_what_is_left_to_the_engine_is_not_overridden(value: str, is_open: bool, verdict: str) -> None:
    found = judged(
        Answer("accepted", held=held("bfloat16")), trial=TRIAL._replace(is_open=is_open), value=value
    )
    assert (found.verdict, found.asked, found.got) == (verdict, {KEY: "auto"}, {KEY: "bfloat16"})


def test_what_is_recorded_is_what_the_value_changed() -> None:
    taken = Assumption("kernels for fp8", True, "vllm csrc")
    answer = FINE._replace(
        said=(Said("WARNING", "always"), Said("WARNING", "x" * 999)),
        chosen=(Choice("sampler", "Triton"), Choice("attention_backend", "FLASHINFER")),
        assumed=(taken,),
    )
    found = judged(answer)
    assert [len(item.text) for item in found.said] == [LONGEST]
    assert (found.chosen, found.assumed) == ({"attention_backend": "FLASHINFER"}, (taken,))


def test_messages_of_another_process_are_the_same() -> None:
    one, other = (FINE._replace(said=(Said("WARNING", f"see /tmp/llmcfg-{x}/a"),)) for x in "ab")
    assert judged(one, before=other).said == ()


@pytest.mark.parametrize(
    ("native", "before", "expected"),
    [
        ({"A": {"x": 1, "y": 2}}, {"A": {"y": 2}}, {"A.x": 1}),
        ({"A": {"x": {"z": 1}}}, {"A": {}}, {"A.x.z": 1}),
        ({"A": {"x": True}}, {"A": {"x": 1}}, {"A.x": True}),
        ({"A": {"x": {}}}, {"A": {}}, {"A.x": {}}),
        ({"A": {}, "env": {"N": "1"}}, {"A": {}, "env": {}}, {"env.N": "1"}),
    ],
)
def test_what_was_asked(native: dict, before: dict, expected: dict) -> None:
    assert asked(native, before) == expected


# --- the file ---------------------------------------------------------------------------------------------

CAMPAIGN = {
    "backend": "vllm", "package": "vllm", "version": VERSION, "evidence": "resolved", "llmcfg": "0.1.0",
    "date": "2026-01-31T10:00:00Z",
}  # fmt: skip
ABOUT = {"title": "T", "platform": "virtual cuda", "count": 8}
SLOW = {"level": "WARNING", "text": "slow"}


def record(name: str, *answers: dict) -> dict:
    told = {"trial": f"{PARAM}={name}", "parameter": PARAM, "value": name, "role": "value"}
    return {**told, "answers": [*answers]}


def answer(device: str, verdict: str = "supported", **more: Any) -> dict:
    return {"devices": [device], "verdict": verdict, "model": "dense", **more}


RECORDS = [
    {**record("", answer("h100")), "trial": "vllm:dense", "parameter": "", "value": None, "role": "baseline"},
    record("one", answer("h100")),
    record("one", answer("t4")),
    record("two", answer("h100", "supported_with_warnings", said=[SLOW])),
    record("two", answer("t4", "rejected", refusal={"kind": "ValueError", "text": "no"})),
    record("two", answer("l4", "supported_with_warnings", said=[SLOW])),
    record("three", answer("t4", got={KEY: "é"}, asked={KEY: None})),
]


def written(path: Path, records: list[dict] = RECORDS) -> str:
    with Journal(str(path), resume=False) as journal:
        journal.campaign(CAMPAIGN)
        for name in ("h100", "t4", "l4"):
            journal.device(name, ABOUT)
        for item in records:
            journal.record(item)
    return str(path)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    results = read(written(tmp_path / "r.jsonl"))
    assert results.campaigns == [CAMPAIGN]
    assert results.records["vllm:dense"] == RECORDS[0]
    assert list(results.devices) == ["h100", "t4", "l4"]
    assert results.records[f"{PARAM}=two"]["answers"] == [item["answers"][0] for item in RECORDS[3:6]]
    assert not results.is_cut
    assert (f"{PARAM}=three", "t4") in results.done
    assert (f"{PARAM}=three", "h100") not in results.done


def test_grouping_keeps_everything_and_says_it_once(tmp_path: Path) -> None:
    results = read(written(tmp_path / "r.jsonl"))
    (tmp_path / "g.jsonl").write_text(text := grouped(results), encoding="utf-8")
    again = read(str(tmp_path / "g.jsonl"))
    assert again.done == results.done
    assert [item["devices"] for item in again.records[f"{PARAM}=one"]["answers"]] == [["h100", "t4"]]
    assert [item["devices"] for item in again.records[f"{PARAM}=two"]["answers"]] == [["h100", "l4"], ["t4"]]
    assert again.records[f"{PARAM}=two"]["answers"][0]["said"] == [SLOW]
    assert text.count('"slow"') == 1
    assert grouped(again) == text


def test_every_line_is_one_of_the_schema(tmp_path: Path) -> None:
    text = Path(written(tmp_path / "r.jsonl")).read_text("utf-8") + grouped(read(str(tmp_path / "r.jsonl")))
    assert all(satisfies(line_schema(), json.loads(line)) for line in text.splitlines())


def test_the_schema_knows_the_verdicts() -> None:
    known = line_schema()["$defs"]["verdict"]["enum"]
    assert sorted(known) == sorted(VERDICTS)


def test_a_later_answer_of_a_device_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", [*RECORDS, record("one", answer("t4", "rejected"))])
    found = read(path).records[f"{PARAM}=one"]["answers"]
    assert [(item["devices"], item["verdict"]) for item in found] == [
        (["h100"], "supported"), (["t4"], "rejected"),
    ]  # fmt: skip


def test_a_file_that_was_cut_anywhere_is_read_and_continued(tmp_path: Path) -> None:
    whole = Path(written(tmp_path / "r.jsonl")).read_bytes()
    start = whole.rindex(b'{"shared"')
    for end in range(start, len(whole) + 1):
        path = tmp_path / "cut.jsonl"
        path.write_bytes(whole[:end])
        left = read(str(path))
        assert left.is_cut is (whole[end - 1 : end] != b"\n")
        with Journal(str(path), resume=True) as journal:
            journal.record(record("two", answer("gb10", "supported_with_warnings", said=[SLOW])))
        again = read(str(path))
        assert not again.is_cut
        assert again.done == left.done | {(f"{PARAM}=two", "gb10")}
        assert again.records[f"{PARAM}=two"]["answers"][-1]["said"] == [SLOW]


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", '{"trial": "x"}', '{"campaign": {}}', "",
        '{"trial":"x","parameter":"p","value":1,"role":"value","answers":[{"devices":["a"],"verdict":"fine","model":"m"}]}',
        '{"trial":"x","parameter":"p","value":1,"role":"value","answers":[{"devices":9,"verdict":"supported","model":"m"}]}',
    ],
)  # fmt: skip
def test_a_line_that_is_none_of_ours_is_named(tmp_path: Path, line: str) -> None:
    path = Path(written(tmp_path / "r.jsonl"))
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], line, *lines[2:], ""]), encoding="utf-8")
    with pytest.raises(UserError, match=r"r\.jsonl:3: "):
        read(str(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read"):
        read(str(tmp_path / "none.jsonl"))
    with pytest.raises(UserError, match="cannot write"), Journal(str(tmp_path / "no" / "r.jsonl"), False):
        pass


# --- campaigns --------------------------------------------------------------------------------------------


class Stub:
    """Stands in for an engine: holds everything as asked, but what ``answers`` makes of a question."""

    engine = Engine("vllm", VERSION, "virtual cuda", "stub")

    def __init__(self, answers: Callable[[Question, Machine], Answer | None]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Question]] = []
        self.opened = 0

    def opener(self, machine: Machine) -> Any:
        @contextmanager
        def opened() -> Any:
            self.opened += 1
            yield _Answering(self, machine)

        return opened()


class _Answering:
    def __init__(self, stub: Stub, machine: Machine) -> None:
        self.stub, self.machine, self.engine = stub, machine, stub.engine

    def ask(self, question: Question, seconds: float = 0.0) -> Answer:
        self.stub.asked.append((str(self.machine.gpu), question))
        found = self.stub.answers(question, self.machine)
        return Answer("accepted", held=dict(_held(question.native))) if found is None else found


def _held(native: dict[str, Any], path: str = "") -> Any:
    for key, value in native.items():
        if isinstance(value, dict) and value:
            yield from _held(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", Held(key, value)


def on_old_cards(question: Question, machine: Machine) -> Answer | None:
    """Refuse 8 bits before Hopper, and whatever is forbidden."""
    value = question.native["EngineArgs"].get("kv_cache_dtype")
    if value in ("fp8", "llmcfg_no_such_value") and machine.gpu != "h100":
        return Answer("constructed", STOP)
    return refused("no such value") if value == "llmcfg_no_such_value" else None


def order(stub: Stub, gpus: str = "t4,h100", only: str = PARAM, jobs: int = 2) -> Order:
    return Order("vllm", devices(gpus), stub.opener, only, jobs)


def campaign(
    path: Path, stub: Stub, resume: bool = False, watch: Watch | None = None, **more: Any
) -> Results:
    with Journal(str(path), resume) as journal:
        Campaign(order(stub, **more), journal, watch or Watch()).run()
    return read(str(path))


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_a_campaign_asks_every_device_about_every_value(tmp_path: Path, jobs: int) -> None:
    results = campaign(tmp_path / "r.jsonl", Stub(on_old_cards), jobs=jobs)
    names = [trial.id for trial in plan("vllm", VERSION, PARAM)]
    assert results.done == {(name, device) for name in names for device in ("t4", "h100")}
    found = results.records[f"{PARAM}=fp8"]["answers"]
    assert {item["devices"][0]: item["verdict"] for item in found} == {"t4": "rejected", "h100": "supported"}
    assert {item["devices"][0]: item.get("llmcfg", []) for item in found} == {"t4": ["L301"], "h100": []}
    (about,) = results.campaigns
    assert (about["version"], about["evidence"], about["trials"]) == (VERSION, "resolved", len(names))
    assert {name: facts["capability"] for name, facts in results.devices.items()} == {
        "t4": "7.5",
        "h100": "9.0",
    }


def test_a_campaign_is_resumed_where_it_was_left(tmp_path: Path) -> None:
    whole = campaign(tmp_path / "whole.jsonl", Stub(on_old_cards), jobs=1)
    text = (tmp_path / "whole.jsonl").read_bytes()
    (tmp_path / "half.jsonl").write_bytes(text[: len(text) * 2 // 3])
    left = read(str(tmp_path / "half.jsonl")).done
    stub = Stub(on_old_cards)
    again = campaign(tmp_path / "half.jsonl", stub, resume=True, jobs=1)
    assert again.done == whole.done
    assert len(stub.asked) < len(whole.done) - len(left) + 2 * 11
    assert {name: item["answers"] for name, item in again.records.items()} == {
        name: item["answers"] for name, item in whole.records.items()
    }


def test_an_interrupted_campaign_leaves_a_valid_file(tmp_path: Path) -> None:
    class Impatient(Watch):
        def answer(self, verdict: str) -> None:
            if read(str(tmp_path / "r.jsonl")).done.__len__() == 20:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        campaign(tmp_path / "r.jsonl", Stub(on_old_cards), watch=Impatient(), jobs=1)
    assert len(read(str(tmp_path / "r.jsonl")).done) == 20


def test_an_engine_that_ends_is_started_anew(tmp_path: Path) -> None:
    def ends(question: Question, machine: Machine) -> Answer | None:
        if question.native["EngineArgs"].get("kv_cache_dtype") == "fp8":
            raise EngineFailed("gone")
        return None

    stub = Stub(ends)
    results = campaign(tmp_path / "r.jsonl", stub, gpus="h100", jobs=1)
    assert results.records[f"{PARAM}=fp8"]["answers"][0]["verdict"] == "crashed"
    assert results.records[f"{PARAM}=fp8_e4m3"]["answers"][0]["verdict"] == "supported"
    assert stub.opened == 3


def test_kinds_of_models_are_tried_in_turn(tmp_path: Path) -> None:
    def only_sparse(question: Question, machine: Machine) -> Answer | None:
        is_asked = question.native["EngineArgs"].get("kv_cache_dtype") == "fp8_ds_mla"
        return Answer("nothing", STOP) if is_asked and question.model.name != "kind:sparse" else None

    results = campaign(tmp_path / "r.jsonl", Stub(only_sparse), gpus="h100")
    found = results.records[f"{PARAM}=fp8_ds_mla"]["answers"][0]
    assert (found["verdict"], found["model"]) == ("supported", "sparse")


def test_what_one_kind_of_model_refuses_another_may_take(tmp_path: Path) -> None:
    def not_dense(question: Question, machine: Machine) -> Answer | None:
        is_asked = question.native["EngineArgs"].get("kv_cache_dtype") == "fp8"
        return Answer("nothing", STOP) if is_asked and question.model.name == "kind:dense" else None

    results = campaign(tmp_path / "r.jsonl", Stub(not_dense), gpus="t4,h100")
    found = {item["devices"][0]: item for item in results.records[f"{PARAM}=fp8"]["answers"]}
    assert {name: item["verdict"] for name, item in found.items()} == {"t4": "rejected", "h100": "rejected"}
    other = {"model": "moe", "verdict": "supported"}
    assert {name: item.get("otherwise") for name, item in found.items()} == {"t4": None, "h100": other}


def test_a_config_that_one_kind_of_model_refuses_is_tried_with_another(tmp_path: Path) -> None:
    def not_dense(question: Question, machine: Machine) -> Answer | None:
        is_asked = "enable_lora" in question.native["EngineArgs"]
        return Answer("nothing", STOP) if is_asked and question.model.name == "kind:dense" else None

    results = campaign(tmp_path / "r.jsonl", Stub(not_dense), gpus="h100", only="vllm.engine.max_loras=4")
    found = results.records["vllm.engine.max_loras=4"]["answers"][0]
    assert (found["verdict"], found["model"]) == ("supported", "moe")


def test_answers_without_a_value_are_asked_for_once(tmp_path: Path) -> None:
    stub = Stub(on_old_cards)
    campaign(tmp_path / "r.jsonl", stub, gpus="h100", jobs=1)
    count = len(plan("vllm", VERSION, PARAM))
    assert len(stub.asked) <= count + 6


# --- devices, and the command -----------------------------------------------------------------------------


def test_one_device_for_each_capability() -> None:
    names = [gpu.name for gpu in representatives()]
    assert len({gpu.capability for gpu in representatives()}) == len(names)
    assert {"v100", "t4", "a100", "l4", "h100", "b200"} <= set(names)
    assert [gpu.name for gpu in devices("h100,none,H100")] == ["h100", "none"]


@pytest.mark.parametrize("names", ["", "h101", "h100,nope"])
def test_devices_that_there_are_none_of(names: str) -> None:
    with pytest.raises(UserError, match="--gpus"):
        devices(names)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Stub]:
    def use(answers: Any) -> Stub:
        stub = Stub(answers)
        source = Source(lambda backend, machine: stub.opener(machine))
        monkeypatch.setitem(SOURCES, "vllm", source)
        return stub

    return use


def command(**options: Any) -> int:
    given = {
        "backend": "vllm", "gpus": "t4,h100", "param": PARAM, "source": None, "packages": None, "jobs": None,
        "resume": False, "format": "table", "output": None,
    }  # fmt: skip
    return run(**{**given, **options})


def test_the_command_prints_verdicts_by_device(engine: Any, capsys: Any, tmp_path: Path) -> None:
    engine(on_old_cards)
    assert command(output=str(tmp_path / "r.jsonl")) == 0
    table = capsys.readouterr()
    rows = [line.split() for line in table.out.splitlines()[:3]]
    assert [row[0] for row in rows] == ["device", "t4", "h100"]
    assert [row[-1] for row in rows[1:]] == ["1/1", "1/1"]
    assert "evidence: resolved" in table.out
    assert table.err == ""
    assert f'"trial":"{PARAM}=fp8"' in (tmp_path / "r.jsonl").read_text("utf-8")


def test_the_summary_as_data(engine: Any, capsys: Any) -> None:
    engine(on_old_cards)
    assert command(format="json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["verdicts"]["t4"]["rejected"] == 1
    assert data["controls"] == {name: {"forbidden": 1, "refused": 1} for name in ("t4", "h100")}


def test_an_engine_that_takes_everything_proves_nothing(engine: Any, capsys: Any) -> None:
    engine(lambda question, machine: None)
    assert command() == 1
    assert "prove nothing" in capsys.readouterr().out


def test_an_engine_that_is_not_there(engine: Any) -> None:
    def absent(question: Question, machine: Machine) -> Answer:
        raise EngineAbsent("No module named 'vllm'")

    stub = engine(absent)
    stub.opener = lambda machine: (_ for _ in ()).throw(EngineAbsent("No module named 'vllm'"))
    with pytest.raises(UserError, match="not installed"):
        command()


@pytest.mark.parametrize("options", [{"backend": None}, {"jobs": "0"}, {"jobs": "many"}, {"gpus": "x1"}])
def test_wrong_use_of_the_command(engine: Any, options: dict) -> None:
    engine(on_old_cards)
    with pytest.raises(UserError):
        command(**options)


def test_an_interrupted_command_says_so(engine: Any, tmp_path: Path, capsys: Any) -> None:
    count = iter(range(1000))

    def interrupted(question: Question, machine: Machine) -> Answer | None:
        if next(count) == 15:
            raise KeyboardInterrupt
        return on_old_cards(question, machine)

    engine(interrupted)
    assert command(output=str(tmp_path / "r.jsonl"), jobs="1") in (1, 130)
    assert read(str(tmp_path / "r.jsonl")).records


def test_unknown_keys_are_controls_of_every_campaign() -> None:
    assert [trial.id for trial in plan("vllm", VERSION) if NO_SUCH_KEY in trial.id] == [
        f"vllm.engine.extra.{NO_SUCH_KEY}=1", f"vllm.sampling.extra.{NO_SUCH_KEY}=1",
    ]  # fmt: skip


def test_nothing_is_left_running() -> None:
    assert [item.name for item in threading.enumerate() if "ThreadPool" in item.name] == []
