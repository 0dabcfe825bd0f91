"""Simulated studies over new test images: how often does their interval hold the true mean?

A difference is mean + seed + image + rest, all normal, for every seed and image. All that an
interval is made of is the mean difference and the three mean squares of the analysis of variance,
which are then independent: the mean normal, each mean square its expectation times χ² divided by
its degrees of freedom (Searle, Casella & McCulloch 1992, chapter 4). So these are drawn instead of
all images, which is exactly the same and takes seconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import stats

from experiments.report.statistics.items import MeanSquares, components, half_widths
from experiments.report.statistics.looks import LEVEL, Array
from experiments.run.record import tables

SEED = 20
SEEDS, IMAGES, COMPARISONS = (3, 5, 8, 20), (100, 540), (1, 5)
# The parts of the variance of the mean that are due to seeds, images and their interaction.
SHARES = {
    "seeds only": (1.0, 0.0, 0.0),
    "images only": (0.0, 1.0, 0.0),
    "interaction only": (0.0, 0.0, 1.0),
    "all three": (1 / 3, 1 / 3, 1 / 3),
}
LEAST = 0.945
MORE = 5  # times as many studies as of verdicts: they take less


def drawn(
    shares: str, seeds: int, images: int, shape: tuple[int, ...]
) -> tuple[Array, Array, MeanSquares]:
    """Simulated mean differences, around 0 with variance 1, and what is known of each.

    Returns:
        Of this shape each: the means; the variances over seeds; the mean squares.
    """
    random = np.random.default_rng([SEED, list(SHARES).index(shares), seeds, images, *shape])
    of_seeds, of_images, of_both = SHARES[shares]
    rest = of_both * seeds * images
    expected = {
        seeds - 1: of_seeds * seeds * images + rest,
        images - 1: of_images * seeds * images + rest,
        (seeds - 1) * (images - 1): rest,
    }
    over_seeds, over_images, error = (
        square * random.chisquare(freedom, shape) / freedom for freedom, square in expected.items()
    )
    squares = MeanSquares(over_images, error, images)
    return random.standard_normal(shape), over_seeds / images, squares


def row(shares: str, seeds: int, images: int, comparisons: int, studies: int) -> dict[str, Any]:
    """The rates of one setting; the comparisons of a study are independent.

    `covers`: intervals that hold their mean. `all_cover`: studies in which all do. `width`: mean
    width relative to Bonferroni's interval with known components. `alone`: as `all_cover`, if the
    interval could be narrower than the one over seeds.
    """
    mean, variance, squares = drawn(shares, seeds, images, (studies, comparisons))
    chance = LEVEL / comparisons
    half = half_widths(variance, seeds, [squares], chance)
    total, freedom = components(variance, seeds, [squares])
    alone = stats.t.ppf(1 - chance / 2, freedom) * np.sqrt(total)
    return {
        "variance": shares,
        "seeds": seeds,
        "images": images,
        "comparisons": comparisons,
        "studies": studies,
        "covers": float((np.abs(mean) <= half).mean()),
        "all_cover": float((np.abs(mean) <= half).all(axis=-1).mean()),
        "width": round(float(half.mean() / stats.norm.ppf(1 - chance / 2)), 4),
        "alone": float((np.abs(mean) <= alone).all(axis=-1).mean()),
    }


def settings() -> Iterator[tuple[str, int, int, int]]:
    """Shares of the variance, numbers of seeds, of images, and of comparisons."""
    return itertools.product(SHARES, SEEDS, IMAGES, COMPARISONS)


def standard_error(studies: int) -> float:
    """Of a rate of 5 % or 95 % in so many simulated studies."""
    return float(np.sqrt(LEVEL * (1 - LEVEL) / studies))


def part(rows: Sequence[dict[str, Any]]) -> str:
    """The part of the page about new test images."""
    short = [r for r in rows if r["all_cover"] < LEAST]
    where = "; ".join(
        f"{r['variance']}, {r['seeds']} seeds, {r['images']} images, {r['comparisons']} "
        f"comparison{'s' * (r['comparisons'] > 1)}: {100 * r['all_cover']:.1f} %"
        for r in short
    )
    below = sum(r["all_cover"] < 1 - LEVEL for r in rows)
    error = standard_error(rows[0]["studies"])
    usual = ""
    if any(r["images"] == 540 and r["seeds"] == 8 for r in short):
        usual = "\nThe studies on placed_digits have these sizes: most have 8 to 10 seeds."
    shown = [
        [
            *(str(r[key]) for key in ("variance", "seeds", "images", "comparisons")),
            *(f"{100 * r[key]:.1f}" for key in ("covers", "all_cover")),
            f"{r['width']:.2f}",
            f"{100 * r['alone']:.1f}",
        ]
        for r in rows
    ]
    columns = ["variance", "seeds", "images", "comparisons", "covers, %", "all cover, %", "width"]
    columns.append("all cover if it may be narrower, %")
    return f"""## Over new test images

{rows[0]["studies"]:,} simulated studies in each row, random seed {SEED}, one look. A difference is
mean + seed + image + rest, all normal; `variance` says which of them make the variance of the mean,
*all three* in equal parts, and `images` are independent ones: placed_digits has about 540. Drawn
are the mean and the mean squares of the analysis of variance, which has exactly the distribution
that drawing every image would give. The comparisons of a study are independent, with which
Bonferroni's level has the least to spare.

*covers*: how many intervals hold their own mean; *all cover*: how many studies in which all do
(95 % is promised); *width*: relative to Bonferroni's interval with known components of variance.
The last column is *all cover* of the interval by Satterthwaite's degrees of freedom alone, also
where it is narrower than that over seeds.

All cover in fewer than {100 * (1 - LEVEL):g} % of the studies in {below} of {len(rows)} settings;
in fewer than {100 * LEAST:g} %, which was the aim: {where or "nowhere"}.{usual}
A rate of {100 * (1 - LEVEL):g} % has a standard error of {100 * error:.2f} points in a simulation
of this size.

{tables.markdown(columns, shown, range(1, len(columns)))}
"""
