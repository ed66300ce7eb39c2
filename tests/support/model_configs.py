"""Models as vLLM's configuration code sees them: a config.json of some kind, a tokenizer, and no weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from llmcfg.resolve.kinds import kinds


def make_models(folder: Path, tokenizer: Path) -> None:
    """Write every kind of model to a folder of its own; the tokenizer is copied from another model."""
    for kind, facts in kinds().items():
        place = folder / kind
        place.mkdir(parents=True, exist_ok=True)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(tokenizer / file, place / file)
        (place / "config.json").write_text(json.dumps(facts["config"]), encoding="utf-8")
    for name in ("logging.json", "other.json"):
        (folder / name).write_text(json.dumps({"version": 1}), encoding="utf-8")
    for name in ("parser.py", "other.py"):
        (folder / name).touch()
