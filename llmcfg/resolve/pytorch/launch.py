"""A launch by torchrun, without the other processes: this one is the first of them."""

from __future__ import annotations

from typing import Any

from llmcfg.resolve.record import assume

ARGUMENTS = ("distributed_config", "tp_plan", "tp_size")


def is_distributed(arguments: dict[str, Any]) -> bool:
    """Tell whether the arguments of ``from_pretrained`` ask for several processes."""
    return any(arguments.get(name) is not None for name in ARGUMENTS)


def pretend(processes: int) -> None:
    """Let torch.distributed believe in these processes; they exchange nothing."""
    import os

    import torch.distributed
    from torch.testing._internal.distributed.fake_pg import FakeStore

    assume("launched by torchrun with processes", processes, "stated: one for each GPU of the machine")
    os.environ.update(RANK="0", LOCAL_RANK="0", WORLD_SIZE=str(processes))
    torch.distributed.init_process_group("fake", rank=0, world_size=processes, store=FakeStore())
