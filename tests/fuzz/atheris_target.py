"""Fuzz reading and compiling with atheris: ``make fuzz SECONDS=60``."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["llmcfg", "yaml"]):
    from tests.fuzz.contract import holds

ROOT = Path(__file__).parents[2]
SEEDS = (ROOT / "examples", ROOT / "tests" / "cases")


def seed(folder: Path) -> None:
    """Start from the examples, the cases and the table of hostile inputs."""
    from tests.support import hostile

    folder.mkdir(parents=True, exist_ok=True)
    files = [path for place in SEEDS for path in sorted(place.rglob("*.yaml"))]
    texts = [path.read_bytes()[:4096] for path in files]
    for table in vars(hostile).values():
        if isinstance(table, dict) and table and all(isinstance(value, str) for value in table.values()):
            texts += [text if isinstance(text, bytes) else text.encode() for text in table]
    for number, text in enumerate(texts):
        (folder / f"seed-{number:04}").write_bytes(text)


def main() -> None:
    corpus = Path(sys.argv[1])
    seed(corpus)
    atheris.Setup([sys.argv[0], *sys.argv[2:], str(corpus)], holds)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
