"""A table as Markdown, and text so that Markdown shows it as it is."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

READ = str.maketrans({"&": "&amp;", "<": "&lt;", "*": r"\*", "_": r"\_"})  # as markup
IN_A_CELL = str.maketrans({"|": r"\|", "\n": " "})


class Marked(str):
    """Text that stands as it is: Markdown, or names in which there is nothing to escape."""


def escaped(text: object) -> str:
    """What str() tells of it, so that Markdown shows just that; `Marked` as it is."""
    return text if isinstance(text, Marked) else str(text).translate(READ)


def markdown(
    columns: Sequence[str], rows: Iterable[Sequence[object]], right: Container[int] = ()
) -> str:
    """A table, its headings and entries escaped; the columns at the places `right` hold numbers."""
    grid = [[escaped(entry).translate(IN_A_CELL) for entry in row] for row in (columns, *rows)]
    lines = [f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|" for cells in grid]
    lines.insert(1, f"|{'|'.join('---:' if i in right else '---' for i in range(len(columns)))}|")
    return "\n".join(lines)
