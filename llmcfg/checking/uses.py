"""Parameters and values that the user wrote and that come with conditions: versions and hardware."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple

from llmcfg.catalog import Facts, backend_catalog
from llmcfg.checking.checker import choices
from llmcfg.checking.hardware import check_requirements, usable
from llmcfg.checking.security import check_security
from llmcfg.checking.versions import check_facts
from llmcfg.diagnostics import Diagnostic, Path
from llmcfg.gpus import Gpu
from llmcfg.printable import shown


class Use(NamedTuple):
    """A parameter of an object at ``path``; the object's type itself where ``key`` is None."""

    type: str
    key: str | None
    path: Path
    value: Any


def check_uses(backend: str, uses: Iterable[Use], gpu: Gpu | None, version: str) -> Iterator[Diagnostic]:
    """Yield what is wrong with the uses on this GPU and in this release of the backend."""
    for name, key, path, value in uses:
        what = str(path[-1]) if key is None else key
        for found in _judged(backend, name, key, what, as_named(value), gpu, version):
            where = path if key is None else (*path, key)
            yield found._replace(path=where)


def as_named(value: Any) -> str:
    """Write a value as the schema names it: 4.0 is the integer 4."""
    kind = type(value)
    if kind is float and value.is_integer():
        return shown(int(value))
    return value if kind is str else _TRUTH[value] if kind is bool else shown(value)


@lru_cache(maxsize=8192)
def _judged(
    backend: str, name: str, key: str | None, what: str, text: str, gpu: Gpu | None, version: str
) -> tuple[Diagnostic, ...]:
    """Judge one value of one parameter; sweeps ask the same again and again."""
    entry = backend_catalog(backend)["types"][name]
    facts: Facts = entry["when"] if key is None else entry["parameters"][key]["when"]
    found = list(check_facts(backend, version, facts, what, ()))
    found += check_security(facts, what, text)
    if gpu is not None and "requires" in facts and (key is None or text not in OFF):
        found += check_requirements(facts["requires"], what, (), gpu)
    values = facts.get("values", {})
    about = values.get(text)
    if key is not None and about is not None:
        what = f"{what}: {text}"
        found += [one._replace(of_value=True) for one in check_facts(backend, version, about, what, ())]
        if gpu is not None and "requires" in about and not any(one.code == "L301" for one in found):
            others = partial(_others, backend, name, key, values, gpu)
            found += check_requirements(about["requires"], what, (), gpu, others)
    return tuple(found)


def _others(backend: str, name: str, key: str, values: Facts, gpu: Gpu) -> list[str]:
    return usable(choices(backend, name, key), values, gpu)


_TRUTH = {True: "true", False: "false"}

# A parameter that needs hardware needs none where it is turned off.
OFF = frozenset(("null", "false", "0"))
