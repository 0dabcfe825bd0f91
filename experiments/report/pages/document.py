"""A report as data: headings, paragraphs, lists, tables and pictures, and its Markdown.

Everything is put together once; `markdown` here and `experiments.report.pages.html` write it down
by the templates beside.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

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
    """A table's entry: what is read, and the number by which it sorts."""

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
    """A list of lines; `code` sets them as commands."""

    lines: Sequence[str]
    code: bool = False


@dataclass(frozen=True)
class Table:
    """`right` are the places of the columns that Markdown sets to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    right: Container[int] = ()


@dataclass(frozen=True)
class Picture:
    """A figure and the name of its file, without the ending."""

    name: str
    says: str
    figure: Figure


Entry = Value | str
Block = Heading | Paragraph | Items | Table | Picture


def number(value: float | None, form: str = ".2f") -> Entry:
    """An entry that sorts by its value; a dash for None."""
    return "–" if value is None else Value(format(value, form), float(value))


def signed(mean: float, low: float, high: float) -> Value:
    """A difference with its interval."""
    return Value(f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]", mean)


def markdown(blocks: Sequence[Block]) -> str:
    """The blocks as GitHub reads them; pictures are files beside."""
    return rendered("report.md.j2", blocks)


def rendered(template: str, blocks: Sequence[Block], **more: Any) -> str:
    """A template, which is given every block after the name of its kind."""
    named = [(type(block).__name__, block) for block in blocks]
    return TEMPLATES.get_template(template).render(blocks=named, **more)
