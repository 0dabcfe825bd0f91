"""A report as data: headings, paragraphs, lists, tables and pictures, and its Markdown.

Everything is put together once; `markdown` here and `experiments.reporting.html` write it down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Value:
    """A table's entry: what is read, and the number by which it sorts."""

    text: str
    number: float | None = None


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Items:
    """A list of lines; `code` sets them as commands."""

    lines: Sequence[str]
    code: bool = False


@dataclass(frozen=True)
class Table:
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]


@dataclass(frozen=True)
class Picture:
    """A figure and the name of its file, without the ending."""

    name: str
    says: str
    figure: Figure


Block = Heading | Paragraph | Items | Table | Picture


def number(value: float | None, form: str = ".2f") -> Value:
    """An entry that sorts by its value; a dash for None."""
    return Value("–") if value is None else Value(format(value, form), float(value))


def signed(mean: float, low: float, high: float) -> Value:
    """A difference with its interval."""
    return Value(f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]", mean)


def markdown(blocks: Sequence[Block]) -> str:
    """The blocks as GitHub reads them; pictures are files beside."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_escaped(text)}"
        case Paragraph(text):
            return _escaped(text)
        case Items(lines, code):
            return "\n".join(f"- `{line}`" if code else f"- {_escaped(line)}" for line in lines)
        case Table(columns, rows):
            table = [list(columns), ["---"] * len(columns)]
            table += [[_in_table(value.text) for value in row] for row in rows]
            return "\n".join(f"| {' | '.join(line)} |" for line in table)
        case Picture(name, says):
            return f"![{says}]({name}.png)"


def _escaped(text: str) -> str:
    return text.replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def _in_table(text: str) -> str:
    return _escaped(text).replace("|", "\\|").replace("\n", " ")
