"""``llmcfg audit confront``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from llmcfg.audit.confrontation import MEANINGS, Difference, Explanation, differences, explanations, unused
from llmcfg.audit.results import Results, read
from llmcfg.cli.files import deliver
from llmcfg.errors import UserError
from llmcfg.printable import printable

_WIDTH = 160


def run(results: str, all: bool, format: str, output: str | None) -> int:
    """Print where the schema and a file of answers differ; exit 1 where nobody has explained why."""
    answers = read(results)
    if not answers.campaigns:
        raise UserError(f"{results} holds no campaign")
    explained = explanations(answers.campaigns[-1]["backend"])
    found = list(differences(answers, explained))
    idle = unused(found, explained)
    shown = found if all else [item for item in found if item.reason is None]
    deliver(_FORMATS[format](answers, shown, found, idle), output)
    return 1 if any(item.reason is None for item in found) else 0


def _as_json(
    answers: Results, shown: list[Difference], found: list[Difference], idle: list[Explanation]
) -> str:
    data = {
        "campaign": answers.campaigns[-1],
        "differences": [item._asdict() for item in shown],
        "explained": sum(item.reason is not None for item in found),
        "idle": [item._asdict() for item in idle],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _as_text(
    answers: Results, shown: list[Difference], found: list[Difference], idle: list[Explanation]
) -> str:
    lines = [*_blocks(shown), *_summary(answers, found)]
    lines += [f"Explains nothing here: {', '.join(item.trials)}" for item in idle]
    return "\n".join(lines) + "\n"


def _blocks(shown: list[Difference]) -> Iterator[str]:
    for kind, meaning in MEANINGS.items():
        items = [item for item in shown if item.kind == kind]
        if items:
            yield f"{kind}: {meaning}"
            yield from (line for item in items for line in _lines(item))
            yield ""


def _lines(item: Difference) -> Iterator[str]:
    yield f"  {printable(item.trial, _WIDTH)}  [{', '.join(item.devices)}]"
    said = f"engine {item.said}" + (f"; llmcfg {', '.join(item.codes)}" if item.codes else "")
    yield f"    {printable(said, 2 * _WIDTH)}"
    if item.reason is not None:
        yield f"    because {item.reason}"


def _summary(answers: Results, found: list[Difference]) -> Iterator[str]:
    last = answers.campaigns[-1]
    size = f"{len(answers.records)} values, {len(answers.devices)} devices"
    release = f"{last['package']} {last['version']}, {size}"
    left = Counter(item.kind for item in found if item.reason is None)
    explained = sum(item.reason is not None for item in found)
    if left:
        counts = ", ".join(f"{left[kind]} {kind}" for kind in MEANINGS if kind in left)
        yield f"{release}: {counts}; {explained} differences have an explanation."
    else:
        yield f"{release}: no difference without an explanation; {explained} have one."


_FORMATS = {"json": _as_json, "text": _as_text}
