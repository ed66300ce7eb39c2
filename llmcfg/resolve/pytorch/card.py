"""A virtual NVIDIA card: torch answers about it from the table of GPUs; what is not there, nobody answers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from llmcfg.gpus import Gpu
from llmcfg.resolve.pytorch.facts import facts
from llmcfg.resolve.record import assume, unforeseen

GIB = 1 << 30
_SWITCHES = ("cuda.", "backends.cuda.", "backends.cudnn.")


class Properties:
    """What ``torch.cuda.get_device_properties`` returns, as far as the table of GPUs goes."""

    def __init__(self, gpu: Gpu) -> None:
        self.name = gpu.title
        self.major, self.minor = gpu.capability
        self.total_memory = int(gpu.memory * GIB)

    def __getattr__(self, name: str) -> Any:
        raise unforeseen(f"torch.cuda.get_device_properties().{name}")


def pretend(gpu: Gpu, count: int) -> None:
    """Let torch believe in ``count`` cards, from now on and for good."""
    import torch
    import torch.accelerator

    own = _of_the_card(gpu, count)
    _guard(torch.cuda, own)
    answers = {f"torch.{name}": item for name, item in facts("torch").items()}
    torch.version.cuda = answers.pop("torch.version.cuda")["answer"]
    for name, item in answers.items():
        _set(name, _answer(name, item["answer"], item["source"]))
    for name, answer in own.items():
        _set(f"torch.cuda.{name}", _answer(f"torch.cuda.{name}", answer, facts("card")["source"]))
    _set("torch.accelerator.device_count", torch.cuda.device_count)
    accelerator = torch.device(answers["torch.accelerator.current_accelerator"]["answer"])
    _set("torch.accelerator.current_accelerator", lambda check_available=False: accelerator)
    _set("torch._C._get_accelerator", lambda check=None: accelerator)


def _of_the_card(gpu: Gpu, count: int) -> dict[str, Any]:
    memory = int(gpu.memory * GIB)
    return {
        "device_count": count,
        "get_device_capability": gpu.capability,
        "get_device_name": gpu.title,
        "get_device_properties": Properties(gpu),
        "mem_get_info": (memory, memory),
    }


def _answer(name: str, answer: Any, source: str) -> Callable[..., Any]:
    shown = f"{answer.name}, {answer.major}.{answer.minor}" if isinstance(answer, Properties) else answer

    def answered(*_: Any, **__: Any) -> Any:
        assume(name, shown, source)
        return answer

    return answered


def is_lacking(switch: str) -> bool:
    """Tell whether a switch is one of CUDA's, and the torch that is here is built without it."""
    import torch

    return switch.startswith(_SWITCHES) and not hasattr(torch._C, "_cuda_getDeviceCount")


def _guard(module: Any, known: dict[str, Any]) -> None:
    """Let every other function that asks the device raise, and be noted."""
    harmless = facts("without_the_device")["names"]
    for name in {*module.__all__, "_exchange_device", "_maybe_exchange_device", "_get_device"}:
        if isinstance(getattr(module, name, None), FunctionType) and name not in (*known, *harmless):
            setattr(module, name, _unanswered(f"torch.cuda.{name}"))
    module._lazy_init = _uninitialised


def _unanswered(name: str) -> Callable[..., Any]:
    def ask(*_: Any, **__: Any) -> Any:
        raise unforeseen(name)

    return ask


def _uninitialised() -> None:
    """Stand in for the initialisation of CUDA: whoever needs it asks for more than the table has."""
    caller = sys._getframe(1).f_code.co_name
    raise unforeseen(f"CUDA's initialisation, by {caller}")


def _set(name: str, value: Any) -> None:
    owner: Any = sys.modules["torch"]
    *path, last = name.split(".")[1:]
    for part in path:
        owner = getattr(owner, part)
    setattr(owner, last, value)
