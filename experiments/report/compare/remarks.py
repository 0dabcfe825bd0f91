"""Warnings about accuracies that should not be compared: ceilings, constant predictions."""

from __future__ import annotations

from data.tasks.metrics import is_tested, measured
from experiments.report.compare.families import Family
from experiments.report.compare.reading import Cell

CEILING = 100.0


def remarks(family: Family, metric: str) -> list[str]:
    """Lines about cells that are right, or wrong, on every item, or that predict only one class.

    Args:
        metric: the primary metric.
    """
    said = []
    per_cent = measured(metric).unit == "%"
    for limit, words in ((CEILING, "100 %"), (0.0, "0 %")) if per_cent else ():
        there = [name for name, cell in family.cells.items() if _always(cell, metric, limit)]
        if len(there) == len(family.cells) > 1:
            what = "test items" if is_tested(metric) else "items"
            said.append(
                f"every padding is at {words} with every seed: these {what} cannot distinguish them"
            )
        else:
            said += [f"{name}: at {words} with every seed" for name in there]
    for name, cell in family.cells.items():
        items = [record.items for record in cell.records.values() if record.items is not None]
        constant = sum(one.classes == 1 and one.sizes.sum() > 1 for one in items)
        if constant:
            said.append(f"{name}: {constant} of {len(items)} runs predict one class for every item")
    return said


def _always(cell: Cell, metric: str, limit: float) -> bool:
    points = [record.points(metric) for record in cell.records.values()]
    return all(value == limit for value in points)
