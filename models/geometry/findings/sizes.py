"""The input sizes, on one axis, at which a network is as wanted: found by arithmetic."""

from __future__ import annotations

from collections.abc import Callable

from ..tracing.line import Line, line, walk
from ..tracing.trace import Followed

LARGEST = 8192


def nearest(
    followed: Followed,
    axis: int,
    size: int,
    wanted: Callable[[Line], bool],
    period: int,
    *,
    anew: bool = False,
    meet: bool = True,
) -> tuple[int | None, int | None]:
    """Return the nearest sizes below and above `size` at which a network is as wanted.

    Args:
        period: how far to look: what floors and remainders do repeats with the network's stride.
        anew: as in `line`.
        meet: whether maps that meet must be of one size too.
    """

    def good(n: int) -> bool:
        there = walk(followed, axis, n, anew=anew)
        return bool(there and not (meet and there.unmet) and wanted(there))

    below = next((n for n in range(size - 1, max(0, size - period - 1), -1) if good(n)), None)
    above = next((n for n in range(size + 1, size + period + 1) if good(n)), None)
    return below, above


def smallest(
    followed: Followed,
    axis: int,
    above: int,
    wanted: Callable[[Line], bool],
    *,
    meet: bool = True,
) -> int | None:
    """Return the smallest size above `above` at which a network is as wanted; None up to LARGEST.

    What is wanted must hold for every larger size too.

    Args:
        meet: whether maps that meet must be of one size too, which they may be at some sizes only.
    """

    def good(n: int) -> bool:
        return bool((there := walk(followed, axis, n)) and wanted(there))

    fails, works = above, max(1, above)
    while not good(works):
        if works >= LARGEST:
            return None
        fails, works = works, min(2 * works, LARGEST)
    while works - fails > 1:
        middle = (works + fails) // 2
        fails, works = (fails, middle) if good(middle) else (middle, works)
    if not meet:
        return works
    return next((n for n in range(works, LARGEST + 1) if line(followed, axis, n)), None)
