"""The plan of an audit, drawn from the schema alone: every value worth trying of every parameter."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from llmcfg.audit.parameters import MODEL, Json, Parameter, everywhere, put
from llmcfg.audit.partners import Config, checked, config_for
from llmcfg.audit.trial import Trial, trial_id
from llmcfg.audit.values import DEFAULT, FORBIDDEN, VALUE, Value, values
from llmcfg.catalog import bundle
from llmcfg.lower import ENV
from llmcfg.resolve import kinds
from llmcfg.resolve.needs import of_model

BASELINE = "baseline"
NO_SUCH_KEY = "llmcfg_no_such_key"
_CLOSED = {"L401", "L402"}


def plan(backend: str, version: str, only: str = "*") -> list[Trial]:
    """Return the trials of a release, in the order of the schema; ``only`` is a pattern of their names.

    A pattern matches the parameter (with or without the choices among types on the way to it) or the
    trial. The baselines of the kinds of models come first, and are always there.
    """
    return [*(_baseline(backend, kind) for kind in kinds.kinds()), *_trials(backend, version, only)]


@cache
def _trials(backend: str, version: str, only: str) -> tuple[Trial, ...]:
    known = (_of_parameter(parameter, version, only) for parameter in everywhere(backend))
    unknown = (trial for trial in _unknown_keys(backend) if fnmatchcase(trial.id, only))
    return (*itertools.chain(*known), *unknown)


def _of_parameter(parameter: Parameter, version: str, only: str) -> Iterator[Trial]:
    template: Json | None = None
    for item in values(parameter.schema):
        names = (parameter.key, parameter.name, trial_id(parameter.key, item.value))
        if not any(fnmatchcase(name, only) for name in names):
            continue
        if item.role != FORBIDDEN:
            config = config_for(parameter, item.value, version)
        else:
            template = template or config_for(parameter, _allowed(parameter), version).document
            config = _forbidden(parameter, item.value, template, version)
        if not any(found.code in _CLOSED for found in config.found):
            yield _trial(parameter, item, config)


def _forbidden(parameter: Parameter, value: Any, template: Json, version: str) -> Config:
    """Return the config of a value that may be written, with one in its place that may not."""
    document = copy.deepcopy(template)
    put(document, (parameter.backend, *parameter.path), value)
    return checked(parameter.backend, document, version)


def _allowed(parameter: Parameter) -> Any:
    """Return a value that the parameter may have, if there is one not its default."""
    allowed = sorted(values(parameter.schema), key=lambda item: (VALUE, DEFAULT, FORBIDDEN).index(item.role))
    return next(item.value for item in allowed if item.value is not None)


def _trial(parameter: Parameter, item: Value, config: Config) -> Trial:
    wanted = of_model(parameter.backend, config.document)
    return Trial(
        trial_id(parameter.key, item.value),
        parameter.backend,
        parameter.key,
        item.value,
        item.role,
        config.document,
        _without(config.document, (parameter.backend, *parameter.path)),
        _kinds(parameter, item.value) or kinds.fulfilling(wanted),
        kinds.missing(wanted),
        _is_open(parameter.schema, item),
        (parameter.schema["default"],) if "default" in parameter.schema else (),
        bool(_checkpoints(parameter, item.value)),
        _is_of_hardware(parameter.schema),
    )


def _is_of_hardware(schema: Json) -> bool:
    """Tell whether what a parameter or a value of it needs is a certain architecture."""
    return any(map(_names_architecture, (schema, *schema.get("x-values", {}).values())))


def _names_architecture(facts: Json) -> bool:
    requires = facts.get("x-requires", [])
    alternatives = requires if isinstance(requires, list) else [requires]
    return any(isinstance(item, str) or "arch" in item for item in alternatives)


def _kinds(parameter: Parameter, value: Any) -> tuple[str, ...]:
    """Return the kinds of checkpoints that a value names, or a choice among types on the way to it."""
    chosen = (kinds.for_value("method", name) for _, name in reversed(parameter.tags))
    return _checkpoints(parameter, value) or next(filter(None, chosen), ())


def _checkpoints(parameter: Parameter, value: Any) -> tuple[str, ...]:
    """Return the kinds of checkpoints that a value of a section's own parameter names."""
    is_own = len(parameter.path) == 2
    return kinds.for_value(parameter.path[-1], value) if is_own else ()


def _is_open(schema: Json, item: Value) -> bool:
    """Tell whether the engine is left to decide: null, ``auto``, or a default that stands for more."""
    stands_for_more = "x-resolves" in schema and type(item.value) is not bool
    is_default = stands_for_more and item.role == DEFAULT
    return item.value is None or item.value == "auto" or is_default or (stands_for_more and item.value == -1)


def _without(document: Json, path: tuple[Any, ...]) -> Json:
    """Return the config without what is at a path; an object that is empty then goes as well."""
    document = copy.deepcopy(document)
    for length in range(len(path), 1, -1):
        holder: Any = document
        for step in path[: length - 1]:
            holder = holder[step]
        if length == len(path) or not holder[path[length - 1]]:
            del holder[path[length - 1]]
    document.setdefault(path[0], {})
    return document


def _baseline(backend: str, kind: str) -> Trial:
    document: Json = {"model": MODEL, backend: {}}
    return Trial(f"{backend}:{kind}", backend, "", None, BASELINE, document, document, (kind,))


def _unknown_keys(backend: str) -> Iterator[Trial]:
    """Yield a key that no engine has, for every section that becomes a native object of its own."""
    for first in _first_of_each_section(backend):
        place = (*first.path[:-1], "extra", NO_SUCH_KEY)
        document: Json = {"model": MODEL, backend: {}}
        for path, value in (*first.beside, (place, 1)):
            put(document, (backend, *path), value)
        name = ".".join((backend, *map(str, place)))
        before = _without(document, (backend, *place))
        yield Trial(trial_id(name, 1), backend, name, 1, FORBIDDEN, document, before, (kinds.DENSE,))


def _first_of_each_section(backend: str) -> list[Parameter]:
    """Return the first parameter of each section but that of environment variables."""
    inside: dict[Any, Parameter] = {}
    for parameter in everywhere(backend):
        native = bundle()["$defs"][parameter.owner].get("x-native")
        is_variable = isinstance(native, dict) and native.get("object") == ENV
        if len(parameter.path) == 2 and not is_variable:
            inside.setdefault(parameter.path[0], parameter)
    return list(inside.values())
