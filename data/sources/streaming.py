"""Sets too large for memory: written once as memory-mapped files, then read batch by batch.

The files hold the stored values (or the resized ones), so they can be used with every
normalisation, validation split and number of examples.
"""

import dataclasses
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.config import DataConfig, DataError
from data.sources import store
from data.transforms import Examples, apply_normalisation, resize_images
from data.types import RawSplit, Stored, StoredSplit

# The fraction of the free memory that one set may take as float32 under data.memory=auto. The
# shuffled epoch is a second copy and the back end holds a third; 3.3 times the set was measured.
SHARE = 0.25
GIB = 2**30
# Settings that are applied after a set is read; every other setting may change what is read. (If
# an image folder has no test part, split_seed chooses one when the folder is read.)
LATER = {
    *("version", "data_dir", "path", "download", "validation", "split_seed", "examples"),
    *("sequence", "permutation", "normalize", "augment", "epochs", "memory"),
    *("made_for", "task", "factor"),
}
FORMAT = 1  # version of the format of the files below


@dataclass(frozen=True)
class Rows:
    """Some examples of a stored array, in the order of `ids`; indexing reads them.

    With `steps`, images (n, h, w, c) become sequences (n, len(steps), c) of the pixels with these
    indices, counted row by row.
    """

    stored: NDArray[np.generic]
    ids: NDArray[np.int64]
    steps: NDArray[np.int64] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        if self.steps is not None:
            return (len(self.ids), len(self.steps), self.stored.shape[-1])
        return (len(self.ids), *self.stored.shape[1:])

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        return self.stored.dtype

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        x = self.stored[self.ids[key]]
        if self.steps is None:
            return x
        return x.reshape(len(x), -1, x.shape[-1])[:, self.steps]


@dataclass(frozen=True)
class Streamed:
    """The inputs of a split that stay on disk; indexing gives normalised float32 (n, …).

    Index by a slice or an array of indices, not by a number.
    """

    rows: Rows
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.rows.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> NDArray[np.float32]:
        return apply_normalisation(self.rows[key], self.mean, self.std)

    def __array__(self, *_: Any, **__: Any) -> NDArray[np.float32]:
        raise TypeError("a set that streams from disk cannot be read as one array")

    def normalised(self, mean: Any, std: Any) -> "Streamed":
        """The same examples with another normalisation."""
        return replace(self, mean=np.asarray(mean), std=np.asarray(std))


def fixed(cfg: DataConfig, split: StoredSplit) -> tuple[int, ...]:
    """The shape of a split's inputs as stored; DataError if images differ in size."""
    shape = tuple(n for n in split.shape if n is not None)
    if len(shape) < len(split.shape):
        raise DataError(f"the images of {cfg.name} differ in size; set data.resize=<pixels>")
    return shape


def sized(cfg: DataConfig, split: StoredSplit) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of a split's inputs after resizing."""
    shape, side = fixed(cfg, split), cfg.resize
    if side is None or shape[1:3] == (side, side):
        return shape, split.dtype
    return (shape[0], side, side, shape[3]), np.dtype(np.float32)


def resized(cfg: DataConfig, split: str, x: Examples) -> NDArray[np.float32]:
    """The images (n, h, w, c) of a split resized by data.resize; DataError if that fails."""
    assert cfg.resize is not None
    try:
        return resize_images(x, cfg.resize)
    except OverflowError as error:
        raise DataError(
            f"the {split} split of {cfg.name} holds {error}, in which data.resize={cfg.resize} "
            "computes; scale the stored values"
        ) from None


def line(cfg: DataConfig, stored: Stored) -> str | None:
    """A line that says that the set streams; None if it fits in memory."""
    needed = 4 * sum(math.prod(sized(cfg, split)[0]) for split in stored.splits.values())
    allowed = SHARE * _free() if cfg.memory == "auto" else float(cfg.memory) * GIB
    if needed <= allowed:
        return None
    limit = f"auto, {gib(allowed)} here" if cfg.memory == "auto" else f"{cfg.memory:g}"
    return f"{cfg.name} streams from disk: {gib(needed)} as float32, data.memory={limit}"


def gib(size: float) -> str:
    """A size in bytes for people: 9.4 GiB, 12 MiB, 3 KiB."""
    for unit, name in ((GIB, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:,.{0 if size >= 100 * unit else 1}f} {name}"
    return f"{size:.0f} bytes"


def _free() -> float:
    """Bytes of free memory: of the machine, or within the limit of its container."""
    free = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = 1024.0 * next(int(x.split()[1]) for x in lines if x.startswith("MemAvailable"))
        group = Path("/sys/fs/cgroup")
        limit, used = (int((group / f"memory.{x}").read_text()) for x in ("max", "current"))
        usage = (group / "memory.stat").read_text().split()
        return min(
            free, limit - used + int(usage[usage.index("file") + 1])
        )  # cached files can be evicted
    except (OSError, ValueError, StopIteration):  # no such file, or its limit is "max"
        return free


def on_disk(cfg: DataConfig, stored: Stored, fingerprint: str) -> dict[str, RawSplit]:
    """The splits with x mapped from files, which are written at the first call.

    Raises:
        DataError: the files cannot be written, or the set cannot be read.
    """
    later = LATER - {"split_seed"} if cfg.source == "image_folder" else LATER
    settings = {k: v for k, v in dataclasses.asdict(cfg).items() if k not in later}
    if (
        cfg.layout == "channels_last"
    ):  # not in the key of the first layout, so that its files are found
        del settings["layout"]
    key = json.dumps([FORMAT, fingerprint, settings], sort_keys=True)
    name = f"{cfg.name.replace('/', '.')}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    folder = _folder(cfg)
    if not (folder / name).is_dir():
        with store.preparing(folder, name):
            if not (folder / name).is_dir():  # otherwise another process has written it meanwhile
                _write(folder / name, cfg, stored)
    return {split: _mapped(folder / name, split) for split in stored.splits}


def _folder(cfg: DataConfig) -> Path:
    """The folder beside the prepared sets, or in the cache if that one is read-only."""
    folder = store.data_dir(cfg)
    # Root may write anywhere, but a folder without write permission is not changed.
    if folder.exists() and not (os.access(folder, os.W_OK) and folder.stat().st_mode & 0o222):
        folder = store.data_dir(replace(cfg, data_dir=None))
    return folder / "streamed"


def _write(folder: Path, cfg: DataConfig, stored: Stored) -> None:
    """Write the splits into `folder`, which exists only once it is complete."""
    unfinished = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(
        unfinished, ignore_errors=True
    )  # left by a killed process; we hold the lock, so nobody uses it
    kinds = [sized(cfg, split) for split in stored.splits.values()]
    needed = sum(math.prod(shape) * dtype.itemsize for shape, dtype in kinds)
    if (free := shutil.disk_usage(folder.parent).free) < needed:
        raise DataError(
            f"{folder.parent} has {gib(free)} free, and the set takes {gib(needed)} there; "
            "name another folder with data.data_dir=<folder>"
        )
    try:
        unfinished.mkdir()
        for name, split in stored.splits.items():
            _write_split(unfinished, name, cfg, split)
        unfinished.rename(folder)
    except OSError as error:
        raise DataError(f"cannot write to {folder.parent} ({error.strerror})") from None
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{cfg.name} does not agree with its description: {error}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_split(folder: Path, name: str, cfg: DataConfig, split: StoredSplit) -> None:
    rest: list[RawSplit] = []
    shape, dtype = sized(cfg, split)

    def inputs() -> Iterator[NDArray[np.generic]]:
        for piece in split.pieces():
            rest.append(replace(piece, x=piece.x[:0]))
            same = cfg.resize is None or piece.x.shape[1:] == shape[1:]
            yield piece.x if same else resized(cfg, name, piece.x)

    path = folder / f"{name}.x.npy"
    x = np.lib.format.open_memmap(path, "w+", dtype, shape)
    with open(path, "r+b") as reserved:  # a full disk raises an error here, but crashes a mapping
        os.posix_fallocate(reserved.fileno(), 0, os.fstat(reserved.fileno()).st_size)
    rows = 0
    for part in inputs():
        if part.shape[1:] != shape[1:]:
            raise ValueError(f"rows of shape {part.shape[1:]} instead of {shape[1:]}")
        x[rows : rows + len(part)] = part
        rows += len(part)
    if rows != len(x):
        raise ValueError(f"{rows} rows instead of {len(x)}")
    x.flush()
    for column, values in columns(rest).items():
        with open(folder / f"{name}.{column}.npy", "wb") as file:
            np.save(file, values, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())


def columns(pieces: list[RawSplit]) -> dict[str, NDArray[Any]]:
    """All columns of a split's pieces except x, joined; missing columns are left out."""
    names = [field.name for field in dataclasses.fields(RawSplit) if field.name != "x"]
    found = {name: [getattr(piece, name) for piece in pieces] for name in names}
    return {name: np.concatenate(v) for name, v in found.items() if v and v[0] is not None}


def _mapped(folder: Path, split: str) -> RawSplit:
    try:
        x = np.load(folder / f"{split}.x.npy", mmap_mode="r", allow_pickle=False)
        rest = {
            file.name.split(".")[1]: np.load(file, allow_pickle=False)
            for file in folder.glob(f"{split}.*.npy")
            if file.name != f"{split}.x.npy"
        }
        return RawSplit(np.asarray(x), **rest)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{folder} cannot be read ({error}); delete it") from None
