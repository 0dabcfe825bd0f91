"""A folder of the user's own images, one sub-folder a class.

The layout is <folder>/train/<class>/<image>, with test and perhaps validation beside train; or
without splits, <folder>/<class>/<image>. Images may lie deeper in their class' folder.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.config import DataConfig, DataError
from data.sources import image_files
from data.transforms import piece, resize_images, stratified_order
from data.types import RawSplit, Stored, StoredSplit

# How the folders of splits are called, in any case.
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
ALMOST_A_SPLIT = re.compile(rf"({'|'.join(SPLITS)})([\W\d_].*)?", re.IGNORECASE)
LAYOUT = (
    "<folder>/<class>/<image> or <folder>/train/<class>/<image>, "
    "with images of PNG, JPEG, WebP, BMP, TIFF or GIF"
)
REASONS = 8  # that are told one by one
THUMBNAILS = ("__MACOSX", "@eaDir")  # what a system puts beside the user's own
# What was read before other formats, spellings and depths were: its fingerprint stays.
FIRST_SUFFIXES, FIRST_SPLITS = (".jpg", ".jpeg", ".png"), ("train", "validation", "val", "test")


@dataclass
class Listing:
    """The images of a folder, and what else lies there.

    Attributes:
        images: split -> class -> images, in the order of their paths.
        left: why some files are not read -> how many.
        deeper: how many images lie in sub-folders of their class.
    """

    images: dict[str, dict[str, list[Path]]] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    deeper: int = 0

    def __iter__(self) -> Iterator[Path]:
        return (f for by_class in self.images.values() for of in by_class.values() for f in of)

    def notes(self, name: str) -> tuple[str, ...]:
        """A line on what is not plainly so; none where all was read from where it belongs."""
        read = f"{name}: {len(list(self)):,} images are read"
        if self.deeper:
            read += f", {self.deeper:,} of them from folders inside those of the classes"
        return (f"{read}{self.aside}",) if self.deeper or self.left else ()

    @property
    def aside(self) -> str:
        """What was left aside and why, to end a sentence with."""
        most = dict(self.left.most_common(REASONS))
        rest = self.left.total() - sum(most.values())
        told = [f"{why} ({n:,})" for why, n in {**most, "others": rest}.items() if n]
        return f"; left aside: {', '.join(told)}" if told else ""


def prepare(cfg: DataConfig) -> None:
    """Raise DataError unless the folder is there."""
    if not _path(cfg).is_dir():
        raise DataError(f"data.path={cfg.path} is not a folder")


def fingerprint(cfg: DataConfig) -> str | None:
    """`name+hash` of the images' places in the folder and their bytes; None without a folder."""
    folder = _path(cfg)
    if not folder.is_dir():
        return None
    known: dict[Path, str] = {}
    digest = hashlib.sha256()
    for file in [*_of_first_suffixes(folder), *_unlike_first(folder, list_images(folder))]:
        known[file] = known.get(file) or _digest(file)
        digest.update(f"{file.relative_to(folder).as_posix()}\0{known[file]}\n".encode())
    return f"{cfg.name}+{digest.hexdigest()[:12]}"


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(error) from None


def read(cfg: DataConfig) -> Stored:
    """List the images and check what their headers say; they are read when they are asked for.

    Grey images keep their one channel unless another image has colour: then they get three.
    `source_ids` counts all images of the folder in the order of their paths.

    Raises:
        DataError: the layout, a class or an image is not as needed; one plain line.
    """
    folder = _path(cfg)
    listing = list_images(folder)
    parts = listing.images
    test = "test" if "test" in parts else "validation" if "validation" in parts else "held out"
    if test == "validation":  # never chosen on: another is carved
        parts["test"] = parts.pop("validation")
    names = _checked(folder, listing)
    files = {
        split: ([f for c in names for f in by_class[c]], _labels([by_class[c] for c in names]))
        for split, by_class in parts.items()
    }
    if "test" not in files:
        files["train"], files["test"] = _held_out(cfg, *files["train"], names)
    shape = _shape([file for listed, _ in files.values() for file in listed], cfg.resize)
    counted = sorted({*_of_first_suffixes(folder), *listing})
    place = {file: i for i, file in enumerate(counted)}
    splits = {
        split: _split(listed, labels, np.array([place[file] for file in listed]), shape, cfg.resize)
        for split, (listed, labels) in files.items()
    }
    provenance = {"name": cfg.name, "version": "", "format": "images", "homepage": ""}
    return Stored("image", splits, names, test, provenance, notes=listing.notes(cfg.name))


def list_images(folder: Path) -> Listing:
    """The images of each split and class; a folder without splits is all `train`.

    Raises:
        DataError: a folder cannot be listed, or it has splits under names that are not known.
    """
    tops = _folders(folder)
    splits = {top.name: SPLITS[top.name.lower()] for top in tops if top.name.lower() in SPLITS}
    has_splits = any(_folders(folder / top) for top, role in splits.items() if role == "train")
    if not has_splits:
        _refuse_unknown_splits(folder, tops)
    listing = Listing()
    for base, role in splits.items() if has_splits else [("", "train")]:
        empty: dict[str, list[Path]] = {of_class.name: [] for of_class in _folders(folder / base)}
        listing.images.setdefault(role, {}).update(empty)
    for file in _files(folder):
        *above, name = file.relative_to(folder).parts
        split = above.pop(0) if has_splits and above else ""
        is_image = file.suffix.lower() in image_files.SUFFIXES
        if any(_is_hidden(part) for part in (split, *above, name)):
            why = "hidden images" * is_image
        elif has_splits and split not in splits:
            why = f"images beside the splits{split and f' in {split}'}" * is_image
        elif not above:
            why = "images outside the folders of the classes" * is_image
        elif not is_image:
            why = f"{file.suffix.lower()} files" if file.suffix else "files without an ending"
        else:
            listing.images[splits.get(split, "train")][above[0]].append(file)
            listing.deeper += len(above) > 1
            continue
        listing.left.update([why] if why else [])
    return listing


def _refuse_unknown_splits(folder: Path, tops: list[Path]) -> None:
    """DataError for folders that look like splits and would be taken for classes."""
    alike = [top.name for top in tops if ALMOST_A_SPLIT.fullmatch(top.name) and _folders(top)]
    if len(alike) > 1:
        raise DataError(
            f"{folder} has {' and '.join(alike)} with folders of their own, which look like "
            "splits; call them train, validation and test"
        )


def _path(cfg: DataConfig) -> Path:
    return Path(cfg.path or "").expanduser()


def _folders(folder: Path) -> list[Path]:
    try:
        found = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError as error:
        raise _unreadable(error) from None
    return [entry for entry in found if not _is_hidden(entry.name)]


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in THUMBNAILS


def _files(folder: Path) -> list[Path]:
    """All files at any depth, in the order of their paths."""

    def fails(error: OSError) -> None:
        raise _unreadable(error)

    found = []
    for top, folders, names in os.walk(folder, followlinks=True, onerror=fails):
        folders[:] = [name for name in folders if not _leads_back(Path(top, name))]
        found += [Path(top, name) for name in names]
    return sorted(found)


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def _unreadable(error: OSError) -> DataError:
    return DataError(f"{error.filename} cannot be read ({error.strerror})")


def _of_first_suffixes(folder: Path) -> list[Path]:
    return [file for file in _files(folder) if file.suffix.lower() in FIRST_SUFFIXES]


def _unlike_first(folder: Path, listing: Listing) -> list[Path]:
    """The images that are read now and were not by the first layout, or the other way round."""
    has_splits = (folder / "train").is_dir() and _folders(folder / "train") != []

    def was_read(file: Path) -> bool:
        *above, _ = file.relative_to(folder).parts
        if any(part.startswith(".") for part in above):
            return False
        return len(above) == 2 and above[0] in FIRST_SPLITS if has_splits else len(above) == 1

    return sorted({file for file in _of_first_suffixes(folder) if was_read(file)} ^ {*listing})


def _checked(folder: Path, listing: Listing) -> tuple[str, ...]:
    """The classes' names, in order; DataError unless every split has images of every class."""
    images, rest = listing.images, listing.aside
    if not any(images.get("train", {}).values()):
        raise DataError(f"{folder} holds no images to train on; the layout is {LAYOUT}{rest}")
    names = tuple(sorted({name for by_class in images.values() for name in by_class}))
    if len(names) < 2:
        raise DataError(
            f"{folder} holds one class, {names[0]}; at least two are needed: {LAYOUT}{rest}"
        )
    for split in sorted(images, reverse=True):  # train before test: what is said first
        by_class = images[split]
        for name in names:
            if not by_class.get(name):
                raise DataError(
                    f"the class {name} has no image in the {split} part of {folder}; "
                    f"the layout is {LAYOUT}{rest}"
                )
    return names


def _labels(by_class: list[list[Path]]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(by_class)), [len(files) for files in by_class])


def _shape(files: list[Path], side: int | None) -> tuple[int, int, int]:
    """(h, w, c) of every image once it is read; DataError where sizes differ unresized."""
    headers = [image_files.header(file) for file in files]
    (height, width), channels = headers[0][:2], max(header[2] for header in headers)
    for file, header in zip(files, headers, strict=True):
        if side is None and header[:2] != (height, width):
            raise DataError(
                f"the images differ in size: {files[0]} is {height}×{width} and {file} "
                f"{header[0]}×{header[1]}; set data.resize=<pixels>"
            )
    return (height, width, channels) if side is None else (side, side, channels)


def _split(
    files: list[Path],
    labels: NDArray[np.int64],
    ids: NDArray[np.int64],
    shape: tuple[int, int, int],
    side: int | None,
) -> StoredSplit:
    def pieces() -> Iterator[RawSplit]:
        size = piece(shape)
        for start in range(0, len(files), size):
            part = slice(start, start + size)
            pictures = [image_files.pixels(file) for file in files[part]]
            if side is not None:
                pictures = [resize_images(picture[None], side)[0] for picture in pictures]
            x = np.stack([np.broadcast_to(picture, shape) for picture in pictures])
            yield RawSplit(x, labels[part], source_ids=ids[part])

    return StoredSplit((len(files), *shape), np.dtype(np.uint8 if side is None else "f4"), pieces)


def _held_out(
    cfg: DataConfig, files: list[Path], labels: NDArray[np.int64], names: tuple[str, ...]
) -> list[tuple[list[Path], NDArray[np.int64]]]:
    """A stratified part `data.test` of the images apart: what is left, and the part."""
    order = stratified_order(labels, cfg.split_seed)
    tested = round(cfg.test * len(order))
    parts = np.sort(order[tested:]), np.sort(order[:tested])
    for ids, what in zip(parts, ("to train on", "to test"), strict=True):
        for label in set(range(len(names))) - set(labels[ids].tolist()):
            raise DataError(
                f"data.test={cfg.test} of {len(order)} images leaves none of the class "
                f"{names[label]} {what}; add images or change data.test"
            )
    return [([files[i] for i in ids], labels[ids]) for ids in parts]
