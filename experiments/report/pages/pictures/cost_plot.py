"""The picture of accuracy against cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.report.compare.families import Family
from experiments.report.compare.reading import TEST_ACCURACY, Cell
from experiments.report.pages.pictures.canvas import colour, legend, marker, panels
from experiments.report.pages.pictures.plots import SIZE, ceiling, with_unit

NAMED = 12  # number of points close together that are named


def against_cost(families: Sequence[Family], metric: str = TEST_ACCURACY) -> Figure | None:
    """Mean accuracy against MACs, a panel per data set, a colour per network; None if no costs."""
    groups = {
        data: [f for f in families if f.data == data and any(map(_macs, f.cells.values()))]
        for data in dict.fromkeys(family.data for family in families)
    }
    groups = {data: members for data, members in groups.items() if members}

    def draw(axis: Axes, data: str) -> None:
        named_: list[tuple[float, float, str]] = []
        for i, family in enumerate(groups[data]):
            label: str | None = family.title.removesuffix(f" on {data}")
            for name, cell in family.cells.items():
                values, macs = list(cell.points(metric).values()), _macs(cell)
                if values and macs:
                    mean = float(np.mean(values))
                    look: Any = {"color": colour(i), "marker": marker(i), "ms": 5, "ls": ""}
                    axis.plot([macs], [mean], label=label, **look)
                    named_.append((macs, mean, name))
                    label = None
        axis.set_xscale("log")
        axis.margins(x=0.2, y=0.12)  # room for the names
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter("{x:g}")
        axis.tick_params(axis="x", which="minor", labelsize=7)
        axis.set_xlabel("multiply-accumulates per example, millions")
        own = "; own scale" if len(groups) > 1 else ""
        axis.set_ylabel(f"{with_unit(metric)}{own}")
        axis.set_title(data)
        axis.grid()
        axis.set_ylim(max(0, axis.get_ylim()[0]), min(ceiling(metric), axis.get_ylim()[1]))
        _name_points(axis, named_)
        legend(axis)

    return panels(list(groups), draw, SIZE, across=2) if groups else None


def _macs(cell: Cell) -> float | None:
    macs = next(iter(cell.records.values())).results.get("macs")
    return macs / 1e6 if macs else None


def _name_points(axis: Axes, points: list[tuple[float, float, str]]) -> None:
    """Write each point's name beside it; names that would overlap are stacked."""
    bottom, top = axis.get_ylim()
    apart = 0.034 * (top - bottom)

    def lowest(stack: list[tuple[float, str]]) -> float:
        return float(np.mean([y for y, _ in stack])) - apart * (len(stack) - 1) / 2

    for macs in sorted({x for x, _, _ in points}):
        stacks: list[list[tuple[float, str]]] = []
        for _, y, name in sorted(point for point in points if point[0] == macs):
            stacks.append([(y, name)])
            while len(stacks) > 1 and lowest(stacks[-1]) < lowest(stacks[-2]) + apart * len(
                stacks[-2]
            ):
                stacks[-2:] = [stacks[-2] + stacks[-1]]
        for stack in stacks:
            for i, (_, name) in enumerate(stack if len(stack) <= NAMED else ()):
                axis.annotate(
                    name,
                    (macs, lowest(stack) + i * apart),
                    (6, 0),
                    textcoords="offset points",
                    fontsize=7,
                    va="center",
                )
