"""The editor schema in the language servers that people have, over their protocol."""

from __future__ import annotations

import html
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from llmcfg import editor_schema
from llmcfg.editions import edition
from llmcfg.generator.bundle import bundle as bundle_of
from llmcfg.generator.source import load
from llmcfg.reading.reader import parse, read
from tests.editors.client import Json, Place
from tests.editors.document import CURSOR
from tests.editors.places import Object, objects
from tests.editors.servers import KINDS, Editor
from tests.editors.snippet import applied, inserted
from tests.support.node import modules, node

pytestmark = pytest.mark.editors

ROOT = Path(__file__).parents[1]
FILE = ROOT / "generated" / "llmcfg.schema.json"
SCHEMA = json.loads(FILE.read_text(encoding="utf-8"))
OBJECTS = objects(SCHEMA)
EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))
PROPERTY, SKELETON = 10, 7
ERROR, WARNING = 1, 2


@pytest.fixture(scope="module", params=KINDS)
def editor(request: pytest.FixtureRequest) -> Iterator[Editor]:
    with Editor(request.param, str(FILE)) as opened:
        yield opened


def keys(here: Object) -> dict[str, Json]:
    """The parameters of an object, without the one that chose its type."""
    properties = SCHEMA["$defs"][here.type]["properties"]
    return {key: item for key, item in properties.items() if key != here.chooser}


def parameters() -> Iterator[tuple[Object, str, Json]]:
    for here in OBJECTS:
        for key, item in keys(here).items():
            yield here, key, item


def at(path: str, value: Any = CURSOR) -> Json:
    """A config with one value, at a dotted path; ``key=value`` on the way says which type of object it is."""
    data: Any = value
    for step in reversed(path.split(".")):
        key, _, chosen = step.partition("=")
        data = {key: chosen, **data} if chosen else {key: data}
    return {"model": "m", **data}


def text_of(item: Json) -> str:
    """The text beside a completion."""
    text = item.get("documentation") or ""
    return str(text["value"] if isinstance(text, dict) else text)


def plain(markdown: str) -> str:
    """Markdown without its escapes: servers escape what they take for plain text."""
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)).replace("\u00a0", " ")


class TestKeys:
    def test_at_the_top(self, editor: Editor) -> None:
        items = [item for item in editor.complete({CURSOR: None}) if item["kind"] == PROPERTY]
        first = [] if editor.is_json else ["$schema"]  # in JSON the schema is there already
        assert [item["label"] for item in items] == [*first, *list(SCHEMA["properties"])[1:]]
        assert all(text_of(item) for item in items)

    def test_every_object_offers_its_parameters(self, editor: Editor) -> None:
        for here in OBJECTS:
            items = editor.complete(here.config({CURSOR: None}))
            offered = {key_of(item): item for item in items if item["kind"] == PROPERTY}
            assert list(offered) == list(keys(here)), here.type
            assert len(items) - len(offered) <= len(skeletons(here, editor)), here.type
            for key, item in keys(here).items():
                assert plain(item.get("markdownDescription", item["description"])) == plain(
                    text_of(offered[key])
                ), (here.type, key)

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("vllm", ["engine", "sampling", "env"]),
            ("pytorch.quantization", ["method"]),
            ("tensorrt_llm.llm.speculative_config", ["decoding_type"]),
            ("pytorch.generate.watermarking_config", ["method"]),
            ("vllm.engine.extra", []),
            ("vllm.engine.compilation_config.extra", []),
        ],
    )
    def test_where_nothing_is_chosen_yet(self, editor: Editor, path: str, expected: list[str]) -> None:
        items = editor.complete(at(path, {CURSOR: None}))
        assert [item["label"] for item in items if item["kind"] == PROPERTY] == expected
        assert len(items) <= len(expected) + 1

    def test_a_key_that_is_written_is_not_offered_again(self, editor: Editor) -> None:
        offered = [item["label"] for item in editor.complete(at("vllm.engine", {"seed": 1, CURSOR: None}))]
        assert "seed" not in offered
        assert "dtype" in offered


class TestInsertion:
    """What is inserted parses and is valid, or waits for a value."""

    LONGEST = 330
    UNQUOTED = {
        "VLLM_HUMMING_ONLINE_QUANT_CONFIG",
        "regex",
        "structural_tag",
        "whitespace_pattern",
    }
    """Examples that yaml-language-server 1.19 writes without the quotes that they need."""

    def test_every_key(self, editor: Editor) -> None:
        validator = jsonschema_rs.validator_for(SCHEMA)
        for here in OBJECTS:
            uri, written = editor.open(here.config({CURSOR: None}))
            for item in editor.completions(uri, written.cursor):
                key = key_of(item)
                if editor.kind == "yaml-1.19.2" and key in self.UNQUOTED:
                    continue
                where = (here.type, inserted(item))
                assert len(inserted(item)) < self.LONGEST, where
                data = self.parsed(editor, applied(written.text, item, ""))
                assert key in reach(data, here.path), where
                problems = [error for error in validator.iter_errors(data) if not waits(error, data)]
                assert not problems, (where, problems)

    def parsed(self, editor: Editor, text: str) -> Json:
        if not editor.is_json:
            return parse(text.encode(), "config.yaml").data
        return json.loads(re.sub(r"(\": )(?=[,\n])", r"\1null", re.sub(r",(\s*})", r"\1", text)))

    @pytest.mark.parametrize(
        ("typed", "label", "expected"),
        [
            ("vl", "vllm", "vllm:\n  "),
            ("vllm:\n  eng", "engine", "vllm:\n  engine:\n    "),
            ("vllm:\n  engine:\n    max_num", "max_num_seqs", "vllm:\n  engine:\n    max_num_seqs: "),
            ("vllm:\n  engine:\n    dtype: bf", "bfloat16", "vllm:\n  engine:\n    dtype: bfloat16"),
            ("vllm: {engine: {max_num", "max_num_seqs", "vllm: {engine: {max_num_seqs"),
            ("backend: ten", "tensorrt_llm", "backend: tensorrt_llm"),
        ],
    )
    def test_what_is_half_typed_is_replaced(
        self, editor: Editor, typed: str, label: str, expected: str
    ) -> None:
        if editor.is_json:
            pytest.skip("the rows are YAML")
        text = f"# yaml-language-server: $schema={FILE}\n{typed}"
        lines = text.split("\n")
        found = editor.completions(editor.open_text(text), Place(len(lines) - 1, len(lines[-1])))
        (item,) = [item for item in found if item["label"] == label]
        assert applied(text, item, "").partition("\n")[2] == expected

    @pytest.mark.parametrize(
        ("path", "label", "in_yaml", "in_json"),
        [
            ("", "vllm", "vllm:\n  ", '"vllm": {$1}'),
            ("", "model", "model: ", '"model": $1'),
            ("vllm", "engine", "engine:\n  ", '"engine": {$1}'),
            ("vllm.engine", "max_model_len", "max_model_len: ", '"max_model_len": $1'),
            ("vllm.engine", "enable_lora", "enable_lora: ${1:false}", '"enable_lora": ${1:false}'),
            ("vllm.engine", "compilation_config", "compilation_config:\n  ", '"compilation_config": {$1}'),
            ("vllm.engine", "kv_cache_dtype_skip_layers", "kv_cache_dtype_skip_layers:\n  - ${1}", None),
            ("vllm.sampling", "stop", "stop:\n  - ${1}", None),
            ("pytorch.quantization", "method", "method: ", '"method": $1'),
        ],
    )
    def test_text(self, editor: Editor, path: str, label: str, in_yaml: str, in_json: str | None) -> None:
        data = at(path, {CURSOR: None}) if path else {CURSOR: None}
        found = [inserted(item) for item in editor.complete(data) if item["label"] == label]
        expected = in_json if editor.is_json else in_yaml
        assert expected is None or found == [expected]


class TestValues:
    def test_every_enum(self, editor: Editor) -> None:
        for here, key, item in parameters():
            if "enum" not in item:
                continue
            offered = {value_of(found): found for found in editor.complete(here.config({key: CURSOR}))}
            values = [value for value in item["enum"] if value != "" or editor.kind != "yaml-1.19.2"]
            assert set(map(json.dumps, values)) <= offered.keys(), (here.type, key)
            texts = item.get("markdownEnumDescriptions", item["enumDescriptions"])
            for value, text in zip(item["enum"], texts, strict=True):
                assert value not in values or plain(text_of(offered[json.dumps(value)])) == plain(text), (
                    here.type,
                    key,
                    value,
                )

    def test_null_is_never_first(self, editor: Editor) -> None:
        for here, key, item in parameters():
            if "null" in item["type"] and ("enum" in item or "boolean" in item["type"]):
                offered = editor.complete(here.config({key: CURSOR}))
                assert value_of(offered[0]) != "null", (here.type, key)
                assert "Default value" not in [found["label"] for found in offered], (here.type, key)

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("vllm.engine.enable_lora", ["false", "true"]),
            ("vllm.engine.enable_prefix_caching", ["true", "false", "null"]),
            ("vllm.engine.max_model_len", ["8192", "32768", "-1", "null"]),
            ("tensorrt_llm.llm.speculative_config.decoding_type", ['"Eagle"', '"MTP"', '"NGram"']),
            ("pytorch.quantization.method", ['"aqlm"', '"auto-round"', '"awq"']),
            ("vllm.engine.extra", ["null"]),
        ],
    )
    def test_some(self, editor: Editor, path: str, expected: list[str]) -> None:
        offered = [value_of(item) for item in editor.complete(at(path))]
        assert [value for value in offered if value in expected] == expected or sorted(offered) == expected

    @pytest.mark.parametrize(
        ("path", "value", "text"),
        [
            ("backend", "vllm", "The vLLM engine"),
            ("gpu", "h100", "H100"),
            ("vllm.engine.kv_cache_dtype", "fp8", "Needs ada or newer"),
            ("vllm.engine.kv_cache_dtype", "octave_k3v4", "since 0.33.0"),
            ("vllm.engine.all2all_backend", "naive", "deprecated"),
            ("pytorch.quantization.method", "awq", "AWQ"),
            ("tensorrt_llm.llm.speculative_config.decoding_type", "MTP", "DeepSeek-V3"),
        ],
    )
    def test_text(self, editor: Editor, path: str, value: str, text: str) -> None:
        (found,) = [item for item in editor.complete(at(path)) if value_of(item) == json.dumps(value)]
        assert text in text_of(found)

    @pytest.mark.parametrize(
        ("path", "value", "expected"),
        [
            ("vllm.engine.collect_detailed_traces", [CURSOR], ['"model"', '"worker"', '"all"']),
            ("tensorrt_llm.llm.nvfp4_gemm_config.allowed_backends", [CURSOR], ['"cutlass"', '"cublaslt"']),
            ("vllm.engine.attention_config.backend_per_kind.mla_attention", CURSOR, ['"FLASH_ATTN"']),
            ("vllm.engine.kernel_config.linear_backend_per_quant.mxfp4", CURSOR, ['"auto"', '"cutlass"']),
        ],
    )
    def test_in_lists_and_open_mappings(
        self, editor: Editor, path: str, value: Any, expected: list[str]
    ) -> None:
        offered = [value_of(item) for item in editor.complete(at(path, value))]
        assert [value for value in offered if value in expected] == expected


class TestHover:
    def test_every_parameter(self, editor: Editor) -> None:
        for here in OBJECTS:
            uri, written = editor.open(here.config({key: sample(item) for key, item in keys(here).items()}))
            shown = editor.hovers(uri, [written.places[(*here.path, key)] for key in keys(here)])
            for (key, item), hover in zip(keys(here).items(), shown, strict=True):
                assert plain(hover).removeprefix("#### ").startswith(titles(item)), (here.type, key)
                text = item.get("markdownDescription", item["description"])
                assert text in hover, (here.type, key)

    @pytest.mark.parametrize(
        ("path", "value", "expected"),
        [
            ("vllm", {}, ["What vLLM takes"]),
            ("vllm.engine", {}, ["vllm.EngineArgs"]),
            (
                "vllm.engine.max_num_seqs",
                8,
                ["**Type:** integer or null, ≥ 1", "**Moves:** energy, throughput"],
            ),
            ("vllm.engine.gpu_memory_utilization", 0.9, ["number, > 0 and ≤ 1", "**Default:** `0.92`"]),
            ("vllm.engine.kv_cache_dtype", "fp8", ["**Default:** `auto`", "`fp8`: 8-bit float"]),
            (
                "vllm.engine.attention_config.minimax_m3_indexer_cp",
                True,
                ["boolean · **Default:** `false`", "**Needs:** platform rocm", "**Versions:** since 0.33.0"],
            ),
            ("pytorch.load.device_map", "auto", ["**Needs:** ", "the package accelerate"]),
            ("pytorch.quantization.method=awq.bits", 4, ["**Type:** integer, ≥ 1"]),
        ],
    )
    def test_some(self, editor: Editor, path: str, value: Any, expected: list[str]) -> None:
        uri, written = editor.open(at(path, value))
        place = written.places[tuple(step.partition("=")[0] for step in path.split(".") if "=" not in step)]
        (shown,) = editor.hovers(uri, [place])
        assert [part for part in expected if part not in plain(shown)] == []

    @pytest.mark.parametrize("path", ["vllm.engine.kv_cache_dtype", "pytorch.quantization.method"])
    def test_on_a_value(self, editor: Editor, path: str) -> None:
        value = {"kv_cache_dtype": "fp8", "method": "awq"}[path.rpartition(".")[2]]
        uri, written = editor.open(at(path, value))
        line, start = written.places[tuple(path.split("."))]
        column = written.text.split("\n")[line].index(value, start + len(path.rpartition(".")[2]))
        (shown,) = editor.hovers(uri, [Place(line, column + 1)])
        assert f"`{value}`: " in shown

    def test_markdown_is_well_formed(self) -> None:
        for here, key, item in parameters():
            for text in (item.get("markdownDescription", ""), *item.get("markdownEnumDescriptions", ())):
                for paragraph in text.split("\n\n"):
                    assert paragraph.count("`") % 2 == 0, (here.type, key, paragraph)
                    assert paragraph.count("**") % 2 == 0 or "`" in paragraph, (here.type, key, paragraph)


WRONG = [
    # what the editor underlines, and says of it
    ({"modle": "m", "model": "m"}, "modle", "Property modle is not allowed"),
    (at("vllm.engine.max_num_seq", 3), "max_num_seq", "Property max_num_seq is not allowed"),
    (at("vllm.engine.compilation_config.pass_config.fuse", True), "fuse", "Property fuse is not allowed"),
    (at("pytorch.quantization.method=awq.bitz", 4), "bitz", "Property bitz is not allowed"),
    (at("vllm", 5), "5", "Expected one of object, null"),
    (at("vllm.engine", 5), "5", "Expected one of object, null"),
    (at("vllm.engine.enable_lora", 5), "5", 'Expected "boolean"'),
    (at("vllm.engine.max_num_seqs", "many"), "many", "Expected one of integer, null"),
    (at("vllm.engine.attention_config", "FA"), "FA", "Incorrect type. Expected"),
    (at("vllm.engine.compilation_config", [3]), "[3]", "Incorrect type. Expected"),
    (at("vllm.sampling.stop_token_ids", ["a"]), "a", 'Expected "integer"'),
    (at("pytorch.quantization", "awq"), "awq", "Expected one of object, null"),
    (at("pytorch.quantization.method=awq.bits", "four"), "four", 'Expected "integer"'),
    (at("backend", "vlm"), "vlm", 'Valid values: "vllm", "tensorrt_llm", "pytorch"'),
    (at("gpu", "h101"), "h101", "Value is not accepted. Valid values"),
    (at("vllm.engine.kv_cache_dtype", "fp9"), "fp9", 'Value is not accepted. Valid values: "auto"'),
    (at("pytorch.quantization.method", "awk"), "awk", 'Valid values: "aqlm", "auto-round", "awq"'),
    (at("vllm.engine.gpu_memory_utilization", 1.5), "1.5", "above the maximum of 1"),
    (at("vllm.engine.max_num_seqs", 0), "0", "below the minimum of 1"),
    (at("vllm.env.VLLM_PP_LAYER_PARTITION", "x"), "x", "Write numbers separated by commas"),
    (at("pytorch.quantization.bits", 4), "quantization", 'Missing property "method"'),
    ({"backend": "vllm"}, None, 'Missing property "model"'),
]


class TestDiagnostics:
    def test_one_for_one_mistake(self, editor: Editor) -> None:
        opened = [editor.open(data) for data, _, _ in WRONG]  # servers wait a moment before they judge
        for (uri, written), (_, marked, message) in zip(opened, WRONG, strict=True):
            (found,) = editor.server.diagnostics(uri)
            assert message in found["message"]
            assert underlined(written.text, found) == marked or marked is None, message

    def test_several_mistakes(self, editor: Editor) -> None:
        found, _ = editor.problems(
            {"model": "m", "vllm": {"engine": {"max_num_seqs": 0, "dtyp": "auto"}, "sampling": {"n": "x"}}}
        )
        assert len(found) == 3

    @pytest.mark.parametrize(
        "data", [at("vllm", None), at("vllm.engine", None), at("vllm.engine.extra.a", 1)]
    )
    def test_nothing_wrong(self, editor: Editor, data: Json) -> None:
        assert editor.problems(data)[0] == []

    def test_examples(self, editor: Editor) -> None:
        opened = {file.stem: editor.open_text(example(file, editor)) for file in EXAMPLES}
        found = {name: editor.server.diagnostics(uri) for name, uri in opened.items()}
        unexpected = [item for items in found.values() for item in items if item["message"] != DEPRECATED]
        assert (len(found), unexpected) == (len(EXAMPLES), [])
        assert editor.is_json or not any(found.values())


DEPRECATED = "Value is deprecated"


class TestModeline:
    """A config on disk finds its schema by its own first line."""

    @pytest.mark.parametrize(
        "line", ["# yaml-language-server: $schema=../generated/llmcfg.schema.json", None]
    )
    def test_beside_the_examples(self, editor: Editor, line: str | None) -> None:
        if editor.is_json:
            path = "./generated/llmcfg.schema.json" if line is None else "../generated/llmcfg.schema.json"
            where = ROOT if line is None else ROOT / "examples"
            uri = editor.open_text(json.dumps({"$schema": path, "modle": "m"}), where)
        else:
            first = line or "$schema: ../generated/llmcfg.schema.json"
            uri = editor.open_text(f"{first}\nmodle: m\n", ROOT / "examples")
        found = {item["message"] for item in editor.server.diagnostics(uri)}
        inline_is_read = editor.kind != "yaml-1.19.2" or line
        assert ("Property modle is not allowed." in found) is bool(inline_is_read)


class TestDeprecated:
    ALL = [(here, key) for here, key, item in parameters() if item.get("deprecated")]

    def test_there_are_some(self) -> None:
        assert len(self.ALL) > 20

    def test_the_text_begins_with_it(self, editor: Editor) -> None:
        for here, key in self.ALL:
            items = {key_of(item): item for item in editor.complete(here.config({CURSOR: None}))}
            assert text_of(items[key]).startswith("**Deprecated.**"), (here.type, key)

    def test_json_warns_and_yaml_is_silent(self, editor: Editor) -> None:
        found, _ = editor.problems(at("vllm.engine.disable_cascade_attn", True))
        if editor.is_json:
            ((message, severity),) = [(item["message"], item["severity"]) for item in found]
            assert (message, severity) == (DEPRECATED, WARNING)
        else:
            assert found == []


class TestSchema:
    def test_ajv(self) -> None:
        """Ajv in strict mode takes the schema, the keywords of editors and ``x-`` keys declared."""
        script = ROOT / "tests" / "editors" / "ajv.cjs"
        documents = [read(str(file)).data for file in EXAMPLES]
        modules()
        done = subprocess.run(
            [node(), str(script), str(FILE)], input=json.dumps(documents), capture_output=True, text=True
        )
        assert (done.stdout, done.stderr) == (f"{len(EXAMPLES)} valid\n", "")

    def test_jsonschema(self) -> None:
        from jsonschema import Draft202012Validator

        Draft202012Validator.check_schema(SCHEMA)
        validator = Draft202012Validator(SCHEMA)
        assert [file.stem for file in EXAMPLES if not validator.is_valid(read(str(file)).data)] == []

    def test_nothing_that_editors_misread(self) -> None:
        """No ``deprecationMessage`` (an error in YAML), no default that says nothing, no plain ``$ref``."""
        for here, key, item in parameters():
            assert "deprecationMessage" not in item, (here.type, key)
            assert item.get("default", 0) not in (None, [], {}), (here.type, key)
            assert "$ref" not in item, (here.type, key)
            assert item["type"], (here.type, key)

    def test_what_is_hidden_from_editors_is_known_to_llmcfg(self) -> None:
        facts = editor_schema.read(FILE.read_text(encoding="utf-8"))
        assert facts == bundle_of(load(ROOT / "schema"))
        assert facts["$defs"]["VllmEngine"]["properties"]["max_model_len"]["default"] is None

    def test_types_leave_the_words_to_parameters(self) -> None:
        for name, item in SCHEMA["$defs"].items():
            assert "description" not in item, name
            assert "type" not in item, name
            assert "title" not in item or "required" in item, name


class TestEdition:
    def test_one_release(self, editor: Editor, tmp_path: Path) -> None:
        """A schema for one release of one backend does not offer what came later, nor other backends."""
        file = tmp_path / "llmcfg.schema.json"
        file.write_text(editor_schema.written(edition("vllm", "0.32.0")), encoding="utf-8")
        with Editor(editor.kind, str(file)) as older:
            offered = {key_of(item) for item in older.complete(at("vllm.engine", {CURSOR: None}))}
            values = {value_of(item) for item in older.complete(at("vllm.engine.kv_cache_dtype"))}
            top = {key_of(item) for item in older.complete({CURSOR: None})} - {"$schema"}
        assert "dtype" in offered
        assert "monokernel" not in offered
        assert '"fp8"' in values
        assert '"octave_k3v4"' not in values
        assert top == {"model", "backend", "gpu", "vllm"}


class TestLatency:
    def test_completions_come_at_once(self, editor: Editor) -> None:
        for _ in range(3):
            editor.complete(at("vllm.engine", {CURSOR: None}))
        start = time.perf_counter()
        editor.complete(at("vllm.engine", {CURSOR: None}))
        assert time.perf_counter() - start < 2


def example(file: Path, editor: Editor) -> str:
    """An example as this editor sees it: YAML with the line that names the schema, or the same as JSON."""
    if editor.is_json:
        return json.dumps({"$schema": f"file://{FILE}", **read(str(file)).data}, indent=1)
    _, _, rest = file.read_text(encoding="utf-8").partition("\n")
    return f"# yaml-language-server: $schema={FILE}\n{rest}"


def key_of(item: Json) -> str:
    """The key that a completion writes; its label is cut where it is long."""
    found = re.match(r'"?\\?([$\w-]+)', inserted(item))
    assert found
    return found[1]


def value_of(item: Json) -> str:
    """The value that a completion writes, as JSON."""
    text = inserted(item).strip()
    try:
        return json.dumps(json.loads(text))
    except ValueError:
        return json.dumps(yaml.safe_load(text))


def skeletons(here: Object, editor: Editor) -> list[str]:
    """What YAML's server may offer beside the keys: all that are required, at once."""
    return [] if editor.is_json else SCHEMA["$defs"][here.type].get("required", [])[:1]


def titles(item: Json) -> tuple[str, ...]:
    """The heading of a hover: the parameter's title, or that of its type where this has required keys."""
    types = [ref["$ref"].rpartition("/")[2] for ref in item.get("allOf", ()) if "$ref" in ref]
    return (item["title"], *(SCHEMA["$defs"][name].get("title", item["title"]) for name in types))


def sample(item: Json) -> Any:
    """A value of a parameter's type."""
    if "enum" in item:
        return item["enum"][0]
    first = item["type"] if isinstance(item["type"], str) else item["type"][0]
    plain = {"integer": 1, "number": 1.0, "boolean": True, "object": {}, "array": [], "string": "text"}
    return item["examples"][0] if "examples" in item else plain[first]


def reach(data: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def waits(error: Any, data: Any) -> bool:
    """Tell whether a finding is only about what the user is about to type."""
    value = reach(data, tuple(error.instance_path))
    blank = value in (None, "", 0, False) or value == {} or value in ([None], [""], [0], [False])
    return blank or "required" in error.message


def underlined(text: str, found: Json) -> str:
    """The text that a diagnostic marks, without quotes and line breaks."""
    start, end = found["range"]["start"], found["range"]["end"]
    lines = text.split("\n")[start["line"] : end["line"] + 1]
    lines[-1] = lines[-1][: end["character"]]
    lines[0] = lines[0][start["character"] :]
    return "".join(line.strip() for line in lines).replace('"', "")
