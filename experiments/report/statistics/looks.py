"""The interval that decides: a study is looked at after declared numbers of its seeds.

Of k comparisons, look j at the first n_j seeds gives mean ± t(n_j − 1; 1 − α_j / 2k) · s / √n_j,
Student's interval at Bonferroni's level for all comparisons and looks: the α_j sum to 5 %, each
in proportion to its n_j. So the intersections of these intervals over the looks cover all means
together in at least 95 % of the studies whose differences are normal, whatever their correlation,
and more seeds only shrink them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.05
DEFAULT = (8, 12, 20)
FEW = 6  # below so many seeds nothing is seen of how the differences are distributed
ROUNDING = 1e-9  # points; smaller spreads are those of rounding

Array = np.ndarray[Any, np.dtype[np.float64]]


def levels(looks: Sequence[int]) -> tuple[float, ...]:
    """Return α_j of every look; for 8, 12 and 20 seeds: .01, .015, .025.

    Raises:
        ValueError: unless the looks are increasing numbers of seeds, from 2 on.
    """
    if not looks or looks[0] < 2 or any(a >= b for a, b in itertools.pairwise(looks)):
        raise ValueError(f"looks must be increasing numbers, from 2 on. Received: {list(looks)}")
    return tuple(LEVEL * (n / sum(looks)) for n in looks)


def intervals(differences: Array, looks: Sequence[int], comparisons: int) -> Array:
    """Return the intervals of every look that the seeds reach.

    Args:
        differences: (..., seeds, columns), the seeds in order; a column is a difference from the
            baseline or a declared contrast (a − b) − (c − d).
        looks: numbers of seeds.
        comparisons: k, as declared; at least the number of columns.

    Returns:
        (looks reached, ..., columns, 2): low and high. A look at which a column does not vary
        excludes nothing: −∞ and ∞.
    """
    found = []
    for n, level in zip(looks, levels(looks), strict=True):
        if n <= differences.shape[-2]:
            first = differences[..., :n, :]
            mean, sd = first.mean(axis=-2), first.std(axis=-2, ddof=1)
            t = stats.t.ppf(1 - level / (2 * comparisons), n - 1)
            half = np.where(np.ptp(first, axis=-2) > ROUNDING, t * sd / np.sqrt(n), np.inf)
            found.append(np.stack([mean - half, mean + half], axis=-1))
    return np.array(found).reshape(len(found), *differences.shape[:-2], differences.shape[-1], 2)


def intersections(found: Array) -> Array:
    """Return the running intersections of the looks' intervals; empty where low is above high."""
    low = np.maximum.accumulate(found[..., 0], axis=0)
    return np.stack([low, np.minimum.accumulate(found[..., 1], axis=0)], axis=-1)
