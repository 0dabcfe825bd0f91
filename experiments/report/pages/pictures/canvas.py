"""Shared by all pictures: colours, panels, and saving a figure.

Text and axes are drawn in `INK`, which a page replaces by its own text colour; the other colours
are mid-tones of Okabe & Ito's palette, readable on light and dark backgrounds.
"""

from __future__ import annotations

import io
import itertools
import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK = "#33363b"
DOT, MEAN = "#2f8ccf", "#d55e00"
COLOURS = ("#2f8ccf", "#d55e00", "#009e73", "#cc79a7", "#c28800", "#7f7f7f")
MARKERS = "osD^vP*X"
LINES = ("-", "--", ":")
PANELS = 12  # in one figure
MOST = 24  # panels of one kind
ACROSS = 3  # panels side by side
TITLE = 8.3  # characters of a title for each inch of its panel
LABEL, LINES_OF_LABEL = 32, 4  # characters of a line of a cell's label, and most lines
KEY = 0.35  # inches of the line that says what the marks mean
NEXT_LINE = 0.15  # inches that a further line of a label needs
STYLE: Any = {
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.facecolor": "none",
    "grid.color": "#888888",
    "grid.alpha": 0.3,
    "legend.facecolor": "none",
    "legend.edgecolor": "none",
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "padzoo",
    "axes.titlesize": 9,
    "legend.fontsize": 8,
}


def png(figure: Figure) -> bytes:
    """The figure as PNG on a white background."""
    return _saved(figure, format="png", facecolor="white")


def svg(figure: Figure) -> str:
    """The figure as SVG without background; the same drawing always gives the same bytes."""
    nothing = dict.fromkeys(("Date", "Creator", "Type", "Format"))
    return _saved(figure, format="svg", transparent=True, metadata=nothing).decode()


def _saved(figure: Figure, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):  # ticks are created when they are first drawn
        figure.savefig(buffer, **options)
    return buffer.getvalue()


def colour(i: int) -> str:
    """Of the i-th of several."""
    return COLOURS[i % len(COLOURS)]


def marker(i: int) -> str:
    """Of the i-th of several."""
    return MARKERS[i % len(MARKERS)]


def line(i: int) -> dict[str, Any]:
    """The style of the i-th of several lines: colour, dashes and marker."""
    dash = LINES[i // len(COLOURS) % len(LINES)]
    return {"color": colour(i), "ls": dash, "marker": marker(i), "ms": 4, "lw": 1.3}


def wrapped(text: str, width: int = LABEL, lines: int = LINES_OF_LABEL) -> str:
    """In at most so many lines; what does not fit is in the report's tables and lists."""
    return "\n".join(
        textwrap.wrap(text, width, max_lines=lines, placeholder=" …", break_on_hyphens=False)
    )


def taller(labels: Sequence[str]) -> float:
    """Inches by which a row must be higher, so that labels of several lines do not meet."""
    return NEXT_LINE * max(0, max(label.count("\n") for label in labels) - 1)


def legend(axis: Axes) -> None:
    """The legend beside a panel, if there are names."""
    handles, labels = axis.get_legend_handles_labels()
    if labels:
        names = [wrapped(label) for label in labels]
        axis.legend(handles, names, loc="upper left", bbox_to_anchor=(1, 1), borderaxespad=0.3)


def panels(
    subjects: Sequence[Any],
    draw: Callable[[Axes, Any], None],
    size: tuple[float, float],
    across: int = ACROSS,
    heights: Sequence[float] | None = None,
    shared: bool = False,
    key: Sequence[Artist] = (),
) -> Figure:
    """A figure with a panel for each subject, `size` inches each.

    Args:
        subjects: at least one.
        draw: draws a subject on its axes.
        size: width and height of a panel.
        across: most panels side by side.
        heights: of the rows of panels, instead of the same height for all.
        shared: whether all panels have one vertical scale, of per cent.
        key: with labels; what the marks of all panels mean, in a line above them.
    """
    columns = min(len(subjects), across)
    rows = math.ceil(len(subjects) / columns)
    heights = heights or [size[1]] * rows
    with matplotlib.rc_context(STYLE):
        above = KEY if key else 0.0
        figure = Figure(figsize=(size[0] * columns, sum(heights) + above), dpi=110)
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained")
        axes = figure.subplots(
            rows, columns, squeeze=False, height_ratios=heights, sharey=shared
        ).flatten()
        for axis, subject in itertools.zip_longest(axes, subjects):
            if subject is None:
                axis.remove()
            else:
                draw(axis, subject)
                axis.tick_params(labelleft=True)
                room = int(TITLE * size[0])
                axis.set_title(textwrap.fill(axis.get_title(), room, break_long_words=False))
        if shared:
            low, high = axes[0].get_ylim()
            axes[0].set_ylim(max(0, low), min(100, high))
        if key:
            figure.legend(handles=key, loc="outside upper center", ncols=len(key))
        figure.draw_without_rendering()
        if _narrowed(figure):
            figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once for all file formats
    return figure


def _narrowed(figure: Figure) -> bool:
    """Wrap titles and labels that are wider than their axes; whether there was one.

    They are centred on the axes, which long labels of rows make narrow.
    """
    found = False
    for axis in figure.axes:
        room = axis.get_window_extent().width
        for text in (axis.title, axis.xaxis.label):
            longest = max(map(len, text.get_text().split("\n")))
            if (width := text.get_window_extent().width) > room:
                told = " ".join(text.get_text().split("\n"))
                fits = max(8, int(longest * room / width))
                text.set_text(textwrap.fill(told, fits, break_long_words=False))
                found = True
    return found
