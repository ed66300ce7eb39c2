"""Modules of packages that the machine has and this process has not: they can be imported, and do nothing.

transformers imports many a package as soon as it is there. Its names are classes here, of which nothing is an
instance; whoever uses them for more asks what nobody here can answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from llmcfg.resolve.pytorch.facts import facts
from llmcfg.resolve.record import assume, unforeseen

_DECORATORS = "use_kernel"  # how the decorators of kernels begin: what they decorate stays as it is
_OPERATIONS = ("iter", "len", "bool", "contains", "getitem", "and", "or", "add", "lt", "gt", "le", "ge")


_is_importing = True


def settle() -> None:
    """End the imports: from now on, every use of such a package is a question."""
    global _is_importing
    _is_importing = False


class _Unknown(type):
    """The class of all names: every operation on one of them is unforeseen."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _named(f"{cls.__module__}.{cls.__qualname__}", name)

    def __call__(cls, *_: Any, **__: Any) -> Any:
        """Decorate nothing; anything else is unforeseen, but for tables that are made at import."""
        if _is_importing or cls.__qualname__.startswith(_DECORATORS):
            return _same
        return _ask(cls)


def _ask(cls: type, *_: Any) -> Any:
    raise unforeseen(f"{cls.__module__}.{cls.__qualname__}, of a package that is not installed here")


def _same(decorated: Any = None, *_: Any, **__: Any) -> Any:
    return decorated


for _name in _OPERATIONS:
    setattr(_Unknown, f"__{_name}__", _ask)


def _named(module: str, name: str) -> Any:
    return _Unknown(name, (), {"__module__": module, "__qualname__": name})


def _known(name: str) -> Any:
    fact = facts("names").get(name)
    return assume(name, fact["answer"], fact["source"]) if fact else None


class _Stub(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = _known(f"{self.__name__}.{name}") or _named(self.__name__, name)
        setattr(self, name, found)
        return found


class _Loader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Stub(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is empty."""


class Finder(MetaPathFinder):
    """Finds the packages of these names, and whatever is in them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the description of a module of such a package."""
        if fullname.partition(".")[0] not in self._names:
            return None
        return ModuleSpec(fullname, _Loader(), is_package=True)
