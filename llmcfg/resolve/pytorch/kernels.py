"""Kernels that transformers takes without asking whether the card can run them."""

from __future__ import annotations

from llmcfg.gpus import Gpu
from llmcfg.resolve import record
from llmcfg.resolve.pytorch.facts import facts


def check(implementation: str, gpu: Gpu) -> None:
    """Note where a kernel is known to need a newer card than this: the forward pass would tell."""
    fact = facts("kernels").get(implementation)
    if fact is None:
        return
    major, _, minor = fact["capability"].partition(".")
    if gpu.capability < (int(major), int(minor)):
        capability = "{}.{}".format(*gpu.capability)
        record.unforeseen(
            f"{implementation} on capability {capability}: transformers takes it without asking; its kernels "
            f"need {fact['capability']} ({fact['source']})"
        )
