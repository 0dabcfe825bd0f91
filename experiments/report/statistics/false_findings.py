"""Real runs of one cell, compared with each other: every difference found is a false positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.report.statistics.looks import LEVEL
from experiments.report.statistics.paired import Sample
from experiments.report.statistics.verdict import DIFFERS, EQUIVALENT, WITHIN, compare


@dataclass(frozen=True)
class FalseFindings:
    """The result of comparing one cell with itself, over many splits of its seeds.

    Attributes:
        splits: number of splits of the seeds into arms; not independent, because they share seeds.
        arms: number of arms compared with the baseline in each split, as a family.
        n: number of seeds in an arm.
        families: fraction of the splits in which at least one comparison was found to differ.
        tests: fraction of the splits in which the sign-flip test finds at least one difference.
        equivalent: fraction of the comparisons found equivalent within the margin.
    """

    splits: int
    arms: int
    n: int
    families: float
    tests: float
    equivalent: float


def false_findings(
    values: Sample, n: int, margin: float, splits: int = 1000, seed: int = 0
) -> FalseFindings:
    """Split the seeds of one cell into blocks of n and compare the other blocks with the first.

    The blocks are disjoint, so pairing them is arbitrary and their means differ by chance alone.

    Args:
        values: one per seed, in points.
        n: seeds per block, at least 2; there are as many blocks as fit, at least two.
        margin: of equivalence, in points.
        splits: number of times that the seeds are shuffled and split.
        seed: of the shuffling.

    Raises:
        ValueError: for fewer than 2 n values.
    """
    sample = np.asarray(values, float)
    blocks = len(sample) // n
    if blocks < 2 or n < 2:
        raise ValueError(f"two blocks of {n} seeds need {2 * n} values. Received: {len(sample)}")
    random = np.random.default_rng(seed)
    families = tests = equivalent = 0
    for _ in range(splits):
        shuffled = random.permutation(sample)[: blocks * n].reshape(blocks, n)
        arms = {"baseline": shuffled[0], **{str(i): shuffled[i] for i in range(1, blocks)}}
        found = compare(arms, "baseline", margin)
        families += any(c.verdict in (DIFFERS, WITHIN) for c in found)
        tests += any(c.p is not None and c.p <= LEVEL for c in found)
        equivalent += sum(c.verdict in (EQUIVALENT, WITHIN) for c in found)
    return FalseFindings(
        splits=splits,
        arms=blocks - 1,
        n=n,
        families=families / splits,
        tests=tests / splits,
        equivalent=equivalent / (splits * (blocks - 1)),
    )


def line(found: FalseFindings, margin: float) -> str:
    """The result in a sentence."""
    return (
        f"n={found.n}, {found.arms} comparisons per family, {found.splits} splits: a false "
        f"difference in {found.families:.1%} of the families (at most {LEVEL:.0%} is promised for "
        f"normal differences), by the sign-flip test in {found.tests:.1%}; equivalent within "
        f"{margin:g}: {found.equivalent:.1%} of the comparisons"
    )
