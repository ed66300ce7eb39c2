"""Ask vLLM's own code about GPUs that are not there, one after the other.

vLLM decides most things in Python, from its platform object. A server process is led to believe that it sits
on a machine with an NVIDIA GPU: NVML and torch answer with a chosen card, and empty modules stand in for
compiled extensions and for optional packages. It forks once for each card, since vLLM remembers what it
learns about one.

    answers = on_cards(question, [Card("a100", (8, 0))], "fp8")

runs ``question("fp8")`` as if on an A100 and returns ``{card: answer}``. ``question`` is a function at the
top of an importable module that imports vLLM inside itself; arguments and answers are pickled. An exception
in it is raised here as `QueryFailed`.

What a compiled kernel would answer is not known here and must not be believed: `KERNEL_FACTS` lists what is
answered in place of one, and where that was read. The environment variable ``LLMCFG_VLLM_SOURCE`` names a
folder that holds another release's ``vllm`` package, to be asked instead of the installed one.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import inspect
import os
import pickle
import subprocess
import sys
import traceback
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

SOURCE = "LLMCFG_VLLM_SOURCE"
_ROOT = Path(__file__).parents[2]
_MODEST = {
    "VLLM_LOGGING_LEVEL": "CRITICAL", "OMP_NUM_THREADS": "1", "VLLM_NO_USAGE_STATS": "1",
    "CUDA_VISIBLE_DEVICES": "0", "VLLM_PLUGINS": "",
}  # fmt: skip

# Compiled parts of the CUDA build, and packages that a full installation has.
EXTENSIONS = (
    "vllm._C", "vllm._C_stable_libtorch", "vllm._moe_C", "vllm._moe_C_stable_libtorch", "vllm._qutlass_C",
    "vllm._flashmla_C", "vllm._flashmla_extension_C", "vllm.cumem_allocator", "vllm._C_AVX2",
    "vllm._C_AVX512", "vllm.vllm_flash_attn._vllm_fa2_C", "vllm.vllm_flash_attn._vllm_fa3_C",
    "vllm.third_party.flashmla.flash_mla_interface", "vllm.vllm_flash_attn.cute",
    "vllm.vllm_flash_attn.cute.interface",
)  # fmt: skip
PACKAGES = (
    "flashinfer", "flashinfer_cubin", "deep_gemm", "deep_ep", "tokenspeed_mla", "humming", "b12x", "hpc",
    "cutlass", "quack", "helion", "fmha_sm100", "triton_kernels", "torchvision", "fbgemm_gpu",
)  # fmt: skip

# Answers of compiled kernels, by compute capability. Each is read from vLLM's CUDA sources, for a build with
# CUDA 12.8 or newer that holds the kernels of all its architectures.
KERNEL_FACTS: dict[str, Callable[[int], bool]] = {
    # csrc/libtorch_stable/quantization/w8a8/cutlass/scaled_mm_entry.cu
    "cutlass_scaled_mm_supports_fp8": lambda here: here >= 89,
    "cutlass_scaled_mm_supports_block_fp8": lambda here: here >= 90,
    "cutlass_group_gemm_supported": lambda here: here >= 90,
    # csrc/libtorch_stable/quantization/fp4/nvfp4_scaled_mm_entry.cu
    "cutlass_scaled_mm_supports_fp4": lambda here: 100 <= here < 130,
    # csrc/libtorch_stable/quantization/fp4/mxfp4_experts_quant.cu
    "mxfp4_experts_quant_supported": lambda here: 100 <= here < 120,
}

# Kernels whose presence in the build is looked at.
KERNELS = {
    "_C": ("fused_kda_decode",),
    "_flashmla_C": ("fused_norm_rope_attn_rope_cast_decode", "permute_q_b_proj"),
}


class Card(NamedTuple):
    """A card by name; ``capability`` is CUDA's compute capability, ``memory`` in GiB."""

    name: str
    capability: tuple[int, int]
    memory: float = 80


class QueryFailed(RuntimeError):
    """The question raised an exception on the virtual machine; the text is its traceback."""


def on_cards(question: Callable[..., Any], cards: Iterable[Card], *arguments: Any) -> dict[Card, Any]:
    """Return what a question is answered on each card."""
    cards = list(cards)
    request = pickle.dumps((question.__module__, question.__qualname__, cards, arguments))
    path = os.pathsep.join(filter(None, (os.environ.get(SOURCE), str(_ROOT), os.environ.get("PYTHONPATH"))))
    server = subprocess.run(
        [sys.executable, "-m", __name__], input=request, capture_output=True, cwd=_ROOT, check=False,
        env={**os.environ, **_MODEST, "PYTHONPATH": path},
    )  # fmt: skip
    if server.returncode:
        raise QueryFailed(server.stderr.decode(errors="replace"))
    answers = [pickle.loads(part) for part in pickle.loads(server.stdout)]  # noqa: S301 - our own child
    for answered, text in answers:
        if not answered:
            raise QueryFailed(text)
    return {card: answer for card, (_, answer) in zip(cards, answers, strict=True)}


def main() -> None:
    """Serve one request from standard input: fork for each card, and collect the pickled answers."""
    module, name, cards, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own parent
    channel = os.dup(1)
    os.dup2(2, 1)
    _pretend()
    answers = [_in_child(card, module, name, arguments) for card in cards]
    with open(channel, "wb") as out:
        pickle.dump(answers, out)


def _in_child(card: Card, module: str, name: str, arguments: tuple[Any, ...]) -> bytes:
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        with open(writing, "wb") as out:
            out.write(_answer(card, module, name, arguments))
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return told or pickle.dumps((False, f"the process for {card.name} died"))


def _answer(card: Card, module: str, name: str, arguments: tuple[Any, ...]) -> bytes:
    try:
        _insert(card)
        question = getattr(importlib.import_module(module), name)
        return pickle.dumps((True, question(*arguments)))
    except BaseException:
        return pickle.dumps((False, traceback.format_exc()))


_inserted: list[Card] = []


def _card() -> Card:
    if not _inserted:  # not a RuntimeError, which vLLM takes for "no capability" and remembers
        raise LookupError("vLLM asked about the GPU before there was one")
    return _inserted[0]


class _Anything(type):
    """The type of a class that has every attribute."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything(name, (), {})


class _Empty(types.ModuleType):
    """A module in which every name is there and stands for nothing."""

    __path__: list[str] = []
    __version__ = "99.0"
    __file__ = "<virtual>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _Anything(name, (), {"__module__": self.__name__})
        setattr(self, name, made)
        return made


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the empty modules."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname in EXTENSIONS or fullname.split(".")[0] in PACKAGES:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Leave the module empty."""


def _pretend() -> None:
    """Become a machine with CUDA but for the card, and load what is slow and asks about none."""
    sys.meta_path.insert(0, _Finder())
    import torch
    import transformers  # noqa: F401 - slow, and the same for every card

    torch.version.cuda = "13.0"
    _pretend_memory()
    _pretend_triton()
    _pretend_nvml()
    import vllm.platforms as place
    from vllm.platforms.cuda import NvmlCudaPlatform

    place.vllm_version_matches_substr = lambda part: False
    place._current_platform = NvmlCudaPlatform()
    _pretend_kernels()
    _pretend_builds()
    import vllm.model_executor.layers.linear  # noqa: F401 - brings most of vLLM


def _pretend_triton() -> None:
    """Let Triton find one driver, NVIDIA's, which knows the card and compiles nothing."""
    backends = importlib.import_module("triton.backends").backends
    target = importlib.import_module("triton.backends.compiler").GPUTarget
    driver = importlib.import_module("triton.runtime").driver
    sizes = {"max_shared_mem": 101376, "multiprocessor_count": 100, "warpSize": 32}
    backends["nvidia"].driver.is_active = staticmethod(lambda: True)
    backends["amd"].driver.is_active = staticmethod(lambda: False)
    driver.set_active(
        types.SimpleNamespace(
            get_current_target=lambda: target("cuda", int("{}{}".format(*_card().capability)), 32),
            get_current_device=lambda: 0,
            get_active_torch_device=lambda: "cuda",
            utils=types.SimpleNamespace(get_device_properties=lambda device: sizes),
        )
    )


def _pretend_nvml() -> None:
    from vllm.utils.import_utils import import_pynvml

    nvml = import_pynvml()
    answers: dict[str, Callable[..., Any]] = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetCudaComputeCapability": lambda handle: _card().capability,
        "nvmlDeviceGetName": lambda handle: _card().name,
        "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
        "nvmlDeviceGetMemoryInfo": lambda handle: types.SimpleNamespace(total=int(_card().memory * 2**30)),
    }
    for name, answer in answers.items():
        setattr(nvml, name, answer)


def _pretend_kernels() -> None:
    import torch

    for name, fact in KERNEL_FACTS.items():
        setattr(torch.ops._C, name, fact)
    for library, names in KERNELS.items():
        for name in names:
            setattr(getattr(torch.ops, library), name, None)


def _pretend_builds() -> None:
    """Let FlashAttention 4 and all parts of FlashInfer be there: vLLM looks for files and functions."""
    from vllm.utils import flashinfer
    from vllm.vllm_flash_attn import flash_attn_interface

    flash_attn_interface.FA4_AVAILABLE = True
    for name in [name for name in vars(flashinfer) if name.startswith("has_flashinfer")]:
        if "capability" not in inspect.getsource(getattr(flashinfer, name)):
            setattr(flashinfer, name, lambda *arguments: True)


def _pretend_memory() -> None:
    """Give what vLLM allocates on the GPU while it is imported a shape and no memory."""
    import torch

    empty = torch.empty

    def shape_only(*sizes: Any, device: Any = None, **options: Any) -> Any:
        return empty(*sizes, device="meta" if str(device).startswith("cuda") else device, **options)

    torch.empty = shape_only


def _insert(card: Card) -> None:
    """Let this process see the card, once and for all."""
    import torch

    _inserted.append(card)
    major, minor = card.capability
    properties = types.SimpleNamespace(
        name=card.name, major=major, minor=minor, total_memory=int(card.memory * 2**30),
        multi_processor_count=100, is_integrated=False, warp_size=32, gcnArchName="",
    )  # fmt: skip
    torch.cuda.get_device_capability = lambda device=None: card.capability
    torch.cuda.get_device_properties = lambda device=None: properties
    torch.cuda.get_device_name = lambda device=None: card.name
    torch.cuda.current_device = lambda: 0
    torch.cuda.device_count = lambda: 1
    torch.accelerator.current_device_index = lambda: 0


if __name__ == "__main__":
    main()
