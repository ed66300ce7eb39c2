"""``llmcfg audit drift``."""

from __future__ import annotations

import json

from llmcfg.audit.drift import Drift, drift
from llmcfg.audit.facts import Inventory
from llmcfg.cli.audit.inventory import wanted
from llmcfg.cli.files import deliver

_ORDER = ("removed", "renamed", "returned", "new", "choices", "default", "type", "bounds")
_WIDTH = 100


def run(
    backend: str,
    package: str | None,
    source: str | None,
    version: str | None,
    format: str,
    output: str | None,
) -> int:
    """Print what differs between the schema and a release of an engine; exit 1 where something does."""
    inventory = wanted(backend, package, source, version)
    found = sorted(drift(inventory), key=lambda item: _ORDER.index(item.kind))
    deliver(_FORMATS[format](inventory, found), output)
    return 1 if found else 0


def _as_json(inventory: Inventory, found: list[Drift]) -> str:
    head = {"backend": inventory.backend, "package": inventory.package, "version": inventory.version}
    return (
        json.dumps({**head, "drift": [item._asdict() for item in found]}, indent=2, ensure_ascii=False) + "\n"
    )


def _as_text(inventory: Inventory, found: list[Drift]) -> str:
    lines = [f"{item.kind:<8}  {item.id}{_detail(item)}" for item in found]
    return "\n".join([*lines, _summary(inventory, found)]) + "\n"


def _detail(item: Drift) -> str:
    if item.kind == "new":
        return f": {_short(item.engine.get('annotation'))} = {_short(item.engine.get('default'))}"
    if item.kind == "choices":
        surplus, lacking = item.schema, item.engine
        words = [f"engine adds {', '.join(lacking)}"] if lacking else []
        words += [f"schema has {', '.join(surplus)}"] if surplus else []
        return f": {_short('; '.join(words))}"
    return "" if item.kind == "removed" else f": schema {_short(item.schema)}, engine {_short(item.engine)}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _summary(inventory: Inventory, found: list[Drift]) -> str:
    release = f"{inventory.package} {inventory.version}"
    if not found:
        return f"The schema agrees with {release}."
    kinds = [item.kind for item in found]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in _ORDER if kind in kinds)
    return f"The schema differs from {release}: {counts}."


def _as_todo(inventory: Inventory, found: list[Drift]) -> str:
    """Write a list of edits that can be pasted into an issue."""
    lines = [f"# Schema edits for {inventory.package} {inventory.version}", ""]
    lines += [f"- [ ] `{item.id}`: {item.todo}" for item in found] or ["Nothing to do."]
    return "\n".join(lines) + "\n"


_FORMATS = {"json": _as_json, "text": _as_text, "todo": _as_todo}
