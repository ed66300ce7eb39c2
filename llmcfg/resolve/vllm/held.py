"""What vLLM holds of the values that it was given, once it has resolved them."""

from __future__ import annotations

import dataclasses
import enum
import os
from pathlib import PurePath
from typing import Any

from llmcfg.resolve.leaves import leaves
from llmcfg.resolve.question import Held
from llmcfg.resolve.vllm.places import place_of

Json = dict[str, Any]
Path = tuple[str, ...]

_NOTHING: Any = object()


def held(native: dict[str, Json], built: Any, config: Any, sampling: Any = None) -> dict[str, Held]:
    """Return where the engine holds each value of ``native``, and what it holds there.

    ``built`` are the EngineArgs that ``config``, a VllmConfig, was made of; ``sampling`` are the
    SamplingParams of the request. A value that is no plain data, or whose place is not known, is left out.
    Where the engine holds the same in another form (an enum's member, a list of one), the form is the
    asked one.
    """
    owners = {"EngineArgs": built, "VllmConfig": config, "SamplingParams": sampling}
    found: dict[str, Held] = {}
    for name, arguments in native.items():
        for path, asked in leaves(arguments):
            if (item := _held(name, path, asked, owners)) is not None:
                found[".".join((name, *path))] = item
    return found


def held_env(env: dict[str, str]) -> dict[str, Held]:
    """Return what became of environment variables: vLLM overwrites some."""
    return {f"env.{name}": Held(f"os.environ.{name}", os.environ.get(name)) for name in env}


def _held(name: str, path: Path, asked: Any, owners: Json) -> Held | None:
    owner, place = (name, path) if name != "EngineArgs" else place_of(path) or ("", ())
    if owners.get(owner) is None:
        return None
    reached, value = _at(owners[owner], place)
    if value is _NOTHING:
        return None
    shown = ".".join(reached) if owner == "VllmConfig" else ".".join((owner, *reached))
    plain = _as_asked(value, asked)
    if _is_shorthand(asked, plain) and value == _at(owners[name], path)[1]:
        plain = asked
    return None if plain is _NOTHING else Held(shown, plain)


def _is_shorthand(asked: Any, held: Any) -> bool:
    """Tell whether a word stands for an object, which the class put in its place."""
    return isinstance(asked, str) and isinstance(held, dict)


def _at(data: Any, path: Path) -> tuple[Path, Any]:
    """Follow a path as far as there is something; a None on the way is what is held."""
    for length, key in enumerate(path):
        if data is None:
            return path[:length], None
        data = _item(data, key)
        if data is _NOTHING:
            return path, _NOTHING
    return path, data


def _item(data: Any, key: str) -> Any:
    if isinstance(data, dict):
        found = {str(name): value for name, value in data.items()}
        return found.get(key, _NOTHING)
    return getattr(data, key, _NOTHING)


def _as_asked(value: Any, asked: Any) -> Any:
    """Return the value as plain data, in the asked form where that means the same."""
    if _is_same(value, asked):
        return asked
    return plain(value)


def _is_same(value: Any, asked: Any) -> bool:
    if asked == {} or (asked == "auto" and value is None):
        return value is None or isinstance(plain(value), dict)
    if isinstance(value, enum.Enum):
        return asked == value.value or str(asked).upper() in (value.name, str(value.value).upper())
    if isinstance(value, PurePath):
        return str(value) == str(asked)
    if type(value).__module__ == "torch" and type(value).__name__ == "dtype":
        return bool(_dtype(asked) == value)
    if isinstance(value, (list, tuple)):
        listed = asked if isinstance(asked, (list, tuple)) else [asked]
        pairs = zip(value, listed, strict=False)
        return len(value) == len(listed) and all(_is_same(*pair) for pair in pairs)
    if isinstance(value, (set, frozenset)):
        return isinstance(asked, list) and plain(value) == sorted(asked, key=str)
    if type(asked) is int and dataclasses.is_dataclass(value):
        return {key: item for key, item in plain(value).items() if item is not None} == {"count": asked}
    return type(value) in (bool, int, float, str) and type(value) is type(asked) and value == asked


def _dtype(name: Any) -> Any:
    from vllm.config.model import _STR_DTYPE_TO_TORCH_DTYPE

    return _STR_DTYPE_TO_TORCH_DTYPE.get(name, name) if isinstance(name, str) else name


def plain(value: Any) -> Any:
    """Reduce a value to JSON data: enums by name, dtypes without their module; else ``_NOTHING``."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, (bool, int, float, str, PurePath)):
        return str(value) if isinstance(value, (str, PurePath)) else value
    if type(value).__module__ == "torch" and type(value).__name__ in ("dtype", "device"):
        return str(value).removeprefix("torch.")
    if isinstance(value, (set, frozenset)):
        return _plain_items(sorted(value, key=str))
    if isinstance(value, (list, tuple)):
        return _plain_items(value)
    if type(value).__module__ == "numpy":
        return plain(value.tolist())
    return _plain_fields(value)


def _plain_items(values: Any) -> Any:
    items = [plain(item) for item in values]
    return _NOTHING if _NOTHING in items else items


def _plain_fields(value: Any) -> Any:
    if isinstance(value, dict):
        items = {str(key): plain(item) for key, item in value.items()}
    elif dataclasses.is_dataclass(value):
        items = {field.name: plain(getattr(value, field.name, None)) for field in dataclasses.fields(value)}
    elif hasattr(value, "__struct_fields__"):
        items = {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    else:
        return _NOTHING
    return {key: item for key, item in items.items() if item is not _NOTHING}
