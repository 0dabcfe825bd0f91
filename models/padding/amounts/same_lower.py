"""(ceil(T / 2), floor(T / 2)) with T as for same, which gives ceil(n / s) outputs.

ONNX's SAME_LOWER.
"""

from __future__ import annotations

from ..definitions import Amount
from .same import pads

AMOUNT = Amount(pads=lambda axis: pads(axis)[::-1], restores_size=True)
