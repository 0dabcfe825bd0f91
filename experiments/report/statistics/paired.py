"""Comparison of one cell with the baseline, paired by seed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.05

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


def equivalence_p(differences: Sample, margin: float) -> float:
    """Return the p-value of two one-sided t tests; the hypothesis is a mean outside ±margin.

    Schuirmann 1987, "A comparison of the two one-sided tests procedure": the larger of the two
    p-values. Below 0.05 the 90 % interval lies within the margin.

    Args:
        differences: one per seed, at least 2.
        margin: positive, in the unit of the differences.
    """
    sample = np.asarray(differences, float)
    if margin <= 0:
        raise ValueError(f"an equivalence margin must be positive. Received: {margin}")
    if len(sample) < 2:
        raise ValueError(f"a test needs at least 2 differences. Received: {len(sample)}")
    error = stats.sem(sample)
    if error == 0:
        return 0.0 if abs(sample.mean()) < margin else 1.0
    distance = (margin - abs(sample.mean())) / error
    return float(stats.t.sf(distance, len(sample) - 1))


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
