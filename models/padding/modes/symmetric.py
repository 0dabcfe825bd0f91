"""The feature map mirrored about its edge, the edge pixel twice: b a [a b c] c b.

It is mode "symmetric" of `numpy.pad`. The mirror images repeat every 2 n pixels.
"""

from __future__ import annotations

from typing import Any

from ..definitions import IndexRule


def source(position: Any, size: int) -> Any:
    """Return the index of the pixel shown at each position."""
    folded = position % (2 * size)
    return (2 * size - 1 - abs(2 * folded - (2 * size - 1))) // 2


MODE = IndexRule(source=source, copies=lambda size: size)
