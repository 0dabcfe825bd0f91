"""The pictures of a study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from data.tasks import TEST, VALIDATION
from data.tasks.metrics import BY_MARGIN, ERROR_AT, OF, ON, measured, split_epoch, split_part
from experiments.report.compare.families import Family
from experiments.report.compare.reading import Cell
from experiments.report.pages.pictures.canvas import (
    DOT,
    MEAN,
    colour,
    legend,
    line,
    panels,
    taller,
    wrapped,
)
from experiments.report.statistics.numbers import plain
from experiments.report.statistics.paired import interval

SIZE = 6.2, 4.2  # inches of a panel, two of which stand side by side
NARROW = 22  # characters of a cell's label beside which three panels stand in a row
WORDS = {
    ON: "accuracy on",
    OF: "accuracy on class",
    BY_MARGIN: "accuracy at margin",
    ERROR_AT: "error at distance",
}


def named(metric: str) -> str:
    """The name of the primary metric on an axis or in a column."""
    of, (start, part), (_, epoch) = measured(metric), split_part(metric), split_epoch(metric)
    if start in WORDS:
        return f"{WORDS[start]} {part}{f'@{epoch}' * bool(epoch)}"
    return metric.replace(of.measure, of.label, 1).replace("_", " ")


def with_unit(metric: str) -> str:
    """The name of the primary metric and its unit."""
    unit = measured(metric).unit
    return f"{named(metric)}, {unit}" if unit else named(metric)


def tested(family: Family) -> str:
    """The measure of a family's task on the test split."""
    return f"{TEST}{family.task.measure}"


Interval = tuple[float, float]
Intervals = Mapping[str, tuple[float | None, Mapping[str, Interval]]]


def accuracy(
    families: Sequence[Family], metric: str | None = None, intervals: Intervals | None = None
) -> Figure:
    """One panel per family, one row per padding: a dot per seed and the mean.

    Args:
        families: at least one.
        metric: the primary metric; by default the measure of each family on the test split.
        intervals: title of a family -> the baseline's mean, and padding -> the interval of its
            difference from the baseline, which is drawn from that mean.
    """
    most = max(len(family.cells) for family in families)
    labels = [wrapped(family.shown(name)) for family in families for name in family.cells]
    wide = max(map(len, labels)) > NARROW
    row = 0.26 + (0.1 if any("\n" in label for label in labels) else 0) + taller(labels)

    def draw(axis: Axes, family: Family) -> None:
        shown = metric or tested(family)
        values = [list(cell.points(shown).values()) for cell in family.cells.values()]
        base, differences = (intervals or {}).get(family.title, (None, {}))
        if base is not None:
            axis.axvline(base, color=MEAN, lw=1, ls="--", alpha=0.7)
        for place, (name, some) in enumerate(zip(family.cells, values, strict=True)):
            if base is not None and name in differences:
                low, high = differences[name]
                axis.hlines(place + 0.16, base + low, base + high, color=MEAN, lw=1.5)
            if some:
                axis.plot([np.mean(some)], [place + 0.16], "|", color=MEAN, ms=8, mew=2)
                dots = [place - 0.16] * len(some)
                axis.plot(some, dots, "o", color=DOT, alpha=0.7, ms=4, mew=0, clip_on=False)
        counts = {len(some) for some in values}
        same = f", n={counts.pop()}" if len(counts) == 1 else ""
        names = [
            _row(family.shown(n), v, same, shown) for n, v in zip(family.cells, values, strict=True)
        ]
        axis.set_yticks(range(len(values)), names)
        axis.set_ylim(len(values) - 0.4, -0.6)
        axis.set_xlim(max(0, axis.get_xlim()[0]), min(ceiling(shown), axis.get_xlim()[1]))
        axis.set_title(f"{family.title}{same}")
        own = "; own scale" if len(families) > 1 else ""
        axis.set_xlabel(f"{with_unit(shown)}{own}")
        axis.grid(axis="x")

    height = 1.0 + row * most
    return (
        panels(families, draw, (SIZE[0], height), 2)
        if wide
        else panels(families, draw, (4.1, height))
    )


def by_margin(families: Sequence[Family]) -> Figure | None:
    """Accuracy by distance to the border, one line per padding; None without margins.

    The intervals are Student's t, each cell's own.
    """
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
                axis.vlines(places, low, high, color=colour(i), lw=1, alpha=0.6)
                axis.plot(places, mean, label=family.shown(name), **line(i))
        axis.set_xticks(range(len(bins)), bins, fontsize=8)
        axis.set_xlabel("margin: object to border, px (below 0: cut)")
        axis.set_ylabel("test accuracy, %")
        axis.set_title(family.title)
        axis.grid(axis="y")
        legend(axis)

    return panels(families, draw, SIZE, across=2, shared=True) if families else None


def curves(families: Sequence[Family]) -> Figure | None:
    """The measure by epoch, a panel per family: the mean over seeds, its 95 % interval as a band.

    Mean and band end where the first seed does, because a mean over those that went on is that of
    others; from there each of them is a thin line to its own end. It is that of validation; if
    the family has only one cell, or no validation split, it is that of training.
    """
    families = [family for family in families if any(band(c) for c in family.cells.values())]

    def draw(axis: Axes, family: Family) -> None:
        alone, shade = len(family.cells) == 1, 0.3 / (1 + len(family.cells))
        task = family.task
        unit = f", {task.unit}" if task.unit else ""
        i = 0
        for name, cell in family.cells.items():
            own, shown = task.measure, family.shown(name)
            for key, what in ((f"{VALIDATION}{own}", "validation"), (own, "training")):
                if what == "training" and not alone and band(cell):
                    continue
                rows = band(cell, key)
                if rows:
                    epochs, mean, low, high = np.array(rows).T
                    label = f"{shown}, {what}" if alone or what == "training" else shown
                    axis.plot(
                        epochs, mean, label=label, clip_on=False, **{**line(i), "marker": None}
                    )
                    axis.fill_between(epochs, low, high, color=colour(i), alpha=shade, lw=0)
                    for tail in tails(cell, key).values():
                        axis.plot(*np.array(tail).T, color=colour(i), lw=0.6, alpha=0.7)
                        axis.plot(*tail[-1], ".", color=colour(i), ms=4)
                    i += 1
        axis.set_xlabel("epoch")
        axis.set_ylabel(f"{'' if alone else 'validation '}{task.label}{unit}")
        axis.set_title(family.title)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid()
        legend(axis)

    return panels(families, draw, SIZE, across=2, shared=True) if families else None


def band(cell: Cell, key: str | None = None) -> list[tuple[int, float, float, float]]:
    """(epoch, mean, low, high) of a measure, over the epochs that all seeds have.

    The interval is Student's t, cut where the measure ends; with one seed it is the value itself.
    By default it is the measure of validation.
    """
    records = list(cell.records.values())
    task = cell.task
    key = key or f"{VALIDATION}{task.measure}"
    rows = []
    for together in zip(*(record.curve for record in records), strict=False):
        values = [task.scale * row[key] for row in together if key in row]
        if len(values) == len(records):
            rows.append((int(together[0]["epoch"]), *_interval(values, ceiling(key))))
    return rows


def tails(cell: Cell, key: str | None = None) -> dict[int, list[tuple[int, float]]]:
    """Seed -> (epoch, measure) from the epoch on after which the first seed ended, for each that
    went on. By default it is the measure of validation.
    """
    key = key or f"{VALIDATION}{cell.task.measure}"
    together = band(cell, key)
    last = together[-1][0] if together else 0
    curves = {
        seed: [
            (int(row["epoch"]), cell.task.scale * row[key])
            for row in record.curve
            if key in row and row["epoch"] >= last
        ]
        for seed, record in cell.records.items()
    }
    return {seed: tail for seed, tail in curves.items() if len(tail) > 1}


def _interval(values: Sequence[float], most: float = 100.0) -> tuple[float, float, float]:
    mean, low, high = interval(values) if len(values) > 1 else (values[0],) * 3
    return mean, max(0.0, low), min(most, high)


def ceiling(metric: str) -> float:
    """The largest value that a metric can have."""
    return 100.0 if measured(metric).unit == "%" else math.inf


def _row(shown: str, values: list[float], same: str, metric: str) -> str:
    """A padding's name, its n if they differ, and its mean."""
    n = "" if same else f", n={len(values)}"
    mean = plain(float(np.mean(values)), measured(metric).unit) if values else ""
    return f"{wrapped(shown)}{n}  {mean}".rstrip()


def _margins(family: Family) -> list[str]:
    """The bins of margin that occur in a run, the nearest to the border first."""
    found = (
        record.results.get("accuracy_by_margin", {})
        for cell in family.cells.values()
        for record in cell.records.values()
    )
    return list(max(found, key=len, default={}))


def _at_margin(cell: Cell, bin_: str) -> list[float]:
    found = (r.results.get("accuracy_by_margin", {}).get(bin_) for r in cell.records.values())
    return [100 * one["accuracy"] for one in found if one]
