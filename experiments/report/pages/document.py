"""A report as data: headings, paragraphs, lists, tables and pictures, and its Markdown.

The blocks are built once; `markdown` here and `experiments.report.pages.html` render them with the
templates in this folder.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from experiments.report.statistics import numbers
from experiments.run.record import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.globals.update(escaped=tables.escaped, table=tables.markdown)


@dataclass(frozen=True)
class Value:
    """A table entry: the text, and the number by which it is sorted."""

    text: str
    number: float

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Items:
    """A list of lines; with `code` they are shown as commands."""

    lines: Sequence[str]
    code: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        right: the indices of the columns that Markdown aligns to the right.
        tight: whether a page may write an entry in several lines.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    right: Container[int] = ()
    tight: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure and the name of its file, without extension."""

    name: str
    says: str
    figure: Figure


Entry = Value | str
Block = Heading | Paragraph | Items | Table | Picture


def number(value: float | None, form: str = ".2f") -> Entry:
    """An entry that is sorted by its value; a dash for None."""
    return "–" if value is None else Value(format(value, form), float(value))


def difference(mean: float, low: float, high: float, unit: str = numbers.POINTS) -> Value:
    """A difference with its interval."""
    told = f"{numbers.signed(mean, unit)} {numbers.brackets(low, high, unit)}"
    return Value(told, mean)


def markdown(blocks: Sequence[Block]) -> str:
    """The blocks as Markdown for GitHub; pictures are separate files in the same folder."""
    return rendered("report.md.j2", blocks)


def rendered(template: str, blocks: Sequence[Block], **more: Any) -> str:
    """Render a template with pairs of kind and block."""
    named = [(type(block).__name__, block) for block in blocks]
    return TEMPLATES.get_template(template).render(blocks=named, **more)
