"""Convolution arithmetic on one axis: one recurrence, one function. No framework.

Sources: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning"
(arXiv:1603.07285); Araujo, Norris & Sim, "Computing receptive fields of convolutional neural
networks" (Distill, 2019). All lengths are in pixels of the axis; a layer has kernel size `k`,
stride `s` and dilation `d`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from ..padding.amounts import window_size


def output_size(
    size: int, kernel_size: int, strides: int, dilation_rate: int, before: int, after: int
) -> int:
    """Return floor((size + before + after - window) / s) + 1, or 0 if the window does not fit.

    Dumoulin & Visin, relationships 6 and 15, with a pad for each side.
    """
    room = size + before + after - window_size(kernel_size, dilation_rate)
    return max(0, room // strides + 1)


def output_padding(
    size: int, kernel_size: int, strides: int, dilation_rate: int, before: int, after: int
) -> int:
    """Return the pixels after the last window: (size + before + after - window) mod s.

    s sizes in a row give a convolution the same number i' of outputs. Its transposed convolution
    gives back the one that it is told by this remainder, a: (i' - 1) s + a + window - before -
    after. Dumoulin & Visin, relationship 14, with a pad for each side.

    Example: `output_padding(7, 3, 2, 1, 1, 1)` is 0 and `output_padding(8, 3, 2, 1, 1, 1)` is 1:
    under kernel 3, stride 2 and one pixel of padding both sizes give 4 outputs.
    """
    return (size + before + after - window_size(kernel_size, dilation_rate)) % strides


def receptive_field(field: int, effective_stride: int, kernel_size: int, dilation_rate: int) -> int:
    """Return the input pixels one output sees: r + d (k - 1) S, S the stride before the layer."""
    return field + (window_size(kernel_size, dilation_rate) - 1) * effective_stride


def effective_stride(stride: int, strides: int) -> int:
    """Return the input pixels between neighbouring outputs: S s."""
    return stride * strides


def effective_padding(padding: int, stride: int, before: int) -> int:
    """Return the input pixels by which the first field hangs over the start: P + S before."""
    return padding + stride * before


def first_pixel(padding: int) -> int:
    """Return where the first output's receptive field starts, in input pixels: -P."""
    return -padding


def last_pixel(padding: int, field: int) -> int:
    """Return the last input pixel the first output sees: -P + r - 1."""
    return field - 1 - padding


def centre(padding: int | Fraction, field: int) -> Fraction:
    """Return the centre of the first output's receptive field: -P + (r - 1) / 2."""
    return Fraction(field - 1, 2) - padding


def crops(sizes: Sequence[int], offsets: Sequence[Fraction]) -> list[tuple[int, int]]:
    """Return what to cut, (before, after), from maps so that they share one size, pixel over pixel.

    Args:
        sizes: of the maps, in their pixels.
        offsets: how many of their pixels each one starts before the last to start. Half a pixel is
            cut as none: the earlier of the two places that are equally near.
    """
    before = [math.ceil(offset - Fraction(1, 2)) for offset in offsets]
    common = min(size - cut for size, cut in zip(sizes, before, strict=True))
    return [(cut, size - cut - common) for size, cut in zip(sizes, before, strict=True)]
