"""What is in the modules that the virtual machine has: a table, read for one release of vLLM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from llmcfg.checking.versions import in_range

Facts = Mapping[str, Any]


class Package(NamedTuple):
    """A package that the machine has; ``distribution`` and ``version`` are its metadata."""

    distribution: str
    version: str
    source: str


class Contents:
    """Modules, packages and operators of the machine, by their names.

    ``packages`` adds packages of the table to those that an installation brings; one that begins with a
    dash takes the package away.
    """

    def __init__(self, facts: Facts, release: str, packages: tuple[str, ...] = ()) -> None:
        self._facts = facts
        self._release = release
        without = {name[1:] for name in packages if name.startswith("-")}
        self.packages = {
            name: _package(about, release)
            for name, about in facts["packages"].items()
            if (about["comes_with"] or name in packages) and name not in without
        }
        self.extensions: Facts = facts["extensions"]
        self.absent = frozenset(facts["absent_extensions"]["modules"])
        self.operators = {name for about in self.extensions.values() for name in self._operators(about)}

    def _operators(self, about: Facts) -> set[str]:
        found = set(about.get("kernels", ()))
        for since, names in about.get("kernels_since", {}).items():
            found |= set(names) if in_range(self._release, since, None) else set()
        for until, names in about.get("kernels_until", {}).items():
            found |= set(names) if in_range(self._release, None, until) else set()
        return found

    def has_module(self, name: str) -> bool:
        """Tell whether the module, or the package that it is in, is one of the machine's."""
        return name not in self.absent and (
            name in self.extensions or name.partition(".")[0] in self.packages
        )

    def has_name(self, module: str, name: str) -> bool | None:
        """Tell whether a module holds a name: None where the table does not know."""
        about = self.extensions.get(module)
        if about is None:
            return self._in_package(module, name)
        if name in about.get("absent", ()):
            return False
        return True if name in about.get("names", ()) else None

    def _in_package(self, module: str, name: str) -> bool | None:
        about = self._facts["packages"][module.partition(".")[0]]
        missing = [about.get("absent", {})]
        for until, names in about.get("absent_until", {}).items():
            missing += [names] if in_range(self._release, None, until) else []
        if any(name in names.get(module, ()) for names in missing):
            return False
        return True if name in about.get("names", {}).get(module, ()) else None

    def of_card(self, name: str, capability: tuple[int, int]) -> Any:
        """Return a property of the machine's cards, by torch's name; None where the table does not know."""
        known = self._facts["properties"].get("{}.{}".format(*capability), {})
        return known.get("torch", {}).get(name)

    def query(self, name: str) -> Facts | None:
        """Return what is known of the answers of a function of the machine's packages."""
        found: Facts | None = self._facts["package_queries"].get(name)
        if found is None or not in_range(self._release, found.get("since"), found.get("until_version")):
            return None
        return found


def cited(about: Facts) -> str:
    """Return where a fact was read."""
    return "; ".join(about["source"])


def _package(about: Facts, release: str) -> Package:
    version = about.get("versions", {}).get(release) or about.get("version", "0")
    return Package(about["distribution"], version, cited(about))
