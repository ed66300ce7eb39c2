"""Rows of cells as aligned text and as Markdown; the first row is the head."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

Row = Sequence[str]


def text_table(rows: Iterable[Row], right: Collection[int] = ()) -> list[str]:
    """Return the lines of a table; ``right`` are the columns that are aligned to the right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def markdown_table(rows: Iterable[Row], right: Collection[int] = ()) -> list[str]:
    """Return the lines of a table; ``right`` are the columns that are aligned to the right."""
    head, *rest = rows
    rule = ["---:" if column in right else "---" for column in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rest)]
