"""How many pixels an amount puts on one axis. Pure functions on numbers; no framework.

The vocabulary is that of Dumoulin & Visin, "A guide to convolution arithmetic for deep learning"
(arXiv:1603.07285), and of TensorFlow for the asymmetric `same`.
"""

from __future__ import annotations

from .names import AMOUNTS, AxisAmount, PaddingError, check_name

Widths = tuple[tuple[int, int], ...]


def window_size(kernel_size: int, dilation_rate: int = 1) -> int:
    """Return the pixels a dilated window spans, d (k - 1) + 1 (Dumoulin & Visin, section 5.1)."""
    return dilation_rate * (kernel_size - 1) + 1


def same_total(size: int | None, reach: int, strides: int) -> int:
    """Return TensorFlow's SAME total, `max(0, reach - (size - 1) mod strides)`, in pixels.

    `reach` is dilation_rate * (kernel_size - 1).

    Raises:
        PaddingError: if the size is unknown and the total depends on it.
    """
    if strides == 1 or reach == 0:
        return reach
    if size is None:
        raise PaddingError(
            "The amounts 'same', 'same_lower' and 'even_split' need a known size where "
            "strides > 1. "
            f"Received: size=None, strides={strides}"
        )
    return max(0, reach - (size - 1) % strides)


def pad_amounts(
    amount: AxisAmount, size: int | None, kernel_size: int, strides: int, dilation_rate: int
) -> tuple[int, int]:
    """Return the pixels (before, after) that `amount` puts on one axis.

    Args:
        amount: one axis' amount.
        size: pixels on the axis; None is allowed where the result does not depend on it.
        kernel_size, strides, dilation_rate: of the window, on this axis.

    Raises:
        PaddingError: if the amount is unknown, or needs a size that is not known.
    """
    reach = dilation_rate * (kernel_size - 1)
    if isinstance(amount, int):
        return (amount, amount) if kernel_size > 1 else (0, 0)
    if isinstance(amount, tuple):
        return amount if kernel_size > 1 else (0, 0)
    if amount == "valid":
        return 0, 0
    if amount == "half":
        return dilation_rate * (kernel_size // 2), dilation_rate * (kernel_size // 2)
    if amount == "full":
        return reach, reach
    if amount == "causal":
        return reach, 0
    check_name("amount", amount, AMOUNTS)
    total = same_total(size, reach, strides)
    less, more = total // 2, total - total // 2
    if amount == "even_split":
        return more, more
    return (less, more) if amount == "same" else (more, less)


def is_split(
    amount: AxisAmount, size: int | None, kernel_size: int, strides: int, dilation_rate: int
) -> bool:
    """Say whether `even_split` has a pixel left over on this axis.

    If so, both sides get it, and each channel's window takes up one pixel less than there is:
    half of the channels leave out the first pixel, half the last.
    """
    reach = dilation_rate * (kernel_size - 1)
    return amount == "even_split" and same_total(size, reach, strides) % 2 == 1
