"""The feature map mirrored about its edge pixel: c b [a b c] b a; on one pixel as replicate.

It is mode "reflect" of `numpy.pad`. The mirror images repeat every 2 (n - 1) pixels.
"""

from __future__ import annotations

from typing import Any

from ..definitions import IndexRule


def source(position: Any, size: int) -> Any:
    """Return the index of the pixel shown at each position."""
    folded = position % max(1, 2 * size - 2)
    return size - 1 - abs(folded - (size - 1))


MODE = IndexRule(source=source, copies=lambda size: size - 1)
