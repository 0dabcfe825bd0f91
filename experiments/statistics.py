"""Statistics of paired runs: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats


def paired_interval(
    values: Sequence[float], baseline: Sequence[float], confidence: float = 0.95
) -> tuple[float, float, float]:
    """(mean, low, high) of the paired differences `values` − `baseline`, by Student's t.

    Args:
        values, baseline: one number a seed, the same seeds in the same order; n of at least 2.
        confidence: of the two-sided interval.
    """
    differences = np.asarray(values, float) - np.asarray(baseline, float)
    n = len(differences)
    if n < 2:
        raise ValueError(f"an interval needs at least 2 pairs. Received: {n}")
    mean = float(differences.mean())
    half = float(stats.sem(differences) * stats.t.ppf((1 + confidence) / 2, n - 1))
    return mean, mean - half, mean + half
