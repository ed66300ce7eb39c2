"""The real engine starts on a CPU from what llmcfg compiled, and runs as it was asked to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("vllm")

import llmcfg

pytestmark = [pytest.mark.vllm, pytest.mark.slow]

CONFIG = """
model: {model}
gpu: none
vllm:
  engine:
    dtype: bfloat16
    max_model_len: 256
    max_num_seqs: 3
    max_num_batched_tokens: 512
    block_size: 32
    seed: 7
    enforce_eager: true
    enable_prefix_caching: false
    enable_chunked_prefill: true
    served_model_name: [tiny]
  sampling:
    temperature: 0.0
    max_tokens: 5
    min_tokens: 5
    n: 1
    logprobs: 2
"""
# The engine in this process, and little memory for its cache.
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_LOGGING_LEVEL": "ERROR", "HF_HUB_OFFLINE": "1",
}  # fmt: skip
# Where the resolved configuration shows what was asked for.
RESOLVED = {
    "dtype": ("str(config.model_config.dtype)", "torch.bfloat16"),
    "max_model_len": ("config.model_config.max_model_len", 256),
    "max_num_seqs": ("config.scheduler_config.max_num_seqs", 3),
    "max_num_batched_tokens": ("config.scheduler_config.max_num_batched_tokens", 512),
    "block_size": ("config.cache_config.block_size", 32),
    "seed": ("config.model_config.seed", 7),
    "enforce_eager": ("config.model_config.enforce_eager", True),
    "enable_prefix_caching": ("config.cache_config.enable_prefix_caching", False),
    "enable_chunked_prefill": ("config.scheduler_config.enable_chunked_prefill", True),
    "served_model_name": ("config.model_config.served_model_name", "tiny"),
}
START = """
import json, sys
from vllm import LLM, SamplingParams

asked = json.load(sys.stdin)
llm = LLM(**asked["native"]["EngineArgs"])
config = llm.llm_engine.vllm_config
outputs = llm.generate([asked["prompt"]] * 2, SamplingParams(**asked["native"]["SamplingParams"]))
seen = {name: eval(expression) for name, expression in asked["read"].items()}
tokens = [list(output.outputs[0].token_ids) for output in outputs]
logprobs = [len(step) for step in outputs[0].outputs[0].logprobs]
print(json.dumps({"seen": seen, "tokens": tokens, "logprobs": logprobs}))
"""


@pytest.fixture(scope="module")
def started(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Compile the text, start the engine in a process of its own, generate, and report."""
    from tests.support.tiny_model import PROMPT

    file = tmp_path_factory.mktemp("start") / "config.yaml"
    file.write_text(CONFIG.format(model=tiny_model), encoding="utf-8")
    item = llmcfg.compile(file, backend_version="0.32.0")
    read = {name: expression for name, (expression, _) in RESOLVED.items()}
    done = subprocess.run(
        [sys.executable, "-c", START],
        input=json.dumps({"native": item.native, "prompt": PROMPT, "read": read}),
        env={**os.environ, **ENVIRONMENT, **item.env}, cwd=file.parent,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**result, "asked": item.native["EngineArgs"]}


@pytest.mark.parametrize("name", RESOLVED)
def test_the_resolved_configuration_holds(name: str, started: dict[str, Any]) -> None:
    assert name in started["asked"]
    assert started["seen"][name] == RESOLVED[name][1]


def test_everything_asked_for_is_looked_at(started: dict[str, Any]) -> None:
    assert started["asked"].keys() - {"model"} == RESOLVED.keys()


def test_generation_follows_the_sampling_parameters(started: dict[str, Any]) -> None:
    first, second = started["tokens"]
    assert len(first) == 5
    assert first == second  # greedy
    assert all(count >= 2 for count in started["logprobs"])
