"""Build modules of vLLM without memory and without a device: tensors have shapes only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def shapes_only(dtype: Any) -> Iterator[None]:
    """Create every tensor on torch's meta device, of this dtype unless it is given another."""
    import torch
    from vllm.utils.torch_utils import set_default_torch_dtype

    _replace_streams()
    torch.accelerator.empty_cache = lambda: None  # there is nothing that could be given back
    _know_empty()
    with set_default_torch_dtype(dtype), torch.device("meta"), _mode():
        yield


def _mode() -> Any:
    """Return a mode that puts on the meta device what asks for a GPU by name."""
    import torch
    from torch.overrides import TorchFunctionMode

    class NoGpu(TorchFunctionMode):  # type: ignore[misc]  # torch may be absent
        def __torch_function__(
            self, function: Any, types: Any, arguments: Any = (), keywords: Any = None
        ) -> Any:
            keywords = {key: _off_gpu(value) for key, value in (keywords or {}).items()}
            if type(keywords.get("device")) is int:
                keywords["device"] = "meta"
            if function is torch.Tensor.cuda:
                return arguments[0].to("meta")
            if function is not torch.device:
                arguments = tuple(map(_off_gpu, arguments))
            return function(*arguments, **keywords)

    def _off_gpu(value: Any) -> Any:
        is_gpu = isinstance(value, torch.device) and value.type == "cuda"
        is_named = isinstance(value, str) and value.partition(":")[0] == "cuda"
        return torch.device("meta") if is_gpu or is_named else value

    return NoGpu()


def _know_empty() -> None:
    """Tell torch's device contexts of the real ``torch.empty``, before which the machine put its own."""
    import torch
    from torch.utils._device import _device_constructors

    _device_constructors().add(torch._C._VariableFunctions.empty)


def computed(cls: Any) -> None:
    """Let a class compute with real tensors, on the CPU, while it is initialized."""
    import torch

    init = cls.__init__

    def on_cpu(made: Any, *arguments: Any, **keywords: Any) -> None:
        with torch.device("cpu"):
            init(made, *arguments, **keywords)

    cls.__init__ = on_cpu


def _replace_streams() -> None:
    """Let layers have streams and events of their own: nothing will be put into them."""
    import torch

    for name in ("Stream", "Event"):
        setattr(torch.cuda, name, _Unused)


class _Unused:
    def __init__(self, *_: Any, **__: Any) -> None:
        pass
