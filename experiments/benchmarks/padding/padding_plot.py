"""The picture of the padding benchmark: a panel per network, a dot per mode with quartiles."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.benchmarks.padding.padding_cases import CONTROL, OTHERS
from experiments.benchmarks.padding.padding_report import goal
from experiments.run.record import files

DOT, OTHER, AIM = "#0072b2", "#888888", "#d55e00"
SECTIONS = ("models", "pytorch")
COLUMNS = 3
WIDEST = 3.0  # larger ratios are drawn at the edge


def write(folder: Path, rows: Sequence[dict[str, Any]], backend: str) -> list[Path]:
    """Draw the whole networks, or the layers if no network was measured."""
    chosen = [row for row in rows if row["section"] in SECTIONS and "layers" not in row["table"]]
    chosen = chosen or [row for row in rows if row["section"] == "layers"]
    if not chosen:
        return []
    figure, buffer = draw(chosen, goal(backend), backend), io.BytesIO()
    figure.savefig(buffer, format="png")
    path = folder / f"padding-{backend}.png"
    files.write(path, buffer.getvalue())
    return [path]


def draw(rows: Sequence[dict[str, Any]], aim: float | None, backend: str) -> Figure:
    """One panel per case, modes from top to bottom, the same scale in all panels."""
    cases = list(dict.fromkeys((row["table"], row["case"]) for row in rows))
    names = [row["variant"] for row in rows]
    order = sorted(dict.fromkeys(names), key=_place)
    height = max(2.2, 0.27 * len(order) + 1.0)
    lines = math.ceil(len(cases) / COLUMNS)
    figure = Figure(figsize=(4.1 * min(COLUMNS, len(cases)) + 0.6, height * lines + 0.4), dpi=110)
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained")
    panels = figure.subplots(
        lines, min(COLUMNS, len(cases)), squeeze=False, sharex=True, sharey=True
    ).ravel()
    for axis, (table, case) in zip(panels, cases, strict=False):
        chosen = [row for row in rows if (row["table"], row["case"]) == (table, case)]
        _panel(axis, chosen, order, aim if chosen[0]["section"] == "models" else None)
        axis.set_title(f"{table}\n{case}", size=8.5)
    for axis in panels[len(cases) :]:
        axis.set_axis_off()
    for axis in panels[: len(cases)]:
        axis.tick_params(labelbottom=True)
    highest = max(row["ratio_q3"] for row in rows)
    lowest = min(row["ratio_q1"] for row in rows)
    panels[0].set_xlim(max(0.5, min(0.9, lowest - 0.05)), min(WIDEST, max(1.3, highest + 0.1)))
    panels[0].set_ylim(len(order) - 0.5, -0.5)
    figure.suptitle(f"A training step's time over that under zeros: {backend}", size=11)
    return figure


def _panel(axis: Any, rows: Sequence[dict[str, Any]], order: list[str], aim: float | None) -> None:
    axis.axvline(1.0, color="black", lw=0.8)
    if aim is not None:
        axis.axvline(aim, color=AIM, lw=1, ls="--")
        axis.text(aim, -0.42, f" goal {aim:.2f}", color=AIM, size=7, va="top")
    for row in rows:
        place = order.index(row["variant"])
        colour = OTHER if row["variant"] == CONTROL else DOT
        axis.hlines(place, row["ratio_q1"], row["ratio_q3"], color=colour, lw=2, alpha=0.5)
        axis.plot(min(row["ratio"], WIDEST - 0.03), place, "o", color=colour, ms=4.5)
    axis.set_yticks(range(len(order)), order, size=8)
    axis.tick_params(axis="x", labelsize=8)
    axis.grid(axis="x", alpha=0.25)


def _place(variant: str) -> int:
    known = (CONTROL, *OTHERS)
    return known.index(variant) if variant in known else len(known)
