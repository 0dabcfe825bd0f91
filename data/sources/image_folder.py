"""A folder of the user's own images, with one sub-folder per class.

The layout is <folder>/train/<class>/<image>, with test and perhaps validation beside train, or
<folder>/<class>/<image> without splits; see `image_listing`. Under a task whose targets are images
there are no classes: see `paired_images`.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.config import DataConfig, DataError
from data.sources import image_files, paired_images
from data.sources.image_listing import (
    Listing,
    list_images,
    of_first_suffixes,
    unlike_first,
    unreadable,
)
from data.transforms import piece, resize_images, stratified_order
from data.types import RawSplit, Stored, StoredSplit

LAYOUT = (
    "<folder>/<class>/<image> or <folder>/train/<class>/<image>, "
    "with images of PNG, JPEG, WebP, BMP, TIFF or GIF"
)


def prepare(cfg: DataConfig) -> None:
    """Raise DataError unless the folder exists."""
    if not _path(cfg).is_dir():
        raise DataError(f"data.path={cfg.path} is not a folder")


def fingerprint(cfg: DataConfig) -> str | None:
    """`name+hash` of the images' relative paths and their bytes; None without a folder."""
    if cfg.image_target:
        return paired_images.fingerprint(cfg)
    folder = _path(cfg)
    if not folder.is_dir():
        return None
    known: dict[Path, str] = {}
    digest = hashlib.sha256()
    for file in [*of_first_suffixes(folder), *unlike_first(folder, list_images(folder))]:
        known[file] = known.get(file) or _digest(file)
        digest.update(f"{file.relative_to(folder).as_posix()}\0{known[file]}\n".encode())
    return f"{cfg.name}+{digest.hexdigest()[:12]}"


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(error) from None


def read(cfg: DataConfig) -> Stored:
    """List the images and check their headers; the pixels are read later.

    Grey images keep their one channel unless another image has colour; then they get three.
    `source_ids` numbers all images of the folder in the order of their paths.

    Raises:
        DataError: something is wrong with the layout, a class or an image; one plain line.
    """
    if cfg.image_target:
        return paired_images.read(cfg)
    folder = _path(cfg)
    listing = list_images(folder)
    parts = listing.images
    test = "test" if "test" in parts else "validation" if "validation" in parts else "held out"
    if test == "validation":  # not used for validation, which is held out from the training images
        parts["test"] = parts.pop("validation")
    names = _checked(folder, listing)
    files = {
        split: ([f for c in names for f in by_class[c]], _labels([by_class[c] for c in names]))
        for split, by_class in parts.items()
    }
    if "test" not in files:
        files["train"], files["test"] = _held_out(cfg, *files["train"], names)
    everything = [file for listed, _ in files.values() for file in listed]
    shape = image_files.common_shape(everything, cfg.resize)
    counted = sorted({*of_first_suffixes(folder), *listing})
    place = {file: i for i, file in enumerate(counted)}
    splits = {
        split: _split(listed, labels, np.array([place[file] for file in listed]), shape, cfg.resize)
        for split, (listed, labels) in files.items()
    }
    provenance = {"name": cfg.name, "version": "", "format": "images", "homepage": ""}
    return Stored("image", splits, names, test, provenance, notes=listing.notes(cfg.name))


def _path(cfg: DataConfig) -> Path:
    return Path(cfg.path or "").expanduser()


def _checked(folder: Path, listing: Listing) -> tuple[str, ...]:
    """The names of the classes, in order; DataError unless every split has all of them."""
    images, rest = listing.images, listing.aside
    if not any(images.get("train", {}).values()):
        raise DataError(f"{folder} holds no images to train on; the layout is {LAYOUT}{rest}")
    names = tuple(sorted({name for by_class in images.values() for name in by_class}))
    if len(names) < 2:
        raise DataError(
            f"{folder} holds one class, {names[0]}; at least two are needed: {LAYOUT}{rest}"
        )
    for split in sorted(images, reverse=True):  # train first, then test
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
    """Split off a stratified fraction `data.test` of the images: the rest, and the fraction."""
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
