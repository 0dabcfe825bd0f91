"""A study in pictures: every seed a dot, intervals, and colours that all eyes tell apart.

Text and axes are drawn in `INK`, which a page replaces by its own colour; the other colours are
mid-tones of Okabe & Ito's palette and are read on light and on dark.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.reporting.families import Family
from experiments.reporting.reading import ON, TEST_ACCURACY, Cell
from experiments.statistics.paired import interval

INK = "#33363b"
DOT, MEAN = "#2f8ccf", "#d55e00"
COLOURS = ("#2f8ccf", "#d55e00", "#009e73", "#cc79a7", "#c28800", "#7f7f7f")
MARKERS = "osD^vP*X"
LINES = ("-", "--", ":")
PANELS = 12  # in one figure
ACROSS = 3  # panels side by side
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
    """The figure on white."""
    return _saved(figure, format="png", facecolor="white")


def svg(figure: Figure) -> str:
    """The figure on nothing; its bytes follow from what is drawn alone."""
    nothing = dict.fromkeys(("Date", "Creator", "Type", "Format"))
    return _saved(figure, format="svg", transparent=True, metadata=nothing).decode()


def named(metric: str) -> str:
    """What an axis or a column calls the primary metric."""
    return "test accuracy" if metric == TEST_ACCURACY else f"accuracy on {metric.removeprefix(ON)}"


def accuracy(families: Sequence[Family], metric: str = TEST_ACCURACY) -> Figure:
    """A panel a family, a row a padding: every seed a dot, the mean and its 95 % interval."""
    most = max(len(family.cells) for family in families)

    def draw(axis: Axes, family: Family) -> None:
        for place, cell in enumerate(family.cells.values()):
            values = _values(cell, metric)
            if not values:
                continue
            mean, low, high = _interval(values)
            axis.hlines(place + 0.16, low, high, color=MEAN, lw=1.5)
            axis.plot([mean], [place + 0.16], "|", color=MEAN, ms=8, mew=2)
            axis.plot(values, [place - 0.16] * len(values), "o", color=DOT, alpha=0.7, ms=4, mew=0)
            axis.annotate(
                f"{mean:.2f}", (1.01, place), xycoords=("axes fraction", "data"), va="center"
            )
        seeds = {len(_values(cell, metric)) for cell in family.cells.values()}
        same = f", n={seeds.pop()}" if len(seeds) == 1 else ""
        axis.set_yticks(
            range(len(family.cells)), [_row(family, n, metric, same) for n in family.cells]
        )
        axis.set_ylim(len(family.cells) - 0.4, -0.6)
        axis.set_xlim(max(0, axis.get_xlim()[0]), min(100, axis.get_xlim()[1]))
        axis.set_title(f"{family.title}{same}")
        axis.set_xlabel(f"{named(metric)}, %")
        axis.grid(axis="x")

    return _panels(families, draw, size=(4.6, 1.0 + 0.26 * most))


def by_margin(families: Sequence[Family]) -> Figure | None:
    """Accuracy against the distance to the border, a line a padding; None without margins."""
    families = [family for family in families if _margins(family)]

    def draw(axis: Axes, family: Family) -> None:
        bins = _margins(family)
        for i, (name, cell) in enumerate(family.cells.items()):
            points = [_interval(v) for bin_ in bins if (v := _at_margin(cell, bin_))]
            if len(points) == len(bins):
                mean, low, high = np.array(points).T
                places = np.arange(len(bins)) + (i - len(family.cells) / 2) * 0.4 / len(
                    family.cells
                )
                axis.vlines(places, low, high, color=_colour(i), lw=1, alpha=0.6)
                axis.plot(places, mean, label=family.shown(name), **_line(i))
        axis.set_xticks(range(len(bins)), bins, fontsize=8)
        axis.set_xlabel("from the object to the border, px (below 0: cut)")
        axis.set_ylabel("test accuracy, %")
        axis.set_title(family.title)
        axis.grid(axis="y")
        _legend(axis)

    return _panels(families, draw, size=(6.4, 4.2), across=2) if families else None


def against_cost(families: Sequence[Family], metric: str = TEST_ACCURACY) -> Figure | None:
    """A panel a data set: mean accuracy against MACs, a colour a network; None without costs."""
    groups = {
        data: [f for f in families if f.data == data and any(map(_macs, f.cells.values()))]
        for data in dict.fromkeys(family.data for family in families)
    }
    groups = {data: members for data, members in groups.items() if members}

    def draw(axis: Axes, data: str) -> None:
        for i, family in enumerate(groups[data]):
            label: str | None = family.title.removesuffix(f" on {data}")
            for name, cell in family.cells.items():
                values, macs = _values(cell, metric), _macs(cell)
                if values and macs:
                    mean, low, high = _interval(values)
                    axis.vlines(macs, low, high, color=_colour(i), lw=1, alpha=0.6)
                    axis.plot([macs], [mean], _marker(i), color=_colour(i), ms=5, label=label)
                    label = None
                    axis.annotate(
                        name,
                        (macs, mean),
                        (5, 0),
                        textcoords="offset points",
                        fontsize=7,
                        va="center",
                    )
        axis.set_xscale("log")
        axis.set_xlabel("multiply-accumulates an example, millions")
        axis.set_ylabel(f"{named(metric)}, %")
        axis.set_title(data)
        axis.grid()
        _legend(axis)

    return _panels(list(groups), draw, size=(6.4, 4.4), across=2) if groups else None


def curves(families: Sequence[Family]) -> Figure | None:
    """Accuracy by epoch, a panel a family: the mean over seeds, and its 95 % interval as a band.

    Validation accuracy, where there is a validation split; the training's where the family has
    one cell, or no such split.
    """
    families = [family for family in families if any(band(c) for c in family.cells.values())]

    def draw(axis: Axes, family: Family) -> None:
        alone = len(family.cells) == 1
        i = 0
        for name, cell in family.cells.items():
            for key, what in (("validation_accuracy", "validation"), ("accuracy", "training")):
                if what == "training" and not alone and band(cell):
                    continue
                rows = band(cell, key)
                if rows:
                    epochs, mean, low, high = np.array(rows).T
                    label = f"{name}, {what}" if alone or what == "training" else name
                    axis.plot(epochs, mean, label=label, **{**_line(i), "marker": None})
                    axis.fill_between(epochs, low, high, color=_colour(i), alpha=0.15, lw=0)
                    i += 1
        axis.set_xlabel("epoch")
        axis.set_ylabel("validation accuracy, %" if not alone else "accuracy, %")
        axis.set_title(family.title)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid()
        _legend(axis)

    return _panels(families, draw, size=(6.4, 4.2), across=2) if families else None


def band(cell: Cell, key: str = "validation_accuracy") -> list[tuple[int, float, float, float]]:
    """(epoch, mean, low, high) in per cent, over the epochs that all seeds have.

    The interval is Student's; with one seed it is the value itself.
    """
    records = list(cell.records.values())
    rows = []
    for together in zip(*(record.curve for record in records), strict=False):
        values = [100 * row[key] for row in together if key in row]
        if len(values) == len(records):
            rows.append((int(together[0]["epoch"]), *_interval(values)))
    return rows


def _saved(figure: Figure, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):  # ticks are made when they are first drawn
        figure.savefig(buffer, **options)
    return buffer.getvalue()


def _values(cell: Cell, metric: str) -> list[float]:
    found = (record.points(metric) for record in cell.records.values())
    return [value for value in found if value is not None]


def _interval(values: Sequence[float]) -> tuple[float, float, float]:
    return interval(values) if len(values) > 1 else (values[0],) * 3


def _row(family: Family, name: str, metric: str, same: str) -> str:
    shown = family.shown(name)
    shown = shown if len(shown) <= 30 else f"{shown[:29]}…"
    return shown if same else f"{shown}, n={len(_values(family.cells[name], metric))}"


def _margins(family: Family) -> list[str]:
    """The bins of margin that some run has, the nearest to the border first."""
    found = (
        record.results.get("accuracy_by_margin", {})
        for cell in family.cells.values()
        for record in cell.records.values()
    )
    return list(max(found, key=len, default={}))


def _at_margin(cell: Cell, bin_: str) -> list[float]:
    found = (r.results.get("accuracy_by_margin", {}).get(bin_) for r in cell.records.values())
    return [100 * one["accuracy"] for one in found if one]


def _macs(cell: Cell) -> float | None:
    macs = next(iter(cell.records.values())).results.get("macs")
    return macs / 1e6 if macs else None


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def _marker(i: int) -> str:
    return MARKERS[i % len(MARKERS)]


def _line(i: int) -> dict[str, Any]:
    dash = LINES[i // len(COLOURS) % len(LINES)]
    return {"color": _colour(i), "ls": dash, "marker": _marker(i), "ms": 4, "lw": 1.3}


def _legend(axis: Axes) -> None:
    _, labels = axis.get_legend_handles_labels()
    if labels:
        axis.legend(loc="upper left", bbox_to_anchor=(1, 1), borderaxespad=0.3)


def _panels(
    subjects: Sequence[Any],
    draw: Callable[[Axes, Any], None],
    size: tuple[float, float],
    across: int = ACROSS,
) -> Figure:
    """A figure with a panel for each subject, `size` inches each."""
    columns = min(len(subjects), across)
    rows = math.ceil(len(subjects) / columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(size[0] * columns, size[1] * rows), dpi=110)
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained")
        panels = figure.subplots(rows, columns, squeeze=False).flatten()
        for axis, subject in itertools.zip_longest(panels, subjects):
            if subject is None:
                axis.remove()
            else:
                draw(axis, subject)
    return figure
