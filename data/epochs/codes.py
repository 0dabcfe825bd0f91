"""Stored bytes in place of normalised values: a quarter of the memory, and the same values.

A channel of bytes has 256 values after normalisation. Where all values of a split are among them,
to the bit, a device holds the bytes, and a batch is looked up in the table of the values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.transforms import pieces
from data.types import Split


class Compact(NamedTuple):
    """The arrays of a split, as bytes where the table of their values is given.

    x: (n, …), uint8, or float32 as in `Split`.
    y: as in `Split`, or uint8; None where the targets are the inputs.
    levels, target_levels: float32 (256, channels), the values of the bytes of x and of y; None
        where the array holds its values itself.
    """

    x: Any
    y: Any
    levels: Any = None
    target_levels: Any = None

    @property
    def nbytes(self) -> int:
        """The memory of the arrays, without the tables."""
        return int(self.x.nbytes) + (0 if self.y is None else int(self.y.nbytes))

    def batch(self, ops: Any, ids: Any) -> tuple[Any, Any]:
        """Inputs and targets (b, …) of the examples `ids`, (b,), as the split holds them.

        Args:
            ops: the module NumPy or jax.numpy.
        """
        x = decoded(ops, self.x[ids], self.levels)
        return x, x if self.y is None else self.targets(ops, ids)

    def targets(self, ops: Any, ids: Any) -> Any:
        """Targets that are not the inputs, (b, …), of the examples `ids`, (b,)."""
        return decoded(ops, self.y[ids], self.target_levels)


def compact(split: Split) -> Compact:
    """The arrays of a split in memory, as bytes where these have the same values to the bit.

    Example: `compact(data.load(mnist).train).x.dtype` is uint8, and with `data.resize` float32.
    """
    x, levels = _smallest(np.asarray(split.x), split.levels)
    if split.y is split.x:
        return Compact(x, None, levels)
    y, target_levels = _smallest(np.asarray(split.y), split.target_levels)
    return Compact(x, y, levels, target_levels)


def _smallest(values: NDArray[Any], levels: NDArray[np.float32] | None) -> tuple[Any, Any]:
    codes = None if levels is None else encoded(values, levels)
    return (values, None) if codes is None else (codes, levels)


def encoded(x: NDArray[np.float32], levels: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """The bytes (n, …, c) whose values are x, float32 (n, …, c), to the bit; None if any is not.

    Args:
        levels: float32 (256, c), ascending at equal distances but for rounding.
    """
    channels = x.shape[-1]
    codes = np.empty(x.shape, np.uint8)
    places = int(np.prod(x.shape[1:-1]))
    low = np.tile(levels[0], places)
    scale = np.tile(255 / (levels[-1] - levels[0]), places)
    for part, values in pieces(x):
        rows = values.reshape(len(values), places * channels)
        with np.errstate(invalid="ignore", over="ignore"):
            nearest = (rows - low) * scale
            np.rint(nearest, out=nearest)
            np.clip(nearest, 0, 255, out=nearest)
            codes[part] = nearest.reshape(values.shape)
        found = decoded(np, codes[part], levels)
        if not np.array_equal(found.view(np.uint32), values.view(np.uint32)):
            return None
    return codes


def decoded(ops: Any, codes: Any, levels: Any) -> Any:
    """The values (…, c) of bytes by their table; without a table the array itself.

    Args:
        ops: the module NumPy or jax.numpy.
        codes: uint8 (…, c), or any array without a table.
        levels: float32 (256, c), or None.
    """
    if levels is None:
        return codes
    channels = levels.shape[1]
    place = codes.astype("int32") * channels + ops.arange(channels, dtype="int32")
    return ops.take(levels.reshape(-1), place, mode="clip")
