"""Augmentation by index arithmetic: the random draws for each example are made once per epoch.

The draws belong to the example, not to its position in the order, so neither the order nor the
batch size changes them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.config import AugmentConfig
from data.epochs.codes import decoded
from data.transforms import Examples

Ints = NDArray[np.int64]
OUTSIDE = -1
NUMPY_MODES = {
    "reflect": "reflect",
    "symmetric": "symmetric",
    "replicate": "edge",
    "circular": "wrap",
}


@dataclass(frozen=True)
class Draws:
    """The augmentation of each of n examples; all arrays are (n,) or (n, 2) for (down, across)."""

    flip: NDArray[np.bool_]
    window: Ints  # first row and column of the crop in the padded image, 0 to 2 * crop
    hole: Ints  # first row and column of the cutout, which may be outside the image


def draw(rng: np.random.Generator, n: int, size: tuple[int, int], augment: AugmentConfig) -> Draws:
    """Draw for n examples of `size` (height, width).

    All three are always drawn, so that turning one on does not change the others.
    """
    flip = rng.random(n) < 0.5
    window = rng.random((n, 2))
    centre = rng.random((n, 2))
    return Draws(
        flip=flip & augment.flip,
        window=np.floor(window * (2 * augment.crop + 1)).astype(np.int64),
        hole=np.floor(centre * size).astype(np.int64) - augment.cutout // 2,
    )


def padded_indices(length: int, crop: int, mode: str) -> Ints:
    """(length + 2 crop,) source index of every position in a padded axis; OUTSIDE for zeros."""
    axis = np.arange(length)
    if mode == "zeros":
        return np.pad(axis, crop, constant_values=OUTSIDE)
    return np.pad(axis, crop, mode=NUMPY_MODES[mode])  # type: ignore[call-overload]


def apply(x: Examples, ids: Ints, draws: Draws, augment: AugmentConfig) -> NDArray[np.float32]:
    """Gather x[ids], (b, h, w, c), flipped, cropped and cut out according to the draws."""
    place = ids
    if not isinstance(x, np.ndarray):  # indexing reads from disk
        x, place = x[ids], np.arange(len(ids))
    return apply_by(np, x, place, draws.flip[ids], draws.window[ids], draws.hole[ids], augment)


def apply_by(
    ops: Any,
    x: Any,
    place: Any,
    flip: Any,
    window: Any,
    hole: Any,
    augment: AugmentConfig,
    levels: Any = None,
) -> Any:
    """Gather x[place], flipped, cropped and cut out, by the operations of NumPy or of jax.numpy.

    Args:
        ops: the module.
        x: (n, h, w, c), or with `levels` the bytes of the values.
        place: (b,) indices into x.
        flip, window, hole: (b,), (b, 2) and (b, 2), the draws of these examples as in `Draws`.
        augment: what is augmented, and how.
        levels: (256, c), the values of bytes.

    Returns:
        (b, h, w, c), to the bit the same by either module.
    """
    height, width = x.shape[1:3]
    rows = _source(ops, height, window[:, 0], augment)
    columns = _source(ops, width, window[:, 1], augment)
    columns = ops.where(flip[:, None], columns[:, ::-1], columns)
    # One flat index per pixel: `take` is several times faster than indexing with three arrays.
    pixel = (place[:, None] * height + ops.maximum(rows, 0))[:, :, None] * width
    pixel = pixel + ops.maximum(columns, 0)[:, None, :]
    out = decoded(ops, ops.take(x.reshape(-1, x.shape[3]), pixel, axis=0), levels)
    keep = ops.ones(pixel.shape, bool)
    if augment.crop and augment.crop_mode == "zeros":
        keep &= (rows != OUTSIDE)[:, :, None] & (columns != OUTSIDE)[:, None, :]
    if augment.cutout:
        down = _inside(ops, height, hole[:, 0], augment.cutout)
        across = _inside(ops, width, hole[:, 1], augment.cutout)
        keep &= ~(down[:, :, None] & across[:, None, :])
    # The data is finite, so a product with 0 blanks as an assignment does, but much faster.
    out *= keep[..., None]
    return out


def _source(ops: Any, length: int, first: Any, augment: AugmentConfig) -> Any:
    """(b, length) source index along one axis for the windows that begin at `first`."""
    indices = ops.asarray(padded_indices(length, augment.crop, augment.crop_mode))
    return indices[first[:, None] + ops.arange(length)]


def _inside(ops: Any, length: int, first: Any, side: int) -> Any:
    """(b, length) whether a position lies in the interval of `side` positions from `first`."""
    place = ops.arange(length)
    return (place >= first[:, None]) & (place < first[:, None] + side)
