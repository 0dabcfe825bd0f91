"""The feature map continued from its other end: b c [a b c] a b; mode "wrap" of `numpy.pad`."""

from __future__ import annotations

from typing import Any

from ..definitions import IndexRule


def source(position: Any, size: int) -> Any:
    """Return the index of the pixel shown at each position."""
    return position % size


MODE = IndexRule(source=source, copies=lambda size: size, closes=True)
