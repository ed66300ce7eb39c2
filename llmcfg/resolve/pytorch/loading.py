"""Load a model without its weights: ``from_pretrained`` itself, up to the point where it would read them.

transformers creates the model on the meta device anyway, and decides about everything before the first
weight. What is replaced here is the reading of weights, and whatever comes after it that needs them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from llmcfg.resolve import record
from llmcfg.resolve.pytorch.packages import Packages

WEIGHTS = (".safetensors", ".bin", ".gguf")
OF_THE_FILES = ("subfolder", "variant", "revision", "code_revision")
FLASH_ATTENTION = {
    "flash_attention_2": "flash_attn",
    "flash_attention_3": "flash_attn_interface",
    "flash_attention_4": "flash_attn",
}
"""The modules that these attention implementations import."""


class Loaded(NamedTuple):
    """A model on the meta device, and where its weights would go: None is the CPU, without a map.

    ``replaced`` counts the layers that the quantizer put in, by class; ``skipped`` names the steps that could
    not be taken here.
    """

    model: Any
    device_map: dict[str, Any] | None
    quantizer: Any
    replaced: dict[str, int]
    skipped: frozenset[str]

    @property
    def device(self) -> str:
        """Where the first weight would be, which transformers takes for the model's device."""
        if self.device_map is None:
            return "cpu"
        first = next(name for name, _ in self.model.named_parameters())
        return device_name(place_of(first, self.device_map))


def place_of(name: str, device_map: dict[str, Any]) -> Any:
    """Return the device of a weight: that of the longest prefix of its name in the map."""
    prefixes = [key for key in device_map if not key or name == key or name.startswith(f"{key}.")]
    return device_map[max(prefixes, key=len)] if prefixes else "cpu"


def device_name(device: Any) -> str:
    """Return a device as torch writes it; a number is a GPU."""
    return f"cuda:{device}" if isinstance(device, int) else str(device)


def load(from_pretrained: Callable[..., Any], arguments: dict[str, Any], packages: Packages | None) -> Loaded:
    """Load with ``from_pretrained`` and these arguments, without weights; raises what transformers raises."""
    seen: dict[str, Any] = {"replaced": {}, "skipped": set()}
    folder = str(arguments["pretrained_model_name_or_path"])
    has_weights = any(name.endswith(WEIGHTS) for name in os.listdir(folder))
    _replace(seen, has_weights, packages)
    result = from_pretrained(**(arguments if has_weights else _without_files(arguments)))
    model = result[0] if isinstance(result, tuple) else result
    config = seen["config"]
    return Loaded(model, config.device_map, config.hf_quantizer, seen["replaced"], frozenset(seen["skipped"]))


def _without_files(arguments: dict[str, Any]) -> dict[str, Any]:
    """Take on trust that the files are where the arguments say."""
    if arguments.get("gguf_file") is not None:
        raise record.unforeseen("what the GGUF file holds: it is not here")
    for name in OF_THE_FILES:
        if arguments.get(name) is not None:
            record.assume(f"are the model's files where {name} says", True, "stated: the files are not here")
    return {key: item for key, item in arguments.items() if key not in OF_THE_FILES}


def _replace(seen: dict[str, Any], has_weights: bool, packages: Packages | None) -> None:
    from transformers import modeling_utils
    from transformers.quantizers import base

    here = modeling_utils.PreTrainedModel
    here._load_pretrained_model = staticmethod(lambda *called: _not_read(seen, *called))
    here._finalize_model_loading = staticmethod(lambda model, config, info: info)
    modeling_utils.accelerate_dispatch = _dispatched
    if not has_weights:
        modeling_utils._get_resolved_checkpoint_files = _no_files
        modeling_utils._get_dtype = _dtype_without_files(modeling_utils._get_dtype)
    base.HfQuantizer.preprocess_model = _counting(seen, _optional(seen, base.HfQuantizer.preprocess_model))
    base.HfQuantizer.postprocess_model = lambda self, model, **_: model
    here.set_use_kernels = _optional(seen, here.set_use_kernels)
    _flash_attention(packages)
    _memory(packages)
    modeling_utils.get_torch_context_manager_or_global_device = _default_device


def _not_read(seen: dict[str, Any], model: Any, state: Any, files: Any, config: Any) -> tuple[Any, None]:
    """Stand in for the reading of weights."""
    from transformers.modeling_utils import LoadStateDictInfo

    seen["config"] = config
    return LoadStateDictInfo(set(), set(), set(), [], {}, set()), None


def _default_device() -> Any:
    """Return the default device where it is not the CPU: transformers would create a tensor to see it."""
    import torch
    from torch.utils._device import CURRENT_DEVICE

    is_elsewhere = CURRENT_DEVICE is not None and CURRENT_DEVICE.type != "cpu"
    if not is_elsewhere or CURRENT_DEVICE.index is not None or CURRENT_DEVICE.type != "cuda":
        return CURRENT_DEVICE if is_elsewhere else None
    return torch.device("cuda", torch.cuda.current_device())


def _dispatched(model: Any, quantizer: Any, device_map: Any, *_: Any) -> None:
    model.hf_device_map = dict(device_map)  # as accelerate's dispatch_model does


def _no_files(*_: Any, **__: Any) -> tuple[None, None]:
    return None, None


def _dtype_without_files(original: Callable[..., Any]) -> Callable[..., Any]:
    def get(dtype: Any, files: Any, config: Any, *others: Any) -> Any:
        if dtype == "auto" and getattr(config, "dtype", None) is None:
            raise record.unforeseen("the dtype of the weights: the model's config.json does not name it")
        return original(dtype, files, config, *others)

    return get


def _optional(seen: dict[str, Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """Go on without a step whose package, or whose hardware, is not here; that is noted."""

    def taken(*args: Any, **keywords: Any) -> Any:
        try:
            return original(*args, **keywords)
        except record.Unforeseen:
            seen["skipped"].add(original.__name__)
            return None

    return taken


def _counting(seen: dict[str, Any], original: Callable[..., Any]) -> Callable[..., Any]:
    def preprocess(self: Any, model: Any, *args: Any, **keywords: Any) -> Any:
        before = Counter(type(module).__name__ for module in model.modules())
        done = original(self, model, *args, **keywords)
        seen["replaced"] = dict(Counter(type(module).__name__ for module in model.modules()) - before)
        return done

    return preprocess


class _Functions:
    """The functions of a package that is not here; what they can do, nobody knows."""

    def __init__(self, package: str) -> None:
        self._package = package

    def __getitem__(self, _: int) -> Any:
        raise record.unforeseen(f"the functions of {self._package}, which is not installed here")


def _flash_attention(packages: Packages | None) -> None:
    """Take the functions of a flash attention that the machine has, and this one has not, as importable."""
    from transformers import modeling_flash_attention_utils as module
    from transformers import modeling_utils

    original = modeling_utils.lazy_import_flash_attention

    def imported(implementation: Any, *args: Any, **keywords: Any) -> Any:
        missing = FLASH_ATTENTION.get(implementation)
        if missing is None or packages is None or not packages.is_missing(missing):
            return original(implementation, *args, **keywords)
        record.assume(f"can {missing} be imported", True, "the machine is said to have it")
        module._loaded_implementation = implementation
        return _Functions(missing)

    modeling_utils.lazy_import_flash_attention = imported


def _memory(packages: Packages | None) -> None:
    """Let accelerate count the memory of the cards without a tensor on each, and of the machine's host."""
    if packages is None:
        return
    import accelerate.utils.modeling
    from transformers.integrations import accelerate as integration

    def counted(max_memory: Any = None) -> Any:
        return accelerate.utils.modeling.get_max_memory(max_memory or _memory_of_the_machine())

    integration.accelerate_max_memory = counted


def _memory_of_the_machine() -> dict[int | str, int]:
    import torch

    from llmcfg.resolve.pytorch.facts import facts

    count = torch.cuda.device_count()
    cards: dict[int | str, int] = {index: torch.cuda.mem_get_info(index)[0] for index in range(count)}
    host = facts("host")
    memory = host["memory_per_gpu_memory"] * sum(cards.values())
    return {**cards, "cpu": record.assume("free memory of the host in bytes", memory, host["source"])}
