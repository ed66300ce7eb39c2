"""The table of GPUs, and the one that a config is checked against."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from llmcfg.catalog import index


class Gpu(NamedTuple):
    """A GPU by its name in the table; ``capability`` is CUDA's compute capability, ``memory`` in GiB."""

    name: str
    title: str
    architecture: str
    capability: tuple[int, int]
    memory: float
    formats: tuple[str, ...]


CPU = Gpu("none", "no GPU (CPU)", "none", (0, 0), 0, ())
_WORDS_FOR_NONE = frozenset(("cpu", "no", "off", "false"))


class UnknownGpu(ValueError):
    """No GPU of that name is in the table; ``near`` is the closest name."""

    def __init__(self, name: str, near: str | None) -> None:
        self.name = name
        self.near = near
        super().__init__(name)


def table() -> list[Gpu]:
    """Return all GPUs, oldest architecture first."""
    return [_gpu(name) for name in index()["gpus"]["gpus"]]


@cache
def find(name: str) -> Gpu:
    """Return the GPU of that name or alias; ``none`` is the CPU, ``auto`` the machine's first GPU.

    Raises:
        UnknownGpu: if the table has none of that name.
        GpuQueryFailed: for ``auto``, if NVML cannot be asked.
    """
    wanted = _spelled(name)
    if wanted == "none":
        return CPU
    if wanted == "auto":
        from llmcfg.nvml import first_gpu_name

        return _by_title(first_gpu_name())
    gpus = index()["gpus"]["gpus"]
    for key, facts in gpus.items():
        if wanted in (_spelled(known) for known in (key, *facts.get("aliases", ()))):
            return _gpu(key)
    raise UnknownGpu(name, near(name))


def near(name: str) -> str | None:
    """Return the name in the table that was probably meant: a typo, or one of its words (``4090``)."""
    from llmcfg.checking.suggest import nearest

    gpus = index()["gpus"]["gpus"]
    words = set(name[:80].lower().replace("-", " ").replace("_", " ").split())
    if words & _WORDS_FOR_NONE:
        return CPU.name
    held = [key for key in gpus if set(key.split("-")) <= words]
    parts = [key for key in gpus if any(len(word) > 1 and word in key.split("-") for word in words)]
    return max(held, key=len, default=None) or nearest(name, gpus) or min(parts, key=len, default=None)


def _spelled(name: str) -> str:
    """Reduce a name to its letters and digits: RTX 3090, rtx-3090 and rtx3090 are one card."""
    return "".join(filter(str.isalnum, name.lower()))


def _gpu(key: str) -> Gpu:
    facts = index()["gpus"]["gpus"][key]
    major, minor = facts["capability"].split(".")
    formats = index()["gpus"]["architectures"][facts["architecture"]]["formats"]
    return Gpu(
        key, facts["title"], facts["architecture"], (int(major), int(minor)), facts["memory_gib"],
        tuple(facts.get("formats", formats)),
    )  # fmt: skip


def _by_title(reported: str) -> Gpu:
    """Match the name that the driver reports: the longest table name whose words it holds."""
    words = set(reported.lower().replace("-", " ").split())
    matches = [
        key
        for key, facts in index()["gpus"]["gpus"].items()
        if any(set(name.split("-")) <= words for name in (key, *facts.get("aliases", ())))
    ]
    if not matches:
        raise UnknownGpu(reported, None)
    return _gpu(max(matches, key=len))
