"""All comparisons with one baseline together: an exact test, which stands beside the interval.

The test is the max-T permutation test of Westfall & Young 1993, "Resampling-based multiple
testing", in its one-sample form. If a cell differs from the baseline by chance alone, the
differences of a seed are just as likely with all signs flipped. So whole rows are flipped, which
keeps the correlation between comparisons, and each statistic is compared with the distribution of
the largest in the family.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

Matrix = np.ndarray[Any, np.dtype[np.float64]]
MOST_EXACT = 16  # number of seeds up to which all sign patterns are enumerated: 2 ** 15 of them
DRAWS = 2**15
ROUNDING = 1e-9  # smaller differences of statistics are ties: rounding depends on the order


def max_t_p(differences: Matrix) -> Matrix:
    """Return the family-wise p-value of every comparison.

    With n seeds all 2 ** n sign patterns are equally likely under the null hypothesis; a pattern
    and its negative give the same |t|, so half of them are enumerated. Beyond `MOST_EXACT` seeds,
    2 ** 15 patterns are drawn from a fixed seed, and the observed one is included.

    Args:
        differences: (seeds, comparisons), at least 2 seeds. A column of zeros gets p = 1.

    Returns:
        (comparisons,), each at least 2 / 2 ** n.
    """
    differences = _checked(differences)
    signs = sign_patterns(len(differences))
    largest = np.abs(_t(signs, differences)).max(axis=1)
    observed = np.abs(_t(np.ones((1, len(differences))), differences))[0]
    reached = largest[:, None] >= observed * (1 - ROUNDING)
    return reached.mean(axis=0)


def step_down_p(differences: Matrix) -> Matrix:
    """Return the p-values of the step-down form of the test; none is larger than `max_t_p`'s.

    A comparison is compared with the largest statistic of those that are no more significant than
    itself (Westfall & Young 1993, algorithm 2.8); arguments as for `max_t_p`.
    """
    differences = _checked(differences)
    statistics = np.abs(_t(sign_patterns(len(differences)), differences))
    observed = np.abs(_t(np.ones((1, len(differences))), differences))[0]
    order = np.argsort(-observed, kind="stable")
    # The maximum over each comparison and all that come after it.
    largest = np.maximum.accumulate(statistics[:, order[::-1]], axis=1)[:, ::-1]
    reached = (largest >= observed[order] * (1 - ROUNDING)).mean(axis=0)
    found = np.empty(len(order))
    found[order] = np.maximum.accumulate(reached)
    return found


def sign_patterns(n: int) -> Matrix:
    """Return the sign patterns of n seeds, the first all +1: (patterns, n)."""
    if n <= MOST_EXACT:
        rest = np.array(list(itertools.product((1.0, -1.0), repeat=n - 1)))
        return np.column_stack([np.ones(len(rest)), rest])
    drawn = np.random.default_rng(n).choice([1.0, -1.0], (DRAWS, n))
    drawn[0] = 1.0
    return drawn


def smallest_p(n: int) -> float:
    """Return the smallest p-value that n seeds can give, whatever the family: 2 / 2 ** n."""
    return 2.0 ** (1 - n)


def _checked(differences: Matrix) -> Matrix:
    differences = np.asarray(differences, float)
    if differences.ndim != 2 or len(differences) < 2 or not differences.shape[1]:
        raise ValueError(
            "differences must have at least 2 seeds and 1 comparison. "
            f"Received: shape={differences.shape}"
        )
    if not np.isfinite(differences).all():
        raise ValueError("differences must be finite: every cell needs every seed")
    return differences


def _t(signs: Matrix, differences: Matrix) -> Matrix:
    """Return the t statistics of every sign pattern: (patterns, comparisons).

    Flipping signs does not change the sum of squares, so t depends on the mean alone; if all
    differences have the same absolute value, t can be infinite, and if all are 0, t is 0.
    """
    n = len(differences)
    mean = signs @ differences / n
    squares = (differences**2).sum(axis=0)
    within = squares / n - mean**2
    within = np.where(within <= ROUNDING * np.maximum(squares / n, 1e-300), 0.0, within)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = mean / np.sqrt(within / (n - 1))
    return np.where(squares == 0, 0.0, t)
