"""The process groups of a parallel layout, with nobody in them but this process, as the first rank."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def join(config: Any) -> None:
    """Let vLLM set up its groups for the layout of a VllmConfig; nothing is ever sent through them."""
    from vllm.config import set_current_vllm_config
    from vllm.distributed import parallel_state

    parallel = config.parallel_config
    _begin(parallel.world_size_across_dp)
    _without_communicators(parallel_state.GroupCoordinator)
    parallel_state.in_the_same_node_as = _Nodes(parallel.nnodes).with_rank
    with set_current_vllm_config(config):
        parallel_state.init_distributed_environment(parallel.world_size, 0, "env://", 0, "fake")
        parallel_state.ensure_model_parallel_initialized(
            parallel.tensor_parallel_size,
            parallel.pipeline_parallel_size,
            parallel.prefill_context_parallel_size,
            parallel.decode_context_parallel_size,
        )


class _Nodes:
    """Knows on which node a rank is: nodes have equal numbers of consecutive ranks."""

    def __init__(self, count: int) -> None:
        self._count = count

    def with_rank(self, group: Any, source_rank: int = 0) -> list[bool]:
        """Tell of every rank of a group whether it is on the node of another."""
        nodes = [rank * self._count // group.size() for rank in range(group.size())]
        return [node == nodes[source_rank] for node in nodes]


def _begin(size: int) -> None:
    """Start torch's own fake backend, and let every further group use it too."""
    import torch.distributed as distributed

    fake = import_module("torch.testing._internal.distributed.fake_pg")
    distributed.init_process_group(backend="fake", store=fake.FakeStore(), rank=0, world_size=size)
    new_group = distributed.new_group

    def fake_group(ranks: Any = None, *_: Any, **__: Any) -> Any:
        return new_group(ranks, backend="fake")

    distributed.new_group = fake_group


def _without_communicators(coordinator: Any) -> None:
    """Spare the groups what talks to devices and to other processes."""
    init = coordinator.__init__

    def bare(group: Any, *arguments: Any, **keywords: Any) -> None:
        off = {"use_device_communicator": False, "use_message_queue_broadcaster": False}
        init(group, *arguments, **{**keywords, **off})

    coordinator.__init__ = bare
