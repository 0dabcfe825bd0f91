"""Which of the declared seeds a look takes: in their order, as far as every cell has run them.

A verdict is not taken back when a run that was missing is completed, or when smaller seeds are
added, because a look begins only when none of its seeds is yet to run.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiments.study.plan import Plan, seconds


@dataclass(frozen=True)
class Runs:
    """The runs of a cell, for one metric.

    Attributes:
        complete: the seeds that have a value.
        lost: the seeds that will have none, such as those that failed; all others are yet to run.
    """

    complete: Collection[int]
    lost: Collection[int] = ()

    def awaits(self, seed: int) -> bool:
        """Whether the seed is yet to run."""
        return seed not in self.complete and seed not in self.lost


def shared(order: Iterable[int], cells: Sequence[Runs]) -> list[int]:
    """The seeds that all cells have, in order."""
    return [seed for seed in order if all(seed in cell.complete for cell in cells)]


def usable(order: Iterable[int], cells: Sequence[Runs]) -> list[int]:
    """The seeds that all cells have, in order, before the first that one of them has yet to run.

    Example:
        >>> usable([5, 6, 7, 8], [Runs({5, 7, 8}, {6}), Runs({5, 6, 7})])
        [5, 7]
    """
    run = itertools.takewhile(lambda seed: not any(c.awaits(seed) for c in cells), order)
    return shared(run, cells)


def reached(looks: Sequence[int], order: Sequence[int], cells: Sequence[Runs]) -> int:
    """How many of the looks these cells have reached together.

    A single look is reached when all its seeds have run, even if some are lost. Of several looks,
    each takes as many seeds as it says: the seeds after them stand in for those that are lost.
    """
    if len(looks) > 1:
        there = len(usable(order, cells))
        return sum(n <= there for n in looks)
    first = order[: looks[0]]
    run = len(first) == looks[0] and not any(c.awaits(seed) for c in cells for seed in first)
    return int(run and len(shared(first, cells)) > 1)


def together(
    looks: Sequence[int],
    order: Sequence[int],
    cells: Mapping[str, Sequence[Runs]],
    first: Collection[str],
) -> tuple[int, list[str]]:
    """How many looks a family has reached, and who has come so far.

    Args:
        looks, order: as declared.
        cells: name -> the runs that a comparison needs, such as a cell's and its baseline's.
        first: names of those that were declared first: whoever joins later does not hold them up.

    Returns:
        The looks reached by all of the first that have reached any; and the names of those that
        have reached as many, which are all if nobody has reached one.
    """
    reach = {name: reached(looks, order, runs) for name, runs in cells.items()}
    founding = [n for name, n in reach.items() if n and name in first]
    number = min(founding, default=max(reach.values(), default=0))
    return number, [name for name, n in reach.items() if n >= number]


def taken(
    looks: Sequence[int], order: Sequence[int], cells: Sequence[Runs]
) -> tuple[list[int], tuple[int, ...]]:
    """The seeds that are looked at, and the looks as numbers of these seeds.

    A single look has as many as are left of its own. Before the first look, that is fewer seeds
    than it needs.
    """
    if not reached(looks, order, cells):
        return shared(order, cells)[: looks[0] - 1], tuple(looks)
    if len(looks) > 1:
        return usable(order, cells), tuple(looks)
    found = shared(order[: looks[0]], cells)
    return found, (len(found),)


def one_look(plan: Plan, baseline: str, names: Iterable[str]) -> tuple[int, ...]:
    """The number of seeds with which a family was declared; empty if it is not known.

    That is of its baseline and the first cell that was declared to be compared with it: a cell
    that joins later, with fewer seeds or more, does not change it.
    """
    family = plan.alike(names) or [name for name in names if name in plan.cells]
    others = [name for name in family if name != baseline]
    known = [plan.cells[name].declared_seeds for name in [*others[:1], baseline] if name in family]
    several = [n for n in known if n is not None and n > 1]
    return (min(several),) if several else ()


def founders(plan: Plan, baseline: str, names: Iterable[str]) -> list[str]:
    """Those of the cells that were the first to be compared with their baseline."""
    others = [name for name in names if name in plan.cells and name != baseline]
    family = [name for name in plan.alike(others) if name != baseline] or others
    first = min((plan.cells[name].declared or "" for name in family), default="")
    return [name for name in others if (plan.cells[name].declared or "") == first] or others


def joined(plan: Plan, starts: Mapping[str, Mapping[int, str]]) -> list[str]:
    """The cells that were declared when runs of others, declared before, had started.

    Args:
        starts: cell -> seed -> when the run was first started, of the cells of a family.
    """
    older = plan.older(starts)
    times = [
        seconds(time)
        for name, runs in starts.items()
        for seed, time in runs.items()
        if seed not in older.get(name, ())
    ]
    return [
        name
        for name in starts
        if times and name in plan.cells and (declared := plan.cells[name].declared)
        if seconds(declared) > min(times)
    ]
