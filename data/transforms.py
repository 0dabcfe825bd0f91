"""Resizing, statistics and the choice of examples: pure functions on NumPy arrays."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

CHUNK = 1024


@lru_cache(maxsize=32)
def resize_weights(size: int, new_size: int) -> NDArray[np.float64]:
    """Weights (new_size, size) of linear interpolation with half-pixel centres.

    Shrinking widens the triangle to the step, so that every stored pixel counts
    (antialiasing); rows sum to one, which at the borders means replication.
    """
    step = size / new_size
    centre = (np.arange(new_size) + 0.5) * step - 0.5
    distance = np.abs(np.arange(size)[None, :] - centre[:, None]) / max(step, 1.0)
    weights = np.maximum(1.0 - distance, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def resize_images(x: NDArray[np.generic], side: int) -> NDArray[np.float32]:
    """Resize (n, h, w, c) to float32 (n, side, side, c), bilinear and antialiased."""
    rows = resize_weights(x.shape[1], side).astype(np.float32)
    columns = resize_weights(x.shape[2], side).astype(np.float32)
    out = np.empty((len(x), side, side, x.shape[3]), np.float32)
    for start in range(0, len(x), CHUNK):
        part = x[start : start + CHUNK].astype(np.float32)
        part = np.einsum("ih,nhwc->niwc", rows, part, optimize=True)
        out[start : start + CHUNK] = np.einsum("jw,niwc->nijc", columns, part, optimize=True)
    return out


def pixels_in_order(x: NDArray[np.float32], permutation: int | None) -> NDArray[np.float32]:
    """Images (n, h, w, c) as sequences (n, h * w, c): row by row, or in an order from that seed."""
    steps = x.reshape(len(x), -1, x.shape[-1])
    if permutation is None:
        return steps
    order = np.random.default_rng(permutation).permutation(steps.shape[1])
    return steps.take(order, axis=1)


def channel_statistics(x: NDArray[np.generic]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation per channel (last axis) of (n, …, c), in float64.

    A constant channel gets the deviation 1: it is centred and left alone.
    """
    total = np.zeros(x.shape[-1])
    for start in range(0, len(x), CHUNK):
        total += x[start : start + CHUNK].astype(np.float64).reshape(-1, x.shape[-1]).sum(axis=0)
    count = x.size // x.shape[-1]
    mean = total / count
    spread = np.zeros(x.shape[-1])
    for start in range(0, len(x), CHUNK):
        part = x[start : start + CHUNK].astype(np.float64).reshape(-1, x.shape[-1])
        spread += ((part - mean) ** 2).sum(axis=0)
    std = np.sqrt(spread / count)
    return mean, np.where(std > 0, std, 1.0)


def normalisation(
    x: NDArray[np.generic], mode: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The shift and scale per channel that `mode` asks for, learned from the training x.

    standardize: mean and standard deviation. unit: 0 and 255 for uint8, else the smallest
    value and the range over all channels. none: 0 and 1.
    """
    channels = x.shape[-1]
    if mode == "standardize":
        return channel_statistics(x)
    if mode == "none":
        return np.zeros(channels), np.ones(channels)
    low, high = (0.0, 255.0) if x.dtype == np.uint8 else (float(x.min()), float(x.max()))
    return np.full(channels, low), np.full(channels, (high - low) or 1.0)


def apply_normalisation(
    x: NDArray[np.generic], mean: NDArray[np.float64], std: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(x - mean) / std per channel, as contiguous float32."""
    out = np.empty(x.shape, np.float32)
    for start in range(0, len(x), CHUNK):
        out[start : start + CHUNK] = (x[start : start + CHUNK].astype(np.float64) - mean) / std
    return out


def stratified_order(y: NDArray[np.generic], seed: int) -> NDArray[np.int64]:
    """A random order of (n,) labels in which every prefix has the classes in proportion.

    Each class is shuffled on its own and its members are spread evenly over the order, so
    the first k examples hold each class to within about one of its share, for every k.
    """
    rng = np.random.default_rng(seed)
    position = np.empty(len(y))
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        position[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.argsort(position, kind="stable")
