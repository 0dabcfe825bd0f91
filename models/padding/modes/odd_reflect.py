"""Mirrored through the edge pixel, which keeps the slope: 2a-c 2a-b [a b c] 2c-b 2c-a.

It is mode "reflect" of `numpy.pad` with reflect_type="odd": 2 edge - reflect. A single pixel has no
slope and is repeated.
"""

from __future__ import annotations

from typing import Any

from ..definitions import LinearRule
from .reflect import source


def terms(position: Any, size: int) -> list[tuple[Any, Any]]:
    """Return (index, weight) of the mirrored pixel, of the first pixel and of the last.

    With m = floor(position / (size - 1)), the m-th mirror image has the weights 1, -m and m where m
    is even, and -1, 1 - m and 1 + m where it is odd.
    """
    index, first = source(position, size), 0 * position
    if size == 1:
        return [(index, first + 1)]
    image = position // (size - 1) * (position != size - 1)  # the edge pixel belongs to the map
    odd = image % 2
    return [(index, 1 - 2 * odd), (first, odd - image), (first + size - 1, odd + image)]


MODE = LinearRule(terms=terms, copies=lambda size: size - 1)
