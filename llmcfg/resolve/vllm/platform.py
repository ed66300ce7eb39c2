"""vLLM's own CUDA platform, on a card of the table: reached by vLLM through its door for platform plugins.

Imports vLLM, so it must be imported by vLLM itself, or after it. Read for vLLM 0.32.0 and 0.33.0
(vllm/platforms/cuda.py, interface.py).
"""

from __future__ import annotations

from typing import Any

from vllm.platforms.cuda import CudaPlatformBase
from vllm.platforms.interface import DeviceCapability

from llmcfg.resolve.record import assume
from llmcfg.resolve.vllm.machine import card, gpus

NVLINK = ((7, 0), (8, 0), (9, 0), (10, 0), (10, 3))
"""Compute capabilities of the cards that servers connect by NVLink."""


def plugin() -> str:
    """Return the path of the platform, as vLLM's plugins do."""
    return f"{__name__}.VirtualCuda"


class VirtualCuda(CudaPlatformBase):  # type: ignore[misc]
    """The CUDA platform without NVML: every question about the device is answered by the table of GPUs."""

    @classmethod
    def get_device_capability(cls, device_id: int = 0) -> Any:
        """Return the card's compute capability."""
        return DeviceCapability(*card().capability)

    @classmethod
    def get_device_name(cls, device_id: int = 0) -> str:
        """Return the card's title."""
        return card().title

    @classmethod
    def get_device_uuid(cls, device_id: int = 0) -> str:
        """Return an identifier that no card has."""
        return f"GPU-virtual-{device_id}"

    @classmethod
    def get_device_total_memory(cls, device_id: int = 0) -> int:
        """Return the card's memory in bytes."""
        return int(card().memory * 2**30)

    @classmethod
    def device_count(cls) -> int:
        """Return the number of cards."""
        return gpus()

    @classmethod
    def is_fully_connected(cls, physical_device_ids: list[int]) -> bool:
        """Tell whether every card reaches every other directly: assumed."""
        question = "GPUs are all connected by NVLink"
        return bool(
            assume(question, card().capability in NVLINK, "llmcfg: data-center cards are, others not")
        )

    @classmethod
    def get_device_numa_node(cls, device_id: int = 0) -> int | None:
        """Return None: the virtual machine has no NUMA nodes."""
        return None

    @classmethod
    def get_all_device_numa_nodes(cls) -> list[int] | None:
        """Return None: the virtual machine has no NUMA nodes."""
        return None

    @classmethod
    def log_warnings(cls) -> None:
        """Say nothing of cards that differ: they are all alike."""
