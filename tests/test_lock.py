"""``llmcfg lock``: what a config compiles to, kept beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from llmcfg.__main__ import run

Said = pytest.CaptureFixture[str]
CONFIG = "model: m\nvllm: {engine: {max_num_seqs: 8}, env: {VLLM_LOGGING_LEVEL: DEBUG}}\n"
WRONG = "model: m\nvllm: {engine: {max_num_seq: 8}}\n"
WARNED = "model: m\ngpu: a100\nvllm: {engine: {quantization: fp8}}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def files() -> dict[str, str]:
    return {path.name: path.read_text() for path in Path().iterdir()}


class TestWriting:
    def test_what_it_holds(self, capsys: Said) -> None:
        Path("llmcfg.yaml").write_text(CONFIG)
        assert run(["lock", "llmcfg.yaml"]) == 1
        assert capsys.readouterr() == ("", "llmcfg.lock.json written\n")
        assert run(["compile", "llmcfg.yaml"]) == 0
        compiled = json.loads(capsys.readouterr().out)
        for item in compiled["compiled"]:
            del item["diagnostics"]
        assert json.loads(files()["llmcfg.lock.json"]) == compiled
        assert list(compiled) == ["llmcfg", "model", "compiled"]
        assert compiled["compiled"][0]["version"]

    def test_the_second_time_nothing_is_left_to_do(self, capsys: Said) -> None:
        Path("llmcfg.yaml").write_text(CONFIG)
        assert run(["lock", "llmcfg.yaml"]) == 1
        before = Path("llmcfg.lock.json").stat()
        capsys.readouterr()
        assert run(["lock", "llmcfg.yaml"]) == 0
        assert capsys.readouterr().err == "1 lock is up to date\n"
        assert Path("llmcfg.lock.json").stat() == before

    def test_it_is_the_same_everywhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        texts = []
        for name in ("here", "there"):
            folder = tmp_path / name
            folder.mkdir()
            (folder / "llmcfg.yaml").write_text(WARNED)
            assert run(["lock", str(folder / "llmcfg.yaml")]) == 1
            texts.append((folder / "llmcfg.lock.json").read_bytes())
            assert str(tmp_path).encode() not in texts[-1]
        assert texts[0] == texts[1]

    def test_comments_and_spaces_do_not_matter(self) -> None:
        Path("llmcfg.yaml").write_text(CONFIG)
        assert run(["lock", "llmcfg.yaml"]) == 1
        Path("llmcfg.yaml").write_text(f"# said anew\n{CONFIG}\n\n")
        assert run(["lock", "llmcfg.yaml"]) == 0

    def test_check_writes_nothing(self, capsys: Said) -> None:
        Path("llmcfg.yaml").write_text(CONFIG)
        assert run(["lock", "--check", "llmcfg.yaml"]) == 1
        assert capsys.readouterr().err == "llmcfg.lock.json is missing\n"
        assert files().keys() == {"llmcfg.yaml"}
        assert run(["lock", "llmcfg.yaml"]) == 1
        before = files()
        assert run(["lock", "--check", "llmcfg.yaml"]) == 0
        Path("llmcfg.yaml").write_text(CONFIG.replace("8", "9"))
        capsys.readouterr()
        assert run(["lock", "--check", "llmcfg.yaml"]) == 1
        assert capsys.readouterr().err == "llmcfg.lock.json is out of date\n"
        assert files()["llmcfg.lock.json"] == before["llmcfg.lock.json"]

    def test_a_folder(self, capsys: Said) -> None:
        for name in ("llmcfg.yaml", "chat.llmcfg.yml", "batch.llmcfg.json", "other.yaml"):
            Path(name).write_text('{"model": "m", "vllm": {}}')
        assert run(["lock", "."]) == 1
        assert files().keys() >= {"llmcfg.lock.json", "chat.llmcfg.lock.json", "batch.llmcfg.lock.json"}
        assert "other.lock.json" not in files()
        capsys.readouterr()
        assert run(["lock", "."]) == 0
        assert capsys.readouterr().err == "3 locks are up to date\n"

    def test_the_options_of_compile(self) -> None:
        Path("llmcfg.yaml").write_text("model: m\nvllm: {}\npytorch: {}\n")
        assert run(["lock", "llmcfg.yaml"]) == 1
        assert [item["backend"] for item in held()] == ["vllm", "pytorch"]
        assert run(["lock", "llmcfg.yaml", "--backend", "vllm", "--backend-version", "0.32.0"]) == 1
        assert [(item["backend"], item["version"]) for item in held()] == [("vllm", "0.32.0")]


def held() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(files()["llmcfg.lock.json"])["compiled"]
    return found


class TestRefusing:
    @pytest.mark.parametrize(
        ("text", "options", "status", "said"),
        [
            (WRONG, "", 1, "llmcfg.yaml:2:17: error[L101] unknown key 'max_num_seq'"),
            ("model: [\n", "", 1, "llmcfg.yaml:1:9: error[L003]"),
            (WARNED, "--strict", 1, "llmcfg.yaml:3:31: warning[L302]"),
            (CONFIG, "--gpu h1000", 2, "llmcfg: --gpu: h1000 is not in the table"),
            (CONFIG, "--backend-version new", 2, "llmcfg: --backend-version: new is not a version number"),
        ],
    )
    def test_a_broken_config_leaves_its_lock(
        self, text: str, options: str, status: int, said: str, capsys: Said
    ) -> None:
        Path("llmcfg.yaml").write_text(text)
        Path("llmcfg.lock.json").write_text('{"llmcfg": "before"}')
        assert run(["lock", "llmcfg.yaml", *options.split()]) == status
        assert capsys.readouterr().err.startswith(said)
        assert files()["llmcfg.lock.json"] == '{"llmcfg": "before"}'

    def test_the_others_are_locked(self, capsys: Said) -> None:
        for name, text in (("a.yaml", WRONG), ("b.yaml", CONFIG), ("c.yaml", CONFIG)):
            Path(name).write_text(text)
        Path("b.lock.json").symlink_to("elsewhere")
        assert run(["lock", "a.yaml", "b.yaml", "missing.yaml", "c.yaml"]) == 2
        said = capsys.readouterr().err
        assert "llmcfg: b.lock.json is no ordinary file\n" in said
        assert "missing.yaml: error[L001]" in said
        assert {path.name for path in Path().glob("*.lock.json") if path.exists()} == {"c.lock.json"}

    @pytest.mark.parametrize(
        "make", [Path.mkdir, lambda path: path.symlink_to("x"), lambda path: os.mkfifo(path)]
    )
    def test_what_is_no_ordinary_file(self, make: object, capsys: Said) -> None:
        Path("llmcfg.yaml").write_text(CONFIG)
        make(Path("llmcfg.lock.json"))  # type: ignore[operator]
        assert run(["lock", "llmcfg.yaml"]) == 2
        assert capsys.readouterr().err == "llmcfg: llmcfg.lock.json is no ordinary file\n"
        assert not Path("x").exists()

    def test_a_link_leads_nowhere_else(self, capsys: Said) -> None:
        Path("llmcfg.yaml").write_text(CONFIG)
        Path("elsewhere").write_text('{"llmcfg": "before"}')
        Path("llmcfg.lock.json").symlink_to("elsewhere")
        assert run(["lock", "llmcfg.yaml"]) == 2
        assert capsys.readouterr().err == "llmcfg: llmcfg.lock.json is no ordinary file\n"
        assert Path("elsewhere").read_text() == '{"llmcfg": "before"}'

    def test_the_file_of_somebody_else(self, capsys: Said) -> None:
        Path("uv.yaml").write_text(CONFIG)
        Path("uv.lock.json").write_text('{"packages": []}')
        assert run(["lock", "uv.yaml"]) == 2
        assert capsys.readouterr().err == "llmcfg: uv.lock.json is no lock of llmcfg; move it away\n"
        assert files()["uv.lock.json"] == '{"packages": []}'

    def test_a_lock_with_marks_of_a_merge_is_written_anew(self) -> None:
        Path("llmcfg.yaml").write_text(CONFIG)
        assert run(["lock", "llmcfg.yaml"]) == 1
        whole = files()["llmcfg.lock.json"]
        Path("llmcfg.lock.json").write_text(f"<<<<<<< HEAD\n{whole}=======\n{whole}>>>>>>> other\n")
        assert run(["lock", "llmcfg.yaml"]) == 1
        assert files()["llmcfg.lock.json"] == whole

    @pytest.mark.parametrize(
        ("names", "said"),
        [
            ("-", "a lock stands beside its config, and standard input has no place"),
            ("a.yaml a.yml", "a.yaml and a.yml have the same lock, a.lock.json; rename one of them"),
        ],
    )
    def test_wrong_use(self, names: str, said: str, capsys: Said) -> None:
        for name in ("a.yaml", "a.yml"):
            Path(name).write_text(CONFIG)
        assert run(["lock", *names.split()]) == 2
        assert capsys.readouterr().err == f"llmcfg: {said}\n"
        assert files().keys() == {"a.yaml", "a.yml"}
