"""A globe, rows of latitude by columns of longitude: columns wrap, and rows go on beyond a pole.

Beyond a pole lies the opposite meridian: row -1 is row 0 turned by half the width, row -2 is row 1
turned so, and likewise behind the last row. The width must be even.
"""

from __future__ import annotations

from typing import Any

from ..definitions import PlaneRule
from . import circular, symmetric


def source(rows: Any, columns: Any, sizes: tuple[int, int]) -> tuple[Any, Any]:
    """Return the row and the column of the pixel shown at each position."""
    height, width = sizes
    beyond = rows % (2 * height) >= height
    row = symmetric.source(rows, height)
    return row + 0 * columns, circular.source(columns + beyond * (width // 2), width)


MODE = PlaneRule(source=source, multiples=(1, 2), copies=lambda sizes: sizes, closes=True)
