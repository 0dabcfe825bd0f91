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
from experiments.report.compare.differences import Declared, points_of, what_differs
from experiments.report.compare.families import Family, settings_of
from experiments.report.compare.reading import Cell
from experiments.report.statistics import items
from experiments.report.statistics.looks import FEW, taken
from experiments.report.statistics.verdict import (
    ROUGHLY,
    Comparison,
    OverNewImages,
    compare,
    over_new_images,
)
from experiments.study.plan import Plan

NOTHING = "0"  # what a contrast is compared with


@dataclass(frozen=True)
class Effect:
    """What a padding does in one family.

    Attributes:
        points: seed -> the padding's difference from the baseline.
        cells: that of the padding, and the baseline's.
    """

    points: dict[int, float]
    cells: tuple[Cell, Cell]


@dataclass(frozen=True)
class Contrasts:
    """The contrasts of a study.

    Attributes:
        comparisons: of each contrast with 0, named as in `values`.
        values: name -> the contrast of each seed, in points.
        seeds: those by which the contrasts are paired.
        left_out: name -> why there is no contrast.
        notes: what else must be said.
    """

    comparisons: list[Comparison] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
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
    cells = [cell.name for some in effects.values() for one in some for cell in one.cells]
    looks = declared.looks or (plan.one_look(cells) if plan else ())
    k = planned(plan, declared.baseline) if plan else 0
    return decided(
        effects, dataclasses.replace(declared, looks=looks, comparisons=k), left_out=left_out
    )


def decided(
    effects: Mapping[str, tuple[Effect, Effect]],
    declared: Declared,
    *,
    left_out: Mapping[str, str] | None = None,
) -> Contrasts:
    """Decide contrasts together, over the seeds that all of them share.

    Args:
        effects: name -> that in the one family and that in the other.
        declared: whose looks and number of comparisons are those of the contrasts.
        left_out: why there are no others.
    """
    left_out, looks = dict(left_out or {}), declared.looks
    by_seed = {
        name: {s: own.points[s] - other.points[s] for s in sorted({*own.points} & {*other.points})}
        for name, (own, other) in effects.items()
    }
    there = sorted({seed for own in by_seed.values() for seed in own})
    wanted = there[: looks[-1]] if looks else there
    for name in [n for n, own in by_seed.items() if 2 * len(set(wanted) & set(own)) < len(wanted)]:
        left_out[name] = f"too few of its seeds ({len(by_seed.pop(name))}) have all four cells"
    seeds = [seed for seed in wanted if all(seed in own for own in by_seed.values())]
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
        planned=looks,
        unit=unit,
    )
    n = found[0].n
    reached = taken(looks, len(seeds))
    found = [
        dataclasses.replace(
            one,
            over_new_images=None
            if one.tied
            else _over_new_images(effects[one.name], seeds[:n], reached, k, declared),
        )
        for one in found
    ]
    notes = [ROUGHLY.format(n=n)] if n < FEW and any(c.low is not None for c in found) else []
    if later := [seed for seed in there if seed not in seeds[:n]]:
        notes.append(f"not part of the contrasts: seeds {', '.join(map(str, later))}")
    values = {name: own[:n] for name, own in values.items()}
    return Contrasts(found, values, seeds[:n], left_out, notes)


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
    return Effect({seed: a[seed] - b[seed] for seed in a if seed in b}, (own, base))


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
