"""``llmcfg init``: templates fitted to every GPU, the schema beside or installed, settings of editors."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import llmcfg
from llmcfg.__main__ import run
from llmcfg.catalog import backends, bundle
from llmcfg.checking.hardware import check_requirements
from llmcfg.cli import init
from llmcfg.cli.options import BACKENDS
from llmcfg.data import data_path
from llmcfg.diagnostics import ERROR
from llmcfg.editors.changes import PATTERNS
from llmcfg.editors.jsonc import Unmergeable, added, appended, parse
from llmcfg.editors.vscode import TASK
from llmcfg.gpus import CPU, Gpu, find, table
from llmcfg.pipeline import Request
from llmcfg.pipeline import run as run_pipeline
from llmcfg.reading.reader import read
from llmcfg.starter.fit import Misfit, fit, nested
from llmcfg.starter.templates import Template, templates, titles
from llmcfg.starter.text import starter_text
from tests.editors.servers import KINDS, Editor

Said = pytest.CaptureFixture[str]
COPY = f"llmcfg-{llmcfg.__version__}.schema.json"
ALL = [template for backend in BACKENDS for template in templates(backend).values()]
GPUS: list[Gpu | None] = [None, CPU, *table()]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def named(template: Template) -> str:
    return f"{template.backend}-{template.name}"


def lacking(template: Template, gpu: Gpu | None) -> bool:
    """Tell whether the GPU is none that the template is for."""
    found = check_requirements(template.requires, "", (), gpu) if gpu is not None else ()
    return any(item.severity == ERROR for item in found)


class TestTemplates:
    @pytest.mark.parametrize("template", ALL, ids=named)
    def test_on_every_gpu_it_is_valid_or_refused(self, template: Template, tmp_path: Path) -> None:
        refused = []
        for gpu in GPUS:
            try:
                text = starter_text(fit(template, gpu, None), "schema.json")
            except Misfit:
                refused.append(gpu)
                continue
            (tmp_path / "starter.yaml").write_text(text, encoding="utf-8")
            result = run_pipeline(read("starter.yaml"), Request())
            assert result.diagnostics == [], gpu
            assert [item.backend for item in result.compiled] == [template.backend]
        volta = [find("v100"), find("v100-32gb"), find("titan-v")]
        without_kernel = volta if named(template) == "vllm-quantized" else []
        expected = [gpu for gpu in GPUS if lacking(template, gpu) or gpu in without_kernel]
        assert refused == expected
        assert len(refused) < len(GPUS) - 1 or template.name == "cpu"

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_there_are_the_usual_ones(self, backend: str) -> None:
        wanted = {"chat", "throughput", "long-context", "small-gpu", "multi-gpu", "quantized", "speculative"}
        assert wanted <= templates(backend).keys() <= titles().keys()

    @pytest.mark.parametrize(
        ("backend", "name", "gpu", "path", "value"),
        [
            ("vllm", "throughput", "h100", "engine.kv_cache_dtype", "fp8"),
            ("vllm", "throughput", "a100", "engine.kv_cache_dtype", None),
            ("vllm", "throughput", None, "engine.kv_cache_dtype", "fp8"),
            ("vllm", "throughput", "l4", "engine.max_num_seqs", 256),
            ("vllm", "throughput", "h100", "engine.max_num_seqs", 1024),
            ("vllm", "chat", "t4", "engine.dtype", "half"),
            ("vllm", "chat", "l4", "engine.dtype", "bfloat16"),
            ("vllm", "quantized", "h100", "engine.quantization", "awq_marlin"),
            ("vllm", "long-context", "h200", "engine.max_model_len", 131072),
            ("vllm", "long-context", "rtx-3060", "engine.max_model_len", 8192),
            ("vllm", "multi-gpu", "a100", "engine.tensor_parallel_size", 4),
            ("tensorrt_llm", "small-gpu", "rtx-4090", "llm.kv_cache_config.dtype", "fp8"),
            ("tensorrt_llm", "long-context", "a100", "llm.kv_cache_config.dtype", "fp8"),
            ("pytorch", "chat", "t4", "load.dtype", "float16"),
            ("pytorch", "cpu", "none", "load.device_map", "cpu"),
        ],
    )
    def test_values_follow_the_gpu(
        self, backend: str, name: str, gpu: str | None, path: str, value: Any
    ) -> None:
        data: Any = nested(fit(templates(backend)[name], find(gpu) if gpu else None, None).settings)
        for key in path.split("."):
            data = data.get(key) if data else None
        assert data == value

    @pytest.mark.parametrize(
        ("name", "gpu", "model"),
        [
            ("chat", "h100", "Qwen/Qwen3-8B"),
            ("chat", "rtx-3060", "Qwen/Qwen3-4B"),
            ("chat", "rtx-4060", "Qwen/Qwen3-1.7B"),
            ("chat", "rtx-2060", "Qwen/Qwen3-0.6B"),
            ("multi-gpu", "h100", "Qwen/Qwen2.5-72B-Instruct"),
            ("multi-gpu", "l4", "Qwen/Qwen3-32B"),
        ],
    )
    def test_the_model_follows_the_memory(self, name: str, gpu: str, model: str) -> None:
        assert fit(templates("vllm")[name], find(gpu), None).model == model

    @pytest.mark.parametrize("template", ALL, ids=named)
    def test_every_line_says_what_it_does(self, template: Template) -> None:
        gpu = CPU if template.name == "cpu" else find("h100")
        lines = starter_text(fit(template, gpu, None), "schema.json").split("\n")
        for i, line in enumerate(lines):
            if line.strip() and not line.lstrip().startswith("#"):
                assert lines[i - 1].lstrip().startswith("# ") or line.lstrip().startswith('"'), line
        assert all(len(line) <= 120 for line in lines)

    def test_the_texts_are_those_of_the_schema(self) -> None:
        text = starter_text(fit(templates("vllm")["throughput"], find("h100"), None), "schema.json")
        flat = " ".join(line.strip().removeprefix("# ") for line in text.split("\n"))
        engine = bundle()["$defs"]["VllmEngine"]["properties"]
        for name in ("max_num_seqs", "kv_cache_dtype", "max_model_len"):
            assert engine[name]["description"].partition(". ")[0] in flat
        assert "fp8: 8-bit float in the e4m3 format" in flat


class TestCommand:
    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("gpu", ["h100", "none", None])
    def test_without_a_template(self, backend: str, gpu: str | None, capsys: Said) -> None:
        words = ["init", "new.yaml", "--backend", backend, "--model", "org/name"]
        status = run([*words, *(["--gpu", gpu] if gpu else [])])
        if backend == "tensorrt_llm" and gpu == "none":
            assert status == 2
            return
        assert status == 0
        assert run(["validate", "new.yaml", "--strict"]) == 0
        capsys.readouterr()
        assert run(["compile", "new.yaml"]) == 0
        data = json.loads(capsys.readouterr().out)
        assert data["model"] == "org/name"
        assert [item["backend"] for item in data["compiled"]] == [backend]

    def test_the_list(self, capsys: Said) -> None:
        assert run(["init", "--template", "list"]) == 0
        said = capsys.readouterr()
        assert [line.split()[0] for line in said.out.rstrip("\n").split("\n")] == ["template", *titles()]
        assert not Path("llmcfg.yaml").exists()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ("--template chatt", "--template chatt is none of chat, throughput"),
            ("--template chatt", "did you mean chat?"),
            ("--template \x1b[31m", "--template \\x1b[31m is none of"),
            (
                "--template cpu --backend tensorrt_llm",
                "--template cpu is not for tensorrt_llm, which has chat",
            ),
            ("--template cpu --gpu h100", "the template cpu needs the platform cpu. NVIDIA H100"),
            ("--template cpu --gpu h100", "Templates that suit it: chat, throughput"),
            ("--template chat --gpu none", "the template chat needs an NVIDIA GPU. There is no GPU."),
            ("--template chat --gpu none", "Templates that suit it: cpu."),
            ("--template quantized --gpu v100", "quantization: awq needs Turing (compute capability 7.5)"),
            ("--gpu t4 --backend tensorrt_llm", "No template for tensorrt_llm suits it."),
            (
                "--gpu none --backend tensorrt_llm",
                "has no template for a machine without a GPU; vllm and pytorch",
            ),
            ("--gpu h1000", "--gpu: h1000 is not in the table of `llmcfg gpus`"),
            ("- --copy-schema", "--copy-schema needs a file to stand beside"),
            ("- --editor vscode", "--editor needs a file to stand beside"),
            ("llmcfg.json", "llmcfg.json would be JSON, which has no comments; name it .yaml"),
            ("missing/llmcfg.yaml", "cannot write missing/llmcfg.yaml: No such file or directory"),
        ],
    )
    def test_refused(self, words: str, message: str, capsys: Said, tmp_path: Path) -> None:
        assert run(["init", *words.split(" ")]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("llmcfg: ")
        assert message in said.err
        assert list(tmp_path.iterdir()) == []

    def test_an_existing_file_is_kept(self, capsys: Said) -> None:
        Path("mine.yaml").write_text("before")
        assert run(["init", "mine.yaml", "--copy-schema", "--editor", "vscode"]) == 2
        assert capsys.readouterr().err == "llmcfg: mine.yaml exists; --force overwrites it\n"
        assert [path.name for path in Path().iterdir()] == ["mine.yaml"]
        assert Path("mine.yaml").read_text() == "before"
        assert run(["init", "mine.yaml", "--force"]) == 0
        assert Path("mine.yaml").read_text() != "before"

    @pytest.mark.parametrize("model", ["org/name", "1e3", "a: b", "# no", "./dir with spaces", 'a"b', "yes"])
    def test_any_model_name_survives(self, model: str, capsys: Said) -> None:
        assert run(["init", "-", "--model", model]) == 0
        assert yaml.safe_load(capsys.readouterr().out)["model"] == model

    def test_the_schema_is_the_installed_one(self) -> None:
        assert run(["init"]) == 0
        first = Path("llmcfg.yaml").read_text(encoding="utf-8").partition("\n")[0]
        assert first == f"# yaml-language-server: $schema={init._reference(data_path('llmcfg.schema.json'))}"

    def test_a_copy_of_the_schema(self, capsys: Said) -> None:
        Path("a folder").mkdir()
        words = ["init", "a folder/new.yaml", "--copy-schema"]
        assert run(words) == 0
        said = (
            f"wrote a folder/new.yaml, a folder/{COPY}; check it with: llmcfg validate 'a folder/new.yaml'\n"
        )
        assert capsys.readouterr().err == said
        copy = Path("a folder", COPY)
        assert Path("a folder/new.yaml").read_text().startswith(f"# yaml-language-server: $schema={COPY}\n")
        assert copy.read_bytes() == Path(data_path("llmcfg.schema.json")).read_bytes()
        assert run(["init", "a folder/other.yaml", "--copy-schema"]) == 0
        copy.write_text("{}")
        capsys.readouterr()
        assert run(["init", "a folder/third.yaml", "--copy-schema"]) == 2
        assert (
            f"a folder/{COPY} exists and is another schema; --force overwrites it" in capsys.readouterr().err
        )
        assert not Path("a folder/third.yaml").exists()
        assert copy.read_text() == "{}"
        assert run([*words, "--force"]) == 0
        assert copy.read_text() != "{}"

    @pytest.mark.parametrize(
        ("path", "reference"),
        [
            ("/usr/lib/llmcfg.schema.json", "/usr/lib/llmcfg.schema.json"),
            ("/my files/llmcfg.schema.json", "file:///my%20files/llmcfg.schema.json"),
            ("/ü#x/a%20b.json", "file:///%C3%BC%23x/a%2520b.json"),
        ],
    )
    def test_the_modeline_of_odd_paths(self, path: str, reference: str) -> None:
        assert init._reference(path) == reference


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("yaml")])
@pytest.mark.parametrize("folder", ["plain", "with a space", "ü#x"])
def test_servers_find_the_schema(kind: str, folder: str, tmp_path: Path) -> None:
    """The modeline leads the real servers to a schema in a folder of any name."""
    schema = tmp_path / folder / "llmcfg.schema.json"
    schema.parent.mkdir()
    shutil.copy(data_path("llmcfg.schema.json"), schema)
    text = (
        f"# yaml-language-server: $schema={init._reference(str(schema))}\nmodel: m\nvllm: {{engin: {{}}}}\n"
    )
    with Editor(kind, "") as editor:
        found = editor.server.diagnostics(editor.open_text(text))
    assert [item["message"] for item in found] == ["Property engin is not allowed."]


SETTINGS = Path(".vscode/settings.json")
COMMENTED = """\
// my settings
{
\t"editor.tabSize": 4, // four
\t/* keep */ "yaml.schemas": {
\t\t"./other.json": ["*.other.yaml"], // theirs
\t},
\t"files.eol": "\\n",
}
"""


def with_editor(*words: str) -> int:
    return run(["init", "--force", "--editor", *words])


def lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.split("\n"))


class TestVscode:
    def test_a_new_folder(self) -> None:
        assert with_editor("vscode", "--copy-schema") == 0
        settings = json.loads(SETTINGS.read_text())
        assert settings["yaml.schemas"] == {
            f"./{COPY}": [pattern for pattern in PATTERNS if not pattern.endswith("json")]
        }
        assert settings["json.schemas"] == [
            {"fileMatch": ["llmcfg.json", "*.llmcfg.json"], "url": f"./{COPY}"}
        ]
        extensions = json.loads(Path(".vscode/extensions.json").read_text())
        assert extensions == {"recommendations": ["redhat.vscode-yaml"]}
        assert json.loads(Path(".vscode/tasks.json").read_text()) == {"version": "2.0.0", "tasks": [TASK]}

    def test_the_task_finds_problems(self, capsys: Said) -> None:
        Path("my config.yaml").write_text("model: m\nvllm: {engine: {max_num_seq: 8}}\n")
        words = [word.replace("${file}", "my config.yaml") for word in TASK["args"]]
        assert run(words) == 1
        pattern = TASK["problemMatcher"]["pattern"]
        matches = [re.match(pattern["regexp"], line) for line in capsys.readouterr().err.split("\n")]
        (found,) = filter(None, matches)
        names = ("file", "line", "column", "severity", "code")
        assert [found[pattern[name]] for name in names] == ["my config.yaml", "2", "17", "error", "L101"]

    def test_the_installed_schema(self) -> None:
        assert with_editor("vscode") == 0
        (schema,) = json.loads(SETTINGS.read_text())["yaml.schemas"]
        assert schema == Path(data_path("llmcfg.schema.json")).as_uri()

    def test_a_config_of_another_name(self) -> None:
        Path("conf").mkdir()
        assert run(["init", "conf/chat.yaml", "--editor", "vscode", "--copy-schema"]) == 0
        (patterns,) = json.loads(SETTINGS.read_text())["yaml.schemas"].values()
        assert "conf/chat.yaml" in patterns
        assert f"./conf/{COPY}" in json.loads(SETTINGS.read_text())["yaml.schemas"]

    def test_a_config_elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("here", "there"):
            Path(name).mkdir()
        monkeypatch.chdir(tmp_path / "here")
        assert run(["init", "../there/llmcfg.yaml", "--editor", "vscode"]) == 0
        assert (tmp_path / "there" / SETTINGS).exists()
        assert list(Path().iterdir()) == []

    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    def test_nothing_is_lost(self, ending: str) -> None:
        before = COMMENTED.replace("\n", ending)
        SETTINGS.parent.mkdir()
        SETTINGS.write_bytes(before.encode())
        assert with_editor("vscode", "--copy-schema") == 0
        after = SETTINGS.read_bytes().decode()
        assert set(lines(before)) <= set(lines(after))
        assert after.count("\n") == after.count(ending)
        old, new = parse(before).value, parse(after).value
        assert new["yaml.schemas"].pop(f"./{COPY}")
        assert new.pop("json.schemas")
        assert new == old

    def test_it_is_idempotent(self, capsys: Said) -> None:
        assert with_editor("vscode", "--copy-schema") == 0
        before = {path: path.read_bytes() for path in Path(".vscode").iterdir()}
        capsys.readouterr()
        assert with_editor("vscode", "--copy-schema") == 0
        assert {path: path.read_bytes() for path in Path(".vscode").iterdir()} == before
        assert ".vscode" not in capsys.readouterr().err

    def test_another_version_takes_the_place_of_the_former(self) -> None:
        assert with_editor("vscode", "--copy-schema") == 0
        SETTINGS.write_text(SETTINGS.read_text().replace(COPY, "llmcfg-0.0.9.schema.json"))
        assert with_editor("vscode", "--copy-schema") == 0
        settings = json.loads(SETTINGS.read_text())
        assert list(settings["yaml.schemas"]) == [f"./{COPY}"]
        assert [item["url"] for item in settings["json.schemas"]] == [f"./{COPY}"]

    def test_an_unwanted_extension_is_not_recommended(self) -> None:
        SETTINGS.parent.mkdir()
        text = '{"unwantedRecommendations": ["redhat.vscode-yaml"]}'
        Path(".vscode/extensions.json").write_text(text)
        assert with_editor("vscode") == 0
        assert Path(".vscode/extensions.json").read_text() == text

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (b"[]", "it is no object"),
            (b'{"yaml.schemas": []}', "yaml.schemas is something else than expected"),
            (b'{"a": 1\n "b": 2}', "it is no JSON at line 2"),
            (b'{"a": 1, "a": 2}', "a is there twice"),
            (b"{'a': 1}", "it is no JSON at line 1"),
            (b"\xff\xfe{}", "it is no UTF-8 text"),
            (b'{"a": ' + b"[" * 100_000, "it is no JSON at line 1"),
            (b'{"a": tru}', "it is no JSON at line 1"),
        ],
    )
    def test_a_file_that_is_left_alone(self, text: bytes, reason: str, capsys: Said) -> None:
        SETTINGS.parent.mkdir()
        SETTINGS.write_bytes(text)
        assert with_editor("vscode") == 2
        said = capsys.readouterr().err
        assert f"llmcfg: .vscode/settings.json is left as it is: {reason}; add to it: {{" in said
        assert '"yaml.schemas": {' in said
        assert SETTINGS.read_bytes() == text
        assert Path("llmcfg.yaml").exists()
        assert Path(".vscode/extensions.json").exists()

    @pytest.mark.parametrize("name", [".vscode", ".vscode/settings.json"])
    def test_links_are_not_followed(self, name: str, capsys: Said) -> None:
        Path("elsewhere").mkdir()
        Path("elsewhere/settings.json").write_text("{}")
        Path(name).parent.mkdir(exist_ok=True)
        target = Path("elsewhere", *Path(name).parts[1:]).absolute()
        Path(name).symlink_to(target)
        assert with_editor("vscode") == 2
        assert ".vscode/settings.json is left as it is: a link leads elsewhere" in capsys.readouterr().err
        assert [path.name for path in Path("elsewhere").iterdir()] == ["settings.json"]
        assert Path("elsewhere/settings.json").read_text() == "{}"

    def test_a_hostile_name_stays_out(self, capsys: Said) -> None:
        assert run(["init", "a\x1b[31m\u202e\n.yaml", "--editor", "vscode"]) == 0
        said = capsys.readouterr().err
        assert said.startswith("wrote a\\x1b[31m\\u202e\\n.yaml, .vscode/settings.json")
        assert "\\u001b" not in SETTINGS.read_text()

    def test_settings_that_cannot_be_read(self, capsys: Said) -> None:
        SETTINGS.mkdir(parents=True)
        assert with_editor("vscode") == 2
        assert ".vscode/settings.json: Is a directory" in capsys.readouterr().err
        assert not Path("llmcfg.yaml").exists()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


class TestJsonc:
    @given(st.dictionaries(st.text(), JSON, max_size=4), st.sampled_from([None, 2, "\t"]), JSON)
    def test_adding_changes_nothing_else(self, data: dict[str, Any], indent: Any, value: Any) -> None:
        data.pop("new", None)
        text = json.dumps(data, indent=indent, ensure_ascii=False)
        after = added(text, ("new", "deep"), value)
        assert json.loads(after) == {**data, "new": {"deep": value}}
        assert parse(after).value == json.loads(after)
        again = appended(after, ("list",), value) if "list" not in data else after
        assert json.loads(again).get("list", [value]) == data.get("list", [value])

    @pytest.mark.parametrize(
        "text", ["", "{", "}", "{,}", '{"a"}', '{"a":}', "{} {}", '{"a": 1 2}', "/* {}", "{a: 1}", '"\\x"']
    )
    def test_what_is_no_json(self, text: str) -> None:
        with pytest.raises(Unmergeable):
            parse(text)


MAPPING = Path(".idea/jsonSchemas.xml")


def entries() -> dict[str | None, list[str | None]]:
    root = ElementTree.fromstring(MAPPING.read_text())  # noqa: S314 - our own
    return {
        entry.get("key"): [option.get("value") for option in entry.iter("option") if option.get("value")]
        for entry in root.iter("entry")
    }


class TestJetbrains:
    def test_a_new_folder(self) -> None:
        assert with_editor("jetbrains", "--copy-schema") == 0
        (values,) = entries().values()
        assert values[:3] == ["llmcfg", COPY, "JSON Schema version 7"]
        assert set(PATTERNS) <= set(values)

    def test_others_are_kept_and_ours_is_replaced(self, capsys: Said) -> None:
        assert with_editor("jetbrains", "--copy-schema") == 0
        text = MAPPING.read_text()
        theirs = text[text.index("        <entry") : text.index("      </map>")].replace("llmcfg", "theirs")
        MAPPING.write_text(
            text.replace("      </map>", theirs + "      </map>").replace(COPY, "llmcfg-0.0.9.schema.json")
        )
        before = entries()["theirs"]
        assert with_editor("jetbrains", "--copy-schema") == 0
        assert entries().keys() == {"theirs", "llmcfg"}
        assert entries()["theirs"] == before
        assert COPY in entries()["llmcfg"]
        capsys.readouterr()
        again = MAPPING.read_bytes()
        assert with_editor("jetbrains", "--copy-schema") == 0
        assert MAPPING.read_bytes() == again
        assert ".idea" not in capsys.readouterr().err

    def test_an_empty_map(self) -> None:
        MAPPING.parent.mkdir()
        MAPPING.write_text(
            '<project version="4">\n  <component name="JsonSchemaMappingsProjectConfiguration">\n'
            "    <state>\n      <map />\n    </state>\n  </component>\n</project>\n"
        )
        assert with_editor("jetbrains") == 0
        assert entries().keys() == {"llmcfg"}

    @pytest.mark.parametrize(
        "text", [b"", b"<project/>", b"no xml", b"\xff", b'<project version="4"></project>']
    )
    def test_a_file_that_is_left_alone(self, text: bytes, capsys: Said) -> None:
        MAPPING.parent.mkdir()
        MAPPING.write_bytes(text)
        status = with_editor("jetbrains")
        if not text:
            assert status == 0
            return
        assert status == 2
        said = capsys.readouterr().err
        reason = "is no UTF-8 text" if text == b"\xff" else "does not look as the IDE writes it"
        assert f".idea/jsonSchemas.xml is left as it is: it {reason}; add to its <map>:\n" in said
        assert '<entry key="llmcfg">' in said
        assert MAPPING.read_bytes() == text


def test_the_table_of_backends_holds_no_starters() -> None:
    assert all("starter" not in facts for facts in backends().values())
