"""What the window of a convolution or a pool is, and what a layer adds around its map."""

from __future__ import annotations

from typing import Any

from ...layers.base import Bordered, is_of
from ...layers.pad_input import PadInput
from ...padding import Padding, PaddingError, Widths
from ...padding.amounts import pad_amounts
from .. import arithmetic

Shape = tuple[int | None, ...]


def window(layer: Any) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return kernel size, strides and dilation rate of a convolution or a pool."""
    kernel_size = tuple(getattr(layer, "kernel_size", None) or layer.pool_size)
    dilation_rate = getattr(layer, "dilation_rate", 1)
    if isinstance(dilation_rate, int):
        dilation_rate = (dilation_rate,) * len(kernel_size)
    return kernel_size, tuple(layer.strides), tuple(dilation_rate)


def spans(layer: Any, shape: Shape) -> tuple[int, ...]:
    """Return the pixels a window spans on each axis: the hull of the channels' windows."""
    if hasattr(layer, "window_sizes"):
        return layer.window_sizes(shape)
    kernel_size, _, dilation_rate = window(layer)
    return tuple(map(arithmetic.window_size, kernel_size, dilation_rate))


def border_of(layer: Any) -> Padding:
    """Return the padding of a convolution, a pool or a PadInput; of Keras' own its meaning."""
    return layer.border if is_of(layer, Bordered) else Padding(layer.padding.lower())


def pads(layer: Any, shape: Shape) -> tuple[tuple[int, int] | None, ...]:
    """Return (before, after) per axis, None for what an unknown size leaves open."""
    amounts = border_of(layer).amounts(len(shape) - 2)
    axes = zip(amounts, shape[1:-1], *window(layer), strict=True)
    return tuple(_pad_or_none(*axis) for axis in axes)


def shifts(layer: Any) -> Widths:
    """Return what a padding adds on each side of each axis; Cropping adds less than nothing."""
    if is_of(layer, PadInput):
        return layer.widths
    widths = layer.padding if hasattr(layer, "padding") else layer.cropping
    sign = 1 if hasattr(layer, "padding") else -1
    pairs = widths if isinstance(widths[0], (tuple, list)) else (widths,)
    return tuple((sign * before, sign * after) for before, after in pairs)


def _pad_or_none(amount: Any, size: int | None, *axis: int) -> tuple[int, int] | None:
    try:
        return pad_amounts(amount, size, *axis)
    except PaddingError:
        return None
