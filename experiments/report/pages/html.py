"""A report as one page that works offline, with pictures, sortable tables, light and dark mode."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matplotlib.figure import Figure

from experiments.report.pages.document import Block, rendered
from experiments.report.pages.pictures import canvas


def page(title: str, blocks: Sequence[Block]) -> str:
    """The whole document."""
    return rendered("report.html.j2", blocks, title=title, element=element)


def element(figure: Figure) -> str:
    """A figure as an element of the page, in the colour of the surrounding text.

    `INK` is replaced by the page's text colour, so the figure is readable on light and dark.
    """
    drawn = "<svg" + canvas.svg(figure).partition("<svg")[2]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r' xmlns(:xlink)?="[^"]*"', "", drawn)
    drawn = drawn.replace("xlink:href", "href")
    drawn = re.sub(r'<g id="[^"]*">', "<g>", drawn)  # the ids of every figure count from 1
    return drawn.replace(canvas.INK, "currentColor")
