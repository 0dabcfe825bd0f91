"""The test images as a second source of randomness, in addition to the seeds.

An interval over seeds holds for these test images. Other images would have given other accuracies:
a two-way bootstrap resamples both seeds and test items, each with replacement (Owen 2007, "The
pigeonhole bootstrap"), and its interval holds for new seeds on new images.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

Array = np.ndarray[Any, np.dtype[Any]]
AT_ONCE = 250  # number of samples in memory at a time


def two_way_interval(
    differences: Array,
    groups: Array | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval of a mean difference over new seeds and new test items.

    The mean ± t · √(n / (n − 1)) · the bootstrap's standard error, t being Student's for n seeds
    (Hesterberg 2015, "What teachers should know about the bootstrap"): percentiles would be too
    narrow for few seeds. If the items add no variance it equals Student's interval over the seeds,
    so it is never narrower than that.

    Args:
        differences: (seeds, items), for each test item whether the cell is right minus whether the
            baseline is right: −1, 0 or 1, possibly in points.
        groups: (items,), the source of each item; items of one group are drawn together. None:
            every item is its own group.
        confidence: of the interval.
        draws: bootstrap samples.
        seed: of the samples.

    Returns:
        (low, high), in the unit of the differences. With one seed: over the items alone.
    """
    ((low, high),) = two_way_intervals(
        np.asarray(differences)[None], groups, confidence, draws, seed
    )
    return float(low), float(high)


def two_way_intervals(
    differences: Array,
    groups: Array | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Array:
    """Return `two_way_interval` for many comparisons over the same seeds and items.

    All share their samples, so a comparison's interval does not depend on the others.

    Args:
        differences: (comparisons, seeds, items); the rest as for `two_way_interval`.

    Returns:
        (comparisons, 2): low and high.
    """
    differences = np.asarray(differences)
    comparisons, seeds, items = differences.shape
    _, group = np.unique(np.arange(items) if groups is None else groups, return_inverse=True)
    sizes = np.bincount(group).astype(np.float64)
    sums = _summed(differences.reshape(comparisons * seeds, items), group, len(sizes))
    random = np.random.default_rng(seed)
    means = np.empty((draws, comparisons))
    for start in range(0, draws, AT_ONCE):
        size = min(AT_ONCE, draws - start)
        weights, counts = _drawn(random, size, seeds), _drawn(random, size, len(sizes))
        drawn = (counts @ sums.T).reshape(size, comparisons, seeds)
        total = (weights[:, None, :] * drawn).sum(axis=2)
        means[start : start + size] = total / (seeds * (counts @ sizes))[:, None]
    half = _quantile(seeds, confidence) * means.std(axis=0)
    mean = differences.mean(axis=(1, 2))
    return np.column_stack([mean - half, mean + half])


def _quantile(seeds: int, confidence: float) -> float:
    """The half width of the interval in standard errors of the bootstrap."""
    if seeds == 1:
        return float(stats.norm.ppf((1 + confidence) / 2))
    return float(stats.t.ppf((1 + confidence) / 2, seeds - 1) * np.sqrt(seeds / (seeds - 1)))


def _summed(rows: Array, group: Array, groups: int) -> Array:
    """The sum of each row within every group: (rows, groups)."""
    if groups == len(group):
        ordered = np.empty(rows.shape)
        ordered[:, group] = rows
        return ordered
    return np.stack([np.bincount(group, row, minlength=groups) for row in rows])


def _drawn(random: np.random.Generator, samples: int, n: int) -> Array:
    """How often each of n elements is drawn in n draws with replacement: (samples, n)."""
    places = random.integers(0, n, (samples, n)) + n * np.arange(samples)[:, None]
    return np.bincount(places.ravel(), minlength=samples * n).reshape(samples, n).astype(float)
