"""Run an emitted Python file without its engine: the classes it imports only record their arguments."""

from __future__ import annotations

import sys
import types
from typing import Any


class Recorded(dict):
    """The keyword arguments of a constructor call, and the name of the class."""

    def __init__(self, cls: str, arguments: dict[str, Any]) -> None:
        super().__init__(arguments)
        self.cls = cls


class _Recorder:
    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *args: Any, **keywords: Any) -> Recorded:
        return Recorded(self._name, *args) if args else Recorded(self._name, keywords)

    def from_dict(self, arguments: dict[str, Any]) -> Recorded:
        return Recorded(self._name, arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Recorder(f"{self._name}.{name}")


class Switches(types.ModuleType):
    """A torch that remembers what was set and called, by dotted path."""

    def __init__(self, log: dict[str, Any], path: str = "") -> None:
        super().__init__("torch")
        self.__dict__["_log"] = log
        self.__dict__["_path"] = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Switches(self._log, f"{self._path}.{name}".lstrip("."))

    def __setattr__(self, name: str, value: Any) -> None:
        self._log[f"{self._path}.{name}".lstrip(".")] = _written(value)

    def __call__(self, *values: Any, **further: Any) -> None:
        for value in values:
            self._log[self._path] = _written(value)
        self._log.update({f"{self._path}.{key}": _written(value) for key, value in further.items()})


def _written(value: Any) -> Any:
    """Return what a config says: the name of an object of torch."""
    return value._path if isinstance(value, Switches) else value


class _Engine(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Recorder(name)


def run_script(source: str, monkeypatch: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Execute an emitted file; return its variables, and the switches of torch that it set."""
    switches: dict[str, Any] = {}
    for line in source.splitlines():
        words = line.split()
        if words[:1] == ["from"] and words[2:3] == ["import"]:
            _install(words[1], monkeypatch)
        if words[:1] == ["import"] and words[1].startswith("torch."):
            monkeypatch.setitem(sys.modules, words[1], Switches(switches, words[1].partition(".")[2]))
    monkeypatch.setitem(sys.modules, "torch", Switches(switches))
    variables: dict[str, Any] = {}
    exec(compile(source, "<emitted>", "exec"), variables)  # noqa: S102 - the emitted file is what is tested
    return variables, switches


def _install(module: str, monkeypatch: Any) -> None:
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:end]), _Engine(".".join(parts[:end])))
