"""Prepared TFDS folders: where they are, which one is chosen, how they are read.

A prepared set is read from its own files (`builder_from_directory`), so the catalogue's code
is not needed, and array_record sets are read without TensorFlow.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from data.config import DataConfig, DataError, cache_folder
from data.sources import features, layout
from data.sources.features import library
from data.transforms import piece, resize_images
from data.types import RawSplit, Stored, StoredSplit

INFO = "dataset_info.json"


def data_dir(cfg: DataConfig) -> Path:
    """The folder of prepared sets: `data.data_dir`, or padzoo's folder in the user's cache."""
    if cfg.data_dir:
        return Path(cfg.data_dir).expanduser()
    return cache_folder("tensorflow_datasets")


def _version_key(folder: Path) -> tuple[int, ...] | None:
    parts = folder.name.split(".")
    return tuple(map(int, parts)) if all(p.isdecimal() for p in parts) else None


def find(folder: Path, name: str, version: str | None) -> Path | None:
    """The prepared folder of a set: the given version, or the newest; None if there is none."""
    if version is not None:
        wanted = folder / name / version
        return wanted if (wanted / INFO).is_file() else None
    candidates = [
        (key, path.parent)
        for path in (folder / name).glob(f"*/{INFO}")
        if (key := _version_key(path.parent)) is not None
    ]
    return max(candidates)[1] if candidates else None


def fingerprint(cfg: DataConfig) -> str | None:
    """`name/version+hash` of the prepared copy, or None if there is none.

    The hash covers the content if the builder recorded it, as the project's own builders do;
    otherwise it covers the copy's description, which has sizes but not pixels.
    """
    folder = find(data_dir(cfg), cfg.name, cfg.version)
    if folder is None:
        return None
    metadata = folder / "metadata.json"
    with _in_one_line(cfg.name, folder):
        content = json.loads(metadata.read_text()).get("content") if metadata.is_file() else None
    digest = content or hashlib.sha256((folder / INFO).read_bytes()).hexdigest()
    return f"{cfg.name}/{folder.name}+{digest[:12]}"


@contextlib.contextmanager
def preparing(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock for preparing a set; the system releases it if the process dies."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{name.replace('/', '.')}.lock")
        lock.acquire()
    except OSError as error:
        raise DataError(
            f"cannot write to {folder} ({error.strerror}); name another with data.data_dir=<folder>"
        ) from None
    try:
        yield
    finally:
        lock.release()


def read(cfg: DataConfig) -> Stored:
    """Open a prepared set; reading its pieces also raises DataError.

    Raises:
        DataError: it is not a set of labelled images or sequences, or it cannot be read.
    """
    folder = find(data_dir(cfg), cfg.name, cfg.version)
    if folder is None:
        raise DataError(f"{cfg.name} is not prepared in {data_dir(cfg)}")
    with _in_one_line(cfg.name, folder):
        return _read(cfg, folder)


@contextlib.contextmanager
def _in_one_line(name: str, folder: Path) -> Iterator[None]:
    try:
        yield
    except (DataError, ImportError):
        raise
    except Exception as error:  # TFDS and the file formats raise almost anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{name} in {folder} cannot be read: {reason}") from error


def examples(cfg: DataConfig) -> dict[str, int]:
    """The number of examples in each split of a prepared set, from its description alone.

    Raises:
        DataError: as in `read`.
    """
    folder = find(data_dir(cfg), cfg.name, cfg.version)
    if folder is None:
        raise DataError(f"{cfg.name} is not prepared in {data_dir(cfg)}")
    with _in_one_line(cfg.name, folder):
        described = json.loads((folder / INFO).read_text())["splits"]
        sizes = {one["name"]: sum(map(int, one["shardLengths"])) for one in described}
        return {role: sizes[official] for role, official in _roles(cfg.name, list(sizes)).items()}


def _read(cfg: DataConfig, folder: Path) -> Stored:
    tfds = library()

    builder = tfds.builder_from_directory(folder)
    kind, target = features.check(cfg, builder.info.features)
    roles = _roles(cfg.name, list(builder.info.splits))
    splits = {
        role: _split(cfg, builder, official, kind, target) for role, official in roles.items()
    }
    notes = layout.notes(cfg, kind, splits["train"].shape)
    if cfg.layout == "channels_first":
        splits = {role: layout.channels_last(split) for role, split in splits.items()}
    provenance = {
        "name": cfg.name,
        "version": folder.name,
        "format": builder.info.file_format.value,
        "homepage": str(builder.info.homepage or ""),
    }
    names, scored, channels = features.target(builder.info, target)
    return Stored(kind, splits, names, roles["test"], provenance, scored, notes, channels)


def _roles(name: str, official: list[str]) -> dict[str, str]:
    """Which official split is used for training, validation and test."""
    if "train" in official and "test" in official:
        roles = {"train": "train", "test": "test"}
        return roles | ({"validation": "validation"} if "validation" in official else {})
    if "train" in official and "validation" in official:
        return {
            "train": "train",
            "test": "validation",
        }  # not used for validation, which is held out from the training split
    raise DataError(f"{name} has the splits {', '.join(official)}, but train and test are needed")


def _split(cfg: DataConfig, builder: Any, split: str, key: str, target: str | None) -> StoredSplit:
    held, side = builder.info.features, cfg.resize
    shape, dtype = held[key].shape, np.dtype(held[key].np_dtype)
    if None in shape and cfg.layout == "channels_first":
        raise DataError(
            f"data.layout=channels_first needs images of one size, but those of {cfg.name} differ"
        )
    if None in shape and side is not None:
        # Images of several sizes are resized while they are read, so they need not all fit in
        # memory.
        shape, dtype = (side, side, shape[2]), np.dtype(np.float32)

    def pieces() -> Iterator[RawSplit]:
        with _in_one_line(cfg.name, builder.data_path):
            yield from _pieces(cfg, builder, split, key, target)

    return StoredSplit((builder.info.splits[split].num_examples, *shape), dtype, pieces)


def _pieces(
    cfg: DataConfig, builder: Any, split: str, key: str, target: str | None
) -> Iterator[RawSplit]:
    held = builder.info.features
    more = [k for k in ("margin", "source_id", "subset") if k in held]
    keys = [key, *([target] if target else []), *more]
    shape = held[key].shape
    names, scored, _ = features.target(builder.info, target)
    lowest = -1 if scored else 0
    fixed = None not in shape
    for batch in _batches(cfg.name, builder, split, keys, piece(shape) if fixed else 1):
        x, y = batch[key], batch[target] if target else None
        if y is not None and names and (y.min() < lowest or y.max() >= len(names)):
            raise DataError(f"the {split} split of {cfg.name} has no labels to learn or check")
        subset = np.array(held["subset"].names)[batch["subset"]] if "subset" in keys else None
        yield RawSplit(
            x=x if fixed or cfg.resize is None else resize_images(x, cfg.resize),
            y=y,
            margin=batch["margin"].astype(np.float32) if "margin" in keys else None,
            source_ids=batch["source_id"].astype(np.int64) if "source_id" in keys else None,
            subset=subset,
        )


def keep_off_the_gpu(tf: Any) -> None:
    """Leave the GPU's memory to the model's back end if that is not TensorFlow."""
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")


def _batches(
    name: str, builder: Any, split: str, keys: list[str], size: int
) -> Iterator[dict[str, NDArray[np.generic]]]:
    """The examples of a split in their stored order, `size` at a time."""
    tfds = library()

    if builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD:
        source = builder.as_data_source(split=split)
        for start in range(0, len(source), size):
            examples = [source[i] for i in range(start, min(start + size, len(source)))]
            yield {k: np.stack([np.asarray(e[k]) for e in examples]) for k in keys}
        return
    try:
        import tensorflow as tf
    except ImportError:
        raise DataError(
            f"{name} is stored as {builder.info.file_format.value}, which only TensorFlow can "
            "read; install it (pip install -c constraints.txt -e '.[train,tensorflow]'), or on a "
            f"machine with TensorFlow write a file (python -m data.prepare data=tfds "
            f"data.name={name} npz=<file>) and train with data=npz data.path=<file>"
        ) from None
    keep_off_the_gpu(tf)
    with tf.device("cpu"):
        options = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        dataset = builder.as_dataset(split=split, read_config=options)
        dataset = dataset.map(lambda example: {k: example[k] for k in keys})
        yield from dataset.batch(size).as_numpy_iterator()
