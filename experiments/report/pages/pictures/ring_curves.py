"""Pictures of networks that give images: error by distance to the border, and examples."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.report.compare.families import Family
from experiments.report.compare.reading import PREDICTIONS, Cell
from experiments.report.pages.pictures.canvas import STYLE, colour, legend, line, panels
from experiments.report.statistics.paired import interval
from experiments.run.record import files, image_errors

SIZE = 6.2, 4.2
EXAMPLES = 2
MOST_ROWS = 12
ROW_ROOM = 22  # characters of a label beside a row of examples
Band = dict[int, tuple[float, float, float]]


def band(cell: Cell) -> Band:
    """Distance to the border -> mean over seeds of the error there, and its 95 % interval.

    The interval is Student\'s t at each distance alone; with one seed it is the value itself.
    """
    found: dict[int, list[float]] = {}
    for record in cell.records.values():
        for ring in record.results.get("error_by_distance", []):
            found.setdefault(int(ring["distance"]), []).append(float(ring["error"]))
    return {
        distance: interval(values) if len(values) > 1 else (values[0],) * 3
        for distance, values in sorted(found.items())
    }


def curves(families: Sequence[Family]) -> Figure | None:
    """A panel per family, a line per padding with its interval; None where no images are given."""
    families = [family for family in families if any(map(band, family.cells.values()))]

    def draw(axis: Axes, family: Family) -> None:
        error = ""
        for i, (name, cell) in enumerate(family.cells.items()):
            if rings := band(cell):
                mean, low, high = np.array(list(rings.values())).T
                look = {**line(i), "ms": 3}
                axis.plot(list(rings), mean, label=family.shown(name), **look)
                axis.fill_between(list(rings), low, high, color=colour(i), alpha=0.2, lw=0)
                error = str(family.task.error)
        axis.set_ylim(bottom=0)
        axis.set_xlabel("distance to the border, pixels")
        axis.set_ylabel(error)
        axis.set_title(family.title)
        axis.grid()
        legend(axis)

    return panels(families, draw, SIZE, across=2) if families else None


def examples(families: Sequence[Family], study: Path) -> Figure | None:
    """Prediction and error of the same test images under each padding, of one seed.

    The first family that gives images; None without one, or without its runs\' predictions.
    """
    for family in families:
        if shown := _predictions(family, study):
            return _sheet(family, shown)
    return None


def _predictions(family: Family, study: Path) -> dict[str, Mapping[str, np.ndarray]]:
    """Padding -> the predictions of the first seed that all cells have."""
    cells = list(family.cells.items())[:MOST_ROWS]
    if not all(map(band, (cell for _, cell in cells))):
        return {}
    shared = sorted(set.intersection(*(set(cell.records) for _, cell in cells)))
    if not shared:
        return {}
    paths = {name: study / cell.name / f"seed={shared[0]}" / PREDICTIONS for name, cell in cells}
    if not all(path.is_file() for path in paths.values()):
        return {}
    return {family.shown(name): files.read_npz(path) for name, path in paths.items()}


def _sheet(family: Family, shown: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    task = next(iter(family.cells.values())).config.task
    first = next(iter(shown.values()))
    count = min(EXAMPLES, len(first["shown"]))
    sheets = {
        name: [image_errors.sheets(dict(columns), i, task) for i in range(count)]
        for name, columns in shown.items()
    }
    # One scale for the errors of an example under every padding.
    most = [max(np.nanmax(of[i]["error"][0]) for of in sheets.values()) for i in range(count)]
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(1.7 * 2 * count + 1.6, 1.75 * (len(sheets) + 1)), layout="constrained"
        )
        axes: Any = figure.subplots(len(sheets) + 1, 2 * count, squeeze=False)
        figure.suptitle(family.title)
        for i in range(count):
            for k, name in enumerate(("input", "target")):
                image, how = next(iter(sheets.values()))[i][name]
                _show(axes[0, 2 * i + k], image, how, name)
            for row, of in enumerate(sheets.values(), start=1):
                image, how = of[i]["predicted"]
                _show(axes[row, 2 * i], image, how, "predicted" if row == 1 else "")
                image, how = of[i]["error"]
                how = {**how, "vmax": most[i]}
                _show(axes[row, 2 * i + 1], image, how, "error" if row == 1 else "")
        for row, name in enumerate(sheets, start=1):
            axes[row, 0].set_ylabel(textwrap.fill(name, ROW_ROOM), fontsize=8)
    return figure


def _show(axis: Axes, image: np.ndarray, how: dict[str, Any], title: str) -> None:
    axis.imshow(image, **how)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)
    for spine in axis.spines.values():
        spine.set_visible(False)
    if title:
        axis.set_title(title, fontsize=8)
