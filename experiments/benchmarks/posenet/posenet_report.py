"""The results of PosENet alone, beside the published ones: a table, a page and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.benchmarks import options
from experiments.report.pages.document import Heading, Items, Picture, Table
from experiments.report.pages.pictures import canvas
from experiments.run.record import files

Row = dict[str, Any]
# Rank correlation and mean absolute error by map and padding: Islam et al., tables 1 and 4.
PUBLISHED = {
    "H": {0: (0.012, 0.251), 1: (0.274, 0.239), 2: (0.397, 0.223)},
    "V": {0: (0.131, 0.248)},
    "G": {0: (-0.001, 0.233), 1: (0.205, 0.184), 2: (0.380, 0.177)},
}
READERS = {"sgd": "trained", "exact": "least squares"}


def line(row: Row) -> str:
    """A row for the terminal."""
    place = f"{row['pictures']:8} seed {row['seed']}  pad {row['pad']}  {row['reader']:5}"
    return f"{place}  {row['map']}  SPC {row['spc']:+.3f}  MAE {row['mae']:.3f}"


def chosen(rows: Sequence[Row], figure: str, **where: Any) -> np.ndarray:
    """One figure of the rows with the values in `where`, by seed."""
    return np.array([r[figure] for r in rows if all(r[key] == where[key] for key in where)])


def table(rows: Sequence[Row], figure: str) -> Table:
    """Mean (sd) over seeds of "spc" or "mae", one line per map and padding."""
    columns = list(dict.fromkeys((row["pictures"], row["reader"]) for row in rows))
    lines = []
    for name, published in PUBLISHED.items():
        for pad in sorted({row["pad"] for row in rows}):
            said = published.get(pad)
            cells = [f"{said[figure == 'mae']:.3f}" if said else ""]
            for kind, reader in columns:
                found = chosen(rows, figure, map=name, pad=pad, pictures=kind, reader=reader)
                cells.append(_mean(found))
            lines.append([name, str(pad), *cells])
    titles = [f"{kind}, {READERS[reader]}" for kind, reader in columns]
    return Table(["map", "zeros, px", "published", *titles], lines, range(1, 3 + len(titles)))


def _mean(found: np.ndarray) -> str:
    sd = f" ({found.std(ddof=1):.3f})" if len(found) > 1 else ""
    return f"{found.mean():.3f}{sd}"


def write(folder: Path, rows: Sequence[Row], facts: Items) -> list[Path]:
    """Write the page, the figures by seed and the picture; returns the paths."""
    seeds = len({row["seed"] for row in rows})
    drawn = Picture("posenet", "rank correlation by pixels of zeros", picture(rows))
    title = "PosENet alone, with 0, 1 and 2 pixels of zeros"
    spc = Heading(f"Rank correlation (SPC), mean (sd over seeds), n = {seeds}"), table(rows, "spc")
    mae = Heading("Mean absolute error"), table(rows, "mae")
    rounded = [{**row, "spc": round(row["spc"], 5), "mae": round(row["mae"], 5)} for row in rows]
    written = options.write(folder / "table", title, rounded, facts, *spc, *mae, drawn)
    files.write(folder / "posenet.png", canvas.png(drawn.figure))
    return [*written, folder / "posenet.png"]


def picture(rows: Sequence[Row]) -> Figure:
    """One panel per map: rank correlation by pixels of zeros, a dot per seed; published values."""

    def draw(axis: Axes, name: str) -> None:
        groups = list(dict.fromkeys((row["pictures"], row["reader"]) for row in rows))
        pads = sorted({row["pad"] for row in rows})
        for i, (kind, reader) in enumerate(groups):
            where = {"map": name, "pictures": kind, "reader": reader}
            found = [chosen(rows, "spc", pad=pad, **where) for pad in pads]
            place = np.array(pads) + 0.05 * (i - (len(groups) - 1) / 2)
            label = f"{kind}, {READERS[reader]}"
            axis.plot(place, [f.mean() for f in found], **canvas.line(i), label=label)
            for x, values in zip(place, found, strict=True):
                axis.plot([x] * len(values), values, ".", ms=2.5, color=canvas.colour(i))
        said = PUBLISHED[name]
        axis.plot(
            list(said), [spc for spc, _ in said.values()], "k_", ms=22, mew=1.6, label="published"
        )
        axis.axhline(0, color=canvas.INK, lw=0.6)
        axis.set(title=name, xlabel="pixels of zeros", xticks=pads, ylim=(-0.1, 0.6))
        if name == "H":
            axis.set_ylabel("rank correlation (SPC)")
        if name == list(PUBLISHED)[-1]:
            canvas.legend(axis)

    return canvas.panels(list(PUBLISHED), draw, (2.9, 2.9))
