"""From a DataConfig to the three splits a model is trained and tested on."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from data import sources
from data.config import AugmentConfig, DataConfig, DataError
from data.transforms import (
    apply_normalisation,
    normalisation,
    pixels_in_order,
    resize_images,
    stratified_order,
)
from data.types import Data, Raw, RawSplit, Spec, Split


def load(cfg: DataConfig) -> Data:
    """Load a data set, preparing it first if need be.

    Reads are kept in memory for the process, two data sets at a time, and shared by every
    config that differs only in augmentation, epochs or download.

    Returns:
        Data with float32 inputs (n, h, w, c) or (n, t, c), int32 labels, read-only.

    Raises:
        DataError: a setting or the data is wrong; one plain line.
    """
    sources.prepare(cfg)
    fingerprint = sources.fingerprint(cfg)
    if fingerprint is None:
        raise DataError(f"{cfg.name} vanished while it was being prepared")
    data = _load(replace(cfg, augment=AugmentConfig(), epochs=1, download=False), fingerprint)
    if cfg.augment.active and data.spec.kind != "image":
        raise DataError(f"data.augment is for images; {cfg.name} holds sequences")
    return data


@lru_cache(maxsize=2)
def _load(cfg: DataConfig, fingerprint: str) -> Data:
    raw = sources.read(cfg)
    if raw.kind == "sequence" and cfg.resize is not None:
        raise DataError(f"data.resize is for images; {cfg.name} holds sequences")
    if raw.kind == "sequence" and cfg.sequence:
        raise DataError(f"data.sequence=true is for images; {cfg.name} holds sequences")
    chosen, validation_source = _choose(cfg, raw)
    inputs = {name: _sized(part, cfg.resize) for name, (part, _) in chosen.items()}
    mean, std = normalisation(inputs["train"], cfg.normalize)
    splits = {
        name: _split(_ready(cfg, inputs.pop(name), mean, std), part, ids, cfg.resize)
        for name, (part, ids) in chosen.items()
    }
    spec = Spec(
        kind="sequence" if cfg.sequence else raw.kind,
        input_shape=splits["train"].x.shape[1:],
        num_classes=len(raw.class_names),
        class_names=raw.class_names,
        fingerprint=fingerprint,
        mean=tuple(map(float, mean)),
        std=tuple(map(float, std)),
        normalize=cfg.normalize,
        validation=validation_source,
        test=raw.test,
        provenance=raw.provenance,
    )
    return Data(spec, splits["train"], splits.get("validation"), splits["test"])


def _choose(cfg: DataConfig, raw: Raw) -> tuple[dict[str, tuple[RawSplit, NDArray[np.int64]]], str]:
    """Which examples serve as train, validation and test, and where validation comes from."""
    train = raw.splits["train"]
    order = stratified_order(train.y, cfg.split_seed)
    held_out = 0 if "validation" in raw.splits else round(cfg.validation * len(train.y))
    left = len(order) - held_out
    if cfg.examples is not None:
        classes = len(raw.class_names)
        if not classes <= cfg.examples <= left:
            raise DataError(
                f"data.examples={cfg.examples} must lie between {classes} (one for each class) "
                f"and {left} (the training examples of {cfg.name} that are not held out)"
            )
        left = cfg.examples
    kept = np.sort(order[held_out : held_out + left])
    if len(np.unique(train.y[kept])) < len(np.unique(train.y)):
        raise DataError(f"the training part of {cfg.name} lacks a class; use more examples")
    chosen = {"train": _take(train, kept)}
    if "validation" in raw.splits:
        chosen["validation"] = _take(raw.splits["validation"], None)
    elif held_out:
        chosen["validation"] = _take(train, np.sort(order[:held_out]))
    chosen["test"] = _take(raw.splits["test"], None)
    origin = "official" if "validation" in raw.splits else "carved" if held_out else "none"
    return chosen, origin


def _take(split: RawSplit, ids: NDArray[np.int64] | None) -> tuple[RawSplit, NDArray[np.int64]]:
    if ids is None:
        return split, np.arange(len(split.y))
    picked = RawSplit(
        x=split.x[ids],
        y=split.y[ids],
        margin=None if split.margin is None else split.margin[ids],
        source_ids=None if split.source_ids is None else split.source_ids[ids],
        subset=None if split.subset is None else split.subset[ids],
    )
    return picked, ids


def _sized(split: RawSplit, side: int | None) -> NDArray[np.generic]:
    if side is None or split.x.shape[1:3] == (side, side):
        return split.x
    return resize_images(split.x, side)


def _ready(
    cfg: DataConfig,
    x: NDArray[np.generic],
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
) -> NDArray[np.float32]:
    """The inputs as a model takes them."""
    ready = apply_normalisation(x, mean, std)
    return pixels_in_order(ready, cfg.permutation) if cfg.sequence else ready


def _split(
    x: NDArray[np.float32], raw: RawSplit, ids: NDArray[np.int64], side: int | None
) -> Split:
    margin = raw.margin
    if margin is not None and side is not None:
        margin = margin * np.float32(side / raw.x.shape[1])
    columns = margin, raw.source_ids, raw.subset
    split = Split(x, raw.y.astype(np.int32), ids.astype(np.int64), *columns)
    for array in (split.x, split.y, split.ids, *columns):
        if array is not None:
            array.setflags(write=False)
    return split
