"""The verdict on a comparison: one of four, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from experiments.report.statistics import family
from experiments.report.statistics.paired import (
    LEVEL,
    Pairing,
    Sample,
    equivalence_p,
    interval,
    pairing,
)

DIFFERS, EQUIVALENT = "differs", "equivalent"
WITHIN, UNDECIDED = "differs within the margin", "undecided"
IDENTICAL, TIED = "identical, bit for bit", "tied at every seed"


@dataclass(frozen=True)
class Comparison:
    """A cell compared with the baseline, in points of the primary metric.

    Attributes:
        name, baseline: names of the two cells.
        n: number of shared seeds.
        mean, low, high: mean of the paired differences and its individual 95 % interval.
        family_low, family_high: the simultaneous 95 % interval of the family.
        p: of the family's max-T test; None if all differences are zero.
        can_reject: whether n is large enough for any comparison of the family to be significant.
        equivalence_p: of the two one-sided tests at `margin`.
        margin: of equivalence.
        pairing: the gain from pairing.
        identical: whether every prediction equals the baseline's; set outside `compare`.
    """

    name: str
    baseline: str
    n: int
    mean: float
    low: float
    high: float
    family_low: float
    family_high: float
    p: float | None
    can_reject: bool
    equivalence_p: float
    margin: float
    pairing: Pairing
    identical: bool = False

    @property
    def verdict(self) -> str:
        """One of the four verdicts, or identical or tied if all differences are zero."""
        if self.p is None:
            return IDENTICAL if self.identical else TIED
        found, inside = self.p <= LEVEL and self.can_reject, self.equivalence_p <= LEVEL
        if found:
            return WITHIN if inside else DIFFERS
        return EQUIVALENT if inside else UNDECIDED

    @property
    def in_words(self) -> str:
        """The verdict with its margin."""
        return {
            IDENTICAL: IDENTICAL,
            TIED: TIED,
            DIFFERS: "differs",
            EQUIVALENT: f"equivalent within {self.margin:g}",
            WITHIN: f"differs, but within {self.margin:g}",
            UNDECIDED: "undecided",
        }[self.verdict]

    def __str__(self) -> str:
        head = f"{self.name} − {self.baseline}: "
        if self.p is None:
            return f"{head}{self.verdict}, n={self.n}"
        why = f", p={self.p:.2g}" if self.can_reject else ", too few seeds for this family to test"
        numbers = f"{self.mean:+.2f} points [{self.low:+.2f}, {self.high:+.2f}], n={self.n}{why}"
        return f"{head}{numbers}: {self.in_words}"


def compare(cells: Mapping[str, Sample], baseline: str, margin: float = 0.3) -> list[Comparison]:
    """Compare every cell of a family with the baseline.

    Args:
        cells: name -> one value per seed, in points; all cells have the same seeds in order.
        baseline: one of the names.
        margin: of equivalence, in points.

    Returns:
        A comparison for each other cell, in their order.

    Raises:
        ValueError: if the cells have different numbers of seeds, or fewer than 2.
    """
    base = np.asarray(cells[baseline], float)
    others = {name: np.asarray(v, float) for name, v in cells.items() if name != baseline}
    if any(len(values) != len(base) for values in others.values()):
        counts = {name: len(values) for name, values in cells.items()}
        raise ValueError(f"cells are paired by seed and must have the same seeds; got {counts}")
    if not others:
        return []
    differences = np.column_stack([values - base for values in others.values()])
    p = family.max_t_p(differences)
    together = family.simultaneous_intervals(differences)
    n, tested = len(base), int((differences != 0).any(axis=0).sum())
    found = []
    for i, (name, values) in enumerate(others.items()):
        column = differences[:, i]
        mean, low, high = interval(column)
        found.append(
            Comparison(
                name=name,
                baseline=baseline,
                n=n,
                mean=mean,
                low=low,
                high=high,
                family_low=float(together[i, 0]),
                family_high=float(together[i, 1]),
                p=float(p[i]) if column.any() else None,
                can_reject=family.can_reject(n, tested),
                equivalence_p=equivalence_p(column, margin),
                margin=margin,
                pairing=pairing(values, base),
            )
        )
    return found
