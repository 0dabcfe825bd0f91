"""What the window of a layer is, and what the layer adds around its map or cuts from it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from keras import layers
from keras.layers import CenterCrop, Resizing

from ...layers.base import Bordered, is_of
from ...layers.pad_input import PadInput
from ...layers.transposed import BorderedTranspose
from ...padding import Padding, PaddingError
from ...padding.amounts import pad_amounts, restores_size
from .. import arithmetic
from .graph import TraceError

POOLS = (
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
)

Shape = tuple[int | None, ...]
Sides = tuple[tuple[int, int] | None, ...]


def window(layer: Any) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return kernel size, strides and dilation rate of what has a window.

    That is a convolution, a transposed one, a pool, and a square that becomes channels.
    """
    if hasattr(layer, "block_size"):
        return (layer.block_size,) * 2, (layer.block_size,) * 2, (1, 1)
    kernel_size = tuple(getattr(layer, "kernel_size", None) or layer.pool_size)
    dilation_rate = getattr(layer, "dilation_rate", 1)
    if isinstance(dilation_rate, int):
        dilation_rate = (dilation_rate,) * len(kernel_size)
    return kernel_size, tuple(layer.strides), tuple(dilation_rate)


def taps(layer: Any, shape: Shape) -> tuple[tuple[int, ...], ...]:
    """Return which pixels a window reads on each axis, counted from its first.

    Where channels have windows of their own (`even_split`), those of all.
    """
    kernel_size, _, dilation_rate = window(layer)
    plain = list(map(plain_taps, kernel_size, dilation_rate))
    splits = layer.splits(shape) if hasattr(layer, "splits") else (False,) * len(plain)
    return tuple(with_split(own, split) for own, split in zip(plain, splits, strict=True))


def plain_taps(kernel_size: int, dilation_rate: int) -> tuple[int, ...]:
    """Return which pixels one channel's window reads on an axis, counted from its first."""
    return tuple(range(0, dilation_rate * kernel_size, dilation_rate))


def with_split(own: tuple[int, ...], split: bool) -> tuple[int, ...]:
    """Return the taps of all channels, where some have their window a pixel further on."""
    return tuple(sorted({*own, *(tap + 1 for tap in own)})) if split else own


def border_of(layer: Any) -> Padding:
    """Return the padding of a layer with a window or of a PadInput; of Keras' own its meaning."""
    if is_of(layer, Bordered):
        return layer.border
    return Padding(getattr(layer, "padding", "valid").lower())


def reads_border(layer: Any) -> bool:
    """Say whether what the border of a convolution or a pool holds is content of its outputs."""
    if is_of(layer, Bordered):
        return getattr(layer, "reads_border", True)
    return not isinstance(layer, POOLS)


def pads(layer: Any, shape: Shape) -> Sides:
    """Return (before, after) per axis, None for what an unknown size leaves open."""
    amounts = border_of(layer).amounts(len(shape) - 2)
    axes = zip(amounts, shape[1:-1], *window(layer), strict=True)
    return tuple(_pad_or_none(*axis) for axis in axes)


def cuts(layer: Any, extra: int | None = None) -> tuple[tuple[int, int], ...]:
    """Return what a transposed convolution cuts from its whole output, (before, after) per axis.

    The whole output has (size - 1) * stride + window pixels. Less than nothing is cut where an
    `output_padding`, or a stride longer than the window, adds pixels that no tap reaches.

    Args:
        extra: an `output_padding` in place of the layer's own.
    """
    rank = len(layer.kernel_size)
    given: Any = layer.output_padding if extra is None else extra
    extras = tuple(given) if isinstance(given, (tuple, list)) else (given,) * rank
    if is_of(layer, BorderedTranspose) and not layer.left_to_keras:
        return _cuts_of_the_zoo(layer, extras)
    same, cut = layer.padding.lower() == "same", []
    for span, stride, more in zip(_spans(layer), layer.strides, extras, strict=True):
        if more is None:
            end = stride if same else max(span, stride)
        else:
            end = more + (span % 2 if same else span)
        # Of what is more than the strides keep SAME cuts half at the start, the odd one not.
        before = max(0, span - end) // 2 if same else 0
        cut.append((before, span - before - end))
    return tuple(cut)


def least_extra(layer: Any, axis: int) -> int:
    """Return the smallest `output_padding` of a transposed convolution that can be computed.

    Under SAME Keras leaves (size - 1) * stride + output_padding pixels of an even kernel, and one
    more of an odd one. TensorFlow refuses none more than (size - 1) * stride: a convolution makes
    fewer than `size` pixels of that. The zoo's layers compute it.
    """
    if is_of(layer, BorderedTranspose):
        return 0
    return int(layer.padding.lower() == "same" and _spans(layer)[axis] % 2 == 0)


def _cuts_of_the_zoo(
    layer: BorderedTranspose, extras: tuple[int | None, ...]
) -> tuple[tuple[int, int], ...]:
    """`BorderedTranspose.cut_widths` and `ends`, for any output padding."""
    left = [s - 1 if more is None else more for s, more in zip(layer.strides, extras, strict=True)]
    outputs = tuple(1 + n for n in left)
    widths = layer.border.widths(outputs, layer.kernel_size, layer.strides, layer.dilation_rate)
    axes = zip(layer.border.amounts(layer.RANK), widths, _spans(layer), extras, left, strict=True)
    return tuple(
        (before, span - before - 1 - n) if restores_size(amount) else (before, after - (more or 0))
        for amount, (before, after), span, more, n in axes
    )


def _spans(layer: Any) -> tuple[int, ...]:
    kernel_size, _, dilation_rate = window(layer)
    return tuple(map(arithmetic.window_size, kernel_size, dilation_rate))


def shifts(layer: Any, shape: Shape) -> Sides:
    """Return what is added on each side of each axis; Cropping adds less than nothing.

    None for an axis of which an unknown size leaves it open, and for one that is shorter than what
    CenterCrop shall leave of it: that resizes.
    """
    if is_of(layer, PadInput):
        return layer.widths
    if isinstance(layer, CenterCrop):
        wanted = zip(shape[1:-1], (layer.height, layer.width), strict=True)
        return tuple(None if n is None or n < kept else _less(n - kept) for n, kept in wanted)
    widths = layer.padding if hasattr(layer, "padding") else layer.cropping
    sign = 1 if hasattr(layer, "padding") else -1
    pairs = widths if isinstance(widths[0], (tuple, list)) else (widths,)
    return tuple((sign * before, sign * after) for before, after in pairs)


class Resampling(NamedTuple):
    """From how many pixels to how many an axis is resized, and whether between two of them."""

    old: int
    new: int
    bilinear: bool


def resamplings(name: str, layer: Any, shape: Shape) -> tuple[Resampling, ...]:
    """Return how a layer resizes each axis: upsampling, a resize, channels that become a square.

    Args:
        name: of the row, for the messages.
        shape: (batch, *spatial, channels) of its input.

    Raises:
        TraceError: for an interpolation that is not followed, and for an unknown size that is
            resized to a fixed one.
    """
    interpolation = getattr(layer, "interpolation", "nearest")
    if interpolation not in ("nearest", "bilinear"):
        raise TraceError(
            f"Layer '{name}' interpolates by {interpolation}, and only 'nearest' and 'bilinear' "
            "are followed."
        )
    bilinear = interpolation == "bilinear"
    if isinstance(layer, Resizing):
        return _resized(name, layer, shape[1:-1], (layer.height, layer.width), bilinear)
    if hasattr(layer, "crop_to_aspect_ratio"):  # of keras.ops.image.resize
        return _resized(name, layer, shape[1:-1], tuple(layer.size), bilinear)
    factors: Any = (layer.block_size,) * 2 if hasattr(layer, "block_size") else layer.size
    factors = (factors,) if isinstance(factors, int) else factors
    return tuple(Resampling(1, factor, bilinear) for factor in factors)


def _resized(
    name: str, layer: Any, sizes: Shape, wanted: tuple[int, ...], bilinear: bool
) -> tuple[Resampling, ...]:
    if None in sizes:
        raise TraceError(
            f"Layer '{name}' resizes a map of unknown size to {wanted}, which is followed only "
            "from a known size: build the model with one, as with keras.Input((32, 32, 3))."
        )
    axes = tuple(
        Resampling(n, new, bilinear) for n, new in zip(sizes, wanted, strict=True) if n is not None
    )
    keeps_ratio = layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio
    if keeps_ratio and len({Fraction(axis.new, axis.old) for axis in axes}) > 1:
        raise TraceError(f"Layer '{name}' resizes to another aspect ratio, which is not followed.")
    if layer.antialias and any(axis.new < axis.old for axis in axes):
        raise TraceError(f"Layer '{name}' resizes with antialiasing, which is not followed.")
    return axes


def _less(pixels: int) -> tuple[int, int]:
    """The smaller half is cut at the start."""
    return -(pixels // 2), pixels // 2 - pixels


def _pad_or_none(amount: Any, size: int | None, *axis: int) -> tuple[int, int] | None:
    try:
        return pad_amounts(amount, size, *axis)
    except PaddingError:
        return None
