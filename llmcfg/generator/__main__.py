"""``python -m llmcfg.generator lint [FILE ...] | write | check``."""

from __future__ import annotations

import sys
from pathlib import Path

from llmcfg.generator.lint import lint

_ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    """Run one of the three commands; return the exit status."""
    command, *files = arguments or ["lint"]
    if problems := lint(_ROOT / "schema", [Path(name) for name in files]):
        print("\n".join(problems))
        return 1
    if command == "lint":
        print("clean")
        return 0
    from llmcfg.generator.output import COMMAND, stale, write

    if command == "write":
        write(_ROOT / "schema", _ROOT / "generated")
        return 0
    lines = stale(_ROOT / "schema", _ROOT / "generated")
    print("\n".join([*lines[:60], f"generated/ is stale: run `{COMMAND}`"]) if lines else "fresh")
    return bool(lines)


sys.exit(main(sys.argv[1:]))
