"""Compares the cells of a family with its baseline, if they are comparable.

Cells are paired by seed, so they may differ only in the padding. Runs with other sources, library
versions, device, kind of processor, number of threads, precision or data are not compared, and the
report says what differs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.tasks.metrics import measured
from experiments.report.compare.families import Family
from experiments.report.compare.reading import Cell
from experiments.report.statistics import items
from experiments.report.statistics.looks import FEW, taken
from experiments.report.statistics.verdict import (
    ROUGHLY,
    UNDECIDED,
    Comparison,
    compare,
    over_new_images,
)
from experiments.run.record import circumstances
from experiments.run.record.circumstances import told, unlike
from experiments.study.plan import Plan

FINGERPRINT, PREDICTED = "data fingerprint", "number of predicted pixels"


@dataclass(frozen=True)
class Declared:
    """The settings of the comparisons.

    Attributes:
        baseline: the padding that the others are compared with.
        metric: the primary metric.
        margin: of equivalence, in the unit of the metric's differences.
        looks: numbers of seeds; empty for one look at the seeds that were planned.
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
        notes: seeds and runs that are not part of the verdict, by name.
    """

    family: Family
    baseline: str | None
    comparisons: list[Comparison] = field(default_factory=list)
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=list)
    looks: tuple[int, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def next_look(self) -> int | None:
        """The number of seeds of the next look, if something is undecided or not looked at."""
        if not any(c.decided == UNDECIDED for c in self.comparisons):
            return None
        return next((n for n in self.looks if n > len(self.seeds)), None)

    def of(self, name: str) -> Comparison | None:
        """The comparison of the cell with this name."""
        return next((c for c in self.comparisons if c.name == name), None)


def against_baseline(family: Family, declared: Declared) -> Compared:
    """Compare the baseline with every cell of the family that is comparable.

    All are compared over the seeds that they share, because the test of the family flips the signs
    of all cells of a seed; a cell that lacks most of them is left out.
    """
    name, metric = family.named(declared.baseline), declared.metric
    if name is None:
        why = f"there is no run of {declared.baseline} that differs only in the padding"
        return Compared(family, None, left_out={other: LeftOut(why) for other in family.cells})
    plan = declared.plan
    older = plan.older(family.starts()) if plan else {}
    base = points_of(family.cells[name], metric, older)
    left_out: dict[str, LeftOut] = {}
    cells: dict[str, dict[int, float]] = {}
    for other, cell in family.cells.items():
        if other == name:
            continue
        if reason := what_differs(cell, family.cells[name], name):
            left_out[other] = LeftOut(reason)
        elif not (points := points_of(cell, metric, older)):
            left_out[other] = LeftOut(f"its runs have no {metric}")
        else:
            cells[other] = points
    notes = [
        f"older than its declaration and not part of the verdict: {family.shown(each)}, "
        f"{_numbers('seed', older[cell.name])}"
        for each, cell in family.cells.items()
        if cell.name in older
    ]
    looks = declared.looks or (plan.one_look(family.names) if plan else ())
    there = sorted(set(base) & {seed for points in cells.values() for seed in points})
    wanted = there[: looks[-1]] if looks else there
    for other in list(cells):
        missing = sorted(set(wanted) - set(cells[other]))
        if len(base) < 2:
            reason = f"{name} has {len(base)} of the 2 seeds that a comparison needs"
        elif len(wanted) - len(missing) < 2:
            reason = f"it shares fewer than 2 seeds with {name}"
        elif 2 * len(missing) > len(wanted):
            reason = f"lacks {_numbers('seed', missing)}"
        else:
            if missing:
                notes.append(
                    f"{family.shown(other)} lacks {_numbers('seed', missing)}: all are "
                    "compared over the seeds that they share"
                )
            continue
        left_out[other] = LeftOut(reason, _described(cells.pop(other), base))
    shared = [seed for seed in wanted if all(seed in points for points in cells.values())]
    if len(shared) < 2:
        why = "the cells share fewer than 2 seeds"
        left_out |= {other: LeftOut(why, _described(cells[other], base)) for other in cells}
        return Compared(family, name, left_out=left_out, notes=notes)
    values = {other: [points[seed] for seed in shared] for other, points in cells.items()}
    values[name] = [base[seed] for seed in shared]
    k = max(len(family.cells), plan.alike(family.names) if plan else 0) - 1
    k = max(k, declared.comparisons)
    unit = measured(metric).difference_unit
    found = compare(values, name, declared.margin, comparisons=k, planned=looks, unit=unit)
    seeds = shared[: found[0].n]
    if later := sorted({*shared[len(seeds) :], *there[len(wanted) :]}):
        beyond = next((f"the next look is at {n} seeds" for n in looks if n > len(seeds)), "")
        beyond = beyond or f"{len(seeds)} seeds were declared"
        notes.append(f"not part of the verdict: {_numbers('seed', later)} ({beyond})")
    if len(seeds) < FEW and any(one.low is not None for one in found):
        notes.append(ROUGHLY.format(n=len(seeds)))
    compared = Compared(family, name, left_out=left_out, seeds=seeds, looks=looks, notes=notes)
    planned = taken(looks, len(shared))
    new = _over_new_images(family, name, [c.name for c in found if not c.tied], seeds, planned, k)
    compared.comparisons.extend(
        dataclasses.replace(
            one,
            identical=one.tied and _identical(family.cells[one.name], family.cells[name], seeds),
            over_new_images=over_new_images(new[one.name], declared.margin, unit)
            if one.name in new
            else None,
        )
        for one in found
    )
    return compared


def _numbers(word: str, numbers: list[int]) -> str:
    return f"{word}{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


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
    found: dict[str, list[Any]] = {
        key: [] for key in (*circumstances.MUST_AGREE, FINGERPRINT, PREDICTED)
    }
    for record in cell.records.values():
        starts = [circumstances.of_start(start) for start in record.starts]
        for key, value in [
            *(pair for start in starts for pair in start.items()),
            (FINGERPRINT, record.fingerprint),
            (PREDICTED, sum(r["pixels"] for r in record.results.get("error_by_distance", []))),
        ]:
            if value not in found[key]:
                found[key].append(value)
    return {key.replace("_", " "): values for key, values in found.items()}


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)


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
