"""Markdown tables, and escaping text for Markdown."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

READ = str.maketrans(
    {"&": "&amp;", "<": "&lt;", "*": r"\*", "_": r"\_"}
)  # characters that are markup
IN_A_CELL = str.maketrans({"|": r"\|", "\n": " "})


class Marked(str):
    """Text that is not escaped: Markdown, or names that need no escaping."""


def escaped(text: object) -> str:
    """The str() of a value, escaped for Markdown; `Marked` text is not changed."""
    return text if isinstance(text, Marked) else str(text).translate(READ)


def markdown(
    columns: Sequence[str], rows: Iterable[Sequence[object]], right: Container[int] = ()
) -> str:
    """A table with escaped headings and entries; the columns with indices `right` hold numbers."""
    grid = [[escaped(entry).translate(IN_A_CELL) for entry in row] for row in (columns, *rows)]
    lines = [f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|" for cells in grid]
    lines.insert(1, f"|{'|'.join('---:' if i in right else '---' for i in range(len(columns)))}|")
    return "\n".join(lines)
