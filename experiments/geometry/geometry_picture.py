"""The geometry of a network as a picture: sizes, receptive field, coverage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from experiments.report.pages.pictures.canvas import COLOURS, INK, STYLE, png
from experiments.run.record import files
from models.geometry.reach.paths import asymmetry, paths
from models.geometry.tracing.rows import Row, main_path

BLUE, ORANGE, GREEN = COLOURS[:3]
SHADES = "viridis"
GRID = 40  # number of outputs per axis whose centres are drawn


def write(path: Path, name: str, model: Any, rows: Sequence[Row]) -> None:
    """Draw a network and write a PNG.

    Raises:
        TraceError: if paths cannot be counted, as with several inputs or an unknown size.
    """
    files.write(path, png(draw(name, model, rows)))


def draw(name: str, model: Any, rows: Sequence[Row]) -> Figure:
    """The three panels; raises the same errors as `write`."""
    maps = [row for row in rows if row.output_size]
    last = maps[-1]
    middle = np.zeros([n or 1 for n in last.output_size])
    middle[tuple(n // 2 for n in middle.shape)] = 1
    seen, covered = paths(model, outputs=middle), paths(model)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 3.9), dpi=90, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(name + _whole(rows), fontsize=10)
        sizes, field, coverage = figure.subplots(1, 3, width_ratios=(1.15, 1, 1.15))
        _draw_sizes(sizes, [(rows.index(row), row) for row in main_path(rows)])
        if covered.ndim == 2:
            _draw_field(field, last, seen)
            _draw_coverage(figure, coverage, covered)
        else:
            _draw_steps(field, last, seen)
            _draw_line(coverage, covered)
        figure.draw_without_rendering()
    return figure


def _draw_sizes(axis: Axes, trunk: Sequence[tuple[int, Row]]) -> None:
    """The sizes of feature map and receptive field in each layer, relative to the image."""
    places, maps = zip(*trunk, strict=True)
    rank = len(maps[0].output_size)
    styles = ("-", "--") if _differ(maps) else ("-",)
    for i, style in enumerate(styles):
        end = (", height", ", width")[i] if len(styles) > 1 else ""
        sizes = [row.output_size[i] or np.nan for row in maps]
        fields = [row.receptive_field[i] for row in maps]
        for values, what, colour in ((sizes, "map", BLUE), (fields, "field", ORANGE)):
            values = [*values, values[-1]]
            axis.step(
                [*places, places[-1] + 1],
                values,
                style,
                where="post",
                color=colour,
                label=what + end,
            )
    size = maps[0].output_size[0] or 1
    axis.axhline(size, color=INK, lw=0.8, ls=":", label="the image" if rank == 2 else "input")
    axis.set_yscale("log", base=2)
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set(xlabel="layer", ylabel="pixels" if rank == 2 else "steps", title="sizes")
    axis.grid(True)
    axis.legend(loc="best")


def _whole(rows: Sequence[Row]) -> str:
    """A note on layers whose reach the fields and paths do not include."""
    names = [f"'{row.name}'" for row in rows if any(row.whole)]
    if not names:
        return ""
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"\nthe whole map is also seen by {', '.join(names[:2])}{more}, not shown here"


def _differ(maps: Sequence[Row]) -> bool:
    return any(len(set(row.output_size)) > 1 or len(set(row.receptive_field)) > 1 for row in maps)


def _draw_field(axis: Axes, last: Row, seen: np.ndarray) -> None:
    """What the middle output sees: its paths inside the image, its receptive field around it."""
    height, width = seen.shape
    axis.imshow(_relative(seen), cmap=SHADES, vmin=0, vmax=1)
    axis.add_patch(Rectangle((-0.5, -0.5), width, height, fill=False, ec=INK, lw=1.2))
    boxes = [_seen_by_middle(last, i) for i in (0, 1)]
    (top, tall), (left, wide) = boxes
    axis.add_patch(Rectangle((left - 0.5, top - 0.5), wide, tall, fill=False, ec=ORANGE, lw=1.8))
    rows, columns = (_centres(last, i) for i in (0, 1))
    if len(rows) <= GRID and len(columns) <= GRID:
        grid = np.meshgrid(columns, rows)
        axis.plot(*(g.ravel() for g in grid), ls="", marker=".", ms=3, color=ORANGE, alpha=0.8)
    inside = _inside(boxes, (height, width))
    axis.set_xlim(*_limits(left, wide, width))
    axis.set_ylim(*_limits(top, tall, height)[::-1])
    axis.set_aspect("equal")
    axis.set_title(
        f"the middle output: field {tall}×{wide}, {100 * inside:.0f} % inside the image\n"
        "colour: fraction of its paths; dots: centres of all outputs"
    )


def _draw_coverage(figure: Figure, axis: Axes, covered: np.ndarray) -> None:
    image = axis.imshow(_relative(covered), cmap=SHADES, vmin=0, vmax=1)
    figure.colorbar(image, ax=axis, fraction=0.046, label="paths, relative to the maximum")
    corner = covered[0, 0] / covered.max()
    axis.set_title(
        f"coverage: the corner has {_share(corner)} of the maximum\n"
        f"asymmetry {asymmetry(covered, 0):.3f} in height, {asymmetry(covered, 1):.3f} in width"
    )


def _draw_steps(axis: Axes, last: Row, seen: np.ndarray) -> None:
    first, reach = _seen_by_middle(last, 0)
    axis.fill_between(np.arange(len(seen)), _relative(seen), step="mid", color=BLUE, alpha=0.6)
    axis.axvspan(first - 0.5, first + reach - 0.5, fill=False, ec=ORANGE, lw=1.5)
    axis.axvspan(-0.5, len(seen) - 0.5, fill=False, ec=INK, lw=1)
    inside = _inside([(first, reach)], (len(seen),))
    axis.set(xlabel="step", ylabel="paths, relative to the maximum")
    axis.set_title(
        f"the middle output: field {reach}, {100 * inside:.0f} % inside the sequence", wrap=True
    )


def _draw_line(axis: Axes, covered: np.ndarray) -> None:
    axis.plot(covered / covered.max(), color=BLUE, drawstyle="steps-mid")
    axis.set(xlabel="step", ylabel="paths, relative to the maximum", ylim=(0, 1.05))
    axis.grid(True)
    axis.set_title(
        f"coverage: first step {_share(covered[0] / covered.max())}, last "
        f"{_share(covered[-1] / covered.max())} of the maximum\n"
        f"asymmetry {asymmetry(covered, 0):.3f}"
    )


def _seen_by_middle(last: Row, i: int) -> tuple[int, int]:
    """The first pixel in the middle output's receptive field, and the number of pixels."""
    at = (last.output_size[i] or 1) // 2
    first, end = last.fields[i].run(at) or (at, at - 1)
    return first, end + 1 - first


def _centres(last: Row, i: int) -> np.ndarray:
    outputs = np.arange(last.output_size[i] or 1)
    return (last.centre[i] or 0) + float(last.effective_stride[i]) * outputs


def _inside(boxes: Sequence[tuple[int, int]], sizes: Sequence[int]) -> float:
    """The fraction of a receptive field that is inside the image."""
    share = 1.0
    for (first, reach), size in zip(boxes, sizes, strict=True):
        share *= max(0, min(size, first + reach) - max(0, first)) / reach
    return share


def _limits(first: int, reach: int, size: int) -> tuple[float, float]:
    low, high = min(0, first), max(size, first + reach)
    room = 0.04 * (high - low)
    return low - 0.5 - room, high - 0.5 + room


def _relative(values: np.ndarray) -> np.ndarray:
    most = float(np.abs(values).max())
    return values / most if most else values


def _share(x: float) -> str:
    return f"{100 * x:.0f} %" if x >= 0.1 else f"{100 * x:.2g} %"
