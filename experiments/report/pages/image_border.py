"""Error by distance to the border: its table, and its rows for a CSV file."""

from __future__ import annotations

from typing import Any

from experiments.report.compare.differences import Compared
from experiments.report.compare.families import Family
from experiments.report.compare.reading import Record
from experiments.report.pages.document import Block, Entry, Heading, Paragraph, Table, Value
from experiments.report.pages.pictures import ring_curves
from experiments.report.statistics.numbers import plain

NEAR = 5  # distances of which each has a column


def blocks(compared: list[Compared]) -> list[Block]:
    """A table per family whose networks give images: a row per padding, columns by distance."""
    found: list[Block] = []
    for one in compared:
        bands = {name: ring_curves.band(cell) for name, cell in one.family.cells.items()}
        bands = {name: rings for name, rings in bands.items() if rings}
        if not bands:
            continue
        task = one.family.task
        distances = sorted(set().union(*bands.values()))
        middle = distances[NEAR:]
        shown = sorted({*distances[:NEAR], *middle[len(middle) // 2 :][:1], *distances[-1:]})
        rows = [
            [one.family.shown(name), *(_entry(rings.get(d), task.unit) for d in shown)]
            for name, rings in bands.items()
        ]
        found += [
            Heading(one.family.title, 3),
            Table(["padding", *(f"{d} px" for d in shown)], rows, tight=True),
        ]
        error = str(task.error)
    if not found:
        return []
    return [
        Heading("Error by distance to the border"),
        Paragraph(
            f"{error.capitalize()} of the test pixels with so many pixels between them and the "
            "nearest border of the image: mean over seeds and its 95 % interval, Student's t at "
            "each distance alone; described, not tested. A dash: the network gives no pixel there."
        ),
        *found,
    ]


def rows(families: list[tuple[Family, str, Record]]) -> list[dict[str, Any]]:
    """One row per run and distance."""
    return [
        {
            "cell": record.cell,
            "family": family.title,
            "padding": family.cells[name].label,
            "seed": record.seed,
            **{key: ring[key] for key in ("distance", "error", "pixels")},
        }
        for family, name, record in families
        for ring in record.results.get("error_by_distance", [])
    ]


def _entry(found: tuple[float, float, float] | None, unit: str) -> Entry:
    if found is None:
        return "–"
    mean, low, high = found
    if low == high:
        return Value(plain(mean, unit), mean)
    return Value(f"{plain(mean, unit)} [{plain(low, unit)}, {plain(high, unit)}]", mean)
