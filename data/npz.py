"""A data set of the user's own: x_train, y_train, x_test, y_test in one .npz file.

Arrays: images (n, h, w) or (n, h, w, c), sequences (n, t) or (n, t, c), uint8 or another
real type; labels (n,) whole numbers from 0. Optional: class_names (k,), strings. Three axes
are read as (n, h, w) unless `data.kind=sequence` says (n, t, c). Nothing is unpickled.
"""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.config import DataConfig, DataError
from data.types import Raw, RawSplit

REQUIRED = ("x_train", "y_train", "x_test", "y_test")
Arrays = dict[str, NDArray[np.generic]]


def _path(cfg: DataConfig) -> Path:
    return Path(cfg.path or "").expanduser()


def prepare(cfg: DataConfig) -> None:
    """Raise DataError unless the file is there."""
    if not _path(cfg).is_file():
        raise DataError(f"data.path={cfg.path} is not a file")


def fingerprint(cfg: DataConfig) -> str | None:
    """`name+hash` of the file's bytes; None while there is no file."""
    path = _path(cfg)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return f"{cfg.name}+{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"


def read(cfg: DataConfig) -> Raw:
    """Read and check the file. Raises DataError with the first thing wrong."""
    arrays = _arrays(_path(cfg))
    shapes = {name: arrays[name].shape for name in ("x_train", "x_test")}
    if shapes["x_train"][1:] != shapes["x_test"][1:]:
        raise DataError(
            f"the examples of x_train {shapes['x_train']} and x_test "
            f"{shapes['x_test']} differ in shape"
        )
    kind = _kind(arrays["x_train"], cfg.kind)
    splits = {part: _split(arrays, part, kind) for part in ("train", "test")}
    names = _class_names(arrays, splits["train"].y)
    if len(names) < 2:
        raise DataError("y_train holds one class; at least two are needed")
    for part, split in splits.items():
        _check_labels(f"y_{part}", split.y, len(names))
    missing = sorted(set(range(len(names))) - set(splits["train"].y.tolist()))
    if missing:
        raise DataError(
            f"class {missing[0]} has no example in y_train; labels are 0 to "
            f"{len(names) - 1}, each present"
        )
    provenance = {"name": cfg.name, "version": "", "format": "npz", "homepage": ""}
    return Raw(kind, splits, names, provenance=provenance)


def _arrays(path: Path) -> Arrays:
    try:
        file = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"data.path={path} is not a file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise DataError(f"{path} is not an npz file, or it is damaged") from None
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise DataError(f"{path} is not an npz file (a single .npy array perhaps)")
    with file:
        missing = [name for name in REQUIRED if name not in file.files]
        if missing:
            raise DataError(
                f"{path} lacks {', '.join(missing)}; it holds {', '.join(file.files) or 'nothing'}"
            )
        wanted = [*REQUIRED, *(["class_names"] if "class_names" in file.files else [])]
        return {name: _array(file, name, path) for name in wanted}


def _array(file: np.lib.npyio.NpzFile, name: str, path: Path) -> NDArray[np.generic]:
    try:
        array = file[name]
    except ValueError as error:
        if "pickle" in str(error):
            raise DataError(
                f"{name} in {path} holds Python objects, which are never unpickled; store numbers"
            ) from None
        raise DataError(f"{name} in {path} is damaged") from None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error):
        raise DataError(f"{name} in {path} is damaged") from None
    if not isinstance(array, np.ndarray):
        raise DataError(f"{name} in {path} is no array")
    if name != "class_names" and array.dtype.kind not in "uifb":
        raise DataError(f"{name} in {path} is of type {array.dtype}; real numbers are needed")
    return array


def _kind(x: NDArray[np.generic], asked: str | None) -> str:
    allowed = {2: ("sequence",), 3: ("image", "sequence"), 4: ("image",)}.get(x.ndim)
    if allowed is None:
        raise DataError(
            f"x_train has shape {x.shape}; images are (n, h, w) or (n, h, w, c), "
            "sequences (n, t) or (n, t, c)"
        )
    if asked is not None and asked not in allowed:
        raise DataError(f"data.kind={asked} does not fit x_train of shape {x.shape}")
    return asked or allowed[0]


def _split(arrays: Arrays, part: str, kind: str) -> RawSplit:
    x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
    if y.ndim != 1 or len(x) != len(y):
        raise DataError(f"y_{part} of shape {y.shape} does not fit x_{part} of shape {x.shape}")
    if x.size == 0:
        raise DataError(f"x_{part} of shape {x.shape} is empty")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise DataError(f"x_{part} holds NaN or infinity")
    if not np.array_equal(y, np.floor(y)):
        raise DataError(f"y_{part} holds labels that are not whole numbers")
    rank = {"image": 4, "sequence": 3}[kind]
    return RawSplit(x if x.ndim == rank else x[..., None], y.astype(np.int64))


def _class_names(arrays: Arrays, y_train: NDArray[np.generic]) -> tuple[str, ...]:
    if "class_names" in arrays:
        names = arrays["class_names"]
        if names.ndim != 1 or names.dtype.kind != "U":
            raise DataError("class_names must be one row of strings")
        return tuple(map(str, names))
    highest = int(y_train.max())
    if highest >= len(y_train):
        raise DataError(f"y_train holds the label {highest} and only {len(y_train)} examples")
    return tuple(map(str, range(highest + 1)))


def _check_labels(what: str, y: NDArray[np.generic], classes: int) -> None:
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise DataError(f"{what} holds the label {wrong}; the classes are 0 to {classes - 1}")
