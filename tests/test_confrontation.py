"""The schema against what engines answered: made up for each kind of difference, then the real answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmcfg.__main__ import run
from llmcfg.audit.confrontation import MEANINGS, Explanation, differences, explanations, unused
from llmcfg.audit.results import Encoder, Results, read

ROOT = Path(__file__).parents[1]
COMMITTED = sorted((ROOT / "audit" / "results").rglob("resolved.jsonl"))
CAMPAIGN = {"backend": "vllm", "version": "0.32.0", "package": "vllm", "evidence": "resolved"}
OPEN, OLD = "vllm.engine.max_num_seqs=64", "vllm.engine.dtype=bfloat16"
STOP = {"kind": "ValueError", "text": "no"}
GOT = {"asked": {"EngineArgs.max_num_seqs": 64}, "got": {"EngineArgs.max_num_seqs": 8}}
CONTROL = "vllm.engine.max_num_seqs=128"


def results(trial: str, verdict: str, devices: tuple[str, ...] = ("h100",), **answer: Any) -> Results:
    record = {
        "trial": trial,
        "parameter": trial.partition("=")[0],
        "value": None,
        "role": answer.pop("role", "value"),
        "answers": [{"devices": list(devices), "verdict": verdict, **answer}],
    }
    return Results([CAMPAIGN], {name: {} for name in devices}, {trial: record})


def kinds(found: Results, *explained: Explanation) -> list[tuple[str, tuple[str, ...], str | None]]:
    return [(item.kind, item.devices, item.reason) for item in differences(found, list(explained))]


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (results(OPEN, "supported"), None),
        (results(OPEN, "supported_with_warnings"), None),
        (results(OPEN, "rejected", refusal=STOP), "allowed"),
        (results(OPEN, "crashed", refusal=STOP), "allowed"),
        (results(OPEN, "overridden", **GOT), "silent"),
        (results(OPEN, "ignored", **GOT), "silent"),
        (results(OPEN, "environment", refusal=STOP), None),
        (results(OPEN, "unknown", unknown=["a kernel"]), None),
        (results(OPEN, "rejected", refusal=STOP, role="forbidden"), None),
        (results(OPEN, "rejected", refusal=STOP, role="baseline"), None),
        (results(OLD, "supported", ("t4",)), "refused"),
        (results(OLD, "overridden", ("t4",), got={}), "refused"),
        (results(OLD, "rejected", ("t4",), refusal=STOP), None),
        (results("no.such.trial=1", "rejected", refusal=STOP), None),
    ],
)
def test_each_kind_of_difference(found: Results, kind: str | None) -> None:
    assert [item.kind for item in differences(found, [])] == ([kind] if kind else [])


def test_a_default_must_make_no_difference() -> None:
    same = results(CONTROL, "supported", role="value", chosen={"dtype": "float16"})
    assert kinds(same) == []
    from llmcfg.audit.plan import plan

    control = next(trial.id for trial in plan("vllm", "0.32.0") if trial.role == "default")
    assert kinds(results(control, "supported", role="default")) == []
    changed = results(control, "supported", role="default", chosen={"scheduler": "another"})
    assert [kind for kind, *_ in kinds(changed)] == ["default"]


def test_devices_with_the_same_difference_stand_together() -> None:
    found = results(OPEN, "rejected", ("t4", "h100"), refusal=STOP)
    assert kinds(found) == [("allowed", ("t4", "h100"), None)]


def test_an_explanation_is_about_trials_devices_and_a_kind() -> None:
    found = results(OPEN, "rejected", ("t4", "h100"), refusal=STOP)
    reason = Explanation("allowed", ("vllm.engine.max_num_*",), ("t4",), "because", ("source",))
    assert kinds(found, reason) == [("allowed", ("t4",), "because"), ("allowed", ("h100",), None)]
    assert kinds(found, reason._replace(kind="silent")) == kinds(found)
    assert kinds(found, reason._replace(trials=("vllm.engine.dtype=*",))) == kinds(found)
    idle = reason._replace(devices=("l4",))
    assert unused(list(differences(found, [reason, idle])), [reason, idle]) == [idle]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines: list[str] = []
    encoder = Encoder(lines.append)
    host = {"system": "Linux", "machine": "x86_64", "python": "3.11.7", "cores": 2}
    date = "2026-11-23T13:42:15Z"
    encoder.campaign({**CAMPAIGN, "llmcfg": "0.1.0", "date": date, "trials": 1, "only": "*", "host": host})
    about = {"title": "NVIDIA H100", "capability": "9.0", "memory_gib": 80, "platform": "virtual cuda"}
    encoder.device("h100", {**about, "count": 8, "added": [], "order": 0, "packages": {}})
    record = {"trial": OPEN, "parameter": "vllm.engine.max_num_seqs", "value": 64, "role": "value"}
    encoder.record(
        {
            **record,
            "answers": [{"devices": ["h100"], "verdict": "rejected", "model": "dense", "refusal": STOP}],
        }
    )
    path = tmp_path / "results.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_the_command_names_what_nobody_explained(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "confront", str(file)]) == 1
    out = capsys.readouterr().out
    assert f"allowed: {MEANINGS['allowed']}" in out
    assert f"{OPEN}  [h100]" in out
    assert run(["audit", "confront", str(file), "--format", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert [item["trial"] for item in data["differences"]] == [OPEN]


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: f"{path.parts[-3]}-{path.parts[-2]}")
def test_every_difference_is_mended_or_explained(path: Path) -> None:
    found = read(str(path))
    explained = explanations(found.campaigns[-1]["backend"])
    left = [item for item in differences(found, explained) if item.reason is None]
    assert [(item.kind, item.trial, item.devices, item.said) for item in left] == []


def test_every_explanation_explains_something() -> None:
    for backend in {path.parts[-3] for path in COMMITTED}:
        explained = explanations(backend)
        answers = [read(str(path)) for path in COMMITTED if path.parts[-3] == backend]
        found = [item for results in answers for item in differences(results, explained)]
        assert [item.trials for item in unused(found, explained)] == []
