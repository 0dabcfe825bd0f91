"""What the comparisons of a family say, in one sentence without statistics."""

from __future__ import annotations

from collections.abc import Sequence

from data.tasks.metrics import measured
from experiments.report.compare.differences import Compared
from experiments.report.statistics.numbers import amount, exactly
from experiments.report.statistics.verdict import (
    DIFFERS,
    EQUIVALENT,
    NO_OVERLAP,
    UNDECIDED,
    WITHIN,
    Comparison,
)


def conclusion(one: Compared, metric: str) -> str | None:
    """The sentence; None without comparisons.

    Args:
        metric: the primary metric, whose direction says what is better.

    Sizes stand with the wider of the intervals over new seeds and over new test images too, if both
    give the verdict.

    Example: "with 6 seeds, valid does worse than same, by 26.2 (23.3 to 29.1) points; whether
    reflect does better or worse is not decided".
    """
    found = one.comparisons
    upwards = measured(metric).higher_is_better
    said = []
    for better, words in ((False, "worse"), (True, "better")):
        some = [
            c
            for c in found
            if c.decided == DIFFERS and c.low is not None and (c.low > 0) == (better == upwards)
        ]
        if some:
            said.append(f"{_do(some)} {words} than {one.baseline}, by {_points(some)}")
    for decided, more in ((WITHIN, ""), (EQUIVALENT, ", if at all")):
        if some := [c for c in found if c.decided == decided and c.low is not None]:
            differ = "differs" if len(some) == 1 else "differ"
            margin = f"by less than {exactly(some[0].margin, some[0].unit)}{more}"
            said.append(f"{_and([c.name for c in some])} {differ} from {one.baseline} {margin}")
    if some := [c for c in found if c.decided == UNDECIDED]:
        names = _and([c.name for c in some])
        said.append(f"whether {names} {_does(some)} better or worse is not decided")
    said += [f"{c.name}: {c.verdict}" for c in found if c.tied]
    if apart := [c.name for c in found if c.why == NO_OVERLAP]:
        said.append(f"for {_and(apart)} {NO_OVERLAP}, so that no size is told")
    if not said:
        return None
    if here := [c for c in found if c.decided != UNDECIDED and c.over_new_images and not c.agreed]:
        said.append(f"on these test images only, this holds for {_and(list(map(_limited, here)))}")
    return f"with {len(one.seeds)} seeds, {'; '.join(said)}"


def _limited(c: Comparison) -> str:
    new = c.over_new_images
    return f"{c.name} ({new.interval} over new ones)" if new else c.name


def _do(some: Sequence[Comparison]) -> str:
    return f"{_and([c.name for c in some])} {_does(some)}"


def _does(some: Sequence[Comparison]) -> str:
    return "does" if len(some) == 1 else "do"


def _points(some: Sequence[Comparison]) -> str:
    return amount([_size(c) for c in some], some[0].unit)


def _size(c: Comparison) -> tuple[float, float, float]:
    """The size of a difference that is not zero, and the ends of the wider interval."""
    ends = [c.low or 0.0, c.high or 0.0]
    if c.agreed and (new := c.over_new_images) and new.low is not None and new.high is not None:
        ends = [min(ends[0], new.low), max(ends[1], new.high)]
    sign = 1 if ends[0] > 0 else -1
    low, high = sorted(sign * end for end in ends)
    return sign * c.mean, low, high


def _and(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
