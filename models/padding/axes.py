"""One axis of a feature map and its border, in NumPy.

A map x of n pixels is padded by `before` and `after`: shape (batch, *spatial, channels) becomes
(batch, *padded, channels), n + before + after on each axis. Position p runs from -before to
n + after - 1; the border is p < 0 and p >= n.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .checks import PaddingError, check_name
from .definitions import IndexRule, LinearRule, Mask
from .modes import AXIS_MODES, MODES

Terms = list[tuple[np.ndarray, np.ndarray | None]]


def terms(size: int, before: int, after: int, mode: str) -> Terms:
    """Return of which pixels each pixel of the padded axis is made.

    The padded axis is the sum of weight * x[index] over the pairs.

    Args:
        size: pixels on the axis, at least 1.
        before, after: pixels to add.
        mode: a name from `AXIS_MODES`.

    Returns:
        Pairs of an index and a weight, integers of shape (before + size + after,). The weight is
        None where every pixel is a copy. The index is -1 where zeros or a value are written.

    Raises:
        PaddingError: for an empty map, or a mode that does not pad an axis at a time.
    """
    check_name("mode", mode, AXIS_MODES)
    if size < 1:
        raise PaddingError(f"An empty map has no border to pad. Received: size={size}")
    position = np.arange(-before, size + after)
    rule = MODES[mode]
    if isinstance(rule, LinearRule):
        return list(rule.terms(position, size))
    assert isinstance(rule, IndexRule)
    if rule.source is None:
        return [(np.where((position >= 0) & (position < size), position, -1), None)]
    return [(rule.source(position, size), None)]


def axis_entries(
    size: int, before: int, after: int, mode: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `axis_matrix` as (rows, columns, values) whose equal places are to be added."""
    parts = []
    for index, weight in terms(size, before, after, mode):
        rows = np.flatnonzero(index >= 0)
        parts.append((rows, index[rows], np.ones(len(rows)) if weight is None else weight[rows]))
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return rows, columns, values.astype(float)


def axis_matrix(size: int, before: int, after: int, mode: str) -> np.ndarray:
    """Return the linear map from an axis to the padded axis, (before + size + after, size).

    Args and errors are those of `terms`.

    Example: `axis_matrix(3, 1, 0, "reflect") @ [1, 2, 3]` is `[2, 1, 2, 3]`.
    """
    matrix = np.zeros((before + size + after, size))
    rows, columns, values = axis_entries(size, before, after, mode)
    np.add.at(matrix, (rows, columns), values)
    return matrix


def outside(
    size: int, before: int, after: int, kernel_size: int, strides: int, dilation_rate: int
) -> np.ndarray:
    """Return which taps of a window read the border: booleans of shape (outputs, kernel_size)."""
    reach = dilation_rate * (kernel_size - 1)
    first = np.arange(-before, size + after - reach, strides)
    taps = first[:, None] + dilation_rate * np.arange(kernel_size)
    return (taps < 0) | (taps >= size)


def mask_scale(mode: str, reads_border: Sequence[np.ndarray]) -> np.ndarray:
    """Return by what a `Mask` multiplies every output, such as kernel area / covered area.

    Args:
        mode: the name of a mask.
        reads_border: `outside` for each axis.

    Returns:
        Floats of shape (1, *outputs, 1): of "partial" with a 3x3 kernel and one pixel of border
        9/6 at edges and 9/4 in corners.
    """
    return _over_axes(
        [_ratios(mode, axis.shape[1] - axis.sum(axis=1), axis.shape[1]) for axis in reads_border]
    )


def transposed_scale(
    mode: str,
    sizes: Sequence[int],
    firsts: Sequence[int],
    outputs: Sequence[int],
    kernel_size: Sequence[int],
    strides: Sequence[int],
    dilation_rate: Sequence[int],
) -> np.ndarray:
    """Return by what a `Mask` multiplies every output of a transposed convolution.

    Output q of an axis, counted in the whole output, is read by tap t from pixel
    (q - dilation_rate * t) / strides, where that is an integer. So the number of taps differs from
    output to output.

    Args:
        mode: the name of a mask.
        sizes: pixels of the map on each axis.
        firsts: the first output that is kept of the whole output.
        outputs: how many are kept.
        kernel_size, strides, dilation_rate: of the window.

    Returns:
        Floats of shape (1, *outputs, 1); 1 where no tap reads anything.
    """
    scales = []
    axes = zip(sizes, firsts, outputs, kernel_size, strides, dilation_rate, strict=True)
    for size, first, kept, k, s, d in axes:
        steps = first + np.arange(kept)[:, None] - d * np.arange(k)
        reads = steps % s == 0
        on_map = reads & (steps >= 0) & (steps < size * s)
        taps, scale = reads.sum(axis=1), np.ones(kept)
        for count in set(taps[taps > 0].tolist()):
            chosen = taps == count
            scale[chosen] = _ratios(mode, on_map.sum(axis=1)[chosen], count)
        scales.append(scale)
    return _over_axes(scales)


def _ratios(mode: str, covered: np.ndarray, taps: int) -> np.ndarray:
    mask = MODES[mode]
    assert isinstance(mask, Mask)
    return mask.scale(covered, taps, np)


def _over_axes(factors: Sequence[np.ndarray]) -> np.ndarray:
    """Return the products of a factor on each axis, (1, *outputs, 1)."""
    scale = np.ones((1, 1))
    for factor in factors:
        scale = scale[..., None, :] * factor[:, None]
    return scale
