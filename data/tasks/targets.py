"""Inputs and targets of image-to-image tasks, from stored images to normalised arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.config import DataConfig, DataError
from data.sources import value_checks
from data.sources.streaming import Rows, resized
from data.tasks import SUPER_RESOLUTION, TASKS
from data.transforms import (
    extremes,
    normalisation,
    resize_images,
    resize_masks,
)
from data.types import RawSplit

Pictures = Rows | NDArray[Any]


@dataclass(frozen=True)
class Normalised:
    """How the values of target pictures were normalised: fields as `target_*` of `data.Spec`."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    range: float


def shrunk(cfg: DataConfig, x: Pictures) -> tuple[Pictures, Pictures]:
    """The input of super-resolution, and its target: the image, cut to a multiple of the factor.

    Args:
        x: (n, h, w, c).

    Returns:
        (n, h // factor, w // factor, c), bilinear with antialiasing, and (n, h', w', c) with h' and
        w' the largest multiples of the factor; rows and columns at the end are cut off.

    Raises:
        DataError: the images are smaller than the factor.
    """
    size = (x.shape[1] // cfg.factor, x.shape[2] // cfg.factor)
    if not all(size):
        raise DataError(
            f"the images of {cfg.name} have {_times(x.shape[1:3])} pixels, too few for the factor "
            f"{cfg.factor} of super-resolution"
        )
    whole = x[:][:, : size[0] * cfg.factor, : size[1] * cfg.factor]
    return resize_images(whole, size), whole


def of(
    cfg: DataConfig, official: str, raw: RawSplit, ids: NDArray[np.int64], x: Pictures
) -> tuple[Pictures, Pictures]:
    """The inputs and the targets of the chosen examples of a split, not yet normalised.

    Args:
        official: name of the official split.
        x: (n, h, w, c), its chosen and resized images.

    Returns:
        The inputs, and int32 (n, h, w) of masks, or (n, h, w, c) of pictures: `x` itself where they
        are to be given back.

    Raises:
        DataError: masks and images differ in size, or as `shrunk`.
    """
    if cfg.task == SUPER_RESOLUTION:
        return shrunk(cfg, x)
    if raw.y is None:
        return x, x
    if TASKS[str(cfg.task)].target == "mask":
        y = raw.y[ids]
        if cfg.resize is not None and y.shape[1:] != (cfg.resize, cfg.resize):
            y = resize_masks(y, cfg.resize)
        if y.shape[1:] != x.shape[1:3]:
            raise DataError(
                f"the masks of the {official} split of {cfg.name} have {_times(y.shape[1:])} "
                f"pixels, its images {_times(x.shape[1:3])}"
            )
        return x, y.astype(np.int32)
    rows = Rows(raw.y, ids)
    if cfg.resize is None or rows.shape[1:3] == (cfg.resize, cfg.resize):
        return x, rows
    return x, resized(cfg, official, rows)


def normalised(cfg: DataConfig, wanted: Mapping[str, Pictures]) -> Normalised:
    """How target pictures are normalised: as inputs are, by the training targets' statistics.

    Raises:
        DataError: a value is not finite, or is not after the normalisation.
    """
    train = wanted["train"]
    mean, std = normalisation(train, cfg.normalize)
    for name, pictures in wanted.items():
        if bounds := value_checks.finite_extremes(cfg, name, pictures):
            value_checks.check_range(cfg, name, *bounds, mean, std)
    low, high = extremes(train)
    span = 255.0 if train.dtype == np.uint8 else float(high.max()) - float(low.min())
    return Normalised(mean, std, span)


def _times(size: tuple[int, ...]) -> str:
    return "×".join(map(str, size))
