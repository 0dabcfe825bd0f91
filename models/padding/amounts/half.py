"""d floor(k / 2) on both sides, whatever the size and the stride.

Dumoulin & Visin (arXiv:1603.07285), section 2.2; what PyTorch networks write as `k // 2`.
"""

from __future__ import annotations

from ..definitions import Amount, WindowAxis


def pads(axis: WindowAxis) -> tuple[int, int]:
    """Return d (k // 2) for each side."""
    side = axis.dilation_rate * (axis.kernel_size // 2)
    return side, side


AMOUNT = Amount(pads=pads)
