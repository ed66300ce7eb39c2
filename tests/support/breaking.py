"""Break a cross-parameter rule, and mend it: documents derived from the rule's own words.

``example(rule)`` gives, for a ``Rule`` of ``tests.support.rule_judge`` (any backend; ``rules_of(backend)``
lists them), an ``Example``: a smallest document that breaks the rule, and a nearest one that does not,
which differs from it in as few keys as possible. Both are whole configs: ``check(example.violating,
backend=rule.backend, version=example.version)`` runs llmcfg on them, and ``lowered(document, backend)``
gives the native objects even of the one that llmcfg refuses, for a replay against the engine.

Values come from the rule's conditions, then from the parameters' schemas (enum, examples, bounds);
``x-audit.with`` and required keys of nested types are filled in. No other rule of severity error is
broken by either document where that can be avoided, and the mended one is free of errors.

Where no example can be derived, or the derived one is not what the engine can be asked about, a pair of
sections stands in ``tests/data/replay/<backend>.json``: ``{"examples": {"<rule id>": {"violating":
{<section>}, "mended": {<section>}}}}``.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path as File
from typing import Any, NamedTuple

import jsonschema

from llmcfg.audit.solver import ABSENT, PRESENT, Json, Path, Setting, join, product, settings
from llmcfg.catalog import backends, bundle
from llmcfg.checking.versions import in_range
from llmcfg.diagnostics import ERROR
from llmcfg.lower import Lowered, lower
from tests.support.parameters import MODEL, Step, check, first_sample, parameters, partners_of, put, samples
from tests.support.pattern_text import matching
from tests.support.rule_judge import Rule, holds, is_broken, rules_of

_REPLAY = File(__file__).resolve().parents[1] / "data" / "replay"
_CANDIDATES = 600
_TRIED = 150
_HELPED = 40
_SCALARS = (0, 1, 2, 3, 4, 5, 7, 8, 16, 64, 0.5, 0.1, "a", True, False)


class Example(NamedTuple):
    """A document that breaks a rule, and the nearest that does not; ``path`` leads to the judged object."""

    rule: Rule
    path: tuple[Step, ...]
    violating: Json
    mended: Json
    version: str


def example(rule: Rule) -> Example | None:
    """Return the rule's example; None where none could be derived."""
    return written_example(rule) or derived_example(rule)


def lowered(document: Json, backend: str) -> Lowered:
    """Lower a document without asking whether anything is wrong with it."""
    return lower(backend, copy.deepcopy(document[backend]), document.get("model"))


@cache
def hints(backend: str) -> Json:
    """Return what is written by hand about the replay of a backend's rules."""
    file = _REPLAY / f"{backend}.json"
    loaded: Json = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return loaded


def written_example(rule: Rule) -> Example | None:
    """Return the example that is written by hand."""
    pair = hints(rule.backend).get("examples", {}).get(rule.id)
    if pair is None:
        return None
    violating, mended = ({"model": MODEL, rule.backend: pair[part]} for part in ("violating", "mended"))
    return Example(rule, place_of(rule).path, violating, mended, release_of(rule))


@cache
def derived_example(rule: Rule) -> Example | None:
    """Return the example that follows from the rule's own words."""
    found = _searched(rule, ())
    for beside in _partners_against_other_rules(found) if found else ():
        other = _searched(rule, beside)
        if other is not None and not _errors(other, other.mended):
            return other
    return found


def _searched(rule: Rule, beside: tuple[tuple[tuple[Step, ...], Any], ...]) -> Example | None:
    search = _Search(rule, beside)
    for proposal in search.violating():
        document = search.document(proposal)
        mended = search.mended(proposal, document)
        if mended is not None:
            return Example(rule, search.place.path, document, mended, search.version)
    return None


def _errors(found: Example, document: Json) -> list[str]:
    result = check(document, backend=found.rule.backend, version=found.version)
    return [str(item.rule) for item in result.diagnostics if item.severity == ERROR]


def _partners_against_other_rules(found: Example) -> Iterator[tuple[tuple[tuple[Step, ...], Any], ...]]:
    """Yield settings that keep other rules, which the mended document still breaks."""
    broken = _errors(found, found.mended)
    for other in rules_of(found.rule.backend):
        if other.id in broken and "then" in other.facts:
            search = _Search(other)
            for setting in itertools.islice(settings(other.facts["then"], True, search), _HELPED):
                values = {path: value for path, value in setting.items() if value is not ABSENT}
                if PRESENT not in values.values():
                    yield tuple(((*search.place.path, *path), value) for path, value in values.items())


def release_of(rule: Rule) -> str:
    """Return the newest audited release for which the rule holds."""
    facts = rule.facts
    for version in reversed(backends()[rule.backend]["versions"]):
        if in_range(version, facts.get("x-since"), facts.get("x-until")):
            return str(version)
    raise AssertionError(f"no audited release knows {rule.id}")


class Place(NamedTuple):
    """Where an object of a type can stand, and what must stand around it."""

    path: tuple[Step, ...]
    beside: tuple[tuple[tuple[Step, ...], Any], ...]
    partners: tuple[tuple[tuple[Step, ...], Any], ...]


def place_of(rule: Rule) -> Place:
    """Return the first place where objects of the rule's type can stand."""
    for parameter in parameters(rule.backend):
        if parameter.owner == rule.type:
            path = parameter.path[:-1]
            around = [item for item in parameter.beside if item[0][: len(path)] != path or "." in rule.type]
            tags = [item for item in parameter.beside if item not in around]
            own = partners_of(parameter.schema, path)
            partners = [item for item in parameter.partners if item not in own]
            return Place(path, (*around, *tags), tuple(partners))
    raise AssertionError(f"{rule.type} is nowhere")


class Proposal(NamedTuple):
    """A setting to try; ``helped`` by the partners that the schema names for its parameters."""

    setting: Setting
    helped: bool


class _Search:
    def __init__(self, rule: Rule, beside: tuple[tuple[tuple[Step, ...], Any], ...] = ()) -> None:
        self.rule = rule
        self.place = place_of(rule)
        self.place = self.place._replace(beside=(*self.place.beside, *beside))
        self.version = release_of(rule)
        self.constants = _constants(rule.facts)
        self.pools: dict[Path, list[Any]] = {}

    def violating(self) -> list[Proposal]:
        """Return settings that break the rule, the best first."""
        return self._best(sorted(itertools.islice(self._proposals(), _CANDIDATES), key=len))

    def mended(self, proposal: Proposal, document: Json) -> Json | None:
        """Return the nearest document that does not break the rule, and is free of errors."""
        cures = itertools.chain(*(itertools.islice(part, _CANDIDATES // 3) for part in self._cures(proposal)))
        changed = [_overridden(proposal.setting, cure) for cure in cures]
        best = self._best(changed, document)
        return self.document(best[0]) if best else self._without_object(document)

    def _without_object(self, document: Json) -> Json | None:
        """Return the config without the object: what mends a rule that every object breaks."""
        mended = {**document, self.rule.backend: {}}
        return mended if self._cost(mended, False, document, {}) is not None else None

    def _proposals(self) -> Iterator[Setting]:
        facts = self.rule.facts
        condition = facts.get("if", True)
        parts = [lambda: settings(condition, True, self)]
        if "then" in facts:
            yield from product(*parts, lambda: settings(facts["then"], False, self))
        else:
            yield from product(*parts, lambda: self._compared(facts["compare"], False))

    def _cures(self, proposal: Proposal) -> Iterator[Iterator[Setting]]:
        """Yield ways to mend: keep what was asked for, change one key, give up what was asked for."""
        facts = self.rule.facts
        yield (
            settings(facts["then"], True, self) if "then" in facts else self._compared(facts["compare"], True)
        )
        yield self._shifts({**dict.fromkeys(self.constants), **proposal.setting})
        yield settings(facts.get("if", True), False, self)

    def _shifts(self, mentioned: Setting) -> Iterator[Setting]:
        for path in mentioned:
            yield {path: ABSENT}
            yield from ({path: value} for value in self.values(path)[:20])

    def _compared(self, compare: Json, wanted: bool) -> Iterator[Setting]:
        sides = [self._side(compare[side]) for side in ("left", "right")]
        for left, right in itertools.product(*sides):
            joined = join(left, right)
            if joined is not None and _holds(compare, joined) is wanted:
                yield joined

    def _side(self, operand: Any) -> list[Setting]:
        if not isinstance(operand, str):
            return [{}]
        path = tuple(operand.split("."))
        return [{path: value} for value in self.values(path) if value is not None]

    def _best(self, candidates: list[Setting], other: Json | None = None) -> list[Proposal]:
        """Return the candidates that break the rule, or do not where there is an ``other`` that does."""
        broken = other is None
        found: dict[str, tuple[Any, Proposal]] = {}
        tried = set()
        for number, pair in enumerate(itertools.product(candidates, (True, False))):
            document = self.document(Proposal(*pair))
            text = json.dumps(document, sort_keys=True)
            if text in tried or is_broken(self.rule, self._object(document)) is not broken:
                continue
            tried.add(text)
            cost = self._cost(document, broken, other, pair[0])
            if cost is not None:
                found[text] = ((*cost, number), Proposal(*pair))
            if len(tried) > _TRIED:
                break
        return [proposal for _, proposal in sorted(found.values(), key=lambda item: item[0])]

    def _cost(
        self, document: Json, broken: bool, other: Json | None, setting: Setting
    ) -> tuple[int, ...] | None:
        """Count what is wrong beside the rule itself; None where the document is of no use."""
        result = check(document, backend=self.rule.backend, version=self.version)
        own = [item for item in result.diagnostics if item.rule == self.rule.id]
        others = [item for item in result.diagnostics if item not in own and item.code[:2] != "L7"]
        errors = [item for item in others if item.severity == ERROR]
        if bool(own) is not broken or any(item.code != "L201" for item in errors):
            return None
        distance = _distance(document, other) if other is not None else len(setting)
        return len(errors), distance, len(others)

    def document(self, proposal: Proposal) -> Json:
        """Write a setting into a whole config, with what its parts require."""
        data: Json = {"model": MODEL, self.rule.backend: {}}
        around = (*self.place.beside, *self.place.partners) if proposal.helped else self.place.beside
        for path, value in around:
            put(data, (self.rule.backend, *path), value)
        holder = _holder(data, (self.rule.backend, *self.place.path))
        setting = proposal.setting
        for path, value in self._partners(setting) if proposal.helped else ():
            put(data, (self.rule.backend, *path), value)
        for path, value in sorted(setting.items(), key=lambda item: (item[1] is ABSENT, len(item[0]))):
            self._write(holder, path, value, {} if _has_inner(setting, path) else None)
        _complete(holder, self.rule.type)
        return data

    def _partners(self, setting: Setting) -> Iterator[tuple[tuple[Step, ...], Any]]:
        for path, value in setting.items():
            if value is not ABSENT:
                for schema in self._schemas(path):
                    yield from partners_of(schema, (*self.place.path, *path[:-1]))

    def _write(self, holder: Json, path: Path, value: Any, empty: Any) -> None:
        if value is ABSENT:
            _remove(holder, path)
        elif value is PRESENT and empty is not None:
            put(holder, path, {**present} if isinstance(present := _at(holder, path), dict) else empty)
        elif value is PRESENT:
            put(holder, path, next((item for item in self.values(path) if item is not None), None))
        else:
            put(holder, path, value)

    def _object(self, document: Json) -> Json:
        return _holder(document, (self.rule.backend, *self.place.path))

    def keys(self, path: Path) -> list[str]:
        """Return the keys of the object at a path."""
        owners = (
            [name for schema in self._schemas(path) for name in _inner(schema)] if path else [self.rule.type]
        )
        return [key for owner in owners for key in bundle()["$defs"][owner]["properties"] if key != "extra"]

    def values(self, path: Path) -> list[Any]:
        """Return the values that may stand at a path, those that the rule names first."""
        if path not in self.pools:
            self.pools[path] = list(self._values(path))
        return self.pools[path]

    def _values(self, path: Path) -> Iterator[Any]:
        schemas = self._schemas(path)
        seen = set()
        named = self.constants.get(path, [])
        if not schemas:
            yield from (*named, *self._of_other_side(path), *_SCALARS)
            return
        for value in (*named, *itertools.chain(*map(_of_schema, schemas)), *_around(self.rule.facts)):
            mark = json.dumps(value, sort_keys=True)
            if mark not in seen and any(_allows(schema, value) for schema in schemas):
                seen.add(mark)
                yield value

    def _of_other_side(self, path: Path) -> list[Any]:
        """Return what may stand on the other side of the comparison, for a key that no schema knows."""
        sides = [self.rule.facts.get("compare", {}).get(side) for side in ("left", "right")]
        others = [tuple(side.split(".")) for side in sides if isinstance(side, str)]
        return [value for other in others if other != path for value in self.values(other)]

    def _schemas(self, path: Path) -> list[Json]:
        owners = [self.rule.type]
        found: list[Json] = []
        for key in path:
            found = [
                bundle()["$defs"][owner]["properties"][key]
                for owner in owners
                if key in bundle()["$defs"][owner]["properties"]
            ] or [item for schema in found if isinstance(item := schema.get("additionalProperties"), dict)]
            owners = [name for schema in found for name in _inner(schema)]
        return found


def _inner(schema: Json) -> list[str]:
    targets = [item.get("then", item) for item in schema.get("allOf", ())]
    return [item["$ref"].removeprefix("#/$defs/") for item in targets if "$ref" in item]


@cache
def _shape(text: str) -> Any:
    return jsonschema.Draft202012Validator(json.loads(text))


def _allows(schema: Json, value: Any) -> bool:
    own = {key: item for key, item in schema.items() if key != "allOf" and not key.startswith("x-")}
    for key in ("items", "additionalProperties"):
        if isinstance(own.get(key), dict) and "allOf" in own[key]:
            own[key] = True
    return bool(_shape(json.dumps(own)).is_valid(value))


def _of_schema(schema: Json) -> Iterator[Any]:
    """Yield what a user might write: samples, the default and its neighbours, the edges of the range."""
    values = [*samples(schema), *_with_one_key(schema)]
    yield from values
    if "default" in schema:
        yield schema["default"]
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    edges = [
        schema[key] for key in ("minimum", "maximum", "default") if isinstance(schema.get(key), (int, float))
    ]
    for value in (*numbers, *edges):
        yield from (value, value + 1, value - 1, value * 2, value / 2)
    yield from _SCALARS
    yield from ([], {})
    items = schema.get("items")
    if isinstance(items, dict) and "allOf" not in items:
        inner = [*samples({"type": "string", **items}), *_SCALARS]
        yield from ([value] for value in inner)
        yield from ([one, other] for one, other in itertools.permutations([*inner[:6], "a"], 2))


def _with_one_key(schema: Json) -> Iterator[Json]:
    for name in _inner(schema):
        for key, inner in bundle()["$defs"][name]["properties"].items():
            if key != "extra" and not _inner(inner):
                yield {key: first_sample(inner)}


def _constants(facts: Json) -> dict[Path, list[Any]]:
    """Return the values that a rule's own conditions name, by path."""
    found: dict[Path, list[Any]] = {}
    for part in ("if", "then"):
        for path, value in _named(facts.get(part, True), ()):
            found.setdefault(path, []).append(value)
    for values in found.values():
        lists = [value[0] for value in values if isinstance(value, list) and len(value) == 1]
        values += [list(pair) for pair in itertools.permutations(lists, 2)]
    return found


def _named(schema: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if not isinstance(schema, dict):
        return
    for value in _of_keywords(schema):
        yield path, value
    for key, inner in schema.get("properties", {}).items():
        yield from _named(inner, (*path, key))
    for inner in itertools.chain(*(schema.get(key, ()) for key in ("allOf", "anyOf", "oneOf"))):
        yield from _named(inner, path)
    yield from _named(schema.get("not"), path)
    for key in ("contains", "items"):
        for where, value in _named(schema.get(key), path):
            yield from ((where, item) for item in ([value], [value, value]) if where == path)


def _of_keywords(schema: Json) -> Iterator[Any]:
    if "const" in schema:
        yield schema["const"]
    yield from schema.get("enum", ())
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
        if key in schema:
            yield from (schema[key], schema[key] + 1, schema[key] - 1, schema[key] + 0.5, schema[key] / 2)
    if "pattern" in schema:
        text = matching(schema["pattern"])
        yield from (text, f"a{text}", f"{text}a") if text is not None else ()


def _around(facts: Json) -> Iterator[Any]:
    """Yield the constants of a comparison and their neighbours."""
    for side in ("left", "right"):
        value = facts.get("compare", {}).get(side)
        if isinstance(value, (int, float)):
            yield from (value, value + 1, value - 1, value * 2)


def _holds(compare: Json, setting: Setting) -> bool:
    left, right = (
        setting.get(tuple(side.split("."))) if isinstance(side, str) else side
        for side in (compare["left"], compare["right"])
    )
    if any(isinstance(value, (bool, dict, list)) for value in (left, right)):
        return True
    if isinstance(left, str) != isinstance(right, str):
        return True
    return holds(left, compare["is"], right)


def _overridden(setting: Setting, cure: Setting) -> Setting:
    """Return the setting with a cure's values in place of its own."""
    kept = {
        path: value
        for path, value in setting.items()
        if not any(path[: len(other)] == other or other[: len(path)] == path for other in cure)
    }
    return {**kept, **{path: _kept(setting, path, value) for path, value in cure.items()}}


def _kept(setting: Setting, path: Path, value: Any) -> Any:
    return setting.get(path, value) if value is PRESENT and setting.get(path) is not ABSENT else value


def _holder(data: Any, path: tuple[Step, ...]) -> Json:
    for step, following in itertools.zip_longest(path, path[1:]):
        fresh: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not data:
                data.append(fresh)
            data = data[0]
        else:
            data = data.setdefault(step, fresh)
    holder: Json = data
    return holder


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return data


def _has_inner(setting: Setting, path: Path) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in setting)


def _remove(data: Any, path: Path) -> None:
    for step in path[:-1]:
        data = data.get(step) if isinstance(data, dict) else None
    if isinstance(data, dict):
        data.pop(path[-1], None)


def _complete(data: Json, owner: str) -> None:
    """Add what nested types require: their required keys, and the key that chooses among variants."""
    kind = bundle()["$defs"][owner]
    for key in kind.get("required", ()):
        data.setdefault(key, first_sample(kind["properties"][key]))
    for key, value in data.items():
        schema = kind["properties"].get(key, {})
        if isinstance(value, dict) and _inner(schema):
            _complete(value, _variant(schema, value))


def _variant(schema: Json, data: Json) -> str:
    """Return the type that an object follows; one without a tag gets that of the first type that it fits."""
    fitting = []
    for item in schema["allOf"]:
        (name,) = _inner({"allOf": [item]})
        tag = next(iter(item.get("if", {}).get("properties", {}).items()), None)
        if tag is None or data.get(tag[0]) in tag[1]["enum"]:
            return name
        if tag[0] not in data and data.keys() <= bundle()["$defs"][name]["properties"].keys():
            fitting.append((name, tag[0], tag[1]["enum"][0]))
    name, key, value = fitting[0]
    data[key] = value
    return name


def _distance(one: Any, other: Any) -> int:
    """Count the keys in which two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        missing = object()
        keys = {**one, **other}
        return sum(_distance(one.get(key, missing), other.get(key, missing)) for key in keys)
    return 0 if _equal(one, other) else 1


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
