"""The answers of a virtual machine that do not depend on the card, with their sources."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from llmcfg.data import evidence_path


@cache
def facts(topic: str) -> dict[str, Any]:
    """Return the facts about a topic (``packages``, ``torch`` …)."""
    data = json.loads(Path(evidence_path("machines/pytorch.json")).read_text(encoding="utf-8"))
    topics: dict[str, Any] = data[topic]
    return topics
