"""Resizing, statistics and the choice of examples: pure functions on NumPy arrays.

Functions over the inputs of a whole split work in pieces of fixed size, in order, so that an array
in memory and `streaming.Rows` on disk give the same bits.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

MOST_EXAMPLES, MOST_VALUES = 1024, 2**22  # of one piece
FLOAT32_MAX = float(np.finfo(np.float32).max)


class Examples(Protocol):
    """An array (n, …), or an object that can be sliced like one along its first axis."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def dtype(self) -> Any: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: Any, /) -> NDArray[Any]: ...


def piece(shape: Sequence[int]) -> int:
    """How many examples of this shape, (h, w, c) or (t, c), are processed at a time."""
    return max(1, min(MOST_EXAMPLES, MOST_VALUES // max(1, math.prod(shape))))


def pieces(x: Examples) -> Iterator[tuple[slice, NDArray[Any]]]:
    """The examples in order, piece by piece: which they are, and what they hold."""
    size = piece(x.shape[1:])
    for start in range(0, len(x), size):
        part = slice(start, min(start + size, len(x)))
        yield part, x[part]


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


def resize_images(x: Examples, size: int | tuple[int, int]) -> NDArray[np.float32]:
    """Resize (n, h, w, c) to float32 (n, *size, c), bilinear and antialiased.

    `size` is (height, width), or one number for both.

    Each image and axis is one matrix product, so a result does not depend on the rest of the
    batch.

    Raises:
        OverflowError: a value is too large for float32.
    """
    _, height, width, channels = x.shape
    tall, wide = (size, size) if isinstance(size, int) else size
    rows = resize_weights(height, tall).astype(np.float32)
    columns = resize_weights(width, wide).astype(np.float32)
    out = np.empty((len(x), tall, wide, channels), np.float32)
    for part, pictures in pieces(x):
        n = len(pictures)
        with np.errstate(over="ignore"):
            cast = pictures.astype(np.float32)
        if cast.dtype != pictures.dtype and not np.isfinite(cast).all():
            largest = np.abs(pictures.astype(np.float64)).max()
            raise OverflowError(f"{largest:.3g}, too large for float32 ({FLOAT32_MAX:.2g})")
        down = np.matmul(rows, cast.reshape(n, height, width * channels))
        down = down.reshape(n, tall, width, channels).swapaxes(1, 2)
        both = np.matmul(columns, down.reshape(n, width, tall * channels))
        out[part] = both.reshape(n, wide, tall, channels).swapaxes(1, 2)
    return out


def resize_masks(y: NDArray[np.generic], side: int) -> NDArray[np.generic]:
    """Resize (n, h, w) to (n, side, side); each pixel takes the class of the nearest one."""
    rows, columns = (
        np.floor((np.arange(side) + 0.5) * size / side).astype(np.int64) for size in y.shape[1:]
    )
    return y[:, rows[:, None], columns]


def pixel_order(pixels: int, permutation: int | None) -> NDArray[np.int64]:
    """(pixels,) for each step of the sequence, the index of its pixel, counted row by row."""
    if permutation is None:
        return np.arange(pixels)
    return np.random.default_rng(permutation).permutation(pixels)


def channel_statistics(x: Examples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation per channel (last axis) of (n, …, c), in float64.

    A constant channel gets the standard deviation 1, so it is only centred. Values too large for
    float64 become infinite or NaN.
    """
    channels = x.shape[-1]
    total, spread = np.zeros(channels), np.zeros(channels)
    count = math.prod(x.shape[:-1])
    with np.errstate(over="ignore", invalid="ignore"):
        for _, part in pieces(x):
            total += part.astype(np.float64).reshape(-1, channels).sum(axis=0)
        mean = total / count
        for _, part in pieces(x):
            spread += ((part.astype(np.float64).reshape(-1, channels) - mean) ** 2).sum(axis=0)
        std = np.sqrt(spread / count)
    return mean, np.where(std == 0, 1.0, std)


def extremes(x: Examples) -> tuple[NDArray[Any], NDArray[Any]]:
    """Smallest and largest value per channel (last axis) of (n, …, c), as stored; NaN for NaN."""
    low, high = [], []
    for _, part in pieces(x):
        rows = part.reshape(len(part), -1)  # much faster than over a last axis of few channels
        low.append(rows.min(axis=0))
        high.append(rows.max(axis=0))
    places = (-1, x.shape[-1])
    return (
        np.stack(low).reshape(places).min(axis=0),
        np.stack(high).reshape(places).max(axis=0),
    )


def normalisation(x: Examples, mode: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The shift and scale per channel for a `mode`, computed from the training x.

    standardize: mean and standard deviation. unit: 0 and 255 for uint8, else the smallest
    value and the range over all channels. none: 0 and 1.
    """
    channels = x.shape[-1]
    if mode == "standardize":
        return channel_statistics(x)
    if mode == "none":
        return np.zeros(channels), np.ones(channels)
    low, high = 0.0, 255.0
    if x.dtype != np.uint8:
        ranges = [(float(part.min()), float(part.max())) for _, part in pieces(x)]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return np.full(channels, low), np.full(channels, (high - low) or 1.0)


def apply_normalisation(
    x: Examples, mean: NDArray[np.float64], std: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(x - mean) / std per channel, as contiguous float32."""
    out = np.empty(x.shape, np.float32)
    # Whole rows at a time: several times faster than along a last axis of one or three channels.
    places = math.prod(x.shape[1:-1])
    shift, scale = np.tile(mean, places), np.tile(std, places)
    for part, values in pieces(x):
        rows = values.reshape(len(values), -1).astype(np.float64)
        rows -= shift
        rows /= scale
        out[part] = rows.reshape(values.shape)
    return out


def byte_levels(mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float32]:
    """(256, c) what each stored byte becomes in each of the c channels, to the bit."""
    stored = np.arange(256, dtype=np.uint8)
    return apply_normalisation(np.repeat(stored[:, None], len(mean), axis=1), mean, std)


def stratified_order(y: NDArray[np.generic], seed: int) -> NDArray[np.int64]:
    """A random order of (n,) labels in which every prefix has the classes in proportion.

    Each class is shuffled separately and its members are spread evenly over the order, so that
    for every k the first k examples contain each class in proportion, to within about one
    example. With labels (n, steps) an example has no single class, and the order is only random.
    """
    rng = np.random.default_rng(seed)
    if y.ndim > 1:
        return rng.permutation(len(y))
    position = np.empty(len(y))
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        position[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.argsort(position, kind="stable")
