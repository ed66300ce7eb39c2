"""In which releases of a backend something exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmcfg.catalog import backends
from llmcfg.checking.versions import check_facts, check_version

_KEYS = ("since", "until", "replaced_by", "deprecated")


@dataclass(frozen=True)
class Asked:
    """What there is to say of one release; ``problems`` is empty where it has the thing."""

    version: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Releases:
    """``since`` is the first release with it, ``until`` the first without it again."""

    since: str | None = None
    until: str | None = None
    deprecated: bool = False
    replaced_by: str | None = None
    renamed_from: tuple[str, ...] = ()
    asked: Asked | None = None
    audited: tuple[str, ...] = ()


def releases(backend: str | None, about: dict[str, Any], what: str, version: str | None) -> Releases:
    """Gather the versions that the schema gives; ``version`` is the release asked about."""
    return Releases(
        since=about.get("x-since"),
        until=about.get("x-until"),
        deprecated=bool(about.get("deprecated")),
        replaced_by=about.get("x-replaced-by"),
        renamed_from=tuple(about.get("x-renamed-from", ())),
        asked=_asked(backend, about, what, version) if backend and version else None,
    )


def audited(backend: str | None) -> tuple[str, ...]:
    """Return the releases that the schema was audited against."""
    return tuple(backends()[backend]["versions"]) if backend else ()


def _asked(backend: str, about: dict[str, Any], what: str, version: str) -> Asked:
    facts = {key: about.get(f"x-{key.replace('_', '-')}", about.get(key)) for key in _KEYS}
    found = [*check_version(backend, version, ()), *check_facts(backend, version, facts, what, ())]
    return Asked(
        version, tuple(f"{item.message}. {item.hint}" if item.hint else item.message for item in found)
    )
