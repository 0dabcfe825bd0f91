"""Simulated studies with known truth: how often are the statistics right?

    python -m experiments.report.statistics.simulation

Every study has typical numbers of seeds and comparisons; the comparisons share the baseline's
noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from experiments.report.statistics import family
from experiments.report.statistics.paired import LEVEL, interval

STUDIES, SEEDS, COMPARISONS = 2000, 10, 5
SD, SHARED = (
    0.5,
    0.5,
)  # sd of a paired difference, in points; the fraction of its variance due to the baseline
MEANS = (0.0, 0.1, -0.2, 0.3, 0.0)  # number of studies whose intervals are compared with the truth
EFFECTS = (0.3, 0.5)  # simulated differences, in points

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Rate:
    """How often something happened in a number of studies."""

    happened: int
    studies: int

    @property
    def share(self) -> float:
        return self.happened / self.studies

    @property
    def lower(self) -> float:
        """The lower 99 % limit of the rate (Clopper & Pearson)."""
        return float(stats.binomtest(self.happened, self.studies).proportion_ci(0.98).low)


def study(random: np.random.Generator, means: tuple[float, ...] = (0.0,) * COMPARISONS) -> Array:
    """Simulated differences of a study: (SEEDS, comparisons), in points."""
    own = random.normal(0, SD * np.sqrt(1 - SHARED), (SEEDS, len(means)))
    return own + random.normal(0, SD * np.sqrt(SHARED), (SEEDS, 1)) + np.asarray(means)


def false_findings(studies: int = STUDIES) -> Rate:
    """The number of studies without a difference in which the max-T test finds one."""
    random = np.random.default_rng(6)
    found = sum(family.max_t_p(study(random)).min() <= LEVEL for _ in range(studies))
    return Rate(int(found), studies)


def coverage(studies: int = STUDIES) -> tuple[Rate, Rate]:
    """How often a single 95 % interval covers its mean, and the simultaneous ones cover all."""
    random = np.random.default_rng(7)
    means = np.array(MEANS)
    single = together = 0
    for _ in range(studies):
        differences = study(random, MEANS)
        _, low, high = interval(differences[:, 1])
        single += low <= means[1] <= high
        family_low, family_high = family.simultaneous_intervals(differences, draws=2000).T
        together += bool(((family_low <= means) & (means <= family_high)).all())
    return Rate(single, studies), Rate(together, studies)


def power(effect: float, studies: int = STUDIES) -> tuple[Rate, float]:
    """How often a simulated difference is found, and how often a t test would find it.

    The second number comes from the noncentral t distribution.
    """
    random = np.random.default_rng(8)
    drawn = (random.normal(effect, SD, (SEEDS, 1)) for _ in range(studies))
    found = sum(family.max_t_p(differences)[0] <= LEVEL for differences in drawn)
    noncentral = effect / SD * np.sqrt(SEEDS)
    critical = stats.t.ppf(1 - LEVEL / 2, SEEDS - 1)
    theory = stats.nct.sf(critical, SEEDS - 1, noncentral)
    theory += stats.nct.cdf(-critical, SEEDS - 1, noncentral)
    return Rate(int(found), studies), float(theory)


def main() -> None:
    """Print all rates."""
    print(f"{STUDIES} simulated studies of {SEEDS} seeds and {COMPARISONS} comparisons")
    found = false_findings()
    print(
        f"without a difference, a false positive in {found.share:.2%} (lower 99 % limit "
        f"{found.lower:.2%}; at most {LEVEL:.0%} is promised)"
    )
    single, together = coverage()
    print(f"95 % intervals cover their mean in {single.share:.2%}")
    print(f"simultaneous 95 % intervals cover all means in {together.share:.2%}")
    for effect in EFFECTS:
        planted, theory = power(effect)
        print(
            f"a difference of {effect} points at sd {SD} is found in {planted.share:.2%}; "
            f"the t test's power is {theory:.2%}"
        )


if __name__ == "__main__":
    main()
