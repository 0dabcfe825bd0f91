"""One convolution without padding, fitted by least squares: the best linear predictor of a map.

With features `f` and a map `t` that is the same for every example, it minimises the mean over
examples and positions of (w * f + b - t)^2, plus `PENALTY` |w|^2 on features of unit variance, by
conjugate gradients (Hestenes & Stiefel 1952) on the normal equations. There is no randomness, and
there is one minimum.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

KERNEL = 3
PENALTY = 0.1
TOLERANCE, MOST_STEPS = 1e-3, 200


@dataclass(frozen=True)
class Reader:
    """A fitted convolution: `weights` (taps, channels, maps) on standardised features."""

    weights: np.ndarray
    bias: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    steps: int

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Predict from features (n, *spatial, channels): (n, *spatial - 2, maps)."""
        return _convolve((features - self.mean) / self.sd, self.weights) + self.bias


def fit(features: np.ndarray, targets: np.ndarray) -> Reader:
    """Fit a reader.

    Args:
        features: (n, *spatial, channels) with one or two spatial axes.
        targets: (*spatial - 2, maps), the maps to predict from every example.
    """
    space = tuple(range(features.ndim - 1))
    mean, sd = features.mean(axis=space), features.std(axis=space)
    sd = np.where(sd > 1e-6 * np.abs(mean).max(initial=1e-12), sd, 1).astype(features.dtype)
    x = (features - mean) / sd
    rows = len(x) * int(np.prod(targets.shape[:-1]))

    def centred(y: np.ndarray) -> np.ndarray:
        return y - y.mean(axis=space)

    def normal(w: np.ndarray) -> np.ndarray:
        return _transposed(x, centred(_convolve(x, w))) / rows + PENALTY * w

    wanted = np.broadcast_to(centred(targets[None]), (len(x), *targets.shape)).astype(x.dtype)
    weights, steps = _conjugate_gradients(normal, _transposed(x, wanted) / rows)
    bias = targets.mean(axis=space[:-1]) - _convolve(x, weights).mean(axis=space)
    return Reader(weights, bias.astype(x.dtype), mean, sd, steps)


def _conjugate_gradients(normal: Any, right: np.ndarray) -> tuple[np.ndarray, int]:
    """Solve normal(w) = right, for each map (last axis) separately but simultaneously."""
    w, residual = np.zeros_like(right), right.copy()
    direction, square = residual.copy(), _squares(residual)
    enough = TOLERANCE**2 * np.maximum(square, 1e-30)
    for step in range(MOST_STEPS):
        if (square <= enough).all():
            return w, step
        image = normal(direction)
        length = square / np.maximum(_squares(direction, image), 1e-30)
        w, residual = w + length * direction, residual - length * image
        square, before = _squares(residual), square
        direction = residual + square / np.maximum(before, 1e-30) * direction
    return w, MOST_STEPS


def _squares(a: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    return (a * (a if b is None else b)).sum(axis=(0, 1))


def _windows(size: tuple[int, ...]) -> list[tuple[Any, ...]]:
    """For each tap of the kernel, the part of a map that it is applied to."""
    taps = itertools.product(range(KERNEL), repeat=len(size))
    return [
        (slice(None), *(slice(i, n - KERNEL + 1 + i) for i, n in zip(tap, size, strict=True)))
        for tap in taps
    ]


def _convolve(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """One product for all taps, then a sum of shifted slices, without copies of x."""
    taps, channels, maps = weights.shape
    flat = weights.transpose(1, 0, 2).reshape(channels, taps * maps)
    each = (x.reshape(-1, channels) @ flat).reshape(*x.shape[:-1], taps, maps)
    return sum(each[(*window, i)] for i, window in enumerate(_windows(x.shape[1:-1])))


def _transposed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The transpose of `_convolve` in its weights: (taps, channels, maps)."""
    windows, channels, maps = _windows(x.shape[1:-1]), x.shape[-1], y.shape[-1]
    spread = np.zeros((*x.shape[:-1], len(windows), maps), x.dtype)
    for i, window in enumerate(windows):
        spread[(*window, i)] = y
    product = x.reshape(-1, channels).T @ spread.reshape(-1, len(windows) * maps)
    return product.reshape(channels, len(windows), maps).transpose(1, 0, 2)
