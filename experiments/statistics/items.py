"""The test images as a second source of chance, beside the seeds.

An interval over seeds speaks of these test images. Other images would have given other
accuracies: a two-way bootstrap draws seeds and test items anew, each with replacement (Owen 2007,
"The pigeonhole bootstrap"), and so speaks of new seeds on new images.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def two_way_interval(
    differences: Array,
    groups: Array | None = None,
    confidence: float = 0.95,
    draws: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile interval of a mean difference over new seeds and new test items.

    Args:
        differences: (seeds, items), for each test item what the cell got right minus what the
            baseline got right: −1, 0 or 1, or that in points.
        groups: (items,), what each item was made from; items of one group are drawn together.
            None: every item is its own group.
        confidence: of the interval.
        draws: bootstrap samples.
        seed: of the samples.

    Returns:
        (low, high), in the unit of the differences.
    """
    differences = np.asarray(differences, float)
    seeds, items = differences.shape
    _, group = np.unique(np.arange(items) if groups is None else groups, return_inverse=True)
    sizes = np.bincount(group)
    sums = np.stack([np.bincount(group, row) for row in differences])
    random = np.random.default_rng(seed)
    means = np.empty(draws)
    for i in range(draws):
        weights = random.multinomial(seeds, np.full(seeds, 1 / seeds))
        counts = random.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)))
        means[i] = (weights @ sums @ counts) / (seeds * (sizes @ counts))
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
