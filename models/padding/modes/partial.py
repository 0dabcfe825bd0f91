"""Zeros that do not count: the output is multiplied by kernel area over covered area.

Liu et al. 2018, "Partial convolution based padding" (arXiv:1811.11718), its re-weighted
convolution. A window that covers no pixel gives 0.
"""

from __future__ import annotations

from typing import Any

from ..definitions import Mask


def scale(covered: Any, taps: int, ops: Any) -> Any:
    """Return taps / covered for each window of an axis, 0 where it covers no pixel."""
    return ops.where(covered > 0, taps / ops.maximum(covered, 1), 0.0)


MODE = Mask(
    scale=scale,
    looks_ahead=False,
    refused={
        "image": ("'partial' rescales what a convolution computes, and the image is not computed"),
        "maximum": "'partial' rescales a sum, and {layer} has none",
        "even_split": (
            "'partial' counts the pixels under one window, and 'even_split' has one per corner"
        ),
    },
)
