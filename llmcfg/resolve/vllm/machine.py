"""A machine with NVIDIA cards that are not there, for vLLM: to be called before vLLM is imported.

vLLM decides most things in Python, from its platform object; it finds that through its own door for
out-of-tree platforms (`llmcfg.resolve.vllm.platform`). What is compiled is stood in for by empty modules;
what kernels and drivers would answer comes from ``audit/machines/vllm.json``, and every answer that is used
is noted as an assumption. Whatever else reaches for the hardware is noted as unknown and raises.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from llmcfg.data import evidence_path
from llmcfg.gpus import Gpu, find
from llmcfg.resolve.question import Machine
from llmcfg.resolve.record import assume, unforeseen
from llmcfg.resolve.vllm.capability import supports
from llmcfg.resolve.vllm.contents import Contents, cited
from llmcfg.resolve.vllm.kernels import Kernels
from llmcfg.resolve.vllm.modules import Finder, is_importing

_machine: list[Machine] = []


def card() -> Gpu:
    """Return the kind of card that the machine has."""
    gpu = _machine[0].gpu
    assert gpu is not None  # noqa: S101 - a real machine is not pretended
    return find(gpu)


def gpus() -> int:
    """Return how many cards the machine has."""
    return _machine[0].cards


@cache
def facts() -> dict[str, Any]:
    """Return the table of what is assumed of the machine."""
    data: dict[str, Any] = json.loads(Path(evidence_path("machines/vllm.json")).read_text("utf-8"))
    return data


def pretend(machine: Machine, folder: Path, release: str) -> None:
    """Become a machine with such cards, as far as a release of vLLM and torch look.

    ``folder`` is the process's own.
    """
    _machine[:] = [machine]
    contents = Contents(facts(), release, machine.packages)
    _install(folder, contents, release)
    sys.meta_path.insert(0, Finder(contents, card().capability))
    _pretend_torch()
    _pretend_kernels(contents)
    _pretend_files()
    _pretend_tools()
    _pretend_triton()
    _note_capability()


def _install(folder: Path, contents: Contents, release: str) -> None:
    """Give the process the metadata of what the machine has: packages, and llmcfg as vLLM's platform.

    The name of its vLLM is that of the CUDA build: vLLM tells its own CPU build by the name.
    """
    for package in contents.packages.values():
        _distribution(folder, package.distribution, package.version)
    _distribution(folder, "vllm", release)
    _distribution(folder, "llmcfg-virtual-machine", "0", _PLUGIN)
    sys.path.insert(0, str(folder))


_PLUGIN = "[vllm.platform_plugins]\nllmcfg = llmcfg.resolve.vllm.platform:plugin\n"


def _distribution(folder: Path, name: str, version: str, entry_points: str = "") -> None:
    place = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    place.mkdir(exist_ok=True)
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    (place / "entry_points.txt").write_text(entry_points, "utf-8")


def _pretend_kernels(contents: Contents) -> None:
    """Define the operators of the build, and put namespaces before them that answer their queries."""
    torch: Any = import_module("torch")
    queries = facts()["kernels"]
    for library in sorted({name.partition(".")[0] for name in (*queries, *contents.operators)}):
        operators = [name for name in contents.operators if name.startswith(f"{library}.")]
        _define(library, operators)
        real = getattr(torch.ops, library)
        setattr(torch.ops, library, Kernels(library, real, queries, operators, card().capability))


_defined: list[Any] = []


def _define(library: str, operators: list[str]) -> None:
    """Let operators have names, which the passes of the compiler keep while they are imported."""
    place = import_module("torch.library").Library(library, "FRAGMENT")
    for name in operators:
        place.define(f"{name.partition('.')[2]}(Tensor x) -> Tensor")
    _defined.append(place)


def settle() -> None:
    """Answer what only functions of vLLM itself can be made to answer; vLLM is imported by now."""
    for name, about in facts()["network"].items():
        _replace(name, lambda about=about, name=name: assume(f"{name}()", about["answer"], cited(about)))
    runtime: Any = import_module("vllm.distributed.device_communicators.cuda_wrapper")
    runtime.CudaRTLibrary = _Runtime


class _Runtime:
    """Stands in for CUDA's runtime library."""

    def __init__(self) -> None:
        assume("libcudart is loaded", True, "llmcfg: taken to be so where vLLM runs on CUDA")


def _replace(name: str, function: Callable[..., Any]) -> None:
    module, _, attribute = name.rpartition(".")
    setattr(import_module(module), attribute, function)


def _pretend_files() -> None:
    """Let the files of the build be there, which vLLM looks for beside its own."""
    exists = os.path.exists

    def answer(path: Any) -> bool:
        text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else ""
        for name, about in facts()["files"].items():
            if isinstance(text, str) and text.endswith(name):
                return bool(assume(f"file {name} is there", about["answer"], cited(about)))
        return exists(path)

    os.path.exists = answer


def _pretend_tools() -> None:
    """Let the programs that vLLM looks for be there, or not, whatever this machine has."""
    place: Any = shutil
    which = place.which

    def answer(command: Any, *arguments: Any, **keywords: Any) -> Any:
        about = facts()["tools"].get(os.path.basename(os.fspath(command)))
        if about is None:
            return which(command, *arguments, **keywords)
        name = os.path.basename(os.fspath(command))
        is_there = assume(f"{name} is installed", bool(about["comes_with"]), cited(about))
        return f"/usr/bin/{name}" if is_there else None

    place.which = answer


def _note_capability() -> None:
    """Note where the card is older than what the published build has kernels for."""
    oldest = facts()["capabilities"]
    major, minor = card().capability
    if not supports(oldest, card().capability):
        question = f"the build has kernels for compute capability {major}.{minor}"
        assume(question, "built from source", f"{oldest['note']} ({cited(oldest)})")


# --- torch --------------------------------------------------------------------------------------------


def _pretend_torch() -> None:
    torch: Any = import_module("torch")
    torch.version.cuda = facts()["cuda"]
    answers: dict[str, Callable[..., Any]] = {
        "is_available": lambda: True,
        "device_count": gpus,
        "current_device": lambda: 0,
        "get_device_capability": lambda device=None: card().capability,
        "get_device_name": lambda device=None: card().title,
        "get_device_properties": lambda device=None: properties(),
        "_lazy_init": _no_driver,
    }
    for name, answer in answers.items():
        setattr(torch.cuda, name, answer)
    torch.accelerator.current_device_index = lambda: 0
    torch.empty = _shape_only(torch.empty)


def properties() -> Any:
    """Return what torch would say of a card's properties; one that no table knows raises."""
    gpu = card()
    major, minor = gpu.capability
    known = facts()["properties"].get(f"{major}.{minor}", {})
    return _Properties(
        name=gpu.title,
        major=major,
        minor=minor,
        total_memory=int(gpu.memory * 2**30),
        gcnArchName=gpu.title,
        **known.get("torch", {}),
    )


class _Properties(SimpleNamespace):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise unforeseen(f"torch.cuda.get_device_properties().{name}")


def _no_driver() -> None:
    raise unforeseen(f"the CUDA driver, for {_asker()}")


def _asker() -> str:
    """Name the innermost function of vLLM that asks."""
    frame = sys._getframe(2)
    while frame is not None and "/vllm/" not in frame.f_code.co_filename:
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return "torch"
    return f"vllm/{frame.f_code.co_filename.rpartition('/vllm/')[2]}:{frame.f_code.co_name}"


def _shape_only(empty: Callable[..., Any]) -> Callable[..., Any]:
    """Give what vLLM allocates on the GPU while it is imported a shape and no memory."""

    def shaped(*sizes: Any, device: Any = None, **options: Any) -> Any:
        is_there = not str(device).startswith("cuda") or not is_importing()
        return empty(*sizes, device=device if is_there else "meta", **options)

    return shaped


# --- Triton -------------------------------------------------------------------------------------------


def _pretend_triton() -> None:
    """Let Triton find one driver, NVIDIA's, which knows the card and compiles nothing."""
    try:
        backends = import_module("triton.backends").backends
    except ImportError:
        return
    target = import_module("triton.backends.compiler").GPUTarget
    major, minor = card().capability
    present = SimpleNamespace(
        is_active=lambda: True,
        get_current_target=lambda: target("cuda", major * 10 + minor, 32),
        get_current_device=lambda: 0,
        get_active_torch_device=lambda: "cuda",
        utils=SimpleNamespace(get_device_properties=lambda device: _triton_properties()),
    )
    for name in set(backends) - {"nvidia"}:
        del backends[name]
    backends["nvidia"] = SimpleNamespace(driver=present, compiler=None)
    import_module("triton.runtime").driver.set_active(present)


def _triton_properties() -> dict[str, int]:
    major, minor = card().capability
    known = facts()["properties"].get(f"{major}.{minor}", {}).get("triton")
    if known is None:
        raise unforeseen("Triton's properties of the device")
    return dict(known)
