"""The forest plot: every seed's difference from the baseline, and the interval that decides.

`panel` makes the rows of a family; `picture` draws any panels of rows, so that other differences
between seeds can stand beside the families'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from data.tasks.metrics import measured
from experiments.report.compare.contrasts import Contrasts
from experiments.report.compare.differences import Compared
from experiments.report.pages.document import difference
from experiments.report.pages.pictures.canvas import DOT, INK, MEAN, panels, taller, wrapped
from experiments.report.pages.pictures.plots import named
from experiments.report.statistics.numbers import POINTS, signed
from experiments.report.statistics.verdict import Comparison

WIDTH = 12.4  # inches: a page of 1280 pixels holds it
ROW, ROOM = 0.34, 0.95  # inches of a row, and of a panel beside its rows
WORDS = 46  # characters of the words in one line; two lines fit in a row
NUMBERS_AT, WORDS_AT = 8, 132  # points right of the axes


@dataclass(frozen=True)
class Row:
    """A difference between cells, in points.

    Attributes:
        label: what differs, such as the name of the padding.
        differences: one for each seed.
        low, high: the deciding interval; None if there is none.
        mean: of the differences; None if there are none.
        words: the verdict, or why there is none.
    """

    label: str
    differences: Sequence[float]
    low: float | None
    high: float | None
    mean: float | None
    words: str


@dataclass(frozen=True)
class Panel:
    """Rows that are drawn on one scale.

    Attributes:
        title: of the panel.
        axis: what the differences are, in points.
        rows: in any order; they are drawn from the largest mean to the smallest.
        margin: of equivalence, in points; None without one.
        unit: of the differences.
    """

    title: str
    axis: str
    rows: Sequence[Row]
    margin: float | None
    unit: str = POINTS


def panel(one: Compared, metric: str) -> Panel | None:
    """The rows of a family; None if no cell shares a seed with the baseline.

    Args:
        one: the family, compared.
        metric: the primary metric.
    """
    rows = [_row(one, name, metric) for name in one.family.cells if name != one.baseline]
    if not any(row.differences for row in rows):
        return None
    count = f", n={len(one.seeds)}" if one.seeds else ""
    margin = one.comparisons[0].margin if one.comparisons else None
    unit = measured(metric).difference_unit
    axis = f"difference from {one.baseline}, {unit}{' of ' * bool(unit)}{named(metric)}"
    return Panel(f"{one.family.title}{count}", axis, rows, margin, unit)


def contrast_panel(found: Contrasts, margin: float) -> Panel | None:
    """The rows of the declared contrasts; None without any."""
    rows = [
        Row(c.name, found.values[c.name], c.low, c.high, c.mean, _short(c))
        for c in found.comparisons
    ]
    if not rows:
        return None
    unit = found.comparisons[0].unit
    axis = f"difference of two differences{f', {unit}' * bool(unit)}"
    return Panel(f"contrasts, n={len(found.seeds)}", axis, rows, margin, unit)


def told(one: Compared, name: str, unit: str = POINTS) -> tuple[str, str]:
    """A cell's difference with its interval, and all that is said of its verdict."""
    if name == one.baseline:
        return "–", "the baseline"
    if c := one.of(name):
        return shown(c.mean, c.low, c.high, c.unit), _with_test(c, c.verdicts)
    found = one.left_out[name]
    mean = None if found.difference is None else found.difference[1]
    return shown(mean, None, None, unit), f"not compared, {found.why}"


def shown(mean: float | None, low: float | None, high: float | None, unit: str = POINTS) -> str:
    """A difference as every part of a report shows it: with its interval, if there is one."""
    if mean is None:
        return "–"
    if low is None or high is None:
        return signed(mean, unit)
    return str(difference(mean, low, high, unit))


def picture(found: Sequence[Panel]) -> Figure | None:
    """Draw the panels one below the other, each on its own scale; None if there are none."""
    if not found:
        return None
    heights = [
        ROOM + (ROW + taller([wrapped(row.label) for row in one.rows])) * len(one.rows)
        for one in found
    ]

    def draw(axis: Axes, one: Panel) -> None:
        rows = sorted(one.rows, key=_place)
        if one.margin is not None:
            axis.axvspan(-one.margin, one.margin, color=INK, alpha=0.13, lw=0)
        axis.axvline(0, color=INK, lw=1, ls="--")
        for place, row in enumerate(rows):
            if row.low is not None and row.high is not None:
                axis.hlines(place + 0.2, row.low, row.high, color=MEAN, lw=2)
            if row.mean is not None:
                axis.plot([row.mean], [place + 0.2], "|", color=MEAN, ms=9, mew=2)
            dots = [place - 0.2] * len(row.differences)
            axis.plot(row.differences, dots, "o", color=DOT, alpha=0.7, ms=4, mew=0)
            numbers = shown(row.mean, row.low, row.high, one.unit)
            for said, right in ((numbers, NUMBERS_AT), (wrapped(row.words, WORDS, 2), WORDS_AT)):
                axis.annotate(
                    said,
                    (1, place),
                    (right, 0),
                    xycoords=("axes fraction", "data"),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                )
        axis.set_yticks(range(len(rows)), [wrapped(row.label) for row in rows])
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.set_title(one.title)
        own = "; this panel's own scale" if len(found) > 1 else ""
        axis.set_xlabel(f"{one.axis}{own}")
        axis.grid(axis="x")

    size = WIDTH, max(heights)
    return panels(found, draw, size, across=1, heights=heights, key=_key(found))


def _key(found: Sequence[Panel]) -> list[Artist]:
    """What is drawn in a row, in words."""
    rows = [row for one in found for row in one.rows]
    key: list[Artist] = [
        Line2D([], [], color=DOT, marker="o", ls="", alpha=0.7, ms=4, mew=0, label="one seed"),
        Line2D([], [], color=MEAN, marker="|", ls="", ms=9, mew=2, label="their mean"),
    ]
    if any(row.low is not None for row in rows):
        key.append(Line2D([], [], color=MEAN, lw=2, label="the interval that decides"))
    if any(one.margin is not None for one in found):
        key.append(Patch(color=INK, alpha=0.13, lw=0, label="the margin"))
    return key


def _row(one: Compared, name: str, metric: str) -> Row:
    numbers = _differences(one, name, metric)
    if c := one.of(name):
        return Row(one.family.shown(name), numbers, c.low, c.high, c.mean, _short(c))
    words = told(one, name)[1]
    difference = one.left_out[name].difference
    mean = None if difference is None else difference[1]
    return Row(one.family.shown(name), numbers if difference else (), None, None, mean, words)


def _differences(one: Compared, name: str, metric: str) -> list[float]:
    """Over the seeds of the verdict; over all shared seeds for a cell without one."""
    if one.baseline is None:
        return []
    own, base = (one.family.cells[each].points(metric) for each in (name, one.baseline))
    seeds = one.seeds if one.of(name) else sorted(set(own) & set(base))
    return [own[seed] - base[seed] for seed in seeds]


def _with_test(c: Comparison, verdict: str) -> str:
    said = f"{verdict}: {c.why}" if c.why else verdict
    return f"{said}; the sign-flip test {c.test}" if c.unlike else said


def _short(c: Comparison) -> str:
    """The verdict without the second interval."""
    new = c.over_new_images
    if new is None or c.agreed:
        return _with_test(c, c.verdict)
    return _with_test(c, f"{c.verdict} on these test images, {new.decided} over new ones")


def _place(row: Row) -> tuple[bool, float]:
    """The largest mean first; those without a mean last."""
    return row.mean is None, -(row.mean or 0)
