"""The configuration objects of an installed engine, as the imported engine itself describes them."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import os
import re
import sys
import types
import typing
import warnings
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

BOUNDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
}
UNKNOWN = object()
"""The default of a parameter that must be given, or whose default no file can hold."""


class LiveField(NamedTuple):
    """One parameter as the engine has it."""

    hint: Any = Any
    raw: Any = UNKNOWN
    is_required: bool = False
    bounds: dict[str, float] = {}

    @property
    def default(self) -> Any:
        """Return the default as an inventory writes it."""
        return plain(self.raw)


def find(path: str) -> Any:
    """Import what a dotted path leads to."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name)
        return found
    raise LookupError(path)


def fields(owner: Any) -> dict[str, LiveField]:
    """Return the public fields of a class that declares some, or the parameters of what is called."""
    return {name: field for name, field in _fields(owner).items() if not name.startswith("_")}


def _fields(owner: Any) -> dict[str, LiveField]:
    if pydantic := getattr(owner, "__pydantic_fields__", None):
        given = {name: info for name, info in pydantic.items() if info.init is not False}
        return {name: _pydantic(owner, name, info) for name, info in given.items()}
    if hasattr(owner, "__struct_fields__"):
        return _struct(owner)
    if dataclasses.is_dataclass(owner) and "__init__" not in _written(owner):
        hints = _hints(owner)
        return {one.name: _dataclass(one, hints) for one in dataclasses.fields(owner) if one.init}
    return parameters(owner)


def _written(owner: type) -> set[str]:
    """Return the methods of a dataclass that stand in a file; the others were made for it."""
    codes = {name: getattr(one, "__code__", None) for name, one in vars(owner).items()}
    return {name for name, code in codes.items() if code and Path(code.co_filename).is_file()}


def parameters(function: Any) -> dict[str, LiveField]:
    """Return the named parameters of a function, or of a class's constructor."""
    function = function.__init__ if isinstance(function, type) else function
    hints = _hints(function)
    return {
        name: _parameter(one, hints)
        for name, one in inspect.signature(function).parameters.items()
        if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL) and name not in ("self", "cls")
    }


def _parameter(one: inspect.Parameter, hints: dict[str, Any]) -> LiveField:
    is_required = one.default is one.empty
    return LiveField(hints.get(one.name, Any), UNKNOWN if is_required else one.default, is_required)


def takes_anything(function: Any) -> bool:
    """Tell whether a function, or a constructor, has ``**kwargs``."""
    function = function.__init__ if isinstance(function, type) else function
    return any(one.kind is one.VAR_KEYWORD for one in inspect.signature(function).parameters.values())


def attributes(instance: object) -> dict[str, LiveField]:
    """Return the public attributes that an object has right after it was made."""
    return {name: LiveField(raw=value) for name, value in vars(instance).items() if not name.startswith("_")}


def _hints(owner: Any) -> dict[str, Any]:
    """Return the annotations; `Any` for each that names what only a type checker sees."""
    found: dict[str, Any] = {}
    for holder in reversed(owner.__mro__) if isinstance(owner, type) else [owner]:
        names = vars(sys.modules.get(holder.__module__, typing))
        for name, hint in inspect.get_annotations(holder).items():
            try:
                found[name] = eval(hint, dict(names)) if isinstance(hint, str) else hint  # noqa: S307 - the engine's
            except (NameError, AttributeError, TypeError):
                found[name] = Any
    return found


def _pydantic(owner: type, name: str, info: Any) -> LiveField:
    bounds = {
        BOUNDS[word]: getattr(item, word)
        for item in info.metadata
        for word in BOUNDS
        if getattr(item, word, None) is not None
    }
    hint = _hints(owner).get(name, info.annotation)
    if info.is_required():
        return LiveField(hint, is_required=True, bounds=bounds)
    return LiveField(hint, info.get_default(call_default_factory=True, validated_data={}), bounds=bounds)


def _struct(owner: type) -> dict[str, LiveField]:
    import msgspec

    missing = msgspec.NODEFAULT
    return {
        one.name: LiveField(one.type, _made(one.default, one.default_factory, missing), one.required)
        for one in msgspec.structs.fields(owner)
    }


def _dataclass(one: dataclasses.Field[Any], hints: dict[str, Any]) -> LiveField:
    missing = dataclasses.MISSING
    is_required = one.default is missing and one.default_factory is missing
    return LiveField(hints.get(one.name, Any), _made(one.default, one.default_factory, missing), is_required)


def _made(default: Any, factory: Any, missing: object) -> Any:
    if factory is not missing:
        return factory()
    return UNKNOWN if default is missing else default


def plain(value: Any) -> Any:
    """Return a value as an inventory writes it; `UNKNOWN` where it can't."""
    match value:
        case enum.Enum():
            return plain(value.value)
        case None | bool() | int() | float() | str():
            return value
        case Path():
            return str(value)
        case list() | tuple() | set() | frozenset():
            items = [plain(item) for item in value]
            return UNKNOWN if UNKNOWN in items else items
        case dict():
            held = {str(plain(key)): plain(item) for key, item in value.items()}
            return UNKNOWN if UNKNOWN in held.values() else held
    return UNKNOWN


def is_same(read: Any, raw: Any) -> bool:
    """Tell whether a default that was read is what the engine holds; a made object has what was given."""
    if isinstance(raw, (set, frozenset)):
        return sorted(map(str, read)) == sorted(map(str, plain(raw)))
    if isinstance(read, dict) and not isinstance(raw, dict) and raw is not None:
        return all(hasattr(raw, name) and is_same(value, getattr(raw, name)) for name, value in read.items())
    return bool(read == plain(raw)) and isinstance(read, bool) == isinstance(plain(raw), bool)


def make(owner: Any) -> Any:
    """Call a class without arguments; None where a package that it wants isn't there."""
    try:
        return owner()
    except (ImportError, ValueError):
        return None


def choices(hint: Any) -> set[Any]:
    """Return the members of the literals and enumerations that an annotation names."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {_written_as(member) for member in hint}
    if isinstance(hint, typing.TypeAliasType if hasattr(typing, "TypeAliasType") else ()):
        return choices(hint.__value__)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {_written_as(item) for item in inner if item is not None}
    if origin is typing.Annotated:
        return choices(inner[0])
    if origin in (typing.Union, types.UnionType):
        return {item for one in inner for item in choices(one)}
    return set()


def _written_as(item: Any) -> Any:
    """Return the value of an enumeration's member, its name where no scalar is the value."""
    if not isinstance(item, enum.Enum):
        return item
    return item.value if isinstance(item.value, (str, int, float)) else item.name


def environment(path: str) -> dict[str, Any]:
    """Return the values of a table of environment variables where none is set."""
    table = find(path)
    with mock.patch.dict(os.environ, {"HOME": os.environ["HOME"]}, clear=True):
        return {name: _value(getter) for name, getter in table.items()}


def _value(getter: Any) -> Any:
    try:
        return plain(getter())
    except Exception:
        return UNKNOWN


def settings(module: Any) -> dict[str, Any]:
    """Return the public settings of a configuration module of torch, with their values."""
    hidden = ("_", "TYPE_CHECKING")
    names = (name for name in module._config if not any(part.startswith(hidden) for part in name.split(".")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Some settings are deprecated.
        return {name: _at(module, name) for name in names}


def _at(owner: Any, path: str) -> Any:
    for name in path.split("."):
        owner = getattr(owner, name)
    return owner


def has(module: Any, path: str) -> bool:
    """Tell whether a module, or the object in it, has an attribute."""
    *above, last = path.split(".")
    return hasattr(_at(module, ".".join(above)) if above else module, last)


def takes(module: Any, path: str) -> bool:
    """Tell whether a function of a module has a parameter; compiled ones don't say."""
    name, _, parameter = path.rpartition(".")
    function = getattr(module, name, None)
    try:
        return callable(function) and parameter in inspect.signature(function).parameters
    except ValueError:
        return True


def functions(module: Any, pattern: str) -> set[str]:
    """Return the functions of a module that have such names."""
    return {name for name in dir(module) if re.fullmatch(pattern, name) and callable(getattr(module, name))}


def properties(module: Any) -> set[str]:
    """Return the names that a module's own class lets one assign."""
    owners = [owner for owner in type(module).__mro__ if owner not in (types.ModuleType, object)]
    found = {name: one for owner in owners for name, one in vars(owner).items() if name[0] != "_"}
    descriptors = {name: one for name, one in found.items() if hasattr(type(one), "__set__")}
    return {name for name, one in descriptors.items() if getattr(one, "fset", one) is not None}
