"""From a DataConfig to the three splits a model is trained and tested on."""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data import sources
from data.config import AugmentConfig, DataConfig, DataError
from data.sources import streaming, value_checks
from data.sources.streaming import Rows, Streamed
from data.tasks import targets
from data.transforms import (
    apply_normalisation,
    byte_levels,
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
    inputs, wanted = {}, {}
    for name, (role, ids) in chosen.items():
        inputs[name] = _sized(cfg, role, raw[role].x, ids)
        if cfg.image_target:
            inputs[name], wanted[name] = targets.of(cfg, role, raw[role], ids, inputs[name])
    # Before the pixels are permuted: plain and permuted sequences share their statistics.
    bounds = {name: value_checks.finite_extremes(cfg, name, x) for name, x in inputs.items()}
    value_checks.check_varies(cfg, inputs["train"])
    mean, std = normalisation(inputs["train"], cfg.normalize)
    for name, of_split in bounds.items():
        if of_split:
            value_checks.check_range(cfg, name, *of_split, mean, std)
    pictures = cfg.image_target and not stored.class_names
    how = targets.normalised(cfg, wanted) if pictures else None
    height = stored.splits["train"].shape[1]
    scale = cfg.resize / height if cfg.resize and height else 1.0
    splits = {}
    for name, (role, ids) in chosen.items():
        itself = cfg.image_target and wanted[name] is inputs[name]
        rows = _in_order(inputs.pop(name), cfg)
        levels = byte_levels(mean, std) if rows.dtype == np.uint8 else None
        x: NDArray[np.float32] | Streamed
        if streams:
            assert isinstance(rows, Rows)  # they were resized when they were written
            x = Streamed(rows, mean, std)
        else:
            x = apply_normalisation(rows, mean, std)
        y: Any = x if itself else wanted.pop(name) if cfg.image_target else labels(raw[role], ids)
        target_levels = None
        if how and not itself:
            target_levels = byte_levels(how.mean, how.std) if y.dtype == np.uint8 else None
            y = apply_normalisation(y, how.mean, how.std)
        split = _split(x, y, raw[role], ids, scale)
        splits[name] = replace(split, levels=levels, target_levels=target_levels)
    spec = Spec(
        kind="sequence" if cfg.sequence else stored.kind,
        input_shape=splits["train"].x.shape[1:],
        num_classes=len(stored.class_names) or splits["train"].y.shape[-1],
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
        target_mean=tuple(map(float, how.mean)) if how else None,
        target_std=tuple(map(float, how.std)) if how else None,
        target_range=how.range if how else None,
    )
    notes = (*stored.notes, *([streams] if streams else []))
    return Data(spec, splits["train"], splits.get("validation"), splits["test"], streams, notes)


def labels(split: RawSplit, ids: NDArray[np.int64]) -> NDArray[np.int32]:
    """The labels of the chosen examples of a split that has labels."""
    assert split.y is not None
    return split.y[ids].astype(np.int32)


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
        if cfg.image_target:
            raise DataError(
                f"{streams}; task={cfg.task} needs the set in memory: a larger data.memory, fewer "
                "pixels (data.resize), or a smaller set"
            )
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
    sizes = {name: len(split.x) for name, split in raw.items()}
    y = None if cfg.image_target else raw["train"].y
    if y is not None:
        learned = [split.y for name, split in raw.items() if name != "test"]
        if min(int(labels.min()) for labels in learned if labels is not None) < 0:
            raise DataError(f"{cfg.name} has steps without a label outside its test split")
    order = stratified_order(np.zeros(sizes["train"], int) if y is None else y, cfg.split_seed)
    held_out = _held_out(cfg, sizes["train"], "validation" in raw)
    left = len(order) - held_out
    if cfg.examples is not None:
        least, why = (1, "") if y is None else (classes, " (one for each class)")
        if not least <= cfg.examples <= left:
            raise DataError(
                f"data.examples={cfg.examples} must be between {least}{why} "
                f"and {left} (the training examples of {cfg.name} that are not held out)"
            )
        left = cfg.examples
    kept = np.sort(order[held_out : held_out + left])
    if y is not None and len(np.unique(y[kept])) < len(np.unique(y)):
        raise DataError(f"the training part of {cfg.name} lacks a class; use more examples")
    chosen = {"train": ("train", kept)}
    if "validation" in raw:
        chosen["validation"] = ("validation", np.arange(sizes["validation"]))
    elif held_out:
        chosen["validation"] = ("train", np.sort(order[:held_out]))
    chosen["test"] = ("test", np.arange(sizes["test"]))
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


def _in_order(x: Rows | NDArray[np.float32], cfg: DataConfig) -> Rows | NDArray[np.float32]:
    """Images unchanged, or as sequences of their pixels."""
    if not cfg.sequence:
        return x
    rows = x if isinstance(x, Rows) else Rows(x, np.arange(len(x)))
    return replace(rows, steps=pixel_order(math.prod(x.shape[1:3]), cfg.permutation))


def _split(
    x: NDArray[np.float32] | Streamed,
    y: NDArray[np.int32] | NDArray[np.float32],
    raw: RawSplit,
    ids: NDArray[np.int64],
    scale: float,
) -> Split:
    margin = None if raw.margin is None else raw.margin[ids] * np.float32(scale)
    source_ids = None if raw.source_ids is None else raw.source_ids[ids]
    subset = None if raw.subset is None else raw.subset[ids]
    split = Split(x, y, ids.astype(np.int64), margin, source_ids, subset)
    for array in (x, y, split.ids, margin, source_ids, subset):
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    return split
