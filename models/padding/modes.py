"""What the border holds, one axis at a time: index formulas in NumPy, without a framework.

A map x of n pixels is padded by `before` and `after`: shape (batch, *spatial, channels) becomes
(batch, *padded, channels), n + before + after on each axis. Position p runs from -before to
n + after - 1; the border is p < 0 and p >= n. Names in brackets are NumPy's.

| mode | the border at p |
|---|---|
| zeros | 0 |
| constant | `value`, one number or one per channel |
| reflect (reflect) | x mirrored about the edge pixel: c b [a b c] b a |
| symmetric (symmetric) | x mirrored about the edge: b a [a b c] c b |
| replicate (edge) | x[0] before, x[n - 1] after: a a [a b c] c c |
| circular (wrap) | x[p mod n]: b c [a b c] a b |
| odd_reflect (reflect, odd) | 2 edge - reflect, keeping the slope: 2a-c 2a-b [a b c] 2c-b 2c-a |
| mean | the channel's mean over all spatial axes of the map, in each example |
| partial | 0; the layer's output times kernel area / covered area, before the bias |
| random | in training mean + deviation * noise, standard normal for each pixel; else mean |
| learned | one trainable value per input channel and layer, 0 at first |

Sources. The index modes and odd_reflect: the reference of `numpy.pad`. partial: Liu et al. 2018,
"Partial convolution based padding" (arXiv:1811.11718), its re-weighted convolution. random:
after Nguyen et al. 2019, "Distribution padding in convolutional neural networks" (ICIP).
"""

from __future__ import annotations

import numpy as np

from .names import CONSTANT_MODES, INDEX_MODES, PaddingError, check_name


def border_indices(size: int, before: int, after: int, mode: str) -> np.ndarray:
    """Return where each pixel of the padded axis comes from.

    Equals what `numpy.pad` does to `arange(size)` with modes reflect, symmetric, edge and wrap,
    at any width, also wider than the map; on one pixel reflect is replicate.

    Args:
        size: pixels on the axis, at least 1.
        before, after: pixels to add.
        mode: a name from `CONSTANT_MODES` or `INDEX_MODES`.

    Returns:
        Integers of shape (before + size + after,); -1 where zeros or a constant are written.

    Raises:
        PaddingError: for an empty map or an unknown mode.
    """
    check_name("mode", mode, (*CONSTANT_MODES, *INDEX_MODES))
    if size < 1:
        raise PaddingError(f"An empty map has no border to pad. Received: size={size}")
    position = np.arange(-before, size + after)
    if mode in CONSTANT_MODES:
        return np.where((position >= 0) & (position < size), position, -1)
    if mode == "replicate" or size == 1:
        return np.clip(position, 0, size - 1)
    if mode == "circular":
        return position % size
    # A mirror repeats every `period` pixels; symmetric shows the border pixel twice.
    period = 2 * size if mode == "symmetric" else 2 * size - 2
    folded = position % period
    return np.where(folded < size, folded, period - folded - (mode == "symmetric"))


def odd_reflect_terms(size: int, before: int, after: int) -> tuple[np.ndarray, ...]:
    """Return how `odd_reflect` continues a line of pixels.

    The padded axis is sign * x[index] + first * x[0] + last * x[size - 1]; index is that of
    reflect. With m = floor(p / (size - 1)), the m-th mirror image has sign 1, first -m, last m
    where m is even, and sign -1, first 1 - m, last 1 + m where it is odd. A single pixel has no
    slope and is repeated.

    Returns:
        index, sign, first and last, each of shape (before + size + after,).
    """
    index = border_indices(size, before, after, "reflect")
    if size == 1:
        return index, np.ones_like(index), np.zeros_like(index), np.zeros_like(index)
    position = np.arange(-before, size + after)
    image = position // (size - 1)
    image[position == size - 1] = 0  # the edge pixel belongs to the map
    odd = image % 2
    return index, 1 - 2 * odd, odd - image, odd + image


def axis_matrix(size: int, before: int, after: int, mode: str) -> np.ndarray:
    """Return the linear map from an axis to the padded axis, (before + size + after, size)."""
    padded = before + size + after
    matrix = np.zeros((padded, size))
    if mode == "odd_reflect":
        index, sign, first, last = odd_reflect_terms(size, before, after)
        matrix[np.arange(padded), index] = sign
        matrix[:, 0] += first
        matrix[:, -1] += last
        return matrix
    index = border_indices(size, before, after, mode)
    inside = index >= 0
    matrix[np.flatnonzero(inside), index[inside]] = 1
    return matrix


def outside(
    size: int, before: int, after: int, kernel_size: int, strides: int, dilation_rate: int
) -> np.ndarray:
    """Return which taps of a window read the border: booleans of shape (outputs, kernel_size)."""
    reach = dilation_rate * (kernel_size - 1)
    first = np.arange(-before, size + after - reach, strides)
    taps = first[:, None] + dilation_rate * np.arange(kernel_size)
    return (taps < 0) | (taps >= size)


def partial_scale(reads_border: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return kernel area / covered area for every output, 0 where a window covers no pixel.

    Args:
        reads_border: `outside` for each axis.

    Returns:
        Floats of shape (1, *outputs, 1): for a 3x3 kernel and one pixel of border 9/6 at edges
        and 9/4 in corners.
    """
    scale = np.ones((1, 1))
    for axis in reads_border:
        covered = axis.shape[1] - axis.sum(axis=1)
        ratio = np.where(covered > 0, axis.shape[1] / np.maximum(covered, 1), 0.0)
        scale = scale[..., None, :] * ratio[:, None]
    return scale
