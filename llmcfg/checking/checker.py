"""Ask a JSON Schema validator what is wrong: jsonschema-rs, or jsonschema where that has no wheel.

Both answer in the same terms: the path of the value, and the keyword with its canonical place in
the schema file, so that everything after this module is the same for both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import islice
from typing import Any, NamedTuple

from llmcfg.data import data_text
from llmcfg.diagnostics import Path

Schema = dict[str, Any]
_GROUP = 16
_LONGEST_NUMBER = 4000
_MOST = 200
"""How many broken keywords are looked at: more than anybody reads, and each costs a look at the data."""


class Violation(NamedTuple):
    """A keyword of the schema that a value does not satisfy.

    ``where`` is the place of the keyword in the schema file, after all references are followed.
    """

    path: Path
    keyword: str
    limit: Any
    value: Any
    where: tuple[str | int, ...]
    schema: Schema


def violations(name: str, data: Any) -> list[Violation]:
    """Validate ``data`` by the generated validator ``name`` (``root`` or a backend)."""
    validator = _validator(name)
    if validator.is_valid(data):
        return []
    schema = _schema(name)
    found = []
    for path, where in islice(_errors(validator, schema, data), _MOST):
        holder = _walk(schema, where[:-1])
        keyword = str(where[-1])
        limit = holder.get(keyword) if isinstance(holder, dict) else holder
        found.append(Violation(path, keyword, limit, _walk(data, path), where, holder))
    return found


def properties(name: str, type_name: str) -> dict[str, Schema]:
    """Return the schemas of a type's parameters."""
    found: dict[str, Schema] = _schema(name)["$defs"][type_name]["properties"]
    return found


def choices(name: str, type_name: str, key: str) -> list[str]:
    """Return the texts that a parameter takes, in the order of the schema."""
    enum = properties(name, type_name)[key]["enum"]
    return [choice for choice in enum if isinstance(choice, str)]


def satisfies(schema: Schema, data: Any) -> bool:
    """Tell whether ``data`` satisfies a small schema that is not part of a generated validator."""
    return bool(_small_validator(json.dumps(schema)).is_valid(data))


def broken_conditions(backend: str, name: str, numbers: tuple[int, ...], data: Any) -> list[int]:
    """Return which of a type's conditions, given by their numbers, ``data`` breaks.

    They are judged in groups, and one by one only in a group that fails: asking for errors would
    cost more than that, because each error carries a copy of ``data``.
    """
    if _conditions_validator(backend, name, numbers).is_valid(data):
        return []
    if len(numbers) == 1:
        return list(numbers)
    size = _GROUP if len(numbers) > _GROUP else 1
    groups = (numbers[start : start + size] for start in range(0, len(numbers), size))
    return [number for group in groups for number in broken_conditions(backend, name, group, data)]


@lru_cache(maxsize=4096)
def _conditions_validator(backend: str, name: str, numbers: tuple[int, ...]) -> Any:
    conditions = _loaded(f"conditions/{backend}.json")[name]
    return _make({"allOf": [conditions[str(number)] for number in numbers]})


@cache
def _small_validator(text: str) -> Any:
    return _make(text)


def _schema(name: str) -> Schema:
    return _loaded(f"validator/{name}.json")


@cache
def _loaded(file: str) -> Schema:
    loaded: Schema = json.loads(data_text(file))
    return loaded


@cache
def _validator(name: str) -> Any:
    return _make(data_text(f"validator/{name}.json"))


def _make(schema: Schema | str) -> Any:
    try:
        import jsonschema_rs
    except ImportError:
        from jsonschema import Draft202012Validator

        text = schema if isinstance(schema, str) else json.dumps(schema)
        return Draft202012Validator(json.loads(text, object_hook=_strict_pattern))
    return jsonschema_rs.validator_for(schema)


def _strict_pattern(schema: Schema) -> Schema:
    """Let ``$`` match at the end only, as in ECMAScript: Python's own also matches before a last newline."""
    import re

    if isinstance(pattern := schema.get("pattern"), str):
        schema["pattern"] = re.sub(r"(?<!\\)\$", r"\\Z", pattern)
    return schema


def _errors(validator: Any, schema: Schema, data: Any) -> Iterator[tuple[Path, tuple[str | int, ...]]]:
    for error in validator.iter_errors(data):
        if hasattr(error, "instance_path"):
            yield _located(data, tuple(error.instance_path), error.instance), tuple(error.schema_path)
        else:
            yield tuple(error.absolute_path), _canonical(error.absolute_schema_path, schema)


def _located(data: Any, parts: Path, value: Any) -> Path:
    """Mend the paths of jsonschema-rs: it drops the key "", and turns "012" and "+12" into the number 12."""
    paths = _paths(data, parts)
    plainest = next(paths)
    if _walk(data, plainest) == value:
        return plainest
    return next((path for path in paths if _walk(data, path) == value), plainest)


def _paths(data: Any, parts: Path) -> Iterator[Path]:
    """Yield the paths that jsonschema-rs may mean, the plainest first."""
    if not parts:
        yield ()
    else:
        for key in _keys(data, parts[0]):
            for path in _paths(data[key], parts[1:]):
                yield (key, *path)
    if isinstance(data, dict) and "" in data:
        for path in _paths(data[""], parts):
            yield ("", *path)


def _keys(data: Any, part: str | int) -> Iterator[str | int]:
    if isinstance(data, list):
        if isinstance(part, int) and part < len(data):
            yield part
    elif isinstance(data, dict):
        plainest = str(part)
        if plainest in data:
            yield plainest
        if isinstance(part, int):
            yield from (key for key in data if key != plainest and _is_number(key, part))


def _is_number(key: str, number: int) -> bool:
    digits = key.removeprefix("+")
    return digits.isascii() and digits.isdigit() and len(digits) < _LONGEST_NUMBER and int(digits) == number


def _canonical(parts: Iterable[str | int], schema: Schema) -> tuple[str | int, ...]:
    """Turn jsonschema's path, which does not name the references it runs through, into the canonical one."""
    place: tuple[str | int, ...] = ()
    for part in parts:
        holder = _walk(schema, place)
        if isinstance(holder, dict) and part not in holder and "$ref" in holder:
            place = tuple(holder["$ref"].removeprefix("#/").split("/"))
        place = (*place, part)
    return place


def _walk(data: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        data = data[part]
    return data
