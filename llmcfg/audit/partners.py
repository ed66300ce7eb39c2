"""What must stand beside a value: what its parents require, its named partners, and what rules demand."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from llmcfg.audit.parameters import Json, Parameter, Place, samples
from llmcfg.audit.solver import ABSENT, PRESENT, Path, Setting, settings
from llmcfg.catalog import bundle, rule_texts
from llmcfg.checking.checker import satisfies
from llmcfg.data import data_text
from llmcfg.diagnostics import ERROR, WARNING, Diagnostic
from llmcfg.document import Document
from llmcfg.lower import lower
from llmcfg.pipeline import Request, run
from llmcfg.resolve.needs import requirements

_TRIED = 60
_ROUNDS = 4
_BEAM = 6
_RULE = "L201"


class Config(NamedTuple):
    """A config, and what llmcfg has to say about it where no device is named."""

    document: Json
    found: tuple[Diagnostic, ...]

    @property
    def cost(self) -> tuple[int, int]:
        """What is wrong with it: errors, and warnings."""
        errors, warnings = (sum(item.severity == kind for item in self.found) for kind in (ERROR, WARNING))
        return errors, warnings

    def order(self, backend: str) -> tuple[int, int, int, int]:
        """Return what sorts configs: of two that are as good, one that needs less, and the shorter one."""
        needs = sum(1 for _ in requirements(backend, self.document))
        return (*self.cost, needs, len(json.dumps(self.document)))


def config_for(parameter: Parameter, value: Any, version: str) -> Config:
    """Return the smallest config with a value of which llmcfg has least to say."""
    alone, helped = (
        checked(parameter.backend, parameter.document(value, partners), version) for partners in (False, True)
    )
    first = alone if alone.cost < helped.cost else helped
    return _searched(parameter, first, version) if any(first.cost) else first


def _searched(parameter: Parameter, first: Config, version: str) -> Config:
    """Mend one rule after the other; to mend one may break others for a while."""
    found, beam = [first], [first]
    for _ in range(_ROUNDS):
        mended = (config for broken in beam for config in _mended(parameter, broken, version))
        each = {json.dumps(config.document, sort_keys=True): config for config in mended}
        beam = sorted(each.values(), key=lambda item: item.order(parameter.backend))[:_BEAM]
        found += beam
        if not beam or not any(beam[0].cost):
            break
    return min(found, key=lambda item: item.cost)


def checked(backend: str, document: Json, version: str) -> Config:
    """Return a config with what llmcfg says of it."""
    result = run(Document(document), Request(backend, version=version))
    return Config(document, tuple(result.diagnostics))


def _mended(parameter: Parameter, broken: Config, version: str) -> Iterator[Config]:
    """Yield configs that keep a rule which ``broken`` breaks; the parameter keeps its value."""
    own = (parameter.backend, *parameter.path)
    for rule in _broken_rules(parameter.backend, broken):
        pool = _Pool(rule)
        for setting in itertools.islice(_ways(rule, pool), _TRIED):
            document = copy.deepcopy(broken.document)
            if _apply(document, rule.path, pool.filled(setting), own):
                yield checked(parameter.backend, document, version)


class _Rule(NamedTuple):
    """A rule that is a condition, and the place of an object of its type."""

    type: str
    schema: Json | bool
    path: Place


def _broken_rules(backend: str, config: Config) -> Iterator[_Rule]:
    """Yield the broken rules that are conditions, with the objects that break them."""
    named = {item.rule for item in config.found if item.code == _RULE}
    for name, data, path in lower(backend, config.document[backend], None).ruled if named else ():
        for number, texts in enumerate(rule_texts(backend)[name]):
            schema = _conditions(backend).get(name, {}).get(str(number)) if texts["id"] in named else None
            if schema is not None and not _holds(schema, data):
                yield _Rule(name, schema, path)


def _holds(schema: Json | bool, data: Any) -> bool:
    return schema if isinstance(schema, bool) else satisfies(schema, data)


@cache
def _conditions(backend: str) -> dict[str, dict[str, Json | bool]]:
    loaded: dict[str, dict[str, Json | bool]] = json.loads(data_text(f"conditions/{backend}.json"))
    return loaded


def _ways(rule: _Rule, pool: _Pool) -> Iterator[Setting]:
    if not isinstance(rule.schema, dict) or "then" not in rule.schema:
        return settings(rule.schema, True, pool)
    kept = settings(rule.schema["then"], True, pool)
    return itertools.chain(itertools.islice(kept, _TRIED // 2), settings(rule.schema["if"], False, pool))


def _apply(document: Json, path: Place, setting: Setting, own: Place) -> bool:
    """Write a setting into the object at ``path``; nothing is taken out, and the value itself stays."""
    for steps, value in setting.items():
        where = (*path, *steps)
        if value is ABSENT or where == own[: len(where)] or own == where[: len(own)]:
            return False
        holder: Any = document
        for step in where[:-1]:
            holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]
            if not isinstance(holder, (dict, list)):
                return False
        holder[where[-1]] = copy.deepcopy(value)
    return True


class _Pool:
    """What may be written at the places that a rule speaks of."""

    def __init__(self, rule: _Rule) -> None:
        self.rule = rule

    def keys(self, path: Path) -> list[str]:
        """Return the keys of the object at a path."""
        owners = (bundle()["$defs"][owner]["properties"] for owner in self._owners(path))
        return [key for properties in owners for key in properties if key != "extra"]

    def values(self, path: Path) -> list[Any]:
        """Return what the schema offers for a path, then what the rule itself names."""
        found = [value for schema in self._schemas(path) for value in samples(schema) if value is not None]
        return [*found, *_named(self.rule.schema, path)]

    def filled(self, setting: Setting) -> Setting:
        """Choose a value where any will do."""
        return {
            path: next(iter(self.values(path)), None) if value is PRESENT else value
            for path, value in setting.items()
        }

    def _schemas(self, path: Path) -> list[Json]:
        properties = (bundle()["$defs"][owner]["properties"] for owner in self._owners(path[:-1]))
        return [found[path[-1]] for found in properties if path[-1] in found] if path else []

    def _owners(self, path: Path) -> list[str]:
        owners = [self.rule.type]
        for key in path:
            schemas = [bundle()["$defs"][owner]["properties"].get(key, {}) for owner in owners]
            owners = [name for schema in schemas for name in _types(schema)]
        return owners


def _types(schema: Json) -> list[str]:
    targets = [item.get("then", item) for item in schema.get("allOf", ())]
    return [item["$ref"].removeprefix("#/$defs/") for item in targets if "$ref" in item]


def _named(schema: Any, path: Path) -> Iterator[Any]:
    """Yield the values that a condition names for a path, and the numbers at its bounds."""
    if not isinstance(schema, dict):
        return
    if path:
        yield from _named(schema.get("properties", {}).get(path[0]), path[1:])
    else:
        yield from (schema[key] for key in ("const", "minimum", "maximum") if key in schema)
        yield from (schema["exclusiveMinimum"] + 1,) if "exclusiveMinimum" in schema else ()
        yield from schema.get("enum", ())
    for key in ("if", "then", "not"):
        yield from _named(schema.get(key), path)
    for inner in itertools.chain(*(schema.get(key, ()) for key in ("allOf", "anyOf", "oneOf"))):
        yield from _named(inner, path)
