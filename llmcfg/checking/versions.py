"""Engine versions: their order, and what a config uses that a version does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from llmcfg.catalog import Facts, backends
from llmcfg.diagnostics import WARNING, Diagnostic, Path
from llmcfg.printable import printable

_FORM = re.compile(r"v?([0-9]{1,6}(?:\.[0-9]{1,6}){0,4})(?:(a|b|rc)([0-9]{1,6}))?(?:[.+][A-Za-z0-9.+]+)?")
_FINAL = ("z", 0)


@cache
def order(version: str) -> tuple[tuple[int, ...], tuple[str, int]]:
    """Return a key that sorts releases: 1.3.0rc21 before 1.3.0, 1.3 equal to 1.3.0.

    Raises:
        ValueError: if the text is not a release number.
    """
    match = _FORM.fullmatch(version)
    if match is None:
        raise ValueError(f"{printable(version, 40)} is not a version number")
    numbers = tuple(int(part) for part in match[1].split("."))
    while numbers and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers, (match[2], int(match[3])) if match[2] else _FINAL


def in_range(version: str, since: str | None, until: str | None) -> bool:
    """Tell whether ``version`` lies in since (inclusive) … until (exclusive).

    A bound that names another package (``torch 2.9``) says nothing about the backend's own version.
    """
    if since is not None and " " not in since and order(version) < order(since):
        return False
    return not (until is not None and " " not in until and order(version) >= order(until))


def check_version(backend: str, version: str, path: Path) -> Iterator[Diagnostic]:
    """Warn where the schema was not audited against the version asked for."""
    audited = backends()[backend]["versions"]
    if not order(audited[0]) <= order(version) <= order(audited[-1]):
        package = backends()[backend]["package"]
        releases = " to ".join(dict.fromkeys((audited[0], audited[-1])))
        yield Diagnostic(
            "L403",
            f"{package} {version} is not among the audited releases: {releases}",
            path,
            severity=WARNING,
            hint="What the schema says of it is extrapolated.",
        )


def check_facts(backend: str, version: str, facts: Facts, what: str, path: Path) -> Iterator[Diagnostic]:
    """Say what is wrong with using a parameter or value in this version of the backend."""
    since, until = facts.get("since"), facts.get("until")
    package = backends()[backend]["package"]
    replacement = facts.get("replaced_by")
    hint = instead(replacement) if replacement else None
    if not in_range(version, since, None):
        hint = hint or f"Remove it, or ask for {since} or newer."
        yield Diagnostic("L401", f"{what} came with {package} {since}, after {version}", path, hint=hint)
    elif not in_range(version, None, until):
        later = f"; asked for is {version}" if order(version) > order(str(until)) else ""
        yield Diagnostic("L402", f"{what} is gone since {package} {until}{later}", path, hint=hint)
    elif facts.get("deprecated"):
        hint = hint or "Remove it: a later release may refuse it."
        yield Diagnostic("L404", f"{what} is deprecated", path, severity=WARNING, hint=hint)


def instead(replacement: str) -> str:
    """Say what to use in place of something that is gone."""
    kept = replacement.rstrip(".")
    if kept.lower().startswith("nothing"):
        return f"Nothing replaces it{kept[len('nothing') :]}."
    return f"Instead: {kept.replace('The ', 'the ', 1) if kept.startswith('The ') else kept}."
