"""(floor(T / 2), ceil(T / 2)) with T = max(0, r - (n - 1) mod s), which gives ceil(n / s) outputs.

TensorFlow's SAME, ONNX's SAME_UPPER.
"""

from __future__ import annotations

from ..definitions import Amount, WindowAxis


def pads(axis: WindowAxis) -> tuple[int, int]:
    """Return (floor(T / 2), ceil(T / 2)) of the total T."""
    total = axis.same_total
    return total // 2, total - total // 2


AMOUNT = Amount(pads=pads, restores_size=True)
