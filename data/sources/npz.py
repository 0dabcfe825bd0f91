"""The user's own data set: x_train, y_train, x_test, y_test in one .npz file.

Arrays: images (n, h, w) or (n, h, w, c), sequences (n, t) or (n, t, c), uint8 or another real
type; labels (n,) whole numbers from 0. Three axes are read as (n, h, w) unless
`data.kind=sequence` says (n, t, c). `data.layout=channels_first` reads (n, c, h, w) and (n, c, t).
Labels of sequences may also be (n, s), one for each of the last s steps; in the test split, -1
marks a step that is not scored. Optional arrays: class_names (k,), strings; x_validation and
y_validation; for any split, margin_<split> and subset_<split>, (n,), and source_ids_<split>,
shaped like y_<split>; see `data.Split`. Nothing is unpickled.

Targets of images can be images: masks (n, h, w), whole numbers from 0, and -1 for a pixel that does
not count, under task=segmentation; pictures (n, h, w) or (n, h, w, c) under task=reconstruction.
Without such y, and under task=super_resolution, an image is its own target.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.config import DataConfig, DataError
from data.sources import layout, npz_columns, npz_file
from data.sources.npz_columns import EXTRA, Columns
from data.sources.npz_file import Header
from data.tasks import SUPER_RESOLUTION, TASKS
from data.types import RawSplit, Stored, StoredSplit

SPLITS = ("train", "validation", "test")
REQUIRED = ("train", "test")
NAMES = "class_names"


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
    wanted = TASKS[str(cfg.task)].target if cfg.image_target else "class"
    with npz_file.archive(path) as file:
        held = [name.removesuffix(".npy") for name in file.namelist()]
        splits = [split for split in SPLITS if {f"x_{split}", f"y_{split}"} & set(held)]
        asked = "x" if wanted == "picture" else "xy"
        needed = [f"{key}_{split}" for split in (*REQUIRED, *splits) for key in asked]
        missing = [name for name in dict.fromkeys(needed) if name not in held]
        if missing:
            holds = ", ".join(held) or "nothing"
            raise DataError(f"{path} lacks {', '.join(missing)}; it holds {holds}")
        headers = {split: npz_file.header(file, path, f"x_{split}") for split in splits}
        shape = headers["train"].shape
        kind = _kind(shape, "image" if wanted != "class" else cfg.kind, cfg.layout)
        columns = _columns(cfg, file, kind, headers, held, wanted)
        named = npz_file.array(file, path, NAMES) if NAMES in held else None
    for split, header in headers.items():
        if header.shape[1:] != shape[1:]:
            raise DataError(
                f"the examples of x_train {shape} and x_{split} {header.shape} differ in shape"
            )
    names, scored, channels = _target(path, columns, named, wanted)
    stored = {s: _stored(path, f"x_{s}", kind, headers[s], columns[s]) for s in splits}
    if cfg.layout == "channels_first":
        stored = {s: layout.channels_last(split) for s, split in stored.items()}
    provenance = {"name": cfg.name, "version": "", "format": "npz", "homepage": ""}
    notes = (*_unread(cfg, held), *layout.notes(cfg, kind, shape))
    return Stored(kind, stored, names, "test", provenance, scored, notes, channels)


def _columns(
    cfg: DataConfig,
    file: zipfile.ZipFile,
    kind: str,
    headers: dict[str, Header],
    held: list[str],
    wanted: str,
) -> dict[str, Columns]:
    """The columns of each split, with its targets."""
    path, first = _path(cfg), cfg.layout == "channels_first"
    shapes = {split: header.shape for split, header in headers.items()}
    if wanted == "class":
        steps = shapes["train"][-1 if first else 1] if kind == "sequence" else 0
        return {
            split: npz_columns.labelled(file, path, split, shape, held, steps)
            for split, shape in shapes.items()
        }
    target: str | None = wanted
    if wanted == "picture" and not _has_pictures(cfg, file, held):
        target = None
    return {
        split: npz_columns.with_image(file, path, split, shape, held, target, first)
        for split, shape in shapes.items()
    }


def _has_pictures(cfg: DataConfig, file: zipfile.ZipFile, held: list[str]) -> bool:
    """Whether the file has target pictures; labels are none."""
    if cfg.task == SUPER_RESOLUTION or "y_train" not in held:
        return False
    return len(npz_file.header(file, _path(cfg), "y_train").shape) > 2


def _target(
    path: Path, columns: dict[str, Columns], named: NDArray[Any] | None, wanted: str
) -> tuple[tuple[str, ...], int | None, int | None]:
    """The names of the classes, the scored steps and the channels of a target picture."""
    targets = {split: column["y"] for split, column in columns.items() if "y" in column}
    if wanted == "picture":
        channels = {y.shape[-1] for y in targets.values()}
        if len(channels) > 1:
            raise DataError(f"the target pictures of the splits of {path} differ in channels")
        return (), None, (*channels, None)[0]
    names = npz_columns.class_names(named, targets["train"])
    if wanted == "mask":
        npz_columns.check_masks(targets, len(names))
        return names, None, None
    per_example = {y.shape[1:] for y in targets.values()}
    if len(per_example) > 1:
        raise DataError(f"the splits of {path} differ in how many steps of a sequence have labels")
    npz_columns.check_labels(targets, len(names))
    return names, (*per_example.pop(), None)[0], None


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
        with npz_file.archive(path) as file:
            for x in npz_file.rows(file, path, name, header):
                if x.dtype.kind == "f" and not np.isfinite(x).all():
                    raise DataError(f"{name} holds NaN or infinity")
                part = {key: column[first : first + len(x)] for key, column in columns.items()}
                yield RawSplit(x.reshape(*x.shape, *channels), **part)
                first += len(x)

    return StoredSplit((*header.shape, *channels), header.dtype, pieces)


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
