"""Generate without a forward pass: ``generate`` itself, up to the point where it would decode."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from llmcfg.resolve import record
from llmcfg.resolve.pytorch.loading import Loaded

PROMPT = (3, 4, 5, 6)
"""A prompt of a few tokens, none of them special."""


class Generation(NamedTuple):
    """What ``generate`` had decided when it would have started to decode."""

    method: str
    config: Any
    cache: Any
    processors: list[str]
    criteria: list[str]
    compiled: bool


class _Decided(Exception):
    pass


class _Device:
    """What the model gives as its device: nothing is anywhere, but transformers asks."""

    def __init__(self) -> None:
        self.now = "cpu"  # where the prompt is; else `generate` warns of two devices

    def at(self, device: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function for which the model is on that device."""

        @functools.wraps(function)
        def there(*args: Any, **keywords: Any) -> Any:
            before, self.now = self.now, device
            try:
                return function(*args, **keywords)
            finally:
                self.now = before

        return there


def generate(loaded: Loaded) -> Generation:
    """Let the model generate until it would decode; raises what transformers raises."""
    import torch

    seen: dict[str, Any] = {}
    _replace(loaded, seen)
    prompt = torch.tensor([PROMPT], device="cpu")
    if loaded.model.generation_config.token_healing:
        raise record.unforeseen("which tokens are healed: that takes forward passes")
    try:
        loaded.model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), **_tokenizer(loaded.model)
        )
    except _Decided:
        return Generation(**seen)
    raise record.unforeseen("how the model generates: it has a `generate` of its own")


def _tokenizer(model: Any) -> dict[str, Any]:
    """Return the model's tokenizer where the config needs that the caller gives one."""
    if getattr(model.generation_config, "stop_strings", None) is None:
        return {}
    from transformers import AutoTokenizer

    record.assume("is generate given the model's tokenizer", True, "stated: stop strings need it")
    return {"tokenizer": AutoTokenizer.from_pretrained(model.name_or_path)}


def batch(loaded: Loaded) -> Any:
    """Return the resolved settings of continuous batching; None where the model's config asks for none."""
    if getattr(loaded.model.generation_config, "continuous_batching_config", None) is None:
        return None
    return loaded.model.init_continuous_batching().continuous_batching_config


def _replace(loaded: Loaded, seen: dict[str, Any]) -> None:
    import torch
    from transformers.generation.utils import GENERATION_MODES_MAPPING

    device, kind = _Device(), type(loaded.model)
    kind.device = property(lambda _: torch.device(device.now))
    kind._prepare_static_cache = device.at("meta", kind._prepare_static_cache)
    asked = device.at(loaded.device, kind._valid_auto_compile_criteria)
    for name in {*GENERATION_MODES_MAPPING.values()}:
        if hasattr(kind, name):
            setattr(kind, name, _decoding(name, getattr(kind, name), seen, asked))


def _decoding(name: str, original: Any, seen: dict[str, Any], asked: Callable[..., Any]) -> Any:
    @functools.wraps(original)
    def decide(
        self: Any,
        _: Any,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        **others: Any,
    ) -> Any:
        cache = others.get("past_key_values", others.get("cache_params"))
        seen.update(
            method=name,
            compiled=bool(asked(self, others, generation_config)),
            config=generation_config,
            cache=cache,
            processors=[type(item).__name__ for item in logits_processor],
            criteria=[type(item).__name__ for item in stopping_criteria],
        )
        raise _Decided

    return decide
