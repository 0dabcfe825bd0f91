"""What must be said beside comparisons: ceilings, constant predictions, what keeps to no plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data.tasks.metrics import is_tested, measured
from experiments.report.compare.families import Family
from experiments.report.compare.reading import Cell
from experiments.study.plan import Plan
from experiments.study.seed_order import Runs, joined, shared

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


def of_the_plan(family: Family, older: Mapping[str, Sequence[int]], plan: Plan) -> list[str]:
    """Which runs and cells of a family do not keep to its declaration.

    Args:
        older: directory -> the seeds that were run before their declaration.
    """
    later = joined(plan, family.starts())
    notes = [
        f"older than its declaration and not part of the verdict: {family.shown(name)}, "
        f"{numbers('seed', older[cell.name])}"
        for name, cell in family.cells.items()
        if cell.name in older
    ]
    if names := [family.shown(name) for name, cell in family.cells.items() if cell.name in later]:
        notes.append(
            f"declared when runs of this family had started: {', '.join(names)}; each comparison "
            "that joins widens the intervals of all"
        )
    return notes


def of_the_seeds(
    runs: Mapping[str, Runs], order: Sequence[int], seeds: Sequence[int], looks: Sequence[int]
) -> list[str]:
    """Which seeds are lacking in the verdict, and which are complete but no part of it.

    Args:
        runs: by what they are called.
        order: of the declared seeds.
        seeds: those of the verdict.
        looks: numbers of seeds, as declared.
    """
    until = max(order.index(seeds[-1]) + 1, looks[0] if len(looks) == 1 else 0)
    notes = [
        f"{name} lacks {numbers('seed', missing)}: all are compared over the seeds that they share"
        for name, own in runs.items()
        if (missing := [seed for seed in order[:until] if seed in own.lost])
    ]
    every = [*order, *sorted({s for own in runs.values() for s in own.complete} - {*order})]
    if later := [seed for seed in shared(every, [*runs.values()]) if seed not in seeds]:
        beyond = next((f"the next look is at {n} seeds" for n in looks if n > len(seeds)), "")
        beyond = beyond or f"{len(seeds)} seeds were declared"
        notes.append(f"not part of the verdict: {numbers('seed', later)} ({beyond})")
    return notes


def numbers(word: str, found: Sequence[int]) -> str:
    """A word with its numbers, as "seeds 3, 4"."""
    return f"{word}{'s' * (len(found) > 1)} {', '.join(map(str, found))}"


def _always(cell: Cell, metric: str, limit: float) -> bool:
    points = [record.points(metric) for record in cell.records.values()]
    return all(value == limit for value in points)
