"""The packages of a virtual machine: what a plain installation brings, and what else it is said to have."""

from __future__ import annotations

import functools
import gc
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from typing import Any

from llmcfg.resolve.pytorch import stubs
from llmcfg.resolve.pytorch.facts import facts
from llmcfg.resolve.record import assume

OURS = frozenset({"llmcfg", "llmcfg_models", "yaml", "click", "jsonschema", "jsonschema_rs", "referencing"})
"""What runs llmcfg itself: nobody asks about it in the name of the machine."""

_find_spec = importlib.util.find_spec
_version = importlib.metadata.version
_distributions = functools.cache(importlib.metadata.packages_distributions)


class Packages:
    """Which modules the machine has, and of which version; ``missing`` are those that are not here."""

    def __init__(self, further: Iterable[str]) -> None:
        known = facts("packages")
        by_module = _distributions()
        self._installed = set(_closure((*known["installed"], *known["of_the_cuda_wheel"])))
        self._modules = {
            module for module, names in by_module.items() if self._installed & set(map(_normal, names))
        }
        self.further: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        for requirement in further:
            self._add(requirement)
        tops = {module.partition(".")[0] for module in self.further}
        self.missing = frozenset(module for module in tops if not _is_here(module))

    def _add(self, requirement: str) -> None:
        name, _, version = requirement.partition("==")
        about = facts("packages")["further"].get(name, {})
        module = about.get("module", name.replace("-", "_"))
        self.further[module] = name
        self.versions[name] = version or about.get("version", "0")

    def has(self, module: str) -> bool | None:
        """Tell whether the machine has a module; None where only Python itself can tell."""
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top in OURS or top.startswith("_"):
            return None
        if any(top == other.partition(".")[0] for other in self.further):
            return True
        return None if top in self._modules else False

    def find_spec(self, name: str, package: str | None = None) -> Any:
        """Stand in for ``importlib.util.find_spec``."""
        found = None if name.startswith(".") else self.has(name)
        if found is None:
            return _find_spec(name, package)
        assume(f"is {name} installed", found, self._source(found))
        if not found:
            return None
        return ModuleSpec(name, None) if self.is_missing(name) else _find_spec(name)

    def version(self, name: str) -> str:
        """Stand in for ``importlib.metadata.version``."""
        wanted = _normal(name)
        for distribution, version in self.versions.items():
            if _normal(distribution) == wanted:
                return version
        modules = [module for module, names in _distributions().items() if name in names]
        if wanted not in self._installed and any(self.has(module) is False for module in modules):
            raise importlib.metadata.PackageNotFoundError(name)
        return _version(name)

    def distributions(self) -> dict[str, list[str]]:
        """Return the distributions by module, those that are not here included."""
        added = {module.partition(".")[0]: [name] for module, name in self.further.items()}
        return {**{key: list(names) for key, names in _distributions().items()}, **added}

    def is_missing(self, module: str) -> bool:
        """Tell whether the machine has the module, and this process cannot import it."""
        return module.partition(".")[0] in self.missing

    def installed(self) -> list[str]:
        """Return the names of the packages that the machine has."""
        return sorted({*self._installed, *self.further.values()})

    def _source(self, found: bool) -> str:
        return "the machine is said to have it" if found else f"not among {facts('packages')['title']}"


def pretend(packages: Packages) -> None:
    """Let Python answer questions about packages for the machine; before transformers is imported."""
    importlib.util.find_spec = packages.find_spec
    importlib.metadata.version = packages.version  # type: ignore[assignment]
    importlib.metadata.packages_distributions = packages.distributions
    sys.meta_path.append(stubs.Finder(packages.missing))


def caches(package: str) -> list[Any]:
    """Return the cached functions of a package: what they remember, they would not ask again."""
    kind = functools._lru_cache_wrapper
    return [
        item
        for item in gc.get_objects()
        if isinstance(item, kind) and str(getattr(item, "__module__", "")).startswith(package)
    ]


def _closure(names: Iterable[str]) -> Iterator[str]:
    """Yield packages and everything that they require, as far as it is installed here."""
    waiting, seen = [_normal(name) for name in names], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        yield name
        waiting += _requirements(name)


def _requirements(name: str) -> list[str]:
    try:
        required = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    from packaging.requirements import Requirement  # which transformers requires

    parsed = [Requirement(item) for item in required]
    return [_normal(one.name) for one in parsed if not one.marker or one.marker.evaluate({"extra": ""})]


def _is_here(module: str) -> bool:
    try:
        return _find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
