"""From a DataConfig to the three splits a model is trained and tested on."""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data import sources
from data.config import AugmentConfig, DataConfig, DataError
from data.sources import streaming
from data.sources.streaming import Rows, Streamed
from data.transforms import (
    FLOAT32_MAX,
    apply_normalisation,
    extremes,
    normalisation,
    pixel_order,
    resize_images,
    stratified_order,
)
from data.types import Data, RawSplit, Spec, Split, Stored, StoredSplit


def load(cfg: DataConfig) -> Data:
    """Load a data set, preparing it first if need be.

    The process keeps up to two data sets in memory; configurations that differ only in
    augmentation, epochs or download share one.

    Returns:
        Data with float32 inputs (n, h, w, c) or (n, t, c), int32 labels, read-only. A set
        larger than `data.memory` stays on disk and gives the same values when it is indexed.

    Raises:
        DataError: a setting or the data is wrong; one plain line.
    """
    sources.ensure(cfg)
    fingerprint = sources.fingerprint(cfg)
    if fingerprint is None:
        raise DataError(f"{cfg.name} vanished while it was being prepared")
    data = _load(replace(cfg, augment=AugmentConfig(), epochs=1, download=False), fingerprint)
    if cfg.augment.active and data.spec.kind != "image":
        raise DataError(f"data.augment is for images; {cfg.name} holds sequences")
    return data


@lru_cache(maxsize=2)
def _load(cfg: DataConfig, fingerprint: str) -> Data:
    stored, raw, streams = read(cfg, fingerprint)
    chosen = choose(cfg, raw, len(stored.class_names))
    inputs = {name: _sized(cfg, role, raw[role].x, ids) for name, (role, ids) in chosen.items()}
    # Before the pixels are permuted: plain and permuted sequences share their statistics.
    bounds = {name: _finite_extremes(cfg, name, x) for name, x in inputs.items()}
    _check_varies(cfg, inputs["train"])
    mean, std = normalisation(inputs["train"], cfg.normalize)
    for name, of_split in bounds.items():
        if of_split:
            _check_range(cfg, name, *of_split, mean, std)
    height = stored.splits["train"].shape[1]
    scale = cfg.resize / height if cfg.resize and height else 1.0
    splits = {}
    for name, (role, ids) in chosen.items():
        rows, x = _in_order(inputs.pop(name), cfg), None
        if streams:
            assert isinstance(rows, Rows)  # they were resized when they were written
            x = Streamed(rows, mean, std)
        splits[name] = _split(x or apply_normalisation(rows, mean, std), raw[role], ids, scale)
    spec = Spec(
        kind="sequence" if cfg.sequence else stored.kind,
        input_shape=splits["train"].x.shape[1:],
        num_classes=len(stored.class_names),
        class_names=stored.class_names,
        fingerprint=fingerprint,
        mean=tuple(map(float, mean)),
        std=tuple(map(float, std)),
        normalize=cfg.normalize,
        validation=_origin(raw, chosen),
        test=stored.test,
        scored_steps=stored.scored_steps,
        stored_shape=stored.splits["train"].shape[1:],
        stored_dtype=str(stored.splits["train"].dtype),
        provenance=stored.provenance,
    )
    notes = (*stored.notes, *([streams] if streams else []))
    return Data(spec, splits["train"], splits.get("validation"), splits["test"], streams, notes)


def training_examples(cfg: DataConfig) -> int:
    """The number of training examples of a prepared set as `cfg` splits it; reads no example."""
    if cfg.examples is not None:
        return cfg.examples
    sizes = sources.examples(cfg)
    return sizes["train"] - _held_out(cfg, sizes["train"], "validation" in sizes)


def _held_out(cfg: DataConfig, examples: int, has_validation: bool) -> int:
    """The number of official training examples that are used for validation."""
    return 0 if has_validation else round(cfg.validation * examples)


def describe(cfg: DataConfig) -> Stored:
    """The content of a prepared set, without reading examples; DataError if `cfg` does not fit."""
    stored = sources.read(cfg)
    if stored.kind == "sequence" and cfg.resize is not None:
        raise DataError(f"data.resize is for images; {cfg.name} holds sequences")
    if stored.kind == "sequence" and cfg.sequence:
        raise DataError(f"data.sequence=true is for images; {cfg.name} holds sequences")
    return stored


def read(cfg: DataConfig, fingerprint: str) -> tuple[Stored, dict[str, RawSplit], str | None]:
    """The official splits, in memory or, if the line says so, mapped from disk and resized."""
    stored = describe(cfg)
    if streams := streaming.line(cfg, stored):
        return stored, streaming.on_disk(cfg, stored, fingerprint), streams
    return stored, in_memory(cfg, stored), None


def in_memory(cfg: DataConfig, stored: Stored) -> dict[str, RawSplit]:
    """All splits, read into memory."""
    return {name: _whole(cfg, split) for name, split in stored.splits.items()}


def _whole(cfg: DataConfig, split: StoredSplit) -> RawSplit:
    x, rest, read = np.empty(streaming.fixed(cfg, split), split.dtype), [], 0
    for piece in split.pieces():
        x[read : read + len(piece.x)] = piece.x
        read += len(piece.x)
        rest.append(replace(piece, x=x[:0]))
    if read != len(x):
        raise DataError(f"{cfg.name} holds {read} examples, but its description says {len(x)}")
    return RawSplit(x, **streaming.columns(rest))


def choose(
    cfg: DataConfig, raw: dict[str, RawSplit], classes: int
) -> dict[str, tuple[str, NDArray[np.int64]]]:
    """Which examples of which official split are used for training, validation and test.

    Returns:
        For each use: the name of an official split, and ascending indices into it.
    """
    y = raw["train"].y
    learned = [split.y.astype(np.int64) for name, split in raw.items() if name != "test"]
    if min(int(labels.min()) for labels in learned) < 0:
        raise DataError(f"{cfg.name} has steps without a label outside its test split")
    order = stratified_order(y, cfg.split_seed)
    held_out = _held_out(cfg, len(y), "validation" in raw)
    left = len(order) - held_out
    if cfg.examples is not None:
        if not classes <= cfg.examples <= left:
            raise DataError(
                f"data.examples={cfg.examples} must be between {classes} (one for each class) "
                f"and {left} (the training examples of {cfg.name} that are not held out)"
            )
        left = cfg.examples
    kept = np.sort(order[held_out : held_out + left])
    if len(np.unique(y[kept])) < len(np.unique(y)):
        raise DataError(f"the training part of {cfg.name} lacks a class; use more examples")
    chosen = {"train": ("train", kept)}
    if "validation" in raw:
        chosen["validation"] = ("validation", np.arange(len(raw["validation"].y)))
    elif held_out:
        chosen["validation"] = ("train", np.sort(order[:held_out]))
    chosen["test"] = ("test", np.arange(len(raw["test"].y)))
    return chosen


def as_trained(
    cfg: DataConfig, x: NDArray[np.generic], mean: NDArray[np.float64], std: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Preprocess stored examples in the same way as for a network that was trained with `cfg`.

    The result has the same bits as `load` gives for the same examples.

    Args:
        cfg: of the training; its resize and its order of pixels apply.
        x: (n, height, width, channels) or (n, time, channels), any real dtype.
        mean, std: of each channel, as in `Spec`.

    Raises:
        DataError: a value is not finite after preprocessing.
    """
    rows: Rows | NDArray[np.float32] = Rows(x, np.arange(len(x)))
    if cfg.resize is not None and rows.shape[1:3] != (cfg.resize, cfg.resize):
        rows = resize_images(rows, cfg.resize)
    with np.errstate(over="ignore"):
        used = apply_normalisation(_in_order(rows, cfg), mean, std)
    if not np.isfinite(used).all():
        raise DataError(
            "the inputs hold NaN, infinity or values too large for float32 after preprocessing"
        )
    return used


def _origin(raw: dict[str, RawSplit], chosen: dict[str, tuple[str, NDArray[np.int64]]]) -> str:
    return "official" if "validation" in raw else "carved" if "validation" in chosen else "none"


def _sized(
    cfg: DataConfig, official: str, x: NDArray[np.generic], ids: NDArray[np.int64]
) -> Rows | NDArray[np.float32]:
    rows = Rows(x, ids)
    if cfg.resize is None or rows.shape[1:3] == (cfg.resize, cfg.resize):
        return rows
    return streaming.resized(cfg, official, rows)


def _finite_extremes(
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


def _check_varies(cfg: DataConfig, train: Rows | NDArray[np.float32]) -> None:
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


def _check_range(
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


def _in_order(x: Rows | NDArray[np.float32], cfg: DataConfig) -> Rows | NDArray[np.float32]:
    """Images unchanged, or as sequences of their pixels."""
    if not cfg.sequence:
        return x
    rows = x if isinstance(x, Rows) else Rows(x, np.arange(len(x)))
    return replace(rows, steps=pixel_order(math.prod(x.shape[1:3]), cfg.permutation))


def _split(
    x: NDArray[np.float32] | Streamed, raw: RawSplit, ids: NDArray[np.int64], scale: float
) -> Split:
    margin = None if raw.margin is None else raw.margin[ids] * np.float32(scale)
    source_ids = None if raw.source_ids is None else raw.source_ids[ids]
    subset = None if raw.subset is None else raw.subset[ids]
    y, ids = raw.y[ids].astype(np.int32), ids.astype(np.int64)
    split = Split(x, y, ids, margin, source_ids, subset)
    for array in (x, y, ids, margin, source_ids, subset):
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    return split
