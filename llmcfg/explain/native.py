"""What a parameter is to its engine: object, class, name, flag of the command, key of the engine's file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from llmcfg.backends.flags import flag_of, form_of, has_no_flag
from llmcfg.catalog import backends
from llmcfg.explain.places import Inside, Place, nested

_COMMANDS = {
    "TensorrtLlmLlm": "trtllm-serve", "TensorrtLlmBuild": "trtllm-build",
    "TensorrtLlmPluginConfig": "trtllm-build",
}  # fmt: skip
_REQUESTS = ("SamplingParams", "env")
_LLM = "LlmArgs"
_ENGINE = "EngineArgs"
_READERS = {"vllm": "vllm serve --config FILE", "tensorrt_llm": "trtllm-serve MODEL --config FILE"}
_SERVE = "vllm serve"


@dataclass(frozen=True)
class Native:
    """One place in an engine's own terms.

    ``path`` leads to the value inside ``object``; ``flag`` takes the outermost key of it, so a nested
    value travels inside that flag's JSON. ``key`` is dotted where the file nests it.
    """

    backend: str
    object: str
    cls: str | None
    path: tuple[str, ...]
    form: str | None = None
    command: str | None = None
    flag: str | None = None
    file: str | None = None
    key: str | None = None

    @property
    def name(self) -> str:
        """Return the value's own native name."""
        return self.path[-1] if self.path else self.object

    @property
    def in_json(self) -> bool:
        """Tell whether the flag takes the value inside a mapping, which is written as JSON."""
        return self.command == _SERVE and len(self.path) > 1


def natives(place: Place) -> tuple[Native, ...]:
    """Return what a parameter becomes: one for each backend where it is at the top level."""
    if place.path == ("model",):
        return tuple(_model(backend, facts["model"]) for backend, facts in backends().items())
    if place.backend is None or len(place.path) < 2:
        return ()
    return (_native(place, place.backend),)


def native_name(name: str, schema: dict[str, Any]) -> str:
    """Return the engine's name for a parameter."""
    own = schema.get("x-native")
    return str(own.get("name", name)) if isinstance(own, dict) else name


def _model(backend: str, facts: dict[str, str]) -> Native:
    return Native(backend, facts["object"], None, (facts["name"],))


def _native(place: Place, backend: str) -> Native:
    name, path = _inside(place, backend)
    command, flag = _flag(place, name)
    key = _key(place, name, path)
    return Native(
        backend, name, _class(place, path), path, form_of(place.schema), command, flag,
        _READERS[backend] if key else None, key,
    )  # fmt: skip


def _inside(place: Place, backend: str) -> tuple[str, tuple[str, ...]]:
    """Return the native object, and the names that lead to the value in it."""
    name = str(backends()[backend]["sections"][place.path[1]])
    path: tuple[str, ...] = ()
    for key, schema in zip(place.path[2:], place.schemas[2:], strict=True):
        own = schema.get("x-native")
        if isinstance(own, dict) and "object" in own:
            name, path = own["object"], ()
        else:
            path = (*path, native_name(key, schema))
    return name, path


def _class(place: Place, path: tuple[str, ...]) -> str | None:
    """Return the class that takes it, or that a whole object is of; None where it is not one."""
    types = [holder.type for holder in place.holders]
    if not path:
        types = [name for name, choice in nested(place.schema) if choice is None]
    native = Inside(types[0], 0).facts.get("x-native") if len(types) == 1 else None
    return native.get("class") if isinstance(native, dict) else native


def _flag(place: Place, name: str) -> tuple[str | None, str | None]:
    if name == _ENGINE and len(place.path) > 2:
        flag = _vllm_flag(place)
        return (_SERVE, flag) if flag else (None, None)
    command = _COMMANDS.get(place.inside[-1].type)
    flag = flag_of(place.schema)
    return (command, flag) if command and flag else (None, None)


def _vllm_flag(place: Place) -> str | None:
    """Return the flag of the engine argument that holds the parameter."""
    outermost = place.schemas[2]
    if has_no_flag(outermost):
        return None
    return flag_of(outermost) or f"--{place.path[2].replace('_', '-')}"


def _key(place: Place, name: str, path: tuple[str, ...]) -> str | None:
    if name == _ENGINE and path:
        flag = _vllm_flag(place)
        return ".".join((flag.removeprefix("--"), *path[1:])) if flag else None
    if place.backend != "tensorrt_llm" or name in _REQUESTS:
        return None
    return ".".join(path if name == _LLM else (_field(name), *path)) or None


def _field(name: str) -> str:
    """Return the field of ``LlmArgs`` that holds an object: BuildConfig is ``build_config``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
