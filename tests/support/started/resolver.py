"""Start vLLM on the CPU with a config, in the process of the answer, and tell what its worker holds then."""

from __future__ import annotations

import os
from typing import Any

from llmcfg.native import construct, instance
from llmcfg.resolve.question import Answer, Engine, Question, Refusal, Setup
from llmcfg.resolve.vllm.held import held

_ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_LOGGING_LEVEL": "CRITICAL",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_ALLOW_INSECURE_SERIALIZATION": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "OMP_NUM_THREADS": "1",
}


def prepare(setup: Setup) -> Engine:
    """Import what starting an engine imports."""
    os.environ.update({**_ENVIRONMENT, "VLLM_CACHE_ROOT": setup.folder})
    import vllm
    import vllm.model_executor.models.llama
    import vllm.v1.engine.core
    import vllm.v1.worker.cpu_model_runner
    import vllm.v1.worker.cpu_worker

    return Engine("vllm", vllm.__version__, "cpu", "CPU")


def resolve(question: Question) -> Answer:
    """Start an engine, and ask its worker for its configuration."""
    os.environ.update(question.env)
    from vllm import LLM, EngineArgs

    native = {**question.native["EngineArgs"], "model": question.model.name}
    keywords = construct(native, instance)
    try:
        engine = LLM(**keywords).llm_engine
    except (Exception, SystemExit) as error:
        return Answer("constructed", Refusal(type(error).__name__, str(error)))
    config = engine.collective_rpc(configuration)[0]
    return Answer("started", held=held({"EngineArgs": native}, EngineArgs(**keywords), config))


def configuration(worker: Any) -> Any:
    """Return what a worker was configured with."""
    return worker.vllm_config
