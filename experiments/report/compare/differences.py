"""Compares the cells of a family with its baseline, if they are comparable.

Cells are paired by seed, so they may differ only in the padding. Runs with other sources, library
versions, device, kind of processor, number of threads, precision or data are not compared, and the
report says what differs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from data.tasks.metrics import measured
from experiments.report.compare.families import Family, what_differs
from experiments.report.compare.reading import Cell
from experiments.report.compare.remarks import numbers, of_the_plan, of_the_seeds
from experiments.report.statistics import items
from experiments.report.statistics.looks import FEW
from experiments.report.statistics.verdict import (
    ROUGHLY,
    UNDECIDED,
    Comparison,
    compare,
    over_new_images,
)
from experiments.study.plan import Plan
from experiments.study.seed_order import Runs, founders, one_look, taken, together


@dataclass(frozen=True)
class Declared:
    """The settings of the comparisons.

    Attributes:
        baseline: the padding that the others are compared with.
        metric: the primary metric.
        margin: of equivalence, in the unit of the metric's differences.
        looks: numbers of seeds; empty for one look at those with which the family was declared.
        plan: what was planned, and when; None takes the cells and seeds that there are.
        comparisons: k, if it is known without a plan.
        afterwards: the names of those that were chosen after the runs.
    """

    baseline: str = "same"
    metric: str = "test_accuracy"
    margin: float = 0.3
    looks: tuple[int, ...] = ()
    plan: Plan | None = None
    comparisons: int = 0
    afterwards: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """A cell that is left out of the comparisons.

    Attributes:
        why: the reason, in words.
        difference: (n, mean) over the seeds that it shares with the baseline, as a description
            without a verdict; None for runs that may not be paired.
    """

    why: str
    difference: tuple[int, float] | None = None


@dataclass(frozen=True)
class Compared:
    """The comparisons of one family with its baseline.

    Attributes:
        baseline: name of the baseline cell; None if the family has none.
        comparisons: of the cells that share enough seeds.
        left_out: cell -> reason.
        seeds: the seeds that were looked at, by which the comparisons are paired.
        looks: the planned ones; empty for one look at the seeds that there are.
        next_look: the number of seeds of the look for which something waits: a comparison that is
            undecided, or a cell that has not come so far.
        notes: seeds and runs that are not part of the verdict, by name.
    """

    family: Family
    baseline: str | None
    comparisons: list[Comparison] = field(default_factory=list)
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=list)
    looks: tuple[int, ...] = ()
    next_look: int | None = None
    notes: list[str] = field(default_factory=list)

    def of(self, name: str) -> Comparison | None:
        """The comparison of the cell with this name."""
        return next((c for c in self.comparisons if c.name == name), None)


def against_baseline(family: Family, declared: Declared) -> Compared:
    """Compare the baseline with every cell of the family that is comparable.

    All are compared over the seeds that they share, because the test of the family flips the signs
    of all cells of a seed; a cell that lacks half of them is left out. A look begins when none of
    its seeds is yet to run; a cell that has not come so far is left out until it has.
    """
    name, metric = family.named(declared.baseline), declared.metric
    if name is None:
        why = f"there is no run of {declared.baseline} that differs only in the padding"
        return Compared(family, None, left_out={other: LeftOut(why) for other in family.cells})
    plan = declared.plan
    older = plan.older(family.starts()) if plan else {}
    base = points_of(family.cells[name], metric, older)
    cells, left_out = _comparable(family, name, metric, older)
    notes = of_the_plan(family, older, plan) if plan else []
    there = sorted(set(base) & {seed for points in cells.values() for seed in points})
    order, looks = declared_for(family.cells[name].name, family.names, declared)
    size = looks if order or len(looks) > 1 else (min([max(len(there), 2), *looks]),)
    every = sorted({*base}.union(*cells.values()))
    runs = {
        other: runs_of(family.cells[other], points, None if order else every)
        for other, points in [(name, base), *cells.items()]
    }
    every, order = order or every, order or there

    def leave(others: Iterable[str], why: str) -> None:
        left_out.update({o: LeftOut(why, _described(cells.pop(o), base)) for o in [*others]})

    if len(base) < 2:
        leave(cells, f"{name} has {len(base)} of the 2 seeds that a comparison needs")
    wanted = [seed for seed in order[: size[-1]] if seed in base]
    for other in list(cells):
        missing = [seed for seed in wanted if seed in runs[other].lost]
        if missing and 2 * len(missing) >= len(wanted):
            leave([other], f"lacks {numbers('seed', missing)}")
    first = founders(plan, family.cells[name].name, family.names) if plan else family.names
    pairs = {other: (runs[name], runs[other]) for other in cells}
    founding = [other for other in cells if family.cells[other].name in first]
    number, far = together(size, order, pairs, founding)
    late = [other for other in cells if other not in far]
    for other in late:
        n = size[number - 1]
        complete = sum(seed in cells[other] for seed in order[:n])
        leave([other], f"{complete} of the {n} seeds of this look are complete")
    seeds, planned = taken(size, order, [runs[other] for other in (name, *cells)])
    if len(seeds) < 2:
        leave(cells, "the cells share fewer than 2 seeds")
    if not cells:
        return Compared(family, name, left_out=left_out, looks=looks, notes=notes)
    values = {other: [points[seed] for seed in seeds] for other, points in cells.items()}
    values[name] = [base[seed] for seed in seeds]
    k = max(len(family.cells), len(plan.alike(family.names)) if plan else 0) - 1
    k = max(k, declared.comparisons)
    unit = measured(metric).difference_unit
    found = compare(values, name, declared.margin, comparisons=k, planned=planned, unit=unit)
    taken_looks = [n for n in planned if n <= len(seeds)]
    seeds = seeds[: found[0].n]
    told = {family.shown(other): runs[other] for other in (name, *cells)}
    if found[0].level is not None:
        notes += of_the_seeds(told, every, seeds, looks)
    if len(seeds) < FEW and any(one.low is not None for one in found):
        notes.append(ROUGHLY.format(n=len(seeds)))
    new = _over_new_images(family, name, [c.name for c in found if not c.tied], seeds, planned, k)
    comparisons = [
        dataclasses.replace(
            one,
            identical=one.tied and _identical(family.cells[one.name], family.cells[name], seeds),
            over_new_images=over_new_images(new[one.name], declared.margin, unit)
            if one.name in new
            else None,
        )
        for one in found
    ]
    undecided = any(c.decided == UNDECIDED for c in comparisons)
    ahead = size[number - 1 :] if late else looks[len(taken_looks) :] if undecided else ()
    return Compared(
        family, name, comparisons, left_out, seeds, looks, next(iter(ahead), None), notes
    )


def declared_for(
    baseline: str, names: Sequence[str], declared: Declared
) -> tuple[list[int], tuple[int, ...]]:
    """The seeds of a family in the order in which they were declared, and the looks.

    Both are empty if they are not known.
    """
    plan = declared.plan
    looks = declared.looks or (one_look(plan, baseline, names) if plan else ())
    known = plan.cells.get(baseline) if plan and looks else None
    return known.seeds if known else [], looks


def runs_of(cell: Cell, points: Collection[int], every: Iterable[int] | None = None) -> Runs:
    """Which seeds of a cell have a value, and which will have none.

    Args:
        every: all seeds there are, if it is not known which are yet to run.
    """
    ended = cell.lost | cell.records.keys() if every is None else {*every}
    return Runs(points, ended - set(points))


def _comparable(
    family: Family, name: str, metric: str, older: Mapping[str, list[int]]
) -> tuple[dict[str, dict[int, float]], dict[str, LeftOut]]:
    """The points of the cells that may be paired with the baseline, and why others may not."""
    cells, left_out = {}, {}
    for other, cell in family.cells.items():
        if other == name:
            continue
        points = points_of(cell, metric, older)
        if reason := what_differs(cell, family.cells[name], name):
            left_out[other] = LeftOut(reason)
        elif points:
            cells[other] = points
        elif points_of(cell, metric, {}):
            left_out[other] = LeftOut("all its runs are older than its declaration")
        else:
            left_out[other] = LeftOut(f"its runs have no {metric}")
    return cells, left_out


def _identical(cell: Cell, base: Cell, seeds: Iterable[int]) -> bool:
    """Whether two cells have the same predictions, to the last bit; False if unknown."""
    pairs = [(cell.records[seed].items, base.records[seed].items) for seed in seeds]
    return all(
        own and other and own.predicted is not None and own.predicted == other.predicted
        for own, other in pairs
    )


def points_of(cell: Cell, metric: str, older: Mapping[str, list[int]]) -> dict[int, float]:
    """Seed -> the metric in points, without the runs that are older than their declaration."""
    found = {seed: record.points(metric) for seed, record in cell.records.items()}
    without = older.get(cell.name, ())
    return {s: points for s, points in found.items() if points is not None and s not in without}


def _described(points: dict[int, float], base: dict[int, float]) -> tuple[int, float] | None:
    """(n, mean) of the difference over the shared seeds; None without any."""
    shared = sorted(set(points) & set(base))
    if not shared:
        return None
    return len(shared), float(np.mean([points[seed] - base[seed] for seed in shared]))


def _over_new_images(
    family: Family, base: str, names: list[str], seeds: list[int], planned: Sequence[int], k: int
) -> dict[str, np.ndarray]:
    """The intervals of each cell over new seeds and new test images, at the looks: (looks, 2).

    A cell has none if its runs were tested on other items than the baseline's, on none, or on
    items of a single source.
    """
    first = family.cells[base].records[seeds[0]].items
    if first is None or len(first.sizes) < 2:
        return {}

    def correct(name: str) -> np.ndarray | None:
        of_runs = [family.cells[name].records[seed].items for seed in seeds]
        if any(one is None or one.key != first.key for one in of_runs):
            return None
        return np.stack([one.correct for one in of_runs if one is not None])

    baseline = correct(base)
    if baseline is None:
        return {}
    cells = {name: own for name in names if (own := correct(name)) is not None}
    if not cells:
        return {}
    sums = first.scale * np.stack([own - baseline for own in cells.values()])
    found = items.intervals([items.TestSet(sums, first.sizes)], planned, k)
    return {name: found[:, i] for i, name in enumerate(cells)}
