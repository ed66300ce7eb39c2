"""The generated pages under ``docs/`` are what the generator writes."""

from __future__ import annotations

from pathlib import Path

from llmcfg.generator.docs import stale
from llmcfg.generator.output import COMMAND

DOCS = Path(__file__).parents[1] / "docs"


def test_the_generated_pages_are_fresh() -> None:
    lines = stale(DOCS)
    assert not lines, "\n".join([*lines, f"stale: run `{COMMAND}`"])
