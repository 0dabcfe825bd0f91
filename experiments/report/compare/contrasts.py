"""Declared contrasts: what a padding does in one family less what it does in another.

The contrast (a − b) − (c − d) is computed seed by seed, a and c being one padding and b and d the
baseline of two families that differ in one declared setting alone. All contrasts of a study are
decided together, by the rule that decides the comparisons of a family.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.tasks.metrics import measured
from experiments.report.compare.differences import (
    Declared,
    declared_for,
    points_of,
    runs_of,
)
from experiments.report.compare.families import Family, settings_of, what_differs
from experiments.report.compare.reading import Cell
from experiments.report.compare.remarks import of_the_seeds
from experiments.report.statistics import items
from experiments.report.statistics.looks import FEW
from experiments.report.statistics.verdict import (
    ROUGHLY,
    UNDECIDED,
    Comparison,
    OverNewImages,
    compare,
    over_new_images,
)
from experiments.study.plan import Plan
from experiments.study.seed_order import Runs, taken, together

NOTHING = "0"  # what a contrast is compared with


@dataclass(frozen=True)
class Effect:
    """What a padding does in one family.

    Attributes:
        points: seed -> the padding's difference from the baseline.
        cells: that of the padding, and the baseline's.
        lost: the seeds that will have no difference.
    """

    points: dict[int, float]
    cells: tuple[Cell, Cell]
    lost: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Contrasts:
    """The contrasts of a study.

    Attributes:
        comparisons: of each contrast with 0, named as in `values`.
        values: name -> the contrast of each seed, in points.
        seeds: those by which the contrasts are paired.
        left_out: name -> why there is no contrast.
        next_look: as of `Compared`.
        notes: what else must be said.
    """

    comparisons: list[Comparison] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    next_look: int | None = None
    notes: list[str] = field(default_factory=list)


def contrasts(families: Sequence[Family], declared: Declared) -> Contrasts:
    """Compute the declared contrasts over the seeds that all of them share."""
    asked = (declared.plan.declared.contrasts if declared.plan else None) or []
    effects: dict[str, tuple[Effect, Effect]] = {}
    left_out: dict[str, str] = {}
    for one in asked:
        ((key, (first, second)),) = one["between"].items()
        for padding in one["padding"]:
            pairs = list(_pairs(families, key, first, second))
            if not pairs:
                name = f"{padding}, {first} − {second}"
                left_out[name] = f"no two families differ in nothing but {key}"
            for a, b in pairs:
                name = named(padding, key, a, b)
                try:
                    effects[name] = effect(a, padding, declared), effect(b, padding, declared)
                except ValueError as why:
                    left_out[name] = str(why)
    plan = declared.plan
    order: list[int] = []
    found = {}
    for some in effects.values():
        for one in some:
            own, base = one.cells
            order, looks = declared_for(base.name, [own.name, base.name], declared)
            found[looks] = order
    looks = min(found, default=declared.looks)
    k = planned(plan, declared.baseline) if plan else 0
    told = dataclasses.replace(declared, looks=looks, comparisons=k)
    return decided(effects, told, found.get(looks), left_out=left_out)


def decided(
    effects: Mapping[str, tuple[Effect, Effect]],
    declared: Declared,
    order: Sequence[int] | None = None,
    *,
    left_out: Mapping[str, str] | None = None,
) -> Contrasts:
    """Decide contrasts together, over the seeds that all of them share.

    Args:
        effects: name -> that in the one family and that in the other.
        declared: whose looks and number of comparisons are those of the contrasts.
        order: of the declared seeds; None or empty takes those that there are.
        left_out: why there are no others.
    """
    left_out, looks = dict(left_out or {}), declared.looks
    by_seed = {
        name: {s: own.points[s] - other.points[s] for s in sorted({*own.points} & {*other.points})}
        for name, (own, other) in effects.items()
    }
    there = sorted({seed for own in by_seed.values() for seed in own})
    size = looks if order or len(looks) > 1 else (min([max(len(there), 2), *looks]),)
    runs = {
        name: Runs(
            own,
            ({*there} if not order else effects[name][0].lost | effects[name][1].lost) - set(own),
        )
        for name, own in by_seed.items()
    }
    order = order or there
    wanted = order[: size[-1]]
    for name in list(by_seed):
        if 2 * len(set(wanted) & set(runs[name].lost)) > len(wanted):
            left_out[name] = f"too few of its seeds ({len(by_seed.pop(name))}) have all four cells"
    number, far = together(size, order, {name: [runs[name]] for name in by_seed}, list(by_seed))
    late = [name for name in by_seed if name not in far]
    for name in late:
        left_out[name] = (
            f"{sum(seed in by_seed.pop(name) for seed in order[: size[number - 1]])} of the "
            f"{size[number - 1]} seeds of this look are complete in all four cells"
        )
    seeds, at = taken(size, order, [runs[name] for name in by_seed])
    if len(seeds) < 2 or not by_seed:
        left_out |= dict.fromkeys(by_seed, "the contrasts share fewer than 2 seeds")
        return Contrasts(left_out=left_out)
    values = {name: [own[seed] for seed in seeds] for name, own in by_seed.items()}
    k = max(len(values), declared.comparisons)
    unit = measured(declared.metric).difference_unit
    found = compare(
        {NOTHING: np.zeros(len(seeds)), **values},
        NOTHING,
        declared.margin,
        comparisons=k,
        planned=at,
        unit=unit,
    )
    n = found[0].n
    found = [
        dataclasses.replace(
            one,
            over_new_images=None
            if one.tied
            else _over_new_images(effects[one.name], seeds[:n], at, k, declared),
        )
        for one in found
    ]
    notes = [ROUGHLY.format(n=n)] if n < FEW and any(c.low is not None for c in found) else []
    if found[0].level is not None:
        notes += of_the_seeds(runs, order, seeds[:n], looks)
    values = {name: own[:n] for name, own in values.items()}
    undecided = any(c.decided == UNDECIDED for c in found)
    ahead = (
        size[number - 1 :] if late else [m for m in looks if m > len(seeds)] if undecided else []
    )
    return Contrasts(found, values, seeds[:n], left_out, next(iter(ahead), None), notes)


def planned(plan: Plan, baseline: str) -> int:
    """How many contrasts the plan declares, whichever of its runs are complete."""
    number = 0
    for one in plan.declared.contrasts or []:
        ((key, values),) = one["between"].items()
        for padding in one["padding"]:
            sides: tuple[Counter[Any], Counter[Any]] = (Counter(), Counter())
            for cell in plan.cells.values():
                if cell.padding != padding or padding == baseline or cell.alias_of is not None:
                    continue
                own = cell.model if key == "model" else cell.data
                rest = tuple(
                    part
                    for part in plan.apart(cell)
                    if part != own and not part.startswith((f"{key}=", f"{key}."))
                )
                for side, value in zip(sides, values, strict=True):
                    side[rest] += own == value
            number += sum(n * sides[1][rest] for rest, n in sides[0].items())
    return number


def _pairs(
    families: Sequence[Family], key: str, first: str, second: str
) -> Iterator[tuple[Family, Family]]:
    """The pairs of families with these two values of a setting that are equal in all others."""
    for a, b in itertools.permutations(families, 2):
        names = (a.model, b.model) if key == "model" else (a.data, b.data)
        rest = [
            {k: v for k, v in settings_of(family).items() if not k.startswith(f"{key}.")}
            for family in (a, b)
        ]
        if names == (first, second) and rest[0] == rest[1]:
            yield a, b


def effect(family: Family, padding: str, declared: Declared) -> Effect:
    """The padding's difference from the baseline.

    Raises:
        ValueError: there is none; the message says why.
    """
    names = family.named(padding), family.named(declared.baseline)
    for name, asked in zip(names, (padding, declared.baseline), strict=True):
        if name is None:
            raise ValueError(f"there is no run of {asked} in {family.title}")
    own, base = (family.cells[str(name)] for name in names)
    if padding == declared.baseline:
        raise ValueError(f"{padding} is the baseline")
    if own is base:
        raise ValueError(f"{padding} computes the same as {declared.baseline} in {family.title}")
    if reason := what_differs(own, base, declared.baseline):
        raise ValueError(f"{family.title}: {padding} {reason}")
    older = declared.plan.older(family.starts()) if declared.plan else {}
    a, b = (points_of(cell, declared.metric, older) for cell in (own, base))
    lost = {*runs_of(own, a).lost, *runs_of(base, b).lost}
    points = {seed: a[seed] - b[seed] for seed in a if seed in b}
    return Effect(points, (own, base), frozenset(lost))


def _over_new_images(
    effects: Sequence[Effect],
    seeds: Sequence[int],
    planned: Sequence[int],
    k: int,
    declared: Declared,
) -> OverNewImages | None:
    """The interval of a contrast over new test images, of one test set or of two."""
    sets: dict[tuple[str | None, int], items.TestSet] = {}
    for sign, effect in zip((1, -1), effects, strict=True):
        for part, cell in zip((sign, -sign), effect.cells, strict=True):
            of_runs = [cell.records[seed].items for seed in seeds]
            known = [one for one in of_runs if one is not None]
            if len(known) < len(seeds) or len({one.key for one in known}) > 1:
                return None
            sums = known[0].scale * part * np.stack([one.correct for one in known])[None]
            first = known[0]
            if len(first.sizes) < 2:
                return None
            key = cell.records[seeds[0]].fingerprint, first.key
            before = sets.get(key)
            sets[key] = items.TestSet(sums + before.sums if before else sums, first.sizes)
    found = items.intervals([*sets.values()], planned, k)[:, 0]
    unit = measured(declared.metric).difference_unit
    return over_new_images(found, declared.margin, unit)


def named(padding: str, key: str, a: Family, b: Family) -> str:
    """The contrast in words; what the two families share is said once."""
    if a.differs or b.differs:
        return f"{padding}: {a.title} − {b.title}"
    if key == "model":
        return f"{padding}: {a.model} − {b.model} on {a.data}"
    return f"{padding}: {a.data} − {b.data}, {a.model}"
