"""``llmcfg audit coverage``."""

from __future__ import annotations

import json
from collections.abc import Iterator

from llmcfg.audit.coverage import Coverage, Share, Stale, coverage, stale, to_json
from llmcfg.catalog import backends
from llmcfg.cli.files import deliver
from llmcfg.report.tables import markdown_table, text_table

_HEAD = ("backend", "release", "object", "moves energy or throughput", "all public", "not covered")
_RIGHT = (3, 4, 5)


def run(backend: str | None, format: str, output: str | None) -> int:
    """Print the coverage; exit 1 where a native parameter is neither in the schema nor decided on."""
    wanted = [backend] if backend else list(backends())
    found = [item for name in wanted for item in coverage(name)]
    leftover = [item for name in wanted for item in stale(name)]
    deliver(_FORMATS[format](found, leftover), output)
    return 1 if leftover or any(item.missing for item in found) else 0


def _as_json(found: list[Coverage], leftover: list[Stale]) -> str:
    data = {"coverage": list(map(to_json, found)), "stale": [item._asdict() for item in leftover]}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _as_table(found: list[Coverage], leftover: list[Stale]) -> str:
    lines = text_table([_HEAD, *map(_row, found)], _RIGHT)
    return "\n".join([*lines, *_remarks(found, leftover)]) + "\n"


def _as_markdown(found: list[Coverage], leftover: list[Stale]) -> str:
    lines = markdown_table([_HEAD, *map(_row, found)], _RIGHT)
    return "\n".join([*lines, *_remarks(found, leftover)]) + "\n"


def _row(item: Coverage) -> tuple[str, ...]:
    release = f"{item.package} {item.version}"
    name = item.object or "all"
    left = len(item.missing) + len(item.left_out)
    return (
        item.backend,
        release,
        name,
        _share(item.impactful),
        _share(item.public),
        str(left) if left else "",
    )


def _share(share: Share) -> str:
    return f"{share.covered}/{share.total} {_percent(share)}" if share.total else ""


def _percent(share: Share) -> str:
    """Round down: 100 % means all of them."""
    return f"{int(share.percent * 10) / 10:.1f} %"


def _remarks(found: list[Coverage], leftover: list[Stale]) -> Iterator[str]:
    missing = [
        f"{item.package} {item.version}: {name}"
        for item in found
        if item.object is None
        for name in item.missing
    ]
    yield from _listed("Neither in the schema nor decided on:", missing)
    yield from _listed("Stale:", [f"{item.backend} {item.id}: {item.why}" for item in leftover])


def _listed(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"- {line}" for line in lines)


_FORMATS = {"json": _as_json, "table": _as_table, "markdown": _as_markdown}
