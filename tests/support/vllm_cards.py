"""Ask functions of vLLM about GPUs that are not there: on the machines of `llmcfg resolve`, one a card.

    answers = on_cards(question, [find("a100")], "fp8")

runs ``question("fp8")`` as if on an A100 and returns ``{card: answer}``. ``question`` is a function at the
top of an importable module that imports vLLM inside itself; arguments and answers are pickled. An exception
in it is raised here as `QueryFailed`. The machines have optional packages too, which bring kernels.

The environment variable ``LLMCFG_VLLM_SOURCE`` names a folder that holds another release's ``vllm`` package,
to be asked instead of the installed one.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from llmcfg.gpus import Gpu
from llmcfg.resolve.question import Machine

SOURCE = "LLMCFG_VLLM_SOURCE"
_ROOT = Path(__file__).parents[2]
_PROCESSES = 2
_MODEST = {
    "VLLM_LOGGING_LEVEL": "CRITICAL", "OMP_NUM_THREADS": "1", "VLLM_NO_USAGE_STATS": "1",
    "CUDA_VISIBLE_DEVICES": "0", "VLLM_PLUGINS": "llmcfg",
}  # fmt: skip


OPTIONAL = ("arctic_inference", "b12x", "deep_ep", "deep_gemm", "fbgemm_gpu", "helion", "hpc")


class QueryFailed(RuntimeError):
    """The question raised an exception on the virtual machine; the text is its traceback."""


def on_cards(question: Callable[..., Any], cards: Iterable[Gpu], *arguments: Any) -> dict[Gpu, Any]:
    """Return what a question is answered on each card."""
    cards = list(cards)
    with ThreadPoolExecutor(_PROCESSES) as pool:
        answers = list(pool.map(lambda card: _asked(question, card, arguments), cards))
    return dict(zip(cards, answers, strict=True))


def _asked(question: Callable[..., Any], card: Gpu, arguments: tuple[Any, ...]) -> Any:
    request = pickle.dumps((question.__module__, question.__qualname__, card.name, arguments))
    path = os.pathsep.join(filter(None, (os.environ.get(SOURCE), str(_ROOT), os.environ.get("PYTHONPATH"))))
    asked = subprocess.run(
        [sys.executable, "-m", __name__], input=request, capture_output=True, cwd=_ROOT, check=False,
        env={**os.environ, **_MODEST, "PYTHONPATH": path},
    )  # fmt: skip
    if asked.returncode:
        raise QueryFailed(asked.stderr.decode(errors="replace"))
    return pickle.loads(asked.stdout)  # noqa: S301 - our own child


def main() -> None:
    """Answer one request from standard input."""
    module, name, card, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own parent
    channel = os.dup(1)
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as folder:
        become(Machine(card, 1), Path(folder))
        answer = getattr(import_module(module), name)(*arguments)
    with open(channel, "wb") as out:
        pickle.dump(answer, out)


def become(machine: Machine, folder: Path) -> None:
    """Let this process be on such a machine; vLLM is imported."""
    from llmcfg.resolve.vllm import machine as virtual
    from llmcfg.resolve.vllm.resolver import release

    virtual.pretend(machine._replace(packages=OPTIONAL), folder, release())
    import vllm  # noqa: F401

    virtual.settle()


if __name__ == "__main__":
    main()
