"""A report as one page that opens offline: pictures inside, tables that sort, light and dark."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from matplotlib.figure import Figure

from experiments.reporting import canvas
from experiments.reporting.document import Block, Heading, Items, Paragraph, Picture, Table, Value

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --back: #fff; --ink: #1d2026; }
@media (prefers-color-scheme: dark) { :root { --back: #15171b; --ink: #e3e5e8; } }
body { font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  margin: 2rem auto; max-width: 88rem; padding: 0 1.2rem;
  background: var(--back); color: var(--ink); }
h1, h2, h3 { line-height: 1.2; margin: 2.2rem 0 .6rem; }
p, li { max-width: 48rem; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .7rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
td:first-child { white-space: nowrap; }
td.n { text-align: right; white-space: nowrap; }
th { cursor: pointer; user-select: none; white-space: nowrap; border-bottom-width: 2px; }
th:hover, tbody tr:hover { background: var(--soft); }
th[aria-sort]::after { content: " ▲"; font-size: .7em; }
th[aria-sort=descending]::after { content: " ▼"; }
figure { margin: 1.2rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
figcaption { font-size: .88rem; opacity: .8; }
code { font-size: .88rem; overflow-wrap: anywhere; }
"""

SORT = """
for (const head of document.querySelectorAll("th")) head.onclick = () => {
  const table = head.closest("table"), body = table.tBodies[0];
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = row => row.cells[head.cellIndex].dataset.number;
  const text = row => row.cells[head.cellIndex].textContent;
  const order = (a, b) => {
    const [x, y] = [value(a), value(b)];
    const apart = (x === undefined) - (y === undefined);  // those without a number come last
    const among = x === undefined ? text(a).localeCompare(text(b)) : x - y;
    return apart || (down ? -among : among);
  };
  body.append(...[...body.rows].sort(order));
};
"""


def page(title: str, blocks: Sequence[Block]) -> str:
    """The whole document."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n"
        f"<script>{SORT}</script>\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{html.escape(text)}</p>"
        case Items(lines, code):
            tag = ("<code>", "</code>") if code else ("", "")
            listed = "\n".join(f"<li>{tag[0]}{html.escape(line)}{tag[1]}</li>" for line in lines)
            return f"<ul>\n{listed}\n</ul>"
        case Table(columns, rows):
            head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
            body = "\n".join(f"<tr>{''.join(map(_entry, row))}</tr>" for row in rows)
            return (
                f'<div class="table"><table>\n<thead><tr>{head}</tr></thead>\n'
                f"<tbody>\n{body}\n</tbody>\n</table></div>"
            )
        case Picture(_, says, figure):
            caption = f"<figcaption>{html.escape(says)}</figcaption>"
            return f"<figure>{element(figure)}{caption}</figure>"


def _entry(value: Value) -> str:
    text = html.escape(value.text)
    if value.number is None:
        return f"<td>{text}</td>"
    return f'<td class="n" data-number="{value.number!r}">{text}</td>'


def element(figure: Figure) -> str:
    """A figure as an element of the page, in the colour of the text around it.

    What the figure draws in `INK` becomes the page's colour, so it is read on light and on dark.
    """
    drawn = "<svg" + canvas.svg(figure).partition("<svg")[2]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r' xmlns(:xlink)?="[^"]*"', "", drawn)
    drawn = drawn.replace("xlink:href", "href")
    drawn = re.sub(r'<g id="[^"]*">', "<g>", drawn)  # every figure counts from 1
    return drawn.replace(canvas.INK, "currentColor")
