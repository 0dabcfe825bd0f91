"""The test images as a second source of randomness, in addition to the seeds.

An interval over seeds holds for these test images; other images would have given other accuracies.
Seeds and images are crossed, since every network is tested on every image, and both are drawn at
random. The variance of the mean is estimated from the mean squares of the two-way analysis of
variance without replication (Searle, Casella & McCulloch 1992, "Variance components"):

    V = max(MS_seeds, MS_seeds + MS_images − MS_error) / (seeds · images),

with the degrees of freedom of Satterthwaite 1946, "An approximate distribution of estimates of
variance components", but no fewer than those of the seeds, which they are if MS_seeds is the
larger. The interval is mean ± t · √V at the level of the interval that decides (`looks`), and never
narrower than that one: with few seeds the estimated degrees of freedom are now and then too many.

Images made from one source, such as a digit that was placed several times, are not independent:
the sources are crossed with the seeds, and not the images. A source of n_g images whose
differences sum to s_g counts with the linearised ratio ȳ + (s_g − n_g ȳ) · sources / images
(Cochran 1977, "Sampling techniques", section 6.3), whose mean is that of the images, ȳ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from experiments.report.statistics.looks import ROUNDING, Array, levels


@dataclass(frozen=True)
class TestSet:
    """The differences of several comparisons on one set of test images.

    Attributes:
        sums: (comparisons, seeds, sources), the differences summed over the images of each source,
            in points: 100 × (images on which the cell is right − images on which the baseline is).
            Of a contrast (a − b) − (c − d), those of all four, each with its sign.
        sizes: (sources,), the number of images of each source.
    """

    __test__ = False  # not a test of pytest

    sums: Array
    sizes: Array

    @property
    def values(self) -> Array:
        """One number per source, whose mean over sources is that over images: as `sums`."""
        images, sources = self.sizes.sum(), len(self.sizes)
        mean = self.sums.sum(axis=(-2, -1), keepdims=True) / (images * self.sums.shape[-2])
        return mean + (self.sums - self.sizes * mean) * sources / images


@dataclass(frozen=True)
class MeanSquares:
    """Those of a test set, beside that of the seeds.

    Attributes:
        images, error: (comparisons,), of the sources and of their interaction with the seeds.
        sources: their number.
    """

    images: Array
    error: Array
    sources: int


def mean_squares(values: Array) -> MeanSquares:
    """Return the mean squares of a two-way table: (comparisons, seeds, sources)."""
    seeds, sources = values.shape[-2:]
    if seeds < 2 or sources < 2:
        raise ValueError(
            f"variance components need 2 seeds and 2 sources. Received: {seeds} and {sources}"
        )
    of_seed, of_source = values.mean(axis=-1), values.mean(axis=-2)
    mean = of_seed.mean(axis=-1)
    rest = values - of_seed[..., None] - of_source[..., None, :] + mean[..., None, None]
    return MeanSquares(
        seeds * ((of_source - mean[..., None]) ** 2).sum(axis=-1) / (sources - 1),
        (rest**2).sum(axis=(-2, -1)) / ((seeds - 1) * (sources - 1)),
        sources,
    )


def half_widths(variance: Array, seeds: int, sets: Sequence[MeanSquares], chance: float) -> Array:
    """Return half the width of an interval over new seeds and new images.

    Args:
        variance: (comparisons,), of the mean differences or contrasts over the seeds; of one test
            set it is MS_seeds / sources.
        seeds: their number.
        sets: the test sets: one of a difference, one or two of a contrast.
        chance: that the mean lies outside.
    """
    total, freedom = components(variance, seeds, sets)
    over_seeds = stats.t.ppf(1 - chance / 2, seeds - 1) * np.sqrt(variance / seeds)
    return np.maximum(over_seeds, stats.t.ppf(1 - chance / 2, freedom) * np.sqrt(total))


def components(variance: Array, seeds: int, sets: Sequence[MeanSquares]) -> tuple[Array, Array]:
    """Return V and Satterthwaite's degrees of freedom; arguments as for `half_widths`."""
    total = variance / seeds
    squared = total**2 / (seeds - 1)
    for one in sets:
        more = one.images > one.error  # a component of variance is not negative
        cells = seeds * one.sources
        total = total + np.where(more, one.images - one.error, 0.0) / cells
        own = one.images**2 / (one.sources - 1)
        own = own + one.error**2 / ((one.sources - 1) * (seeds - 1))
        squared = squared + np.where(more, own, 0.0) / cells**2
    freedom = total**2 / np.where(squared > 0, squared, 1.0)
    return total, np.maximum(freedom, seeds - 1)


def intervals(sets: Sequence[TestSet], planned: Sequence[int], comparisons: int) -> Array:
    """Return the intervals over new seeds and new test images of every look that is reached.

    Args:
        sets: all with the same comparisons and seeds, in order. A contrast between cells on
            different test images is the sum of its parts, one on each set.
        planned: numbers of seeds of the looks, as for `looks.intervals`; from two on, because one
            seed does not show how seeds vary.
        comparisons: k, as declared.

    Returns:
        (looks reached, comparisons, 2): low and high. A look at which no seed's difference differs
        from another's excludes nothing: −∞ and ∞.

    Raises:
        ValueError: for a test set of one source.

    Example:
        >>> right = np.array([[1, 1, 0, 1], [1, 0, 0, 1]])  # of 4 images, by 2 seeds
        >>> base = np.array([[0, 1, 0, 1], [1, 0, 0, 0]])
        >>> found = intervals([TestSet(100 * (right - base)[None], np.ones(4))], [2], 1)
        >>> found.shape
        (1, 1, 2)
    """
    found = []
    seeds, columns = sets[0].sums.shape[-2], sets[0].sums.shape[0]
    for n, level in zip(planned, levels(planned), strict=True):
        if n <= seeds:
            tables = [TestSet(one.sums[:, :n], one.sizes).values for one in sets]
            contrast = sum((table.mean(axis=-1) for table in tables), np.zeros((columns, n)))
            squares = [mean_squares(table) for table in tables]
            half = half_widths(contrast.var(axis=-1, ddof=1), n, squares, level / comparisons)
            half = np.where(np.ptp(contrast, axis=-1) > ROUNDING, half, np.inf)
            mean = contrast.mean(axis=-1)
            found.append(np.stack([mean - half, mean + half], axis=-1))
    return np.array(found).reshape(len(found), columns, 2)
