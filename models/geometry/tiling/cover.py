"""Where the windows lie that cover an axis of an image. Numbers only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Range = tuple[int, int]


@dataclass(frozen=True)
class Ends:
    """Which outputs of a window are the whole image's, by where the window lies on an axis.

    Attributes:
        first, middle, last: of a window at the start of the image, of one within it, and of one at
            its end, the outputs [start, stop) that are; empty where start = stop.
    """

    first: Range
    middle: Range
    last: Range


@dataclass(frozen=True)
class Place:
    """A window on an axis, and the outputs that are taken from it.

    Attributes:
        start: its first pixel in the image.
        outputs: [start, stop) of them in the whole output.
        within: [start, stop) of them in the window's output.
    """

    start: int
    outputs: Range
    within: Range


@dataclass(frozen=True)
class Cover:
    """The windows that cover an axis, all of one size.

    Attributes:
        size: pixels of the image.
        window: pixels of a window.
        outputs: pixels of the whole output.
        places: from the first window to the last.
    """

    size: int
    window: int
    outputs: int
    places: tuple[Place, ...]

    def counts(self) -> np.ndarray:
        """Return in how many windows each pixel of the image lies, (size,)."""
        counts = np.zeros(self.size, int)
        for place in self.places:
            counts[place.start : place.start + self.window] += 1
        return counts


def repeated(covers: Sequence[Cover]) -> float:
    """Return the share of the image's pixels that lie in more than one window.

    Example:
        >>> places = (Place(0, (0, 6), (0, 6)), Place(4, (6, 12), (2, 8)))
        >>> round(repeated([Cover(12, 8, 12, places)]), 3)
        0.333
    """
    return 1 - math.prod(float((cover.counts() == 1).mean()) for cover in covers)


def work(covers: Sequence[Cover]) -> float:
    """Return the pixels of all windows over those of the image."""
    return math.prod(len(cover.places) * cover.window / cover.size for cover in covers)


def run(alike: np.ndarray) -> Range:
    """Return the first run of True, [start, stop); (0, 0) where there is none.

    Example:
        >>> run(np.array([False, True, True, False]))
        (1, 3)
    """
    if not alike.any():
        return 0, 0
    start = int(alike.argmax())
    rest = alike[start:]
    return start, len(alike) if rest.all() else start + int(rest.argmin())


def cover(
    size: int, window: int, outputs: int, grid: int, step: int, ends: Ends
) -> tuple[Place, ...] | None:
    """Return the fewest windows whose outputs cover an axis; None if these cannot.

    Args:
        size, window: pixels of the image and of a window, shorter than it.
        outputs: pixels of the whole output.
        grid: the pixels of which windows start at multiples; size - window is one.
        step: the outputs that lie on that many pixels.
        ends: the outputs that can be taken.

    Example:
        >>> ends = Ends((0, 7), (1, 7), (1, 8))
        >>> [place.start for place in cover(20, 8, 20, 1, 1, ends)]
        [0, 6, 12]
    """
    final, taken = (size - window) // grid, 0
    places: list[Place] = []
    at, own = 0, ends.first
    while True:
        first, stop = at * step + own[0], at * step + own[1]
        if first > taken or stop <= taken:
            return None
        places.append(Place(at * grid, (taken, stop), (taken - at * step, own[1])))
        taken = stop
        if at == final:
            return tuple(places) if taken == outputs else None
        # As far on as the outputs go on without a gap.
        if (taken - ends.last[0]) // step >= final:
            at, own = final, ends.last
            continue
        further = min(final - 1, (taken - ends.middle[0]) // step)
        if further <= at:
            return None
        at, own = further, ends.middle
