"""The amounts: one file each, found by looking into this folder; and what is computed of them.

`AMOUNTS` has them by name, which is that of the file, the default first. All are pure functions on
numbers, one axis at a time.
The vocabulary is that of Dumoulin & Visin, "A guide to convolution arithmetic for deep learning"
(arXiv:1603.07285), and of TensorFlow for the asymmetric `same`.
"""

from __future__ import annotations

from ..checks import Registry, check_name, objects_in
from ..definitions import Amount, WindowAxis

AxisAmount = str | int | tuple[int, int]
Widths = tuple[tuple[int, int], ...]

SAME = "same"
_found = objects_in(__name__, __path__, "AMOUNT", (Amount,))
_names = sorted(_found, key=lambda name: (name != SAME, name))
AMOUNTS = Registry({name: _found[name] for name in _names}, _found.broken)


def window_size(kernel_size: int, dilation_rate: int = 1) -> int:
    """Return the pixels a dilated window spans, d (k - 1) + 1 (Dumoulin & Visin, section 5.1)."""
    return dilation_rate * (kernel_size - 1) + 1


def same_total(size: int | None, reach: int, strides: int) -> int:
    """Return `WindowAxis.same_total` of a window that reaches `reach` pixels beyond its first."""
    return WindowAxis(size, reach + 1, strides, 1).same_total


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
    if isinstance(amount, int):
        amount = (amount, amount)
    if isinstance(amount, tuple):
        return amount if kernel_size > 1 else (0, 0)
    check_name("amount", amount, AMOUNTS)
    return AMOUNTS[amount].pads(WindowAxis(size, kernel_size, strides, dilation_rate))


def is_split(
    amount: AxisAmount, size: int | None, kernel_size: int, strides: int, dilation_rate: int
) -> bool:
    """Return whether the channels' windows lie in two places on this axis, as with `even_split`.

    If so, each channel's window takes up one pixel less than there is: half of the channels leave
    out the first pixel, half the last.
    """
    splits = AMOUNTS[amount].splits if isinstance(amount, str) and amount in AMOUNTS else None
    return splits is not None and splits(WindowAxis(size, kernel_size, strides, dilation_rate))


def restores_size(amount: AxisAmount) -> bool:
    """Return whether a transposed convolution gives `size * strides` pixels under an amount."""
    return isinstance(amount, str) and amount in AMOUNTS and AMOUNTS[amount].restores_size


def is_causal(amount: AxisAmount) -> bool:
    """Return whether an amount lets no window see later pixels."""
    return isinstance(amount, str) and amount in AMOUNTS and AMOUNTS[amount].causal
