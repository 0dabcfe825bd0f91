"""Real runs of one cell, compared with themselves: every finding is false."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.report.statistics.paired import LEVEL, Sample
from experiments.report.statistics.verdict import DIFFERS, EQUIVALENT, WITHIN, compare


@dataclass(frozen=True)
class FalseFindings:
    """What came of comparing one cell with itself, over many splits of its seeds.

    Attributes:
        splits: of the seeds into arms; they share seeds, so they are not independent.
        arms: compared with the baseline in each split, a family.
        n: seeds of an arm.
        families: share of the splits in which some comparison was found to differ.
        single: share of the 95 % intervals of single comparisons that leave out 0.
        together: share of the splits in which some simultaneous interval leaves out 0.
        equivalent: share of the comparisons found equivalent within the margin.
    """

    splits: int
    arms: int
    n: int
    families: float
    single: float
    together: float
    equivalent: float


def false_findings(
    values: Sample, n: int, margin: float, splits: int = 1000, seed: int = 0
) -> FalseFindings:
    """Split the seeds of one cell into blocks of n and compare the blocks with the first.

    The blocks are disjoint, so pairing them is arbitrary and their means differ by chance alone.

    Args:
        values: one a seed, in points.
        n: seeds of a block, at least 2; as many blocks as fit are made, at least two.
        margin: of equivalence, in points.
        splits: how often the seeds are shuffled and split.
        seed: of the shuffling.

    Raises:
        ValueError: for fewer than 2 n values.
    """
    sample = np.asarray(values, float)
    blocks = len(sample) // n
    if blocks < 2 or n < 2:
        raise ValueError(f"two blocks of {n} seeds need {2 * n} values. Received: {len(sample)}")
    random = np.random.default_rng(seed)
    families = single = together = equivalent = 0
    for _ in range(splits):
        shuffled = random.permutation(sample)[: blocks * n].reshape(blocks, n)
        arms = {"baseline": shuffled[0], **{str(i): shuffled[i] for i in range(1, blocks)}}
        found = compare(arms, "baseline", margin)
        families += any(c.verdict in (DIFFERS, WITHIN) for c in found)
        single += sum(not c.low <= 0 <= c.high for c in found)
        together += any(not c.family_low <= 0 <= c.family_high for c in found)
        equivalent += sum(c.verdict in (EQUIVALENT, WITHIN) for c in found)
    comparisons = splits * (blocks - 1)
    return FalseFindings(
        splits=splits,
        arms=blocks - 1,
        n=n,
        families=families / splits,
        single=single / comparisons,
        together=together / splits,
        equivalent=equivalent / comparisons,
    )


def line(found: FalseFindings, margin: float) -> str:
    """What came of it, in a sentence."""
    return (
        f"n={found.n}, {found.arms} comparisons a family, {found.splits} splits: some false "
        f"finding in {found.families:.1%} of the families (at most {LEVEL:.0%} is promised); 0 "
        f"left out by {found.single:.1%} of single 95 % intervals and by some simultaneous one "
        f"in {found.together:.1%} of the families; equivalent within {margin:g}: "
        f"{found.equivalent:.1%} of the comparisons"
    )
