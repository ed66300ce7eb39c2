"""The devices that values are tried on: one card for each compute capability."""

from __future__ import annotations

from llmcfg.errors import UserError
from llmcfg.gpus import CPU, Gpu, UnknownGpu, find, table

ALL = "all"
_NOT_FOR_SERVERS = ("rtx", "titan", "quadro", "jetson")


def devices(names: str) -> list[Gpu]:
    """Return the GPUs of a list of names, parted by commas; ``all`` is one for each compute capability.

    Raises:
        UserError: for a name that is not in the table.
    """
    found: dict[str, Gpu] = {}
    for name in filter(None, names.split(",")):
        for gpu in representatives() if name == ALL else [_known(name)]:
            found[gpu.name] = gpu
    if not found:
        raise UserError("--gpus names no device")
    return list(found.values())


def representatives() -> list[Gpu]:
    """Return a card for each compute capability: one for servers, else the one with most memory."""
    found: dict[tuple[int, int], list[Gpu]] = {}
    for gpu in table():
        found.setdefault(gpu.capability, []).append(gpu)
    return [_representative(cards) for _, cards in sorted(found.items())]


def _representative(cards: list[Gpu]) -> Gpu:
    servers = (gpu for gpu in cards if not gpu.name.startswith(_NOT_FOR_SERVERS))
    return next(servers, None) or max(cards, key=lambda gpu: gpu.memory)


def about(gpu: Gpu) -> dict[str, object]:
    """Return what the table says of a device."""
    if gpu is CPU:
        return {"title": gpu.title, "capability": None, "memory_gib": None}
    return {"title": gpu.title, "capability": "{}.{}".format(*gpu.capability), "memory_gib": gpu.memory}


def _known(name: str) -> Gpu:
    try:
        return find(name)
    except UnknownGpu as unknown:
        near = f"; did you mean {unknown.near}?" if unknown.near else ""
        raise UserError(f"--gpus: {name} is not in the table of `llmcfg gpus`{near}") from None
