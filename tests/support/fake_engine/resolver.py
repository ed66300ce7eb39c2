"""The fake engine's side of a question; which parameter does what is in the tables below."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

from llmcfg.resolve.question import (
    Answer,
    Assumption,
    Choice,
    Engine,
    Held,
    Json,
    Question,
    Refusal,
    Said,
    Setup,
)

MODE = "FAKE_ENGINE"
VERSION = "FAKE_ENGINE_VERSION"
CHILD = "FAKE_ENGINE_CHILD"
WRAPPED = (
    "1 validation error for FakeConfig\n"
    "  Value error, 13 brings bad luck [type=value_error, input_value={'seqs': 13}, input_type=dict]\n"
    "    For further information visit https://errors.example/2/v/value_error"
)
USUAL = Said("WARNING", "This engine is a fake.", "fake/engine.py:1")


def prepare(setup: Setup) -> Engine:
    """Be there, or not."""
    mode = os.environ.get(MODE)
    if mode == "absent":
        raise ImportError("No module named 'fake'")
    if mode == "dies":
        print("fake: cannot find my shared library", file=sys.stderr, flush=True)
        os._exit(3)
    device = setup.machine.gpu or "the CPU that is here"
    return Engine("fake", os.environ.get(VERSION, "0.33.0"), "fakeform", device, {"torch": "2.13.0"})


def resolve(question: Question) -> Answer:
    """Answer as the tables say."""
    native = question.native
    arguments = native["EngineArgs"]
    _misbehave(arguments)
    refusal = _refusal(arguments)
    if refusal is not None:
        return Answer("constructed", refusal, (USUAL,))
    if arguments.get("attention_backend") == "FLASH_ATTN":
        return Answer("constructed", None, (USUAL,), unknown=("is there a driver?",))
    held, said = _held(native, question.env), [USUAL]
    _change(arguments, held, said)
    unknown = (
        ("does the device have a fake kernel?",) if arguments.get("attention_backend") == "FLASHINFER" else ()
    )
    assumed = (Assumption("fake kernels are there", True, "a test"),)
    chosen = (
        Choice(
            "attention backend", "FAKE_ATTN", ("it is the only one",), {"REAL_ATTN": "no such thing here"}
        ),
        Choice("memory", None, (), {}),
    )
    note = "a stand-in: a dense transformer" if question.model.config is None else question.model.config
    return Answer("accepted", None, tuple(said), held, chosen, assumed, unknown, note)


def _misbehave(arguments: Json) -> None:
    seed = arguments.get("seed")
    if seed == 1:
        time.sleep(600)
    if seed == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if seed == 3:
        os.write(1, b"\xff\x00garbage\n" * 10_000)
        print("garbage", "{", flush=True)
    if seed == 4:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open(os.environ[CHILD], "a", encoding="ascii") as file:
            file.write(f"{child.pid}\n")
    if seed == 5:
        raise RuntimeError("a bug of the resolver")


def _refusal(arguments: Json) -> Refusal | None:
    seqs, tokens, seed = (arguments.get(name) for name in ("max_num_seqs", "max_num_batched_tokens", "seed"))
    if arguments["model"] == "nobody":
        return _refuse("ValueError", "this model is for nobody")
    if 13 in (seqs, seed):
        return _refuse("ValidationError", WRAPPED)
    if seqs == 17:
        return _refuse("ValueError", "max_num_seqs must not be 17")
    if tokens == 17000:
        return _refuse("ValueError", "max_num_batched_tokens must not be 17000")
    if seqs == 19:
        return _refuse("ValueError", "max_num_seqs must not be 19")
    if seed == 19 and seqs is None:
        return _refuse("ValueError", "seed 19 needs max_num_seqs")
    if arguments.get("enable_prefix_caching") and arguments.get("block_size") == 16:
        return _refuse("ValueError", "prefix\x1b[31m caching needs larger blocks")
    return None


def _refuse(kind: str, text: str) -> Refusal:
    return Refusal(kind, text, "fake/config.py:verify")


def _held(native: dict[str, Json], env: dict[str, str]) -> dict[str, Held]:
    """Hold everything as asked, in the fake's own place, but keep one value to itself."""
    found = {f"env.{name}": Held(f"os.environ.{name}", value) for name, value in env.items()}
    for name, arguments in native.items():
        found |= _leaves(name, f"fake.{name}", arguments)
    found.pop("EngineArgs.max_logprobs", None)
    return found


def _leaves(name: str, place: str, data: Any) -> dict[str, Held]:
    if not isinstance(data, dict):
        return {name: Held(place, data)}
    inner = [_leaves(f"{name}.{key}", f"{place}.{key}", value) for key, value in data.items()]
    return {key: value for part in inner for key, value in part.items()}


def _change(arguments: Json, held: dict[str, Held], said: list[Said]) -> None:
    if arguments.get("dtype") == "auto":
        held["EngineArgs.dtype"] = Held("fake.dtype", "bfloat16")
    if arguments.get("kv_cache_dtype") == "fp8":
        held["EngineArgs.kv_cache_dtype"] = Held("fake.cache.dtype", "auto")
        said.append(Said("WARNING", f"No fp8 at {hex(id(said))}: taking auto.", "fake/cache.py:7"))
    if arguments.get("enforce_eager") and arguments.get("compilation_config", {}).get("mode") == 3:
        held["EngineArgs.compilation_config.mode"] = Held("fake.compilation.mode", 0)
    if 7 in (arguments.get("max_num_seqs"), arguments.get("seed")):
        said.append(Said("WARNING", "7 is few.", "fake/seqs.py:3"))
    if arguments.get("enable_chunked_prefill") and arguments.get("async_scheduling"):
        said.append(Said("WARNING", "Two things at once.", ""))
    said.append(Said("INFO", f"Took {len(arguments)} arguments.", ""))
