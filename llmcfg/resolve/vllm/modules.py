"""Modules that stand in for compiled extensions and packages of the virtual machine.

What is in them stands for nothing but itself. While a module that uses it is imported it may be called (as
a decorator, as a base class); afterwards a call is a question: answered by the table, or by nobody.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from inspect import Parameter, Signature
from types import FrameType, ModuleType
from typing import Any

from llmcfg.resolve.record import assume, unforeseen
from llmcfg.resolve.vllm.capability import supports
from llmcfg.resolve.vllm.contents import Contents, Facts, cited


class Finder(MetaPathFinder, Loader):
    """Finds the stand-ins of a machine's modules, for cards of a compute capability."""

    def __init__(self, contents: Contents, capability: tuple[int, int]) -> None:
        self.contents = contents
        self._capability = capability

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Return the spec of a stand-in, or None for what others must find.

        Raises:
            ModuleNotFoundError: for a module that this machine has and the virtual one has not.
        """
        if fullname in self.contents.absent:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        if not self.contents.has_module(fullname):
            return None
        package = self.contents.packages.get(fullname.partition(".")[0])
        if package is not None:
            question = f"package {fullname.partition('.')[0]} is installed"
            assume(question, f"{package.distribution} {package.version}", package.source)
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a module that knows what is in it."""
        return _Module(spec.name, self)

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module as it is."""

    def answer(self, name: str) -> Any:
        """Return what a call of the function gives.

        Raises:
            RuntimeError: if the function raises it on such a card.
            Unforeseen: if the table does not know.
        """
        query = self.contents.query(name)
        if query is None:
            raise unforeseen(f"{name}(…)")
        found = self._found(query)
        assume(f"{name}(…)", found, cited(query))
        if "raises" in query and not found:
            raise RuntimeError(query["raises"])
        return found

    def _found(self, query: Facts) -> Any:
        if "property" in query:
            return self.contents.of_card(query["property"], self._capability)
        return supports(query, self._capability) if {"from", "only"} & query.keys() else query["answer"]

    def is_true(self, name: str) -> bool:
        """Tell whether the thing of that name is true: all are, but for what the table calls false."""
        query = self.contents.query(name)
        return query is None or bool(query["answer"])


class _Module(ModuleType):
    __path__: list[str] = []
    __file__ = "<virtual>"

    def __init__(self, name: str, finder: Finder) -> None:
        super().__init__(name)
        self._finder = finder

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        full = f"{self.__name__}.{name}"
        is_there = self._finder.contents.has_name(self.__name__, name)
        if is_there is None and not is_importing() and self._finder.contents.query(full) is None:
            unforeseen(f"whether there is {full}")
            raise AttributeError(name)
        if is_there is False:
            raise AttributeError(name)
        made = _stand_in(full, self._finder)
        setattr(self, name, made)
        return made


class _StandIn(type):
    """The type of a class that has every attribute."""

    _finder: Finder
    _full: str

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _stand_in(f"{cls._full}.{name}", cls._finder)
        setattr(cls, name, made)
        return made

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        if not is_importing() or cls._finder.contents.query(cls._full) is not None:
            return cls._finder.answer(cls._full)
        decorated = arguments[0] if len(arguments) == 1 and not keywords else None
        return decorated if callable(decorated) else cls

    def __bool__(cls) -> bool:
        return cls._finder.is_true(cls._full)

    def __contains__(cls, item: Any) -> bool:
        raise unforeseen(f"whether {item!r} is in {cls._full}")


def _stand_in(full: str, finder: Finder) -> Any:
    module, _, name = full.rpartition(".")
    facts = {"__module__": module, "_full": full, "_finder": finder}
    query = finder.contents.query(full) or {}
    if isinstance(query.get("answer"), list):  # the names of parameters that are looked for
        keywords = [Parameter(item, Parameter.KEYWORD_ONLY) for item in query["answer"]]
        facts["__signature__"] = Signature(keywords)
    return _StandIn(name, (), facts)


def is_importing() -> bool:
    """Tell whether the caller runs because a module is imported."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
