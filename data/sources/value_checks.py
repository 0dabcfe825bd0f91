"""Checks of the values of a set before and after normalisation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.config import DataConfig, DataError
from data.sources.streaming import Rows
from data.transforms import FLOAT32_MAX, extremes


def finite_extremes(
    cfg: DataConfig, name: str, x: Rows | NDArray[np.float32]
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """The extremes of each channel, which must be finite; None for a type that fits in float32."""
    if x.dtype.kind in "uib" and x.dtype.itemsize <= 2:
        return None
    low, high = extremes(x)
    if not np.isfinite(np.stack([low, high]).astype(np.float64)).all():
        raise DataError(
            f"the {name} split of {cfg.name} holds NaN, infinity or values too large for float64"
        )
    return low, high


def check_varies(cfg: DataConfig, train: Rows | NDArray[np.float32]) -> None:
    """DataError if all training values of every channel are equal: there is nothing to learn."""
    first = train[:1].reshape(-1, train.shape[-1])
    if (first != first[0]).any():
        return
    low, high = extremes(train)
    if (low == high).all():
        raise DataError(
            f"every value of the train split of {cfg.name} is {', '.join(map(str, low))}: there is "
            "nothing to learn from"
        )


def check_range(
    cfg: DataConfig,
    name: str,
    low: NDArray[Any],
    high: NDArray[Any],
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
) -> None:
    """DataError unless the values are finite after preprocessing, and those that differed still do.

    Preprocessing rounds values but keeps their order, so it is enough to check the extremes.
    """
    stored = np.stack([low, high]).astype(np.float64)
    by = f"data.normalize={cfg.normalize}"
    for channel in np.flatnonzero(~np.isfinite(mean + std)):
        largest = np.abs(stored[:, channel]).max()
        raise DataError(
            f"the train split of {cfg.name} holds {largest:.3g}, too large for the statistics of "
            f"{by} in float64; scale the stored values"
        )
    with np.errstate(over="ignore"):
        used = ((stored - mean) / std).astype(np.float32)
    for end, channel in np.argwhere(~np.isfinite(used)):
        raise DataError(
            f"the {name} split of {cfg.name} holds {stored[end, channel]:.3g}, which after {by} "
            f"(minus {mean[channel]:.3g}, divided by {std[channel]:.3g}) is too large for "
            f"float32 ({FLOAT32_MAX:.2g}); scale the stored values"
        )
    for channel in np.flatnonzero((low < high) & (used[0] == used[1])):
        if name == "train":
            raise DataError(
                f"channel {channel} of the train split of {cfg.name} goes from {low[channel]!s} to "
                f"{high[channel]!s}, which after {by} are equal in float32; shift or scale the "
                "stored values"
            )
