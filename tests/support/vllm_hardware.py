"""What vLLM's code says about one GPU: the questions that a virtual machine is asked.

Runs there, under `tests.support.vllm_cards`, and imports vLLM inside of functions only. Every answer is a
mapping from the value that a user would write to what vLLM makes of it on the inserted card: true, false, or
a text where its code could not be asked. A value that is absent is one about which the code says nothing.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import pkgutil
import re
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.support.vllm_switches import SWITCHES

Answer = dict[str, Any]


def everything() -> dict[str, Any]:
    """Answer all questions about the inserted card."""
    import vllm

    answers: dict[str, Any] = {area: ask() for area, ask in AREAS.items()}
    return {"version": vllm.__version__.split("+")[0], "platforms": linear_platforms(), **answers}


def _told(ask: Callable[..., bool], *arguments: Any) -> Any:
    """Return the answer, or what kept the code from answering."""
    try:
        return bool(ask(*arguments))
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"


def _capability() -> Any:
    from vllm.platforms import current_platform

    return current_platform.get_device_capability()


# --- quantization and dtypes ---------------------------------------------------------------------------


def quantization() -> Answer:
    """Compare each method's minimum with the card, as VllmConfig does."""
    from vllm.model_executor.layers.quantization import QUANTIZATION_METHODS

    return {method: _told(_is_enough_for, method) for method in QUANTIZATION_METHODS}


def _is_enough_for(method: str) -> bool:
    """Compare with the method's minimum; for a word with two meanings with the lower of the two."""
    from vllm.config import quantization as words
    from vllm.model_executor.layers.quantization import get_quantization_config

    meanings = [method, "online"] if method in words._DEFERRED_ONLINE_SHORTHANDS else [method]
    here = _capability().to_int()
    return any(here >= get_quantization_config(name).get_min_capability() for name in meanings)


def dtype() -> Answer:
    """Look each name of a dtype up in the list of the platform."""
    from vllm.config.model import _STR_DTYPE_TO_TORCH_DTYPE
    from vllm.platforms import current_platform

    usable = current_platform.supported_dtypes
    return {name: kind in usable for name, kind in _STR_DTYPE_TO_TORCH_DTYPE.items()}


# --- attention -----------------------------------------------------------------------------------------

# Kinds of models, as vLLM's selector tells them apart.
_MODELS = (
    {"head_size": 128},
    {"head_size": 256},
    {"head_size": 128, "use_sparse": True},
    {"head_size": 192, "use_sparse": True},
    {"head_size": 576, "use_mla": True},
    {"head_size": 576, "use_mla": True, "use_sparse": True},
    {"head_size": 512, "use_mla": True, "use_sparse": True},
)

# What backends for MLA read from the model beside it: DeepSeek's dimensions, and those without RoPE.
_SHARED = {"v_head_dim": 128, "kv_lora_rank": 512, "index_topk": 2048}
_MLA = (
    {"qk_nope_head_dim": 128, "qk_rope_head_dim": 64, **_SHARED},
    {"qk_nope_head_dim": 256, "qk_rope_head_dim": 0, **_SHARED},
)


def _selections(cache: str) -> Iterator[Any]:
    import torch
    from vllm.v1.attention.selector import AttentionSelectorConfig

    block_sizes = (None, 64, 128, 256)
    for model, kind, size in itertools.product(_MODELS, (torch.bfloat16, torch.float16), block_sizes):
        yield AttentionSelectorConfig(dtype=kind, kv_cache_dtype=cache, block_size=size, **model)


def attention_backend() -> Answer:
    """Tell for which backends there is a model and a cache that they validate on this card."""
    from vllm.v1.attention.backends.registry import AttentionBackendEnum

    backends = [backend for backend in AttentionBackendEnum if backend.value]
    answers: Answer = {}
    for text in _MLA:
        with _model(text):
            for backend in backends:
                if answers.get(backend.name) is not True:
                    answers[backend.name] = _told(_validates, backend)
    return answers


def _validates(named: Any) -> bool:
    backend = named.get_class()
    caches = backend.supported_kv_cache_dtypes or ["auto"]
    here = _capability()
    return any(
        not backend.validate_configuration(device_capability=here, **choice._asdict())
        for cache in caches
        for choice in _selections(cache)
    )


@contextlib.contextmanager
def _model(text: dict[str, int]) -> Iterator[None]:
    """Put a model on the place where backends look for it."""
    from vllm.config import set_current_vllm_config

    config = _config()
    config.model_config = _Model(text)
    with set_current_vllm_config(config):
        yield


@functools.cache
def _config() -> Any:
    from vllm.config import VllmConfig

    return VllmConfig()


class _Model:
    """As much of a ModelConfig as attention backends read."""

    dtype = "bfloat16"
    is_encoder_decoder = is_diffusion = is_mm_prefix_lm = False
    rswa_window = None

    def __init__(self, text: dict[str, int]) -> None:
        self.hf_text_config = self.hf_config = types.SimpleNamespace(**text, num_attention_heads=64)

    def get_head_size(self) -> int:
        return 128

    def get_num_attention_heads(self, parallel: Any = None) -> int:
        return 64

    def get_num_kv_heads(self, parallel: Any = None) -> int:
        return 8

    get_total_num_kv_heads = get_num_kv_heads


def kv_cache_dtype() -> Answer:
    """Tell for which caches there is a model whose backend vLLM finds by itself, and can build here."""
    from typing import get_args

    from vllm.config.cache import CacheDType

    answers: Answer = {}
    for text in _MLA:
        with _model(text):
            for cache in get_args(CacheDType):
                if answers.get(cache) is not True:
                    answers[cache] = _told(_has_backend, cache, text)
    return answers


def _has_backend(cache: str, text: dict[str, int]) -> bool:
    from vllm.platforms import current_platform

    here, usable = _capability(), current_platform.supported_dtypes
    for choice in _selections(cache):
        if choice.dtype in usable:
            candidates, _ = current_platform.get_valid_backends(here, choice)
            if candidates:
                first = min(candidates, key=lambda candidate: candidate.priority)
                if _builds(first.backend_class, choice, text):
                    return True
    return False


def _builds(backend: Any, choice: Any, text: dict[str, int]) -> bool:
    """Tell whether the implementation can be built; Triton's look at the card once more."""
    if not backend.get_name().startswith("TRITON"):
        return True
    heads = (8, choice.head_size, 1.0, 1 if choice.use_mla else 8)
    rest = (None, None, choice.kv_cache_dtype, None, "decoder", None)
    mla = {name: size for name, size in text.items() if name != "index_topk"} if choice.use_mla else {}
    try:
        backend.get_impl_cls()(*heads, *rest, **mla, **(_MLA_REST if mla else {}))
    except ValueError:
        return False
    return True


_MLA_REST: dict[str, Any] = {"q_lora_rank": 1536, "qk_head_dim": 192, "kv_b_proj": None}


def mla_prefill_backend() -> Answer:
    from vllm.v1.attention.backends.mla.prefill.registry import MLAPrefillBackendEnum

    return {backend.name: _told(_prefills, backend) for backend in MLAPrefillBackendEnum if backend.value}


def _prefills(named: Any) -> bool:
    import torch
    from vllm.v1.attention.backends.mla.prefill import selector

    names = ("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")
    sizes = [selector.MLADimensions(**{name: text[name] for name in names}) for text in _MLA]
    wanted = [
        selector.MLAPrefillSelectorConfig(dtype=kind, mla_dimensions=size)
        for size, kind in itertools.product(sizes, (torch.bfloat16, torch.float16))
    ]
    backend, here = named.get_class(), _capability()
    return any(not backend.validate_configuration(here, choice) for choice in wanted)


def flash_attn_version() -> Answer:
    from vllm.vllm_flash_attn.flash_attn_interface import is_fa_version_supported

    return {str(version): _told(is_fa_version_supported, version) for version in (2, 3, 4)}


# --- kernels -------------------------------------------------------------------------------------------


def moe_backend() -> Answer:
    """Tell for which backends one of the classes that the oracles map them to supports the card."""
    from typing import get_args

    from vllm.config.kernel import MoEBackend

    answers: Answer = {}
    for value in get_args(MoEBackend):
        if classes := list(_experts(value)):
            answers[value] = _any(_told(kind._supports_current_device) for kind in classes)
    return answers


def _any(answers: Iterable[Any]) -> Any:
    """One class that supports the card is enough; one that could not be asked spoils a no."""
    answers = list(answers)
    if True in answers:
        return True
    return next((answer for answer in answers if answer is not False), False)


def _experts(value: str) -> Iterator[Any]:
    from vllm.model_executor.layers.fused_moe import oracle

    for module in pkgutil.iter_modules(oracle.__path__):
        loaded = importlib.import_module(f"{oracle.__name__}.{module.name}")
        for backend in _mapped(loaded, value):
            yield from _classes(loaded, backend)


def _mapped(loaded: Any, value: str) -> list[Any]:
    """Map a user's word to an oracle's own names for it."""
    names = vars(loaded)
    if "_BACKEND_NAME_MAP" in names:
        return [loaded._BACKEND_NAME_MAP[value]] if value in loaded._BACKEND_NAME_MAP else []
    mapping = next((names[name] for name in names if re.fullmatch("map_.*_backend", name)), None)
    if mapping is None:
        kinds = [kind for name, kind in names.items() if name.endswith("MoeBackend")]
        return [member for kind in kinds for member in kind if member.name == value.upper()]
    try:
        found = mapping(value)
    except ValueError:
        return []
    return found if isinstance(found, list) else [found]


def _classes(loaded: Any, backend: Any) -> list[Any]:
    resolve = getattr(loaded, "_mxfp8_backend_to_kernel_cls", None) or loaded.backend_to_kernel_cls
    found = resolve(backend)
    return found if isinstance(found, list) else [found]


def linear_backend() -> Answer:
    """Tell for which backends a kernel that vLLM considers on CUDA supports the card."""
    from vllm.platforms import PlatformEnum

    return {
        value: _any(_told(_linear_supports, kernel) for kernel in kernels)
        for value, kernels in linear_kernels(PlatformEnum.CUDA).items()
    }


def linear_kernels(platform: Any) -> dict[str, list[Any]]:
    """Return each backend's kernels that vLLM considers on a platform."""
    from vllm.model_executor.kernels import linear

    tables = [table for name, table in vars(linear).items() if name.startswith("_POSSIBLE_")]
    considered = {kernel for table in tables for kernel in table.get(platform, ())}
    backends = linear._LINEAR_BACKEND_KERNEL_MAP
    return {value: list(set(kernels) & considered) for value, kernels in backends.items()}


def _linear_supports(kernel: Any) -> bool:
    here = _capability().to_int()
    if hasattr(kernel, "is_supported"):
        return bool(kernel.is_supported(here)[0])
    return bool(here >= kernel.get_min_capability())


def switches() -> Answer:
    """Tell which single features are native here."""
    return {name: _told(ask) for name, ask in SWITCHES.items()}


def linear_platforms() -> dict[str, list[str]]:
    """Return the platforms on which each linear backend has a kernel that vLLM considers."""
    from vllm.platforms import PlatformEnum

    named = {name: linear_kernels(PlatformEnum[name.upper()]) for name in ("cuda", "rocm", "xpu", "cpu")}
    return {value: [name for name in named if named[name][value]] for value in named["cuda"]}


def failing() -> None:
    """Fail, to show what becomes of it."""
    raise ZeroDivisionError


AREAS: dict[str, Callable[[], Any]] = {
    "quantization": quantization,
    "dtype": dtype,
    "attention_backend": attention_backend,
    "kv_cache_dtype": kv_cache_dtype,
    "mla_prefill_backend": mla_prefill_backend,
    "flash_attn_version": flash_attn_version,
    "moe_backend": moe_backend,
    "linear_backend": linear_backend,
    "switches": switches,
}
