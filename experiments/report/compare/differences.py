"""Compares the cells of a family with its baseline, if they are comparable.

Cells are paired by seed, so they may differ only in the padding. Runs with other sources, library
versions, device, kind of processor, number of threads, precision or data are not compared, and the
report says what differs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from experiments.report.compare.families import Family
from experiments.report.compare.reading import Cell
from experiments.report.statistics.items import two_way_intervals
from experiments.report.statistics.paired import paired_interval
from experiments.report.statistics.verdict import Comparison, compare
from experiments.run.record import circumstances
from experiments.run.record.circumstances import told, unlike

FINGERPRINT = "data fingerprint"


@dataclass(frozen=True)
class Declared:
    """The settings of the comparisons.

    Attributes:
        baseline: the padding that the others are compared with.
        metric: the primary metric.
        margin: of equivalence, in points.
        afterwards: the names of those that were chosen after the runs.
    """

    baseline: str = "same"
    metric: str = "test_accuracy"
    margin: float = 0.3
    afterwards: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """A cell that is left out of the comparisons.

    Attributes:
        why: the reason, in words.
        difference: (n, mean, low, high) over the seeds that it shares with the baseline, as a
            description without a test; None for runs that may not be paired.
    """

    why: str
    difference: tuple[int, float, float, float] | None = None


@dataclass(frozen=True)
class Compared:
    """The comparisons of one family with its baseline.

    Attributes:
        baseline: name of the baseline cell; None if the family has none.
        comparisons: of the cells that have all seeds.
        new_items: cell -> (low, high) of its difference on new test items, in points.
        left_out: cell -> reason.
        seeds: the seeds by which the comparisons are paired.
    """

    family: Family
    baseline: str | None
    comparisons: list[Comparison] = field(default_factory=list)
    new_items: dict[str, tuple[float, float]] = field(default_factory=dict)
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=list)

    def of(self, name: str) -> Comparison | None:
        """The comparison of the cell with this name."""
        return next((c for c in self.comparisons if c.name == name), None)


def against_baseline(family: Family, declared: Declared) -> Compared:
    """Compare the baseline with every cell of the family that is comparable.

    The seeds are those of the baseline that at least one other cell has. A cell that lacks one of
    them is left out, because the test of the family flips the signs of all cells of a seed.
    """
    name, metric = family.named(declared.baseline), declared.metric
    if name is None:
        why = f"there is no run of {declared.baseline} that differs only in the padding"
        return Compared(family, None, left_out={other: LeftOut(why) for other in family.cells})
    base = _points(family.cells[name], metric)
    left_out: dict[str, LeftOut] = {}
    cells: dict[str, dict[int, float]] = {}
    for other, cell in family.cells.items():
        if other == name:
            continue
        if reason := what_differs(cell, family.cells[name], name):
            left_out[other] = LeftOut(reason)
        elif not (points := _points(cell, metric)):
            left_out[other] = LeftOut(f"its runs have no {metric}")
        else:
            cells[other] = points
    seeds = sorted(set(base) & {seed for points in cells.values() for seed in points})
    for other in list(cells):
        missing = sorted(set(seeds) - set(cells[other]))
        if len(base) < 2:
            reason = f"{name} has {len(base)} of the 2 seeds that a comparison needs"
        elif len(seeds) < 2:
            reason = f"it shares fewer than 2 seeds with {name}"
        elif missing:
            reason = f"lacks seeds {', '.join(map(str, missing))}"
        else:
            continue
        left_out[other] = LeftOut(reason, _described(cells.pop(other), base))
    compared = Compared(family, name, left_out=left_out, seeds=seeds)
    if cells:
        values = {other: [points[seed] for seed in seeds] for other, points in cells.items()}
        values[name] = [base[seed] for seed in seeds]
        compared.comparisons.extend(
            dataclasses.replace(
                one, identical=_identical(family.cells[one.name], family.cells[name], seeds)
            )
            for one in compare(values, name, declared.margin)
        )
        compared.new_items.update(_on_new_items(family, name, list(cells), seeds))
    return compared


def what_differs(cell: Cell, base: Cell, name: str) -> str | None:
    """Why two cells may not be paired; None if they differ only in the padding."""
    own, others = _circumstances(cell), _circumstances(base)
    among = [key for key, values in own.items() if len(values) > 1]
    if among:
        return "its own runs differ in " + _listed(f"{key} ({told(own[key])})" for key in among)
    in_base = [key for key in own if len(others[key]) > 1]
    if in_base:
        return f"the runs of {name} differ in " + _listed(
            f"{key} ({told(others[key])})" for key in in_base
        )
    apart = [key for key in own if unlike(own[key], others[key])]
    if apart:
        return f"differs from {name} in " + _listed(
            f"{key} ({told(own[key], others[key])})" for key in apart
        )
    return None


def _circumstances(cell: Cell) -> dict[str, list[Any]]:
    """The conditions of a cell's runs: for each entry, all values in any start of a run."""
    found: dict[str, list[Any]] = {key: [] for key in (*circumstances.MUST_AGREE, FINGERPRINT)}
    for record in cell.records.values():
        starts = [circumstances.of_start(start) for start in record.starts]
        for key, value in [
            *(pair for start in starts for pair in start.items()),
            (FINGERPRINT, record.fingerprint),
        ]:
            if value not in found[key]:
                found[key].append(value)
    return {key.replace("_", " "): values for key, values in found.items()}


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _identical(cell: Cell, base: Cell, seeds: Iterable[int]) -> bool:
    """Whether two cells have the same predictions, to the last bit; False if unknown."""
    pairs = [(cell.records[seed].items, base.records[seed].items) for seed in seeds]
    return all(own and other and own.predicted == other.predicted for own, other in pairs)


def _points(cell: Cell, metric: str) -> dict[int, float]:
    found = {seed: record.points(metric) for seed, record in cell.records.items()}
    return {seed: points for seed, points in found.items() if points is not None}


def _described(
    points: dict[int, float], base: dict[int, float]
) -> tuple[int, float, float, float] | None:
    """(n, mean, low, high) of the difference over the shared seeds; None for fewer than 2."""
    shared = sorted(set(points) & set(base))
    if len(shared) < 2:
        return None
    pairs = [points[seed] for seed in shared], [base[seed] for seed in shared]
    return len(shared), *paired_interval(*pairs)


def _on_new_items(
    family: Family, base: str, names: list[str], seeds: list[int]
) -> dict[str, tuple[float, float]]:
    """The interval of each cell over new seeds and new test items, in points.

    A cell has no interval if its runs were tested on other items than the baseline's, or on none.
    """
    first = family.cells[base].records[seeds[0]].items

    def right(name: str) -> np.ndarray | None:
        items = [family.cells[name].records[seed].items for seed in seeds]
        if first is None or any(one is None or one.key != first.key for one in items):
            return None
        return np.stack([one.right for one in items if one is not None])

    baseline = right(base)
    if first is None or baseline is None:
        return {}
    found = {name: one for name in names if (one := right(name)) is not None}
    if not found:
        return {}
    differences = np.stack([one.astype(np.int8) - baseline for one in found.values()])
    intervals = 100 * two_way_intervals(differences, first.groups)
    return {name: (low, high) for name, (low, high) in zip(found, intervals.tolist(), strict=True)}
