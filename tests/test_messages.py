"""What a user is told: one mistake once, at its exact place, with the pitfall's name and the way out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version as version_of
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from llmcfg.__main__ import run as command
from llmcfg.catalog import backend_catalog, backends, names
from llmcfg.checking import checker
from llmcfg.checking.security import is_secret_name
from llmcfg.checking.suggest import _parameters
from llmcfg.codes import CODES
from llmcfg.diagnostics import Diagnostic, dotted
from llmcfg.generator.names import words
from llmcfg.generator.source import load
from llmcfg.pipeline import Request, run
from llmcfg.reading.reader import parse
from llmcfg.secrets import hidden, masked_text
from tests.support.breaking import example
from tests.support.parameters import check
from tests.support.rule_judge import Rule, rules_of

ROOT = Path(__file__).parents[1]
SOURCE = load(ROOT / "schema")
PARAMETERS = {name: {dotted((*path, key)) for path, key in _parameters(name)} for name in backends()}
TOKEN = "hf_neverToBeSeen0123456789"  # noqa: S105 - the secret of these tests

Said = pytest.CaptureFixture[str]


@pytest.fixture(params=["jsonschema-rs", "jsonschema"])
def _validator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check by either validator: they must lead to the same words."""
    if request.param == "jsonschema":
        monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    caches = (checker._validator, checker._small_validator, checker._conditions_validator)
    for function in caches:
        function.cache_clear()
    yield
    for function in caches:
        function.cache_clear()


def found(text: str, name: str = "c.yaml", **asked: Any) -> list[Diagnostic]:
    return run(parse(text.encode(), name), Request(**asked)).diagnostics


def marked(text: str) -> tuple[str, tuple[int, int]]:
    """Take the mark ``►`` out of a text, and tell its place."""
    before, _, after = text.partition("►")
    return before + after, (before.count("\n") + 1, len(before) - before.rfind("\n"))


ENGINE = "model: m\nvllm:\n  engine:\n    "
SYNTAX = "L003"
PITFALLS: list[tuple[str, str, str, str]] = [
    # the text, with ► where the diagnostic points; its code; words of the message; words of the hint
    (ENGINE + "max_model_len: ►8k\n", "L102", "the text '8k', expected an integer", "8000, or 8192"),
    (ENGINE + "max_model_len: ►8Ki\n", "L102", "'8Ki'", "in full: 8192."),
    (ENGINE + "kv_cache_memory_bytes: ►24GB\n", "L102", "'24GB'", "24000000000, or 25769803776"),
    (ENGINE + "kv_cache_memory_bytes: ►24 GiB\n", "L102", "'24 GiB'", "in full: 25769803776."),
    (ENGINE + "cpu_offload_gb: ►10GB\n", "L102", "'10GB', expected a number", "without a unit: 10."),
    (ENGINE + "gpu_memory_utilization: ►90%\n", "L102", "'90%'", "as a number: 0.9."),
    (ENGINE + "gpu_memory_utilization: ►0,9\n", "L102", "'0,9'", "decimal point: 0.9."),
    ("model: m\nvllm: {engine: {gpu_memory_utilization: ►0,9}}\n", "L102", "0,9", "decimal point: 0.9."),
    ("model: m\nvllm: {engine: {max_num_seqs: ►1,234}}\n", "L102", "1,234", "without separators: 1234."),
    ("model: m\nvllm: {engine: {max_num_seqs: 1,►000}}\n", "L005", "'000'", "A number takes no comma"),
    (ENGINE + "max_num_seqs: ►1_000\n", "L102", "'1_000'", "without separators: 1000."),
    (ENGINE + 'max_num_seqs: ►"8"\n', "L102", "the text '8'", "without quotes: 8."),
    (ENGINE + "gpu_memory_utilization: ►'1e-3'\n", "L102", "the text '1e-3'", "without quotes: 1e-3."),
    (ENGINE + "max_num_seqs: ►1e-3\n", "L102", "the number 1e-3, expected an integer", "an integer"),
    (ENGINE + "max_num_seqs: ►8.5\n", "L102", "the number 8.5", "Write an integer: 8."),
    (ENGINE + "max_num_seqs: ►\uff18\n", "L102", "'\uff18'", "with ASCII digits: 8."),
    (ENGINE + "max_num_seqs: ►1024*8\n", "L102", "'1024*8'", "does not calculate"),
    (ENGINE + "enforce_eager: ►no\n", "L102", "the text 'no'", "YAML 1.2 reads yes, no, on and off as texts"),
    (ENGINE + "enforce_eager: ►On\n", "L102", "the text 'On'", "write true."),
    (ENGINE + 'enforce_eager: ►"True"\n', "L102", "the text 'True'", "without quotes: true."),
    (ENGINE + "enforce_eager: ►1\n", "L102", "the number 1", "Write true."),
    (ENGINE + "seed: ►None\n", "L102", "the text 'None'", "remove the key to keep the engine's default"),
    (ENGINE + "max_num_seqs: ►None\n", "L102", "the text 'None'", "YAML writes null"),
    (ENGINE + "quantization: ►nil\n", "L103", "'nil'", "YAML writes null"),
    (ENGINE + "dtype: ►~\n", "L102", "null", "remove the key"),
    (ENGINE + "max_num_seqs: ►[8]\n", "L102", "a list, expected an integer", "without brackets or dash: 8."),
    (ENGINE + "max_num_seqs:\n      ►- 8\n", "L102", "a list", "without brackets or dash: 8."),
    (ENGINE + "dtype: ►[auto]\n", "L102", "a list, expected a text", "without brackets or dash: auto."),
    (ENGINE + "cudagraph_capture_sizes: ►8\n", "L102", "the number 8, expected a list", "Write a list: [8]."),
    (ENGINE + "cudagraph_capture_sizes: ►1, 2\n", "L102", "'1, 2'", "Write a list: [1, 2]."),
    (ENGINE + "cudagraph_capture_sizes: ►'[1, 2]'\n", "L102", "'[1, 2]'", "the list without quotes"),
    (ENGINE + "compilation_config: ►'{\"mode\": 3}'\n", "L102", "expected a mapping", "JSON without quotes"),
    (ENGINE + "►- dtype: auto\n    - seed: 1\n", "L102", "engine is a list", "Remove the dashes"),
    ("model: m\nvllm: ►[engine]\n", "L102", "vllm is a list, expected a mapping", "indented"),
    (ENGINE + "speculative_config: ►ngram\n", "L102", "the text 'ngram', expected a mapping", "indented"),
    (ENGINE + "dtype: ►BFLOAT16\n", "L103", "'BFLOAT16'", "Did you mean bfloat16?"),
    (ENGINE + "dtype: ►fp16\n", "L103", "'fp16'", "Did you mean float16?"),
    (ENGINE + "dtype: ►torch.bfloat16\n", "L103", "'torch.bfloat16'", "Did you mean bfloat16?"),
    (ENGINE + "kv_cache_dtype: ►float8\n", "L103", "'float8'", "Did you mean fp8?"),
    (ENGINE + "dtype: ►fp8\n", "L103", "'fp8'", "It is a value of quantization and kv_cache_dtype."),
    (ENGINE + "dtype: ►“auto”\n", "L103", "'“auto”'", ""),
    (ENGINE + "enforce_eager: ►“true”\n", "L102", "'“true”'", "Typographic quotes are part of the text"),
    (ENGINE + "max_num_seqs: ►8 // few\n", "L102", "'8 // few'", "A comment starts with # after a space"),
    (ENGINE + "max_num_seqs: ►8# few\n", "L102", "'8# few'", "A comment starts with # after a space"),
    (ENGINE + "►dtype:auto\n", "L102", "engine is the text 'dtype:auto'", "after the colon: `dtype: auto`"),
    ("model: m\nvllm: {engine: {►dtype:auto, seed: 1}}\n", "L101", "'dtype:auto'", "`dtype: auto`"),
    (ENGINE + "►dtype = auto\n", "L102", "'dtype = auto'", "Write a colon, not `=`: `dtype: auto`."),
    (ENGINE + "seed: 1\n    ►dtype:auto\n    n: 8\n", SYNTAX, "space after the colon", "`dtype: auto`"),
    (ENGINE + "►max_num_seqs:8\n    dtype: auto\n", SYNTAX, "space after the colon", "`max_num_seqs: 8`"),
    ("►model = m\nvllm: {}\n", SYNTAX, "an equals sign", "`model: m`"),
    ("model: m\n►// a comment\nvllm: {}\n", SYNTAX, "no comment in YAML", "A comment starts with #."),
    ("model: m\n►/* a comment */\nvllm: {}\n", SYNTAX, "no comment in YAML", "A comment starts with #."),
    ("model: m\n►vllm\n  engine: {}\n", SYNTAX, "a key without a colon", "Write a colon after it."),
    ("model: m\nvllm:\n►\tengine: {}\n", SYNTAX, "a tab cannot indent a line", "Indent with spaces."),
    ("►model:m\n", "L007", "not a mapping", "space after the colon"),
    ("model: m\nvllm: {►engin: {dtype: auto}}\n", "L101", "'engin'", "Did you mean engine?"),
    ("model: m\n►vlm: {engine: {dtype: auto}}\n", "L101", "'vlm'", "Did you mean vllm?"),
    ("model: m\ntensorrt_llm: {►lm: {backend: tensorrt}, quantization: {}}\n", "L101", "'lm'", "llm?"),
    ("model: m\ntensorrt_llm: {►engin: {}, quantization: {quant_algo: FP8}}\n", "L101", "'engin'", ""),
    (ENGINE + "►max_num_seq: 8\n", "L101", "'max_num_seq'", "Did you mean max_num_seqs?"),
    (ENGINE + "►--max-model-len: 8\n", "L101", "'--max-model-len'", "has no flags: write max_model_len."),
    (ENGINE + "►max-model-len: 8\n", "L101", "'max-model-len'", "It is written max_model_len."),
    (ENGINE + "►maxModelLen: 8\n", "L101", "'maxModelLen'", "It is written max_model_len."),
    (ENGINE + "►no-enable-lora: true\n", "L101", "'no-enable-lora'", "Write enable_lora: false."),
    (ENGINE + "►temperature: 0.5\n", "L101", "'temperature'", "It belongs under vllm.sampling.temperature."),
    (ENGINE + "►swap_space: 4\n", "L101", "'swap_space'", "Removed in vllm 0.18.0. Instead: kv_"),
    (ENGINE + "►zzz: 4\n", "L101", "'zzz'", "put it under vllm.engine.extra"),
    (
        "model: m\ntensorrt_llm: {llm: {►gpu_memory_utilization: 0.9}}\n", "L101", "'gpu_memory_utilization'",
        "That is vLLM's name; in tensorrt_llm it is llm.kv_cache_config.free_gpu_memory_fraction.",
    ),
    ("model: m\npytorch: {quantization: {►metod: awq}}\n", "L101", "'metod'", "Did you mean method?"),
    ("model: m\npytorch: {quantization: {►method:awq}}\n", "L101", "'method:awq'", "`method: awq`"),
    ("model: m\npytorch: {quantization: {method: ►nf4}}\n", "L103", "method cannot be 'nf4'", ""),
    ("model: m\npytorch: {►quantization: {bits: 4}}\n", "L104", "'method' is missing in quantization", "Add"),
    ("►vllm: {}\n", "L104", "'model' is missing", "Add `model: …`."),
    ("►model_name: m\nvllm: {}\n", "L101", "'model_name'", "It is called model here."),
    ("vllm: {engine: {►model: m}}\n", "L101", "'model'", "a key of the top level"),
    ("model: m\ngpu: ►4090\nvllm: {}\n", "L102", "the number 4090", "the name of a GPU: rtx-4090."),
    ("model: m\ngpu: ►cpu\nvllm: {}\n", "L303", "'cpu'", "Did you mean none?"),
    ("model: m\ngpu: ►h1000\nvllm: {}\n", "L303", "'h1000'", "Did you mean h100?"),
    ("model: m\ngpu: ►NVIDIA H100 80GB HBM3\nvllm: {}\n", "L303", "HBM3", "Did you mean h100?"),
    ("model: m\nbackend: ►VLLM\nvllm: {}\n", "L103", "'VLLM'", "Did you mean vllm?"),
    ("model: m\nvllm: {sampling: {logit_bias: {►a: 1}}}\n", "L101", "'a' in logit_bias", "whole numbers"),
    ("model: m\n►sglang: {dtype: auto}\n", "L101", "'sglang'", "The top level takes model"),
    ("model: m\nvllm: {►extra: {a: 1}}\n", "L101", "'extra' in vllm", "vllm.engine.extra"),
    (ENGINE + "dtype: 'auto'►,\n", SYNTAX, "no mark ends a line", "Remove it."),
    (ENGINE + "max_num_seqs: ►8;\n", "L102", "'8;'", "The ; at its end is part of the text"),
    (ENGINE + "optimization_level: ►4\n", "L103", "cannot be 4", "It takes 0, 1, 2, 3."),
    (ENGINE + "max_lora_rank: ►7\n", "L103", "cannot be 7", "It takes 1, 8, 16,"),
    (ENGINE + "compilation_config: {mode: ►9}\n", "L103", "cannot be 9", "It takes NONE, "),
    (ENGINE + "dtype: ►''\n", "L103", "cannot be ''", "The text is empty. Write a value, or remove the key"),
    (ENGINE + "served_model_name: ►1\n", "L102", "the number 1", "Quote it if a text is meant: '1'."),
    ("model: m\nvllm: {sampling: {stop: ►5}}\n", "L102", "the number 5", "Quote it if a text is meant: '5'."),
    (ENGINE + "cudagraph_capture_sizes: ►abc\n", "L102", "'abc'", "Write a list: [a, b]."),
    (ENGINE + "revision: ►1e5\n", "L102", "the number 1e5,", "1e5 is read as a number. Quote it"),
    (ENGINE + "revision: ►123e456\n", "L006", "'123e456' is too large", "Quote it if a text is meant."),
    (ENGINE + "revision: ►&a 1e5\n", "L102", "the number 1e5,", "meant: '1e5'."),
    ("model: m\nvllm: {engine: {seed: 1, revision: ►1e5}}\n", "L102", "the number 1e5,", "meant: '1e5'."),
    (ENGINE + "revision: ►0x10\n", "L102", "the number 0x10,", "meant: '0x10'."),
    (ENGINE + "revision: ►017\n", "L006", "'017' has a leading zero", "Quote it if a text is meant."),
    (ENGINE + "max_num_seqs: ►017\n", "L006", "reads it as octal", "Write 17, or 15 if it is octal."),
    (ENGINE + "max_num_seqs: ►08\n", "L006", "not every reader takes it for a number", "Write 8."),
    (ENGINE + "gpu_memory_utilization: ►00.9\n", "L006", "not every reader", "Write 0.9."),
    (ENGINE + "gpu_memory_utilization: ►.nan\n", "L006", ".nan", "Write a number that is finite."),
    (ENGINE + "seed: ►99999999999999999999\n", "L006", "64 bits", "Write at most 18446744073709551615."),
    (ENGINE + "extra: {a: ►017}\n", "L006", "'017'", "or 15 if it is octal. Quote it if a text is meant."),
    (ENGINE + "max_model_len: ►1e308\n", "L105", "max_model_len is 1e+308, expected an integer of at mo", ""),
    (ENGINE + "max_model_len: ►-1e308\n", "L105", "max_model_len is -1e308, expected at least -1", ""),
    (ENGINE + "cudagraph_capture_sizes: [8, ►1e30]\n", "L105", "is 1e+30, expected an integer", ""),
    (ENGINE + "kv_cache_dtype: ►int8\n", "L103", "'int8'", "Did you mean int8_per_token_head?"),
    ("model: m\nbackend: ►trtllm\n", "L103", "'trtllm'", "Did you mean tensorrt_llm?"),
    ("model: m\n►transformers: {load: {}}\n", "L101", "'transformers'", "It is called pytorch here."),
    ("model: m\n►vllm.engine.dtype: auto\n", "L101", "'vllm.engine.dtype'", "write vllm: {engine: {dtype:"),
    (ENGINE + "►compilation_config.mode: 3\n", "L101", "unknown key", "write compilation_config: {mode: …}."),
    (ENGINE + "►-cc.mode: 3\n", "L101", "'-cc.mode'", "write compilation_config: {mode: …}."),
    (ENGINE + "►dtype.a: 3\n", "L101", "'dtype.a'", "Did you mean dtype?"),
    (ENGINE + "►-O3: 3\n", "L101", "'-O3'", "it is engine.optimization_level."),
    (ENGINE + "►compile_config: {}\n", "L101", "", "in vllm it is engine.compilation_config."),
    (ENGINE + "►model_path: m2\n", "L101", "'model_path'", "It is called model here, a key of the top level"),
    (ENGINE + "►disable_prefix_caching: true\n", "L101", "'disable_p", "Write enable_prefix_caching: false."),
    (ENGINE + "compilation_config: {►level: 3}\n", "L101", "'level'", "Instead: mode."),
    (ENGINE + "►enable_lora_bias: true\n", "L101", "'enable_lora_bias'", "Nothing replaces it: the bias"),
    ("model: m\nvllm: {sampling: {►topk: 5}}\n", "L101", "'topk'", "It is written top_k."),
    ("model: m\nvllm: {engine: {►topk: 5}}\n", "L101", "'topk'", "It belongs under vllm.sampling.top_k."),
    ("model: m\nvllm: {►llm: {}}\n", "L101", "'llm'", "TensorRT-LLM's name; in vllm it is engine."),
    ("model: m\ntensorrt_llm: {sampling: {►topk: 1}}\n", "L101", "'topk'", "It is written top_k."),
    ("model: m\ntensorrt_llm: {sampling: {►pad_token_id: 1}}\n", "L101", "", "it is sampling.pad_id."),
    ("model: m\ntensorrt_llm: {llm: {►quant_config: {}}}\n", "L101", "", "under tensorrt_llm.quantization."),
    (
        "model: m\ntensorrt_llm: {llm: {►enable_overlap_scheduler: true}}\n", "L101", "",
        "Write disable_overlap_scheduler: false.",
    ),
    (
        "model: m\ntensorrt_llm: {llm: {►enable_overlap_scheduler: false}}\n", "L101", "",
        "Write disable_overlap_scheduler: true.",
    ),
    (
        "model: m\ntensorrt_llm: {llm: {►enable_overlap_schedular: true}}\n", "L101", "",
        "disable_overlap_scheduler, which is the opposite?",
    ),
    ("model: m\ntensorrt_llm: {llm: {►enforce_eager: true}}\n", "L101", "", "llm.cuda_graph_config: null."),
    (
        "model: m\npytorch: {load: {►tensor_parallel_size: 2}}\n", "L101", "",
        "in pytorch it is load.distributed_config.tp_size.",
    ),
    ("model: m\npytorch: {load: {►device: cuda}}\n", "L101", "", "In pytorch it is load.device_map."),
    ("model: m\npytorch: {load: {►quantization_config: {}}}\n", "L101", "", "under pytorch.quantization."),
    (
        "model: m\npytorch: {quantization: {method: awq, ►load_in_4bit: true}}\n", "L101", "",
        "It belongs to method: bitsandbytes.",
    ),
    ("model: m\nvllm: {engine: {dtype: auto, ►dtype: auto}}\n", "L004", "'dtype' stands twice", "line 2"),
]  # fmt: skip


@pytest.mark.usefixtures("_validator")
@pytest.mark.parametrize(("text", "code", "message", "hint"), PITFALLS)
def test_one_mistake_is_told_once_where_it_is(text: str, code: str, message: str, hint: str) -> None:
    plain, place = marked(text)
    (only,) = found(plain)
    assert (only.code, only.place) == (code, place)
    assert message in only.message
    assert hint in (only.hint or "")


def test_all_problems_come_in_one_run_in_the_order_of_the_file() -> None:
    lines = ["max_num_seq: 1", "dtype: bf16", "seed: no", "tensor_parallel_size: 0", "max_model_len: 8k"]
    codes = [item.code for item in found(ENGINE + "\n    ".join(lines) + "\n")]
    assert codes == ["L101", "L103", "L102", "L105", "L102"]


def test_what_names_a_secret_is_a_whole_word() -> None:
    yes = "HF_TOKEN hf_token token OPENAI_API_KEY api-key apiKey AWS_SECRET_ACCESS_KEY password --hf-token"
    no = "eos_token max_tokens pad_token stop_token_ids begin_thinking_phase_token key tokenizer VLLM_TOKENS"
    assert [is_secret_name(name) for name in yes.split()] == [True] * len(yes.split())
    assert [is_secret_name(name) for name in no.split()] == [False] * len(no.split())


class TestNames:
    """``schema/names.json``: every name exists where it is said to, and those that are gone do not."""

    @pytest.mark.parametrize("entry", SOURCE.names["equivalents"], ids=lambda entry: words(entry)[0])
    def test_equivalents_exist(self, entry: dict[str, Any]) -> None:
        paths = {f"{name}.{path.partition(':')[0]}" for name, path in entry["names"].items()}
        assert paths <= set().union(*PARAMETERS.values())
        assert len(entry["names"]) > 1 or entry["also"]

    def test_a_word_means_one_thing(self) -> None:
        every = [word for entry in SOURCE.names["equivalents"] for word in words(entry)]
        assert sorted(every) == sorted(set(every))
        assert len(SOURCE.names["equivalents"]) >= 40

    @pytest.mark.parametrize("backend", list(backends()))
    def test_the_hint_names_the_backends_own_word(self, backend: str) -> None:
        """Each word for a thing, written in the section in which the thing belongs, leads to it."""
        for word, known in names()["equivalents"].items():
            target = known.get(backend)
            section, _, inner = (target or "").partition(".")
            own = {path.rpartition(".")[2] for path in PARAMETERS[backend] if path.count(".") < 3}
            known_there = f"{backend}.{section}.{word}" in PARAMETERS[backend] if inner else word in own
            if target is None or known_there or word in names()["gone"][backend]:
                continue
            document = {"model": "m", backend: {section: {word: 1}} if inner else {word: 1}}
            told = [item for item in check(document, backend=backend).diagnostics if item.code == "L101"]
            assert target.rpartition(".")[2] in (told[0].hint or ""), (word, told)

    @pytest.mark.parametrize(
        ("backend", "name"),
        [(backend, name) for backend, gone in SOURCE.names["gone"].items() for name in gone],
    )
    def test_what_is_gone_is_in_no_audited_release(self, backend: str, name: str) -> None:
        facts = SOURCE.names["gone"][backend][name]
        assert facts["source"]
        owner, _, name = name.rpartition(".")
        if owner:
            assert not any(path.endswith(f".{owner}.{name}") for path in PARAMETERS[backend])
            return
        kept = [path for path in PARAMETERS[backend] if path.count(".") == 2 and path.endswith(f".{name}")]
        assert all(path.split(".")[1] in facts["instead"] for path in kept)
        for release in backends()[backend]["versions"]:
            inventory = json.loads((ROOT / "audit" / "inventory" / backend / f"{release}.json").read_text())
            for native in backends()[backend]["sections"].values():
                fields = inventory["objects"].get(native, {"fields": {}})["fields"]
                assert fields.get(name, {}).get("status") in (None, "tolerated"), native
                assert name not in fields or "status" in fields[name], native

    @pytest.mark.parametrize("backend", list(backends()))
    def test_what_replaces_it_exists(self, backend: str) -> None:
        known = {part for path in PARAMETERS[backend] for part in path.split(".")}
        for facts in SOURCE.names["gone"][backend].values():
            first = re.match(r"[a-z_]+(\.[a-z_]+)*(?=$|[:,]| where)", facts["instead"])
            for part in first[0].split(".") if first and first[0] != "nothing" else ():
                assert part in known, facts

    def test_words_for_one_value_stand_in_one_group(self) -> None:
        every = [word.lower() for group in names()["values"] for word in group]
        assert sorted(every) == sorted(set(every))


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            f"vllm: {{engine: {{hf_token: {TOKEN}}}}}",
            f"vllm: {{engine: {{hf_token: [{TOKEN}]}}}}",
            f"vllm: {{engine: {{hf_token: {TOKEN}, extra: {{hf_token: {TOKEN}x}}}}}}",
            f"vllm: {{engine: {{hf_token:{TOKEN}, seed: no}}}}",
            f"vllm: {{engine: {{--hf-token={TOKEN}: 1}}}}",
            f"vllm:\n  engine:\n    hf_token = {TOKEN}",
            f"vllm:\n  engine:\n    seed: 1\n    hf_token:{TOKEN}\n    dtype: auto",
            f"vllm:\n  engine:\n    hf_token: {TOKEN}\n   dtype: auto",
            f"vllm: {{env: {{HF_TOKEN: {TOKEN}}}}}",
            f"vllm: {{env: {{extra: {{OPENAI_API_KEY: {TOKEN}, A_KEY: [no]}}}}}}",
            f"vllm: {{engine: {{watermark_config: {{key: {TOKEN}}}}}}}",
            f"vllm: {{engine: {{dtype: {TOKEN}, max_num_seqs: {TOKEN}}}}}",
            f"vllm: {{engine: {{model_loader_extra_config: {{aws_secret_access_key: {TOKEN}}}, seed: no}}}}",
            f"tok: &tok {TOKEN}\nvllm: {{engine: {{hf_token: *tok}}}}",
            f"pytorch: {{load: {{token: {TOKEN}, adapter_kwargs: {{token: {{a: {TOKEN}}}}}}}}}",
            f'pytorch: {{load: {{"token": "{TOKEN}", dtype: no}}}}',
            f"pytorch: {{load: {{proxies: {{https: 'http://me:{TOKEN}@proxy'}}, dtype: no}}}}",
            f"vllm: {{engine: {{hf_token: {TOKEN}, hf_token: {TOKEN}}}}}",
            f"vllm: {{engine: {{hf_token: *{TOKEN}}}}}",
            f"vllm: {{engine: {{{TOKEN}: 1, extra: {{{TOKEN}: {TOKEN}, seed: {TOKEN}}}}}}}",
            f"vllm: {{env: {{extra: {{{TOKEN}=: 1}}}}}}",
            f"gpu: {TOKEN}\nvllm: {{}}",
        ],
    )
    @pytest.mark.parametrize(
        "options", ["", "--color always", "--format json", "--format sarif", "--format github"]
    )
    def test_never_printed(self, text: str, options: str, tmp_path: Path, capsys: Said) -> None:
        file = tmp_path / "c.yaml"
        file.write_text(f"model: m\n{text}\n")
        assert command(["validate", *options.split(), str(file)]) in (0, 1)
        said = capsys.readouterr()
        assert TOKEN not in said.out + said.err
        assert said.out + said.err

    @pytest.mark.parametrize("subject", [f"vllm.engine.hf_token={TOKEN}", f"pytorch.load.token={TOKEN}"])
    @pytest.mark.parametrize("format", ["text", "json"])
    def test_not_in_an_explanation(self, subject: str, format: str, capsys: Said) -> None:
        assert command(["explain", subject, "--format", format]) == 0
        assert TOKEN not in capsys.readouterr().out

    def test_the_compiled_config_carries_it(self, tmp_path: Path, capsys: Said) -> None:
        file = tmp_path / "c.yaml"
        file.write_text(f"model: m\nvllm: {{engine: {{hf_token: {TOKEN}}}}}\n")
        assert command(["compile", str(file), "--format", "argv"]) == 0
        said = capsys.readouterr()
        assert TOKEN in said.out
        assert TOKEN not in said.err

    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("a: 1\nhf_token: hf_x\n", "a: 1\nhf_token: ****\n"),
            ("HF_TOKEN = a b # c\n", "HF_TOKEN = *** # c\n"),
            ('{"api_key": "a,}b", "b": 1}\n', '{"api_key": ******, "b": 1}\n'),
            ("t: &t abcdefg\nhf_token: *t\n", "t: &t *******\nhf_token: **\n"),
            ("password: |\n  firstly\n  secondly\n", "password: *\n  *******\n  ********\n"),
            ("max_tokens: 8\neos_token: x\n", "max_tokens: 8\neos_token: x\n"),
            ("url: https://me:pw@host/x\n", "url: https://*****@host/x\n"),
            ("hf_overrides: {a: 1}\n", "hf_overrides: {a: 1}\n"),
        ],
    )
    def test_excerpts_are_masked_at_equal_length(self, text: str, masked: str) -> None:
        assert masked_text(parse(text.encode(), "c.yaml")) == masked

    def test_no_parameter_is_taken_for_a_token(self) -> None:
        names = {path.rpartition(".")[2] for paths in PARAMETERS.values() for path in paths}
        assert [name for name in names if hidden(name) != name] == []

    def test_masking_takes_linear_time(self) -> None:
        for piece in ("token: a ", "a", "token", "://a:", "'", "token: ["):
            hidden(piece * 200_000)

    def test_the_schema_marks_what_is_called_like_a_secret(self) -> None:
        every = [
            (backend, item.name, name, value)
            for backend, types in SOURCE.types.items()
            for item in types.values()
            for name, value in item.properties.items()
        ]
        marked = {entry[:3] for entry in every if entry[3].get("x-security") == "secret"}
        called = {entry[:3] for entry in every if is_secret_name(entry[2])}
        assert called <= marked
        assert {name for _, _, name in marked} == {"hf_token", "token", "key", "hashing_key", "keys"}


class TestSecurity:
    EXPOSED = [
        (backend, item.name, name, value["x-security"])
        for backend, types in SOURCE.types.items()
        for item in types.values()
        for name, value in item.properties.items()
        if "x-security" in value
    ]

    @pytest.mark.parametrize(("backend", "type_name", "name", "about"), EXPOSED)
    def test_called_out(self, backend: str, type_name: str, name: str, about: Any) -> None:
        from llmcfg.checking.security import check_security

        kind = about["kind"] if isinstance(about, dict) else about
        facts = backend_catalog(backend)["types"][type_name]["parameters"][name]["when"]
        worst = json.dumps(about["values"][0]) if isinstance(about, dict) else "something"
        codes = [item.code for item in check_security(facts, name, worst)]
        assert codes == [{"runs-code": "L701", "secret": "L702"}[kind]]
        harmless = "true" if isinstance(about, dict) else facts["security"]["harmless"]
        assert list(check_security(facts, name, harmless)) == []

    @pytest.mark.parametrize(
        "name", ["trust_remote_code", "worker_cls", "logits_processors", "custom_tokenizer"]
    )
    def test_the_schema_knows_what_runs_code(self, name: str) -> None:
        assert any(item[2] == name and item[3] == "runs-code" for item in self.EXPOSED)


RULES = [rule for backend in backends() for rule in rules_of(backend)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.type}-{rule.id}")
def test_a_rule_names_all_keys_that_take_part(rule: Rule) -> None:
    """Each key that the rule declares and the config has is pointed at: by its place, or as another one."""
    case = example(rule)
    assert case is not None
    result = check(case.violating, backend=rule.backend, version=case.version)
    (told,) = (item for item in result.diagnostics if item.rule == rule.id)
    named = {dotted(told.path), *(text for text, _ in told.related)}
    owner = [step for step in case.path if isinstance(step, str)]
    declared = [rule.facts["at"], *rule.facts.get("also", ())]
    for key in declared:
        path = [*owner, *key.split(".")]
        if _has(case.violating, path):
            assert any(text == ".".join(path) or text.startswith(".".join(path)) for text in named), key
    assert all(_has(case.violating, re.split(r"\.|(?=\[)", text)) for text, _ in told.related)


def _has(data: Any, path: list[str]) -> bool:
    for step in path:
        if step.startswith("["):
            data = data[int(step[1:-1])]
        elif not isinstance(data, dict) or step not in data:
            return False
        else:
            data = data[step]
    return True


ENGINES = {
    "L601": "vllm",
    "L602": "vllm",
    "L603": "vllm",
    "L604": "transformers",
    "L607": "vllm",
    "L608": "vllm",
}
"""Codes whose example needs an engine that answers."""
NOT_RUN = {"L606"}
"""An engine that fails is a fault of the machine: no config brings it about."""


class TestCodes:
    @pytest.mark.parametrize("code", [code for code in CODES if code not in NOT_RUN])
    def test_the_example_provokes_exactly_that_code(self, code: str, tmp_path: Path) -> None:
        if engine := ENGINES.get(code):
            pytest.importorskip(engine)
        if code == "L608" and version_of("vllm") == "0.32.0":
            pytest.skip("the engine is the release that the example asks for")
        if code == "L506" and find_spec("vllm"):
            pytest.skip("the engine is installed here")
        said = example_of(code, tmp_path)
        assert set(re.findall(r"\[(L[0-9]{3})\]", said)) - {"L605"} | ({code} & {"L605"}) == {code}, said
        assert CODES[code].severity == re.findall(rf"(\w+)\[{code}\]", said)[0] or code == "L201"

    @pytest.mark.parametrize(
        ("subject", "said"),
        [
            ("L203", "nothing is called L203; did you mean L201?"),
            ("l999", "nothing is called L999; `llmcfg explain codes` lists all codes"),
        ],
    )
    def test_an_unknown_code_leads_to_the_near_ones(self, subject: str, said: str, capsys: Said) -> None:
        assert command(["explain", subject]) == 2
        assert said in capsys.readouterr().err

    def test_lower_case_will_do(self, capsys: Said) -> None:
        assert command(["explain", "l201"]) == 0
        assert capsys.readouterr().out.startswith("L201: ")

    def test_all_codes_are_listed(self, capsys: Said) -> None:
        assert command(["explain", "codes"]) == 0
        assert [line[:4] for line in capsys.readouterr().out.splitlines()] == list(CODES)


def example_of(code: str, folder: Path) -> str:
    """Run an example as it is printed: a config, or a command with the config below it."""
    text = CODES[code].example
    line, _, config = (
        text.partition("\n\n") if text.startswith("$ ") else ("$ llmcfg validate config.yaml", "", text)
    )
    (folder / "config.yaml").write_text(f"{config}\n")
    tool = f'llmcfg() {{ "{sys.executable}" -m llmcfg "$@"; }}; '
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'generated'}"}
    done = subprocess.run(
        ["bash", "-c", tool + line.removeprefix("$ ")],  # noqa: S607 - the machine's own shell
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done.stderr + done.stdout


@pytest.mark.parametrize(("backend", "gpu"), list(product(["vllm"], ["t4", "none"])))
def test_hardware_says_what_there_is_and_what_would_do(backend: str, gpu: str) -> None:
    text = f"model: m\n{backend}: {{engine: {{kv_cache_dtype: nvfp4}}}}\n"
    (only,) = (item for item in found(text, gpu=gpu) if item.code == "L301")
    there = {"t4": "NVIDIA T4 is Turing (compute capability 7.5) with 16 GiB.", "none": "There is no GPU."}
    assert str(only.hint).startswith(f"{there[gpu]} What works there: auto, ")


EXTRA_MODELS = [
    ("vllm.engine", "model"),
    ("tensorrt_llm.llm", "model"),
    ("pytorch.load", "pretrained_model_name_or_path"),
]


class TestModelInExtra:
    @pytest.mark.parametrize(("place", "key"), EXTRA_MODELS)
    @pytest.mark.parametrize("format", ["json", "argv", "yaml", "python"])
    def test_every_format_agrees(
        self, place: str, key: str, format: str, tmp_path: Path, capsys: Said
    ) -> None:
        if (place, format) == ("pytorch.load", "argv"):
            pytest.skip("PyTorch has no command line")
        backend, section = place.split(".")
        file = tmp_path / "c.yaml"
        file.write_text(f"model: first\n{backend}: {{{section}: {{extra: {{{key}: other}}}}}}\n")
        assert command(["compile", str(file), "--format", format]) == 0
        said = capsys.readouterr()
        assert "other" in said.out
        assert "first" not in re.sub('"message".*', "", said.out)
        assert "warning[L501] extra overrides model: 'other' replaces 'first'" in said.err
        assert f"note: {file}:1:1: model" in said.err

    @pytest.mark.parametrize("value", ["[1]", "5", "null"])
    def test_it_is_a_text(self, value: str) -> None:
        (problem,) = found(f"model: m\nvllm: {{engine: {{extra: {{model: {value}}}}}}}\n")
        assert (problem.code, problem.place) == ("L102", (2, 32))

    def test_a_key_that_is_written_too(self) -> None:
        text = "model: m\npytorch: {quantization: {method: mxfp4, extra: {method: gptq}}}\n"
        (problem,) = (item for item in found(text) if item.code == "L502")
        assert problem.hint == "Remove it: pytorch.quantization.method is written, too."


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2026-01-01", "a date"),
        ("190:20:30", "write 685230"),
        ("1:30", "write 90"),
        ("0b11", "write 3"),
        ("+1_0", "+10"),
        ("Infinity", "infinite"),
        ("2*3", "a config does not calculate"),
        ("0b_", None),
    ],
)
def test_numbers_of_other_languages(text: str, hint: str | None) -> None:
    (problem,) = found(f"model: m\nvllm: {{engine: {{seed: '{text}'}}}}\n")
    assert problem.code == "L102"
    assert (hint in (problem.hint or "")) if hint else problem.hint is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("vllm: {engine: {numa_bind_cpus: [a-b]}}", "Write CPU numbers and ranges"),
        ("vllm: {engine: {compilation_config: {custom_ops: [x]}}}", "Write `all`, `none`"),
        ("pytorch: {load: {max_memory: {0: big}}}", "Write a number of bytes"),
        ("vllm: {env: {PYTHONHASHSEED: x}}", "Write a number from 0 to 4294967295, or random."),
    ],
)
def test_a_form_is_told_in_the_words_of_the_schema(text: str, hint: str) -> None:
    (problem,) = (item for item in found(f"model: m\n{text}\n") if item.severity == "error")
    assert problem.code == "L103"
    assert (problem.hint or "").startswith(hint)


def test_a_key_that_stands_twice_can_be_unknown_too() -> None:
    codes = [(item.code, item.place) for item in found("model: m\nvllm: {engine: {dtyp: 1, dtyp: 2}}\n")]
    assert codes == [("L101", (2, 17)), ("L004", (2, 26))]


@pytest.mark.parametrize(
    ("text", "hint"),
    [("'model: m'", "one long text"), ("|\n model: m\n", "one long text"), ("model:m", "a space")],
)
def test_a_whole_file_that_is_one_text(text: str, hint: str) -> None:
    (problem,) = found(text)
    assert problem.code == "L007"
    assert hint in (problem.hint or "")
