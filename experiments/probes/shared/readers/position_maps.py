"""The position maps of Islam, Jia & Bruce, and the rank correlation with them.

Islam, Jia & Bruce, "How much position information do convolutional neural networks encode?",
ICLR 2020 (arXiv:2001.08248), section 3. The values of a map go from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

GAUSSIAN_SD = (
    0.25  # fraction of the side; the order of G's values, and so its SPC, does not depend on it
)


def target(name: str, size: Sequence[int]) -> np.ndarray:
    """Return a position map.

    Args:
        name: "H" rises from left to right (from the first step to the last), "V" from top to
            bottom, "G" is a Gaussian around the centre.
        size: (height, width) or (steps,).

    Returns:
        float64 of that size, from 0 to 1.
    """
    axes = [np.linspace(0, 1, n) if n > 1 else np.zeros(1) for n in size]
    if name == "H":
        return np.broadcast_to(axes[-1], tuple(size)).copy()
    if name == "V":
        return np.broadcast_to(axes[0][:, None], tuple(size)).copy()
    squared = np.square(np.stack(np.meshgrid(*axes, indexing="ij")) - 0.5).sum(axis=0)
    bell = np.exp(-squared / (2 * GAUSSIAN_SD**2))
    return (bell - bell.min()) / (bell.max() - bell.min() or 1)


def corner_weights(size: int, to: int) -> np.ndarray:
    """Return the matrix (to, size) of linear interpolation between the first and the last pixel.

    The centres of these two stay at the ends, as with PyTorch's `align_corners=True`, which the
    paper's code uses to resize every map. There is no smoothing when a map shrinks.
    """
    places = np.linspace(0, size - 1, to)
    low = np.minimum(places.astype(int), max(size - 2, 0))
    high = np.minimum(low + 1, size - 1)
    matrix = np.zeros((to, size))
    np.add.at(matrix, (np.arange(to), low), 1 - (places - low))
    np.add.at(matrix, (np.arange(to), high), places - low)
    return matrix


def along_space(maps: np.ndarray, weights: Callable[[int], np.ndarray]) -> np.ndarray:
    """Return maps (n, *spatial, channels) with each axis of size n times weights(n) (to, n)."""
    for axis in range(1, maps.ndim - 1):
        matrix = weights(maps.shape[axis]).astype(maps.dtype)
        maps = np.moveaxis(np.tensordot(matrix, maps, (1, axis)), 0, axis)
    return np.ascontiguousarray(maps)


def spearman(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the rank correlation of each prediction (n, *spatial) with a map (*spatial): (n,).

    Ties share their mean rank. A constant prediction has correlation 0.
    """
    ranks = rankdata(predicted.reshape(len(predicted), -1), axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    wanted = rankdata(truth.ravel())
    wanted -= wanted.mean()
    length = np.sqrt(np.square(ranks).sum(axis=1) * np.square(wanted).sum())
    return np.divide(ranks @ wanted, length, out=np.zeros(len(ranks)), where=length > 0)
