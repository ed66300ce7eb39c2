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
    from llmcfg.generator import docs, output

    if command == "write":
        output.write(_ROOT / "schema", _ROOT / "generated")
        docs.write(_ROOT / "docs")
        return 0
    lines = [*output.stale(_ROOT / "schema", _ROOT / "generated"), *docs.stale(_ROOT / "docs")]
    print(
        "\n".join([*lines[:60], f"generated files are stale: run `{output.COMMAND}`"]) if lines else "fresh"
    )
    return bool(lines)


sys.exit(main(sys.argv[1:]))
