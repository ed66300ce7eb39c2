"""What ``torch.compile`` makes of its arguments: everything but the compilation itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Compilation(NamedTuple):
    """How dynamo was asked to compile: ``backend`` is the object that holds inductor's own settings."""

    backend: Any
    arguments: dict[str, Any]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the backend that mode and options come to."""
        config = getattr(self.backend, "config", None)
        return dict(config) if isinstance(config, dict) else dict(getattr(self.backend, "kwargs", None) or {})


def compile_model(compiler: Callable[..., Any], forward: Callable[..., Any]) -> Compilation | None:
    """Wrap a function; None where torch has nothing to compile. Raises what torch raises."""
    import torch

    seen: list[Compilation] = []
    original = torch._dynamo.optimize

    def optimize(*args: Any, **keywords: Any) -> Any:
        backend = keywords.pop("backend", args[0] if args else None)
        seen.append(Compilation(backend, keywords))
        return original(*args, backend=backend, **keywords)

    torch._dynamo.optimize = optimize
    try:
        compiler(forward)
    finally:
        torch._dynamo.optimize = original
    return seen[-1] if seen else None
