"""What the comparisons of a family say, in one sentence without statistics."""

from __future__ import annotations

from collections.abc import Sequence

from data.tasks.metrics import measured
from experiments.report.compare.differences import Compared
from experiments.report.statistics.numbers import amount, exactly
from experiments.report.statistics.verdict import (
    DIFFERS,
    EARLIER,
    EQUIVALENT,
    UNDECIDED,
    WITHIN,
    Comparison,
)


def conclusion(one: Compared, metric: str) -> str | None:
    """The sentence; None without comparisons.

    Args:
        metric: the primary metric, whose direction says what is better.

    Example: "with 6 seeds, valid and odd_reflect do worse than same, by 26.2 and 23.4 points;
    whether reflect does better or worse is not decided".
    """
    found = one.comparisons
    upwards = measured(metric).higher_is_better
    said = []
    for better, words in ((False, "worse"), (True, "better")):
        some = [c for c in found if c.decided == DIFFERS and (c.mean > 0) == (better == upwards)]
        if some:
            said.append(f"{_do(some)} {words} than {one.baseline}, by {_points(some)}")
    for decided, more in ((WITHIN, ""), (EQUIVALENT, ", if at all")):
        if some := [c for c in found if c.decided == decided]:
            differ = "differs" if len(some) == 1 else "differ"
            margin = f"by less than {exactly(some[0].margin, some[0].unit)}{more}"
            said.append(f"{_and([c.name for c in some])} {differ} from {one.baseline} {margin}")
    if some := [c for c in found if c.decided == UNDECIDED]:
        names = _and([c.name for c in some])
        said.append(f"whether {names} {_does(some)} better or worse is not decided")
    said += [f"{c.name}: {c.verdict}" for c in found if c.tied]
    if not said:
        return None
    if here := [c.name for c in found if c.decided != UNDECIDED and _only_here(c)]:
        said.append(f"for {_and(here)} this holds on these test images only")
    return f"with {len(one.seeds)} seeds, {'; '.join(said)}"


def _only_here(c: Comparison) -> bool:
    new = c.over_new_images
    return new is not None and new.decided != EARLIER and not c.agreed


def _do(some: Sequence[Comparison]) -> str:
    return f"{_and([c.name for c in some])} {_does(some)}"


def _does(some: Sequence[Comparison]) -> str:
    return "does" if len(some) == 1 else "do"


def _points(some: Sequence[Comparison]) -> str:
    return amount([abs(c.mean) for c in some], some[0].unit)


def _and(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
