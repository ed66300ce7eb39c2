"""The command line as a user meets it: what goes where, and the exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

import llmcfg
from llmcfg.__main__ import run
from llmcfg.catalog import backends
from llmcfg.cli import quick
from llmcfg.cli.app import application
from llmcfg.cli.options import BACKENDS, COMMANDS, Option
from llmcfg.codes import CODES
from llmcfg.gpus import table

ROOT = Path(__file__).parents[1]

CLEAN = "model: m\nvllm:\n  engine: {max_num_seqs: 8}\n  env: {VLLM_LOGGING_LEVEL: DEBUG}\n"
WARNED = "model: m\ngpu: a100\nvllm: {engine: {quantization: fp8}}\n"
WRONG = "model: m\nvllm: {engine: {max_num_seq: 8}}\n"
BROKEN = "model: [\n"
SEVERAL = "model: m\nvllm: {}\npytorch: {}\n"
TEXTS = {"clean": CLEAN, "warned": WARNED, "wrong": WRONG, "broken": BROKEN, "several": SEVERAL, "empty": ""}

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder that holds one file of each kind."""
    monkeypatch.chdir(tmp_path)
    for name, text in TEXTS.items():
        Path(f"{name}.yaml").write_text(text)


def spawn(
    *words: str, program: tuple[str, str] = ("-m", "llmcfg"), **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "generated")))
    environment = {**os.environ, "PYTHONPATH": path, **options.pop("env", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    command = [sys.executable, *program, *words]
    return subprocess.run(command, text=True, timeout=60, env=environment, **options)


class TestExitStatus:
    @pytest.mark.parametrize(
        ("line", "status"),
        [
            ("compile clean.yaml", 0),
            ("compile warned.yaml", 0),
            ("compile warned.yaml --strict", 1),
            ("compile wrong.yaml", 1),
            ("compile broken.yaml", 1),
            ("compile empty.yaml", 1),
            ("compile missing.yaml", 2),
            ("compile .", 2),
            ("compile several.yaml", 0),
            ("compile several.yaml --format argv", 2),
            ("compile several.yaml --format argv --backend vllm", 0),
            ("compile several.yaml --backend-version 1.0", 2),
            ("compile clean.yaml --backend all --backend-version 1.0", 2),
            ("compile clean.yaml --backend-version 0.32.0", 0),
            ("compile clean.yaml --backend-version new", 2),
            ("compile clean.yaml --gpu h1000", 2),
            ("compile clean.yaml --gpu none", 0),
            ("compile clean.yaml --backend tgi", 2),
            ("compile clean.yaml --format toml", 2),
            ("compile clean.yaml --output missing/out.json", 2),
            ("compile clean.yaml --output .", 2),
            ("compile", 2),
            ("compile clean.yaml warned.yaml", 2),
            ("compile clean.yaml --unknown", 2),
            ("compile clean.yaml --output", 2),
            ("compile --help", 0),
            ("validate clean.yaml warned.yaml", 0),
            ("validate clean.yaml warned.yaml --strict", 1),
            ("validate wrong.yaml clean.yaml", 1),
            ("validate wrong.yaml missing.yaml clean.yaml", 2),
            ("validate", 2),
            ("explain max_num_seqs", 0),
            ("explain nothing_like_it", 2),
            ("explain vllm.engine.dtype=bf16", 2),
            ("gpus", 0),
            ("gpus h100", 2),
            ("schema", 0),
            ("completion tcsh", 2),
            ("init clean.yaml", 2),
            ("unknown", 2),
            ("--version", 0),
            ("--help", 0),
        ],
    )
    def test_status(self, line: str, status: int, capsys: Said) -> None:
        assert run(line.split()) == status
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        if status:
            assert said.out == ""
            assert said.err

    def test_no_command_shows_the_help(self, capsys: Said) -> None:
        assert run([]) == 2
        assert "Usage" in capsys.readouterr().err

    def test_our_own_mistakes_are_told_apart(self, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
        monkeypatch.setattr("llmcfg.cli.compile.read", lambda path: 1 / 0)
        assert run(["compile", "clean.yaml"]) == 3
        assert "this is a bug in llmcfg" in capsys.readouterr().err


class TestCompile:
    def test_the_contract(self, capsys: Said) -> None:
        assert run(["compile", "clean.yaml"]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        assert json.loads(said.out) == {
            "llmcfg": llmcfg.__version__,
            "model": "m",
            "compiled": [
                {
                    "backend": "vllm",
                    "version": backends()["vllm"]["reference"],
                    "native": {"EngineArgs": {"model": "m", "max_num_seqs": 8}},
                    "env": {"VLLM_LOGGING_LEVEL": "DEBUG"},
                    "diagnostics": [],
                }
            ],
        }

    def test_warnings_go_to_people_and_programs(self, capsys: Said) -> None:
        assert run(["compile", "warned.yaml"]) == 0
        said = capsys.readouterr()
        assert said.err.startswith("warned.yaml:3:31: warning[L302] quantization: fp8 takes a slower path")
        (found,) = json.loads(said.out)["compiled"][0]["diagnostics"]
        assert found == {
            "code": "L302",
            "severity": "warning",
            "message": "quantization: fp8 takes a slower path on NVIDIA A100 80 GB",
            "hint": found["hint"],
            "path": "vllm.engine.quantization",
            "file": "warned.yaml",
            "line": 3,
            "column": 31,
            "end_line": 3,
            "end_column": 34,
            "rule": None,
            "related": [],
        }

    def test_errors_leave_standard_output_empty(self, capsys: Said) -> None:
        assert run(["compile", "wrong.yaml"]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(
            "wrong.yaml:2:17: error[L101] unknown key 'max_num_seq' in engine\n  hint: "
        )

    def test_several_backends(self, capsys: Said) -> None:
        assert run(["compile", "several.yaml"]) == 0
        assert compiled(capsys) == ["vllm", "pytorch"]
        assert run(["compile", "several.yaml", "--backend", "pytorch"]) == 0
        assert compiled(capsys) == ["pytorch"]
        assert run(["compile", "clean.yaml", "--backend", "all"]) == 0
        assert compiled(capsys) == ["vllm"]

    @pytest.mark.parametrize("source", ["-", "/dev/stdin"])
    def test_standard_input(self, source: str) -> None:
        with Path("wrong.yaml").open() as file:
            done = spawn("compile", source, stdin=file)
        name = "<stdin>" if source == "-" else source
        assert done.returncode == 1
        assert done.stderr.startswith(f"{name}:2:17: error[L101]")

    def test_closed_standard_input(self) -> None:
        done = spawn("compile", "-", preexec_fn=lambda: os.close(0))
        assert done.returncode == 2
        assert "standard input is closed" in done.stderr

    def test_closed_standard_output(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        done = spawn("schema", stdout=writer)
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("compile c.yaml -o c.yaml", "c.yaml is the config itself"),
            ("compile c.yaml -o link.yaml", "link.yaml is the config itself"),
            ("resolve c.yaml -o c.yaml", "c.yaml is the config itself"),
            ("init . --force", ". is a folder"),
            ("schema --report --backend vllm", "--report is the one schema of all reports"),
        ],
    )
    def test_what_cannot_be_meant(
        self, words: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        monkeypatch.chdir(tmp_path)
        (tmp_path / "c.yaml").write_text("model: m\nvllm: {}\n")
        (tmp_path / "link.yaml").symlink_to("c.yaml")
        assert run(words.split()) == 2
        assert said in capsys.readouterr().err
        assert (tmp_path / "c.yaml").read_text() == "model: m\nvllm: {}\n"

    def test_nothing_heavy_is_imported(self) -> None:
        program = (
            "import sys; from llmcfg.__main__ import run; status = run(['compile', 'clean.yaml']);"
            "print(status, *sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
        )
        done = spawn(program=("-c", program))
        status, *modules = done.stderr.split()
        assert status == "0"
        assert "llmcfg" in modules
        heavy = {"click", "difflib", "jsonschema", "pydantic", "rich", "torch", "transformers", "vllm"}
        assert heavy & set(modules) == set()


def compiled(capsys: Said) -> list[str]:
    return [item["backend"] for item in json.loads(capsys.readouterr().out)["compiled"]]


class TestOutput:
    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in Path().iterdir()}

    def test_the_file_holds_what_standard_output_would(self, capsys: Said) -> None:
        assert run(["compile", "clean.yaml"]) == 0
        expected = capsys.readouterr().out
        assert run(["compile", "clean.yaml", "--output", "out.json"]) == 0
        assert capsys.readouterr().out == ""
        assert self.files() == {
            **{f"{name}.yaml": text for name, text in TEXTS.items()},
            "out.json": expected,
        }

    @pytest.mark.parametrize("line", ["wrong.yaml", "broken.yaml", "missing.yaml", "warned.yaml --strict"])
    def test_a_refused_config_touches_nothing(self, line: str) -> None:
        Path("out.json").write_text("before")
        before = self.files()
        assert run(["compile", *line.split(), "--output", "out.json"]) != 0
        assert self.files() == before

    def test_a_failed_write_leaves_the_old_file(self, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        Path("out.json").write_text("before")
        before = self.files()
        monkeypatch.setattr(os, "replace", fail)
        assert run(["compile", "clean.yaml", "--output", "out.json"]) == 2
        assert capsys.readouterr().err == "llmcfg: cannot write out.json: No space left on device\n"
        assert self.files() == before

    def test_a_missing_folder(self, capsys: Said) -> None:
        assert run(["compile", "clean.yaml", "--output", "missing/out.json"]) == 2
        assert capsys.readouterr().err == "llmcfg: cannot write missing/out.json: No such file or directory\n"

    def test_the_mode_is_the_users(self) -> None:
        mask = os.umask(0o027)
        try:
            assert run(["compile", "clean.yaml", "--output", "new.json"]) == 0
        finally:
            os.umask(mask)
        assert Path("new.json").stat().st_mode & 0o777 == 0o640
        Path("old.json").touch(0o600)
        assert run(["compile", "clean.yaml", "--output", "old.json"]) == 0
        assert Path("old.json").stat().st_mode & 0o777 == 0o600

    def test_a_link_stays_a_link(self) -> None:
        Path("target.json").touch()
        Path("link.json").symlink_to("target.json")
        assert run(["compile", "clean.yaml", "--output", "link.json"]) == 0
        assert Path("link.json").is_symlink()
        assert json.loads(Path("target.json").read_text())["model"] == "m"

    def test_a_device(self) -> None:
        assert run(["compile", "clean.yaml", "--output", os.devnull]) == 0
        assert Path(os.devnull).is_char_device()


class TestValidate:
    def test_each_file_is_reported(self, capsys: Said) -> None:
        assert run(["validate", "wrong.yaml", "missing.yaml", "warned.yaml", "clean.yaml"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        lines = [line for line in said.err.split("\n") if not line.startswith("  hint")]
        assert [line.partition("]")[0] for line in lines] == [
            "wrong.yaml:2:17: error[L101", "missing.yaml: error[L001", "warned.yaml:3:31: warning[L302", "",
        ]  # fmt: skip

    def test_as_json(self, capsys: Said) -> None:
        assert run(["validate", "wrong.yaml", "warned.yaml", "--format", "json"]) == 1
        said = capsys.readouterr()
        assert said.err == ""
        found = json.loads(said.out)["diagnostics"]
        assert [(item["file"], item["code"], item["line"]) for item in found] == [
            ("wrong.yaml", "L101", 2),
            ("warned.yaml", "L302", 3),
        ]

    def test_success_is_said(self, capsys: Said) -> None:
        assert run(["validate", "clean.yaml", "warned.yaml"]) == 0
        assert capsys.readouterr().err.endswith("2 files checked: no errors\n")


class TestExplain:
    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (["max_num_seqs"], "vllm.engine.max_num_seqs"),
            (["vllm.engine.dtype"], "bfloat16"),
            (["vllm.engine.dtype=bfloat16"], "  bfloat16: "),
            (
                ["vllm.engine.kv_cache_dtype=fp8", "--gpu", "a100"],
                "On NVIDIA A100 80 GB: through a slower path",
            ),
            (["vllm.engine.attention_backend=FLASH_ATTN_MLA", "--gpu", "a100"], "not supported"),
            (["spec_method"], "vllm-spec-method-given-twice (error)"),
            (["pytorch.quantization.method"], "bitsandbytes"),
            (["temperature", "--backend", "pytorch"], "pytorch.generate.temperature"),
            (["model"], "Hugging Face"),
            *(([code], code) for code in CODES),
        ],
    )
    def test_it_says(self, words: list[str], expected: str, capsys: Said) -> None:
        assert run(["explain", *words]) == 0
        assert expected in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("subject", "expected"),
        [
            ("max_num_seq", "nothing is called max_num_seq; did you mean max_num_seqs?"),
            ("L999", "nothing is called L999"),
            ("vllm.engine.dtype=bf16", "vllm.engine.dtype: error[L103] dtype cannot be 'bf16'"),
            ("\x1b[31m", "nothing is called \\x1b[31m"),
        ],
    )
    def test_it_knows_nothing_of(self, subject: str, expected: str, capsys: Said) -> None:
        assert run(["explain", subject]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(f"llmcfg: {expected}")

    def test_only_the_backend_asked_for(self, capsys: Said) -> None:
        assert run(["explain", "temperature", "--backend", "vllm"]) == 0
        assert "pytorch" not in capsys.readouterr().out


class TestGpus:
    def test_text(self, capsys: Said) -> None:
        assert run(["gpus"]) == 0
        header, *rows = capsys.readouterr().out.rstrip("\n").split("\n")
        assert header.split()[0] == "name"
        assert [row.split()[0] for row in rows] == [gpu.name for gpu in table()]

    def test_json(self, capsys: Said) -> None:
        assert run(["gpus", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["gpus"].keys() == {gpu.name for gpu in table()}


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_a_script(self, shell: str, capsys: Said) -> None:
        assert run(["completion", shell]) == 0
        assert f"_LLMCFG_COMPLETE={shell}_complete" in capsys.readouterr().out

    def test_it_completes(self) -> None:
        words = {
            "_LLMCFG_COMPLETE": "bash_complete",
            "COMP_WORDS": "llmcfg compile --back",
            "COMP_CWORD": "2",
        }
        assert spawn(env=words).stdout.split() == ["plain,--backend", "plain,--backend-version"]


def test_version(capsys: Said) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"llmcfg {llmcfg.__version__}\n"


class TestGrammar:
    """The quick parser and click must read every line alike, or the quick one must leave it to click."""

    def spellings(self, option: Option) -> list[list[str]]:
        if option.flag:
            return [[f"--{option.name}"]]
        value = option.choices[-1] if option.choices else "value"
        words = [[f"--{option.name}", value], [f"--{option.name}={value}"]]
        return words + ([[f"-{option.short}", value]] if option.short else [])

    def by_click(self, words: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        monkeypatch.setattr("llmcfg.cli.app.call", lambda command, values: seen.update(values) or 0)
        with pytest.raises(SystemExit) as ended:
            application().main(words, prog_name="llmcfg")
        assert ended.value.code == 0
        return seen

    @pytest.mark.parametrize(
        ("command", "option"),
        [(name, option) for name, command in COMMANDS.items() for option in command.options],
        ids=lambda value: value if isinstance(value, str) else value.name,
    )
    def test_options(self, command: str, option: Option, monkeypatch: pytest.MonkeyPatch) -> None:
        arguments = ["file"] * any(required for _, required, _ in COMMANDS[command].arguments)
        for words in self.spellings(option):
            for line in ([*command.split(), *words, *arguments], [*command.split(), *arguments, *words]):
                parsed = quick.parse(line)
                assert parsed is not None
                assert parsed == (COMMANDS[command], self.by_click(line, monkeypatch))

    @pytest.mark.parametrize("name", COMMANDS)
    def test_arguments(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for words in ([], ["a"], ["a", "b"], ["-"]):
            line = [*name.split(), *words]
            parsed = quick.parse(line)
            if parsed is not None:
                assert parsed == (COMMANDS[name], self.by_click(line, monkeypatch))

    @pytest.mark.parametrize(
        "line",
        [
            "", "unknown", "audit", "audit unknown", "audit --help",
             "--version", "compile", "compile --help", "compile a b", "compile a --stric",
            "compile a --format toml", "compile a --format", "compile a -fjson", "compile a --strict=yes",
            "compile a -f=json", "compile -- -a", "compile a --output --strict", "compile a --unknown",
        ],
    )  # fmt: skip
    def test_what_is_left_to_click(self, line: str) -> None:
        assert quick.parse(line.split()) is None

    def test_names_are_distinct(self) -> None:
        for command in COMMANDS.values():
            names = [f"--{option.name}" for option in command.options]
            names += [f"-{option.short}" for option in command.options if option.short]
            assert len(names) == len(set(names))

    def test_click_knows_the_same_commands(self) -> None:
        known = []
        for name, item in application().commands.items():
            inner = item.commands if isinstance(item, click.Group) else {"": item}
            known += [f"{name} {own}".strip() for own in inner]
            assert all(command.help for command in (item, *inner.values()))
        assert known == list(COMMANDS)

    def test_the_options_name_the_backends(self) -> None:
        assert tuple(backends()) == BACKENDS
