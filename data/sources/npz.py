"""The user's own data set: x_train, y_train, x_test, y_test in one .npz file.

Arrays: images (n, h, w) or (n, h, w, c), sequences (n, t) or (n, t, c), uint8 or another real
type; labels (n,) whole numbers from 0. Three axes are read as (n, h, w) unless
`data.kind=sequence` says (n, t, c). `data.layout=channels_first` reads (n, c, h, w) and (n, c, t).
Labels of sequences may also be (n, s), one for each of the last s steps; in the test split, -1
marks a step that is not scored. Optional arrays: class_names (k,), strings; x_validation and
y_validation; for any split, margin_<split> and subset_<split>, (n,), and source_ids_<split>,
shaped like y_<split>; see `data.Split`. Nothing is unpickled.
"""

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as fmt
from numpy.typing import NDArray

from data.config import DataConfig, DataError
from data.sources import layout
from data.transforms import piece
from data.types import RawSplit, Stored, StoredSplit

SPLITS = ("train", "validation", "test")
REQUIRED = ("x_train", "y_train", "x_test", "y_test")
NAMES = "class_names"
# Columns that a split may have in addition to x and y, and the types they are converted to.
EXTRA: dict[str, type] = {"margin": np.float32, "source_ids": np.int64, "subset": np.str_}
Columns = dict[str, NDArray[Any]]


class Header(NamedTuple):
    """The header of an array's file."""

    shape: tuple[int, ...]
    by_column: bool
    dtype: np.dtype


def _path(cfg: DataConfig) -> Path:
    return Path(cfg.path or "").expanduser()


def prepare(cfg: DataConfig) -> None:
    """Raise DataError unless the file exists."""
    if not _path(cfg).is_file():
        raise DataError(f"data.path={cfg.path} is not a file")


def fingerprint(cfg: DataConfig) -> str | None:
    """`name+hash` of the file's bytes, or None if the file does not exist."""
    path = _path(cfg)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return f"{cfg.name}+{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"


def read(cfg: DataConfig) -> Stored:
    """Open and check the file; reading its pieces also raises DataError for the first mistake."""
    path = _path(cfg)
    with _archive(path) as file:
        held = [name.removesuffix(".npy") for name in file.namelist()]
        splits = [split for split in SPLITS if {f"x_{split}", f"y_{split}"} & set(held)]
        needed = [*REQUIRED, *(f"{key}_{split}" for split in splits for key in "xy")]
        missing = [name for name in dict.fromkeys(needed) if name not in held]
        if missing:
            holds = ", ".join(held) or "nothing"
            raise DataError(f"{path} lacks {', '.join(missing)}; it holds {holds}")
        headers = {split: _header(file, path, f"x_{split}") for split in splits}
        shape = headers["train"].shape
        kind = _kind(shape, cfg.kind, cfg.layout)
        time = {"channels_last": 1, "channels_first": -1}[cfg.layout]
        steps = shape[time] if kind == "sequence" else 0
        columns = {s: _columns(file, path, s, headers[s].shape, held, steps) for s in splits}
        named = _array(file, path, NAMES) if NAMES in held else None
    for split, header in headers.items():
        if header.shape[1:] != shape[1:]:
            raise DataError(
                f"the examples of x_train {shape} and x_{split} {header.shape} differ in shape"
            )
    per_example = {column["y"].shape[1:] for column in columns.values()}
    if len(per_example) > 1:
        raise DataError(f"the splits of {path} differ in how many steps of a sequence have labels")
    names = _class_names(named, columns["train"]["y"])
    _check_labels({split: column["y"] for split, column in columns.items()}, len(names))
    stored = {s: _stored(path, f"x_{s}", kind, headers[s], columns[s]) for s in splits}
    if cfg.layout == "channels_first":
        stored = {s: layout.channels_last(split) for s, split in stored.items()}
    provenance = {"name": cfg.name, "version": "", "format": "npz", "homepage": ""}
    scored = (*per_example.pop(), None)[0]
    notes = (*_unread(cfg, held), *layout.notes(cfg, kind, shape))
    return Stored(kind, stored, names, "test", provenance, scored, notes)


def _unread(cfg: DataConfig, held: list[str]) -> tuple[str, ...]:
    """A line about arrays with unknown names, such as x_val."""
    known = {NAMES, *(f"{key}_{split}" for split in SPLITS for key in ("x", "y", *EXTRA))}
    unread = [name for name in held if name not in known]
    if not unread:
        return ()
    named = ", ".join(unread[:5]) + f" and {len(unread) - 5} more" * (len(unread) > 5)
    return (f"{cfg.name}: not read: {named}; the splits are called {', '.join(SPLITS)}",)


def _stored(path: Path, name: str, kind: str, header: Header, columns: Columns) -> StoredSplit:
    channels = (1,) * ({"image": 4, "sequence": 3}[kind] - len(header.shape))

    def pieces() -> Iterator[RawSplit]:
        first = 0
        with _archive(path) as file:
            for x in _rows(file, path, name, header):
                if x.dtype.kind == "f" and not np.isfinite(x).all():
                    raise DataError(f"{name} holds NaN or infinity")
                part = {key: column[first : first + len(x)] for key, column in columns.items()}
                yield RawSplit(x.reshape(*x.shape, *channels), **part)
                first += len(x)

    return StoredSplit((*header.shape, *channels), header.dtype, pieces)


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        file = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise DataError(f"data.path={path} is not a file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise DataError(f"{path} is not an npz file, or it is damaged") from None
    with file:
        yield file


@contextlib.contextmanager
def _member(file: zipfile.ZipFile, path: Path, name: str) -> Iterator[IO[bytes]]:
    """The bytes of one array; errors inside the block become a DataError of one line."""
    try:
        with file.open(f"{name}.npy") as member:
            yield member
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        raise DataError(f"{name} in {path} is damaged") from None


def _header(file: zipfile.ZipFile, path: Path, name: str) -> Header:
    with _member(file, path, name) as member:
        header = Header(*_read_header(member))
    if header.dtype.hasobject:
        raise DataError(
            f"{name} in {path} holds Python objects, which are never unpickled; store numbers"
        )
    if name.startswith((NAMES, "subset_")):
        if header.dtype.kind != "U":
            raise DataError(f"{name} must be a one-dimensional array of strings")
    elif header.dtype.kind not in "uifb":
        raise DataError(f"{name} in {path} is of type {header.dtype}; real numbers are needed")
    return header


def _array(file: zipfile.ZipFile, path: Path, name: str) -> NDArray[Any]:
    _header(file, path, name)
    with _member(file, path, name) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _rows(
    file: zipfile.ZipFile, path: Path, name: str, header: Header
) -> Iterator[NDArray[np.generic]]:
    """The rows of an array in pieces, or all at once if the file stores it column by column."""
    if header.by_column:
        yield _array(file, path, name)
        return
    with _member(file, path, name) as member:
        _read_header(member)
        yield from _read_rows(member, header.shape, header.dtype, piece(header.shape[1:]))


def _columns(
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
    columns = {key: _array(file, path, name) for key, name in names.items()}
    labels = columns["y"].shape
    if labels[1:] not in {(s,) for s in range(1, steps + 1)}:
        labels = shape[:1]  # one per example, or one for each of the last steps
    for key, column in columns.items():
        if column.shape != (labels if key in ("y", "source_ids") else shape[:1]):
            raise DataError(
                f"{names[key]} of shape {column.shape} does not fit x_{split} of shape {shape}"
            )
    types = {"y": np.int64, **EXTRA}
    return {key: _cast(names[key], column, types[key]) for key, column in columns.items()}


def _cast(name: str, column: NDArray[Any], kind: type) -> NDArray[Any]:
    """A column in its final type; DataError if the type cannot hold its values."""
    with np.errstate(over="ignore", invalid="ignore"):
        cast: NDArray[Any] = column.astype(kind)
    if kind is np.int64 and not np.array_equal(cast, column):
        raise DataError(f"{name} holds numbers that are not whole numbers of 64 bits")
    if kind is np.float32 and not np.isfinite(cast).all():
        raise DataError(f"{name} holds NaN, infinity or values too large for float32")
    return cast


def _kind(shape: tuple[int, ...], asked: str | None, where: str) -> str:
    if where == "channels_first":
        if len(shape) not in (3, 4) or (asked == "image" and len(shape) == 3):
            raise DataError(
                f"data.layout={where} does not fit x_train of shape {shape}: images are "
                "(n, c, h, w), sequences (n, c, t)"
            )
        asked = asked or ("sequence" if len(shape) == 3 else "image")
    allowed = {2: ("sequence",), 3: ("image", "sequence"), 4: ("image",)}.get(len(shape))
    if allowed is None:
        raise DataError(
            f"x_train has shape {shape}; images are (n, h, w) or (n, h, w, c), "
            "sequences (n, t) or (n, t, c)"
        )
    if asked is not None and asked not in allowed:
        raise DataError(f"data.kind={asked} does not fit x_train of shape {shape}")
    return asked or allowed[0]


def _class_names(names: NDArray[Any] | None, y_train: NDArray[np.int64]) -> tuple[str, ...]:
    if names is not None:
        if names.ndim != 1:
            raise DataError("class_names must be a one-dimensional array of strings")
        return tuple(map(str, names))
    highest = int(y_train.max())
    if highest >= len(y_train):
        raise DataError(f"y_train holds the label {highest} but only {len(y_train)} examples")
    return tuple(map(str, range(highest + 1)))


def _check_labels(labels: dict[str, NDArray[np.int64]], classes: int) -> None:
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


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, whether stored column by column, type) of the next array in `file`.

    Raises:
        ValueError: it is not an array of a plain type.
    """
    version = fmt.read_magic(file)
    readers: dict[tuple[int, int], Any] = {
        (1, 0): fmt.read_array_header_1_0,
        (2, 0): fmt.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"npy version {version}")
    return readers[version](file)


def _read_rows(
    file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype, size: int
) -> Iterator[NDArray[np.generic]]:
    """The rows after a header, `size` at a time. Raises EOFError if some are missing."""
    bytes_a_row = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize
    for start in range(0, shape[0], size):
        rows = min(size, shape[0] - start)
        content = file.read(rows * bytes_a_row)
        if len(content) < rows * bytes_a_row:
            raise EOFError("the array ends early")
        yield np.frombuffer(content, dtype).reshape(rows, *shape[1:])
