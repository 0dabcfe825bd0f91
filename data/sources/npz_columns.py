"""The labels, target images and further columns of an npz file, and their checks."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.config import DataError
from data.sources import npz_file
from data.tasks import UNCOUNTED

# Columns that a split may have in addition to x and y, and the types they are converted to.
EXTRA: dict[str, type] = {"margin": np.float32, "source_ids": np.int64, "subset": np.str_}
Columns = dict[str, NDArray[Any]]


def labelled(
    file: zipfile.ZipFile,
    path: Path,
    split: str,
    shape: tuple[int, ...],
    held: list[str],
    steps: int,
) -> Columns:
    """The labels and the other columns of one split with inputs of this shape.

    For sequences, each of the last steps may have a label.
    """
    if np.prod(shape) == 0:
        raise DataError(f"x_{split} of shape {shape} is empty")
    names = {key: f"{key}_{split}" for key in ("y", *EXTRA) if f"{key}_{split}" in held}
    columns = {key: npz_file.array(file, path, name) for key, name in names.items()}
    labels = columns["y"].shape
    if labels[1:] not in {(s,) for s in range(1, steps + 1)}:
        labels = shape[:1]  # one per example, or one for each of the last steps
    for key, column in columns.items():
        if column.shape != (labels if key in ("y", "source_ids") else shape[:1]):
            hint = "; target images need task=segmentation or task=reconstruction"
            raise DataError(
                f"{names[key]} of shape {column.shape} does not fit x_{split} of shape {shape}"
                + hint * (key == "y" and column.ndim > 2)
            )
    types = {"y": np.int64, **EXTRA}
    return {key: cast(names[key], column, types[key]) for key, column in columns.items()}


def with_image(
    file: zipfile.ZipFile,
    path: Path,
    split: str,
    shape: tuple[int, ...],
    held: list[str],
    target: str | None,
    first: bool,
) -> Columns:
    """The target images and the other columns of one split with images of this shape.

    Args:
        target: "mask", "picture", or None for images that are their own targets.
        first: whether the file has the channels first.

    Returns:
        y: int32 (n, h, w) of masks, or (n, h, w, c) of pictures.

    Raises:
        DataError: an array does not pair with the images.
    """
    if np.prod(shape) == 0:
        raise DataError(f"x_{split} of shape {shape} is empty")
    columns = {
        key: npz_file.array(file, path, f"{key}_{split}")
        for key in EXTRA
        if f"{key}_{split}" in held
    }
    for key, column in columns.items():
        if column.shape != shape[:1]:
            raise DataError(
                f"{key}_{split} of shape {column.shape} does not fit x_{split} of shape {shape}"
            )
    columns = {key: cast(f"{key}_{split}", value, EXTRA[key]) for key, value in columns.items()}
    if target is None:
        return columns
    y = npz_file.array(file, path, f"y_{split}")
    size = shape[2:4] if first and len(shape) == 4 else shape[1:3]
    if target == "picture" and y.ndim == 4 and first:
        y = np.moveaxis(y, 1, -1)
    ranks = (3,) if target == "mask" else (3, 4)
    if y.ndim not in ranks or y.shape[0] != shape[0] or y.shape[1:3] != size:
        wanted = "(n, height, width)" if target == "mask" else "(n, height, width, channels)"
        raise DataError(
            f"y_{split} of shape {y.shape} does not pair with x_{split} of shape {shape}: a target "
            f"{target} is {wanted}, of its input's size"
        )
    if target == "mask":
        return {"y": cast(f"y_{split}", y, np.int32), **columns}
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise DataError(f"y_{split} holds NaN or infinity")
    return {"y": y if y.ndim == 4 else y[..., None], **columns}


def cast(name: str, column: NDArray[Any], kind: type) -> NDArray[Any]:
    """A column in its final type; DataError if the type cannot hold its values."""
    with np.errstate(over="ignore", invalid="ignore"):
        found: NDArray[Any] = column.astype(kind)
    if kind in (np.int64, np.int32) and not np.array_equal(found, column):
        bits = 8 * np.dtype(kind).itemsize
        raise DataError(f"{name} holds numbers that are not whole numbers of {bits} bits")
    if kind is np.float32 and not np.isfinite(found).all():
        raise DataError(f"{name} holds NaN, infinity or values too large for float32")
    return found


def class_names(names: NDArray[Any] | None, y_train: NDArray[np.int64]) -> tuple[str, ...]:
    if names is not None:
        if names.ndim != 1:
            raise DataError("class_names must be a one-dimensional array of strings")
        return tuple(map(str, names))
    highest = int(y_train.max())
    if highest >= y_train.size:
        raise DataError(f"y_train holds the label {highest} but only {len(y_train)} examples")
    return tuple(map(str, range(highest + 1)))


def check_labels(labels: dict[str, NDArray[np.int64]], classes: int) -> None:
    if classes < 2:
        raise DataError("y_train holds one class; at least two are needed")
    for split, y in labels.items():
        if split == "test" and y.ndim == 2:
            y = np.where(y == -1, y.max(), y)  # -1: a step that is not scored
        low, high = int(y.min()), int(y.max())
        if low < 0 or high >= classes:
            raise DataError(
                f"y_{split} holds the label {low if low < 0 else high}; "
                f"the classes are 0 to {classes - 1}"
            )
    missing = sorted(set(range(classes)) - set(labels["train"].flat))
    if missing:
        raise DataError(
            f"class {missing[0]} has no example in y_train; labels are 0 to "
            f"{classes - 1}, each present"
        )


def check_masks(masks: dict[str, NDArray[np.int32]], classes: int) -> None:
    """Raise DataError for a pixel of no class; -1 marks one that does not count."""
    if classes < 2:
        raise DataError("the masks y_train hold one class; at least two are needed")
    for split, y in masks.items():
        low, high = int(y.min()), int(y.max())
        if low < UNCOUNTED or high >= classes:
            raise DataError(
                f"y_{split} holds the class {low if low < UNCOUNTED else high}; the classes are 0 "
                f"to {classes - 1}, and {UNCOUNTED} marks a pixel that does not count"
            )
