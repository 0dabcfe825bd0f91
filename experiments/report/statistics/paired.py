"""Comparison of one cell with the baseline, paired by seed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

Sample = Sequence[float] | np.ndarray[Any, np.dtype[Any]]


def interval(values: Sample, confidence: float = 0.95) -> tuple[float, float, float]:
    """(mean, low, high) of a sample of at least 2 values, by Student's t.

    Raises:
        ValueError: for fewer values.
    """
    sample = np.asarray(values, float)
    n = len(sample)
    if n < 2:
        raise ValueError(f"an interval needs at least 2 values. Received: {n}")
    mean = float(sample.mean())
    half = float(sample.std(ddof=1) / np.sqrt(n)) * _quantile(confidence, n - 1)
    return mean, mean - half, mean + half


@functools.cache
def _quantile(confidence: float, freedom: int) -> float:
    return float(stats.t.ppf((1 + confidence) / 2, freedom))


def paired_interval(
    values: Sample, baseline: Sample, confidence: float = 0.95
) -> tuple[float, float, float]:
    """(mean, low, high) of the paired differences `values` − `baseline`, by Student's t.

    Args:
        values, baseline: one number per seed, the same seeds in the same order; at least 2.
        confidence: of the two-sided interval.
    """
    return interval(np.subtract(values, baseline), confidence)


@dataclass(frozen=True)
class Pairing:
    """The gain from pairing by seed.

    Attributes:
        correlation: between the two cells over the seeds; None if one does not vary.
        gain: variance of an unpaired difference divided by that of the paired one: an unpaired
            study would need so many times as many seeds for the same interval; None if all pairs
            are equal.
    """

    correlation: float | None
    gain: float | None


def pairing(values: Sample, baseline: Sample) -> Pairing:
    """Return the correlation within pairs and the gain from pairing; at least 2 pairs."""
    a, b = np.asarray(values, float), np.asarray(baseline, float)
    apart, paired = a.var(ddof=1) + b.var(ddof=1), (a - b).var(ddof=1)
    varies = a.std() > 0 and b.std() > 0
    correlation = float(np.corrcoef(a, b)[0, 1]) if varies else None
    return Pairing(correlation, float(apart / paired) if paired > 0 else None)
