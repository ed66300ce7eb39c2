"""What lowering has to do for an object with a given set of keys: sweeps ask for the same sets again."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from llmcfg.catalog import Facts, backend_catalog

_UNKNOWN: Facts = {}


class Plan(NamedTuple):
    """The keys that need more than a copy.

    ``uses`` come with conditions, ``numbers`` may need another type of number, ``special`` ones are
    nested, renamed, moved, or unknown (then without facts).
    """

    uses: tuple[str, ...]
    numbers: tuple[tuple[str, Facts], ...]
    special: tuple[tuple[str, Facts], ...]


@lru_cache(maxsize=4096)
def plan(backend: str, name: str, keys: tuple[str, ...]) -> Plan:
    """Return the plan for an object of the type ``name`` that holds these keys."""
    parameters = backend_catalog(backend)["types"][name]["parameters"]
    known = [(key, facts) for key in keys if (facts := parameters.get(key, _UNKNOWN)) is not None]
    return Plan(
        tuple(key for key, facts in known if "when" in facts),
        tuple((key, facts) for key, facts in known if "simple" in facts and _NUMERIC & facts.keys()),
        tuple((key, facts) for key, facts in known if "simple" not in facts),
    )


_NUMERIC = {"integral", "floating", "inner"}
