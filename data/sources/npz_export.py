"""Writes any data set as one .npz file, which can be read with NumPy alone."""

import os
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data import loading
from data.config import DataConfig, DataError
from data.sources.streaming import Rows
from data.transforms import piece


def write(cfg: DataConfig, fingerprint: str, path: Path) -> DataConfig:
    """Write the set to `path`, completely or not at all; returns the config that reads the file.

    The official splits are written as stored, or resized if the images have several sizes. With
    `data.examples`, the training split is that subset, and the validation examples that were held
    out become a split of their own, so that training from the file equals training from the set.

    Raises:
        DataError: a setting is wrong, or the set or the file cannot be used; one plain line.
    """
    if cfg.path is not None and path.resolve() == Path(cfg.path).expanduser().resolve():
        raise DataError(f"npz={path} is the file of the set itself; name another file")
    as_stored = replace(cfg, resize=None)
    fixed = _of_one_size(as_stored)
    stored, raw, _ = loading.read(as_stored if fixed else cfg, fingerprint)
    chosen = {name: (name, np.arange(len(split.x))) for name, split in raw.items()}
    if cfg.examples is not None:
        chosen = loading.choose(cfg, raw, len(stored.class_names))
    arrays: dict[str, Rows | NDArray[Any]] = {"class_names": np.array(stored.class_names)}
    for name, (official, ids) in chosen.items():
        split = raw[official]
        # A sequence of one channel is distinguished from an image by its rank.
        flat = stored.kind == "sequence" and split.x.shape[2] == 1
        arrays[f"x_{name}"] = Rows(split.x[..., 0] if flat else split.x, ids)
        columns = {f.name: getattr(split, f.name) for f in fields(split) if f.name != "x"}
        arrays |= {f"{key}_{name}": v[ids] for key, v in columns.items() if v is not None}
    _write_file(path, arrays)
    long = stored.kind == "sequence" and arrays["x_train"].shape[2:] != ()
    read_alike = replace(cfg, source="npz", path=str(path), kind="sequence" if long else None)
    defaults = DataConfig(cfg.name, "npz")
    undone = ["version", "data_dir", "download", "examples", "test", "layout"]
    undone += [] if fixed else ["resize"]
    undone += ["validation", "split_seed"] if "validation" in chosen else []
    return replace(read_alike, **{name: getattr(defaults, name) for name in undone})


def _of_one_size(cfg: DataConfig) -> bool:
    try:
        return None not in loading.describe(cfg).splits["train"].shape
    except DataError:  # an image folder with several sizes; reading reports other mistakes
        return False


def _write_file(path: Path, arrays: dict[str, Rows | NDArray[Any]]) -> None:
    """A compressed npz; the same arrays give the same bytes and so the same fingerprint."""
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                with zipfile.ZipFile(file, "w") as archive:
                    for name, array in arrays.items():
                        entry = zipfile.ZipInfo(f"{name}.npy")  # dated 1980, not today
                        entry.compress_type = zipfile.ZIP_DEFLATED
                        with archive.open(entry, "w", force_zip64=True) as member:
                            np.lib.format.write_array_header_1_0(member, _header(array))
                            for rows in _pieces(array):
                                member.write(rows.tobytes())
                file.flush()
                os.fsync(file.fileno())
                os.chmod(file.name, 0o644)
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise DataError(f"npz={path} cannot be written ({error.strerror})") from None


def _header(array: Rows | NDArray[Any]) -> dict[str, Any]:
    descr = np.lib.format.dtype_to_descr(array.dtype)
    return {"descr": descr, "fortran_order": False, "shape": array.shape}


def _pieces(array: Rows | NDArray[Any]) -> Iterator[NDArray[Any]]:
    size = piece(array.shape[1:])
    for start in range(0, len(array), size):
        yield array[start : start + size]
