"""A namespace of compiled operators that answers from the table which there are, and for which card."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from llmcfg.resolve.record import assume, unforeseen
from llmcfg.resolve.vllm.capability import supports
from llmcfg.resolve.vllm.contents import cited
from llmcfg.resolve.vllm.modules import is_importing


class Kernels:
    """Stands in for ``torch.ops.<library>``, which is ``real``.

    ``queries`` are answered by the card's capability; ``operators`` are there, the whole of them, and can't
    be run. While modules are imported the real namespace answers: they keep what they find.
    """

    def __init__(
        self,
        library: str,
        real: Any,
        queries: Mapping[str, Any],
        operators: Collection[str],
        capability: tuple[int, int],
    ) -> None:
        self._library = library
        self._real = real
        self._queries = queries
        self._operators = operators
        self._capability = capability

    def __getattr__(self, name: str) -> Any:
        full = f"{self._library}.{name}"
        if full in self._queries:
            return self._answer(full)
        if name.startswith("__") or is_importing():
            return getattr(self._real, name)
        if full in self._operators:
            return _Present(full)
        raise AttributeError(name)

    def _answer(self, full: str) -> Callable[..., Any]:
        def answer(*arguments: Any) -> Any:
            query = self._queries[full]
            taken = supports(query, self._capability)
            return assume(f"torch.ops.{full}", taken, cited(query))

        return answer


class _Present:
    """A kernel that is there, and can't be run."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Present(f"{self._name}.{name}")

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        raise unforeseen(f"torch.ops.{self._name}(…)")
