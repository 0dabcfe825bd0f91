"""The verdict on a comparison, in plain words: one interval decides.

The interval is the intersection of those of the looks (`looks`). Zero outside: *differs*. All of
it within the margin: *equivalent*. As intersections only shrink, a verdict is never taken back.
The max-T test (`family`) stands beside it and changes nothing. The interval over new test images
(`items`) is judged in the same way: if both give one verdict, that holds for new images too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.report.statistics import family, looks
from experiments.report.statistics.numbers import POINTS, brackets, signed
from experiments.report.statistics.paired import Pairing, Sample, pairing

DIFFERS, WITHIN = "differs", "differs, by less than the margin"
EQUIVALENT, UNDECIDED = "equivalent within the margin", "undecided"
IDENTICAL = "identical, bit for bit"
AGREES, DISAGREES, CANNOT = "agrees", "does not agree", "too few seeds"
NO_OVERLAP = "the intervals of the looks do not overlap"
COVERS = "95 % over all comparisons and looks"
OVER_NEW_IMAGES = (
    "Over new test images: by the same rule, over new seeds and new test items (over sources, if "
    "several items are made from one source), with crossed variance components; only a verdict "
    "that both intervals give holds for other images."
)
ROUGHLY = (
    "with {n} seeds the interval assumes roughly normal differences, which so few seeds cannot "
    "check"
)


@dataclass(frozen=True)
class OverNewImages:
    """A comparison over new seeds and new test images.

    Attributes:
        low, high: the interval, in points; None if those of the looks do not overlap.
        decided: one of the four verdicts.
        unit: as of the comparison.
    """

    low: float | None
    high: float | None
    decided: str
    unit: str = POINTS

    @property
    def interval(self) -> str:
        """In brackets, or why there is none."""
        if self.low is None or self.high is None:
            return NO_OVERLAP
        return brackets(self.low, self.high, self.unit)


@dataclass(frozen=True)
class Comparison:
    """A cell compared with the baseline, in the unit of the primary metric's differences.

    Attributes:
        name, baseline: names of the two cells.
        n: number of seeds of the last look that was reached; all, if none was.
        comparisons: k, the number of comparisons that are decided together.
        mean: of the paired differences.
        low, high: the deciding interval; None if all differences are equal, if no look was
            reached, or if those of the looks do not overlap.
        decided: one of the four verdicts, or a tie, if all differences are equal.
        why: the reason for which there is no interval; empty if there is one, and for a tie.
        p: of the family's max-T test at the last look; None for a tie, or without a look.
        step_down_p: of the test's step-down form; it decides nothing.
        level: α of the last look.
        test: whether the test agrees, at one of the looks; None if there is no p.
        margin: of equivalence.
        unit: "points" of a metric in per cent, "dB", or "" for the data's own.
        pairing: the gain from pairing.
        identical: whether every prediction equals the baseline's; set outside `compare`.
        over_new_images: None for a tie, or if the runs' predictions are not known; set outside
            `compare`.
    """

    name: str
    baseline: str
    n: int
    comparisons: int
    mean: float
    low: float | None
    high: float | None
    decided: str
    why: str
    p: float | None
    step_down_p: float | None
    level: float | None
    test: str | None
    margin: float
    pairing: Pairing
    identical: bool = False
    over_new_images: OverNewImages | None = None
    unit: str = POINTS

    @property
    def verdict(self) -> str:
        """In words."""
        return IDENTICAL if self.identical else self.decided

    @property
    def agreed(self) -> bool:
        """Whether the interval over new test images gives the same verdict."""
        return self.over_new_images is not None and self.over_new_images.decided == self.decided

    @property
    def verdicts(self) -> str:
        """The verdict, and that over new test images with its interval, if it is known."""
        new = self.over_new_images
        if new is None:
            return self.verdict
        if self.agreed and new.interval in self.interval:
            return f"{self.verdict}; the same over new test images"
        if self.agreed:
            return f"{self.verdict}; over new test images {new.interval}: the same"
        return f"{self.verdict} on these test images; {new.decided} over new ones {new.interval}"

    @property
    def tied(self) -> bool:
        """Whether all differences are equal, so that there is no interval."""
        return self.low is None and not self.why

    @property
    def unlike(self) -> bool:
        """Whether the test does not agree."""
        return self.test == DISAGREES

    @property
    def interval(self) -> str:
        """The difference with its interval, or the reason why it has none."""
        if self.low is None or self.high is None:
            return "–" if self.tied else f"{signed(self.mean, self.unit)}, {self.why}"
        return f"{signed(self.mean, self.unit)} {brackets(self.low, self.high, self.unit)}"

    @property
    def beside(self) -> str:
        """The test in words."""
        if self.p is None or self.level is None:
            return ""
        if self.test == CANNOT:
            smallest = family.smallest_p(self.n)
            return (
                f"sign-flip p at least {smallest:.2g}: {self.n} seeds cannot reach {self.level:g}"
            )
        return f"sign-flip p={self.p:.2g} at {self.level:g} {self.test}"

    def __str__(self) -> str:
        head = f"{self.name} − {self.baseline}: "
        if self.tied:
            return f"{head}{self.verdict}"
        unit = f" {self.unit}" if self.unit else ""
        told = f"{signed(self.mean, self.unit)}{unit}, {self.why}" if self.why else ""
        said = f"{head}{told or f'{self.interval}{unit}'}, n={self.n}: {self.verdicts}"
        return f"{said}; {self.beside}" if self.beside else said


def compare(
    cells: Mapping[str, Sample],
    baseline: str,
    margin: float = 0.3,
    *,
    comparisons: int | None = None,
    planned: Sequence[int] = (),
    unit: str = POINTS,
) -> list[Comparison]:
    """Compare every cell of a family with the baseline.

    Args:
        cells: name -> one value per seed, in points; all cells have the same seeds in order.
        baseline: one of the names.
        margin: of equivalence, in points.
        comparisons: k, as declared; by default the number of other cells.
        planned: numbers of seeds of the looks; none is one look at all seeds.
        unit: of the values' differences.

    Returns:
        A comparison for each other cell, in their order.

    Raises:
        ValueError: if the cells have different numbers of seeds, or fewer than 2, or if there are
            more than `comparisons`.
    """
    base = np.asarray(cells[baseline], float)
    others = {name: np.asarray(v, float) for name, v in cells.items() if name != baseline}
    if any(len(values) != len(base) for values in others.values()):
        counts = {name: len(values) for name, values in cells.items()}
        raise ValueError(f"cells are paired by seed and must have the same seeds; got {counts}")
    if not others:
        return []
    k = len(others) if comparisons is None else comparisons
    if k < len(others):
        raise ValueError(f"{len(others)} cells are compared, and only {k} were declared")
    planned = planned or (len(base),)
    differences = np.column_stack([values - base for values in others.values()])
    found = looks.intersections(looks.intervals(differences, planned, k))
    reached = list(zip(planned, looks.levels(planned), strict=True))[: len(found)]
    tests = [family.max_t_p(differences[:n]) for n, _ in reached]
    stepped = family.step_down_p(differences[: reached[-1][0]]) if reached else None
    n, level = reached[-1] if reached else (len(base), None)
    compared = []
    for i, (name, values) in enumerate(others.items()):
        column = differences[:n, i]
        decided, low, high, why = _decided(found[:, i], margin)
        tie = _tie(column, unit)
        if not reached:
            why = f"the {'first ' * (len(planned) > 1)}look is at {planned[0]} seeds"
        elif tie:
            decided, low, high, why = tie, None, None, ""
        p = down = test = None
        if reached and not tie:
            p = float(tests[-1][i])
            down = None if stepped is None else float(stepped[i])
            able = [
                m for m, (seeds, level_) in enumerate(reached) if family.smallest_p(seeds) <= level_
            ]
            finds = any(tests[m][i] <= reached[m][1] for m in able)
            agrees = finds == (decided in (DIFFERS, WITHIN))
            test = (AGREES if agrees else DISAGREES) if able else CANNOT
        compared.append(
            Comparison(
                name=name,
                baseline=baseline,
                n=n,
                comparisons=k,
                mean=float(column.mean()),
                low=low,
                high=high,
                decided=decided,
                why=why,
                p=p,
                step_down_p=down,
                level=level,
                test=test,
                margin=margin,
                unit=unit,
                pairing=pairing(values[:n], base[:n]),
            )
        )
    return compared


def over_new_images(found: looks.Array, margin: float, unit: str = POINTS) -> OverNewImages | None:
    """The verdict of the looks' intervals over new test images (looks, 2); None without a look."""
    if not len(found):
        return None
    decided, low, high, _ = _decided(looks.intersections(found), margin)
    return OverNewImages(low, high, decided, unit)


def _decided(found: looks.Array, margin: float) -> tuple[str, float | None, float | None, str]:
    """The verdict of the looks' intersections (looks, 2), and the last of them or its absence."""
    decided = UNDECIDED
    for low, high in found:
        if low > high:
            return decided, None, None, NO_OVERLAP
        inside = -margin < low and high < margin
        if low > 0 or high < 0:
            decided = WITHIN if inside else DIFFERS
        elif inside:
            decided = EQUIVALENT
    if not len(found):
        return decided, None, None, ""
    return decided, float(found[-1, 0]), float(found[-1, 1]), ""


def _tie(column: looks.Array, unit: str) -> str:
    """What is said of differences that are all equal; empty if they are not."""
    if np.ptp(column) > looks.ROUNDING:
        return ""
    if abs(column[0]) <= looks.ROUNDING:
        return f"a tie in {len(column)} seeds"
    return f"the same difference, {signed(column[0], unit)}, in {len(column)} seeds"
