"""A folder of the user's own images, one sub-folder a class.

The layout is that of TFDS' folder builder, <folder>/train/<class>/<image>, with test and perhaps
validation beside train; or without splits, <folder>/<class>/<image>. TFDS' builder lists the
images; where TensorFlow, which it needs, is missing, they are listed here to the same effect.
`image_files` reads them: alike on every backend, and one that cannot be read is named.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.config import DataConfig, DataError
from data.sources import image_files, store
from data.transforms import piece, resize_images, stratified_order
from data.types import RawSplit, Stored, StoredSplit

SUFFIXES = (".jpg", ".jpeg", ".png")  # those that TFDS' builder takes
SPLITS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
LAYOUT = "<folder>/<class>/<image> or <folder>/train/<class>/<image>, with .jpg or .png images"
# split -> class -> images, all in the order of their names
Listing = dict[str, dict[str, list[Path]]]


def prepare(cfg: DataConfig) -> None:
    """Raise DataError unless the folder is there."""
    if not _path(cfg).is_dir():
        raise DataError(f"data.path={cfg.path} is not a folder")


def fingerprint(cfg: DataConfig) -> str | None:
    """`name+hash` of the images' places in the folder and their bytes; None without a folder."""
    folder = _path(cfg)
    if not folder.is_dir():
        return None
    digest = hashlib.sha256()
    for file in _all_images(folder):
        with file.open("rb") as content:
            bytes_digest = hashlib.file_digest(content, "sha256").hexdigest()
        digest.update(f"{file.relative_to(folder).as_posix()}\0{bytes_digest}\n".encode())
    return f"{cfg.name}+{digest.hexdigest()[:12]}"


def read(cfg: DataConfig) -> Stored:
    """List the images and check what their headers say; they are read when they are asked for.

    Grey images keep their one channel unless another image has colour: then they get three.
    `source_ids` counts all images of the folder in the order of their paths.

    Raises:
        DataError: the layout, a class or an image is not as needed; one plain line.
    """
    folder = _path(cfg)
    listing = list_images(folder)
    test = "test" if "test" in listing else "validation" if "validation" in listing else "held out"
    if test == "validation":  # never chosen on: another is carved
        listing["test"] = listing.pop("validation")
    names = _checked(folder, listing)
    files = {
        split: ([f for c in names for f in by_class[c]], _labels([by_class[c] for c in names]))
        for split, by_class in listing.items()
    }
    if "test" not in files:
        files["train"], files["test"] = _held_out(cfg, *files["train"], names)
    shape = _shape([file for listed, _ in files.values() for file in listed], cfg.resize)
    place = {file: i for i, file in enumerate(_all_images(folder))}
    splits = {
        split: _split(listed, labels, np.array([place[file] for file in listed]), shape, cfg.resize)
        for split, (listed, labels) in files.items()
    }
    provenance = {"name": cfg.name, "version": "", "format": "images", "homepage": ""}
    return Stored("image", splits, names, test, provenance)


def list_images(folder: Path) -> Listing:
    """The images of each split and class; a folder without splits is all `train`."""
    with _with_splits(folder) as root:
        base = folder if root == folder else root / "train"
        try:
            found = _list_with_tfds(root)
        except ImportError:
            found = _list_without_tfds(root)
        listing: Listing = {}
        for split in _folders(root):
            if split.name in SPLITS:
                classes: dict[str, list[Path]] = {f.name: [] for f in _folders(split)}
                listing.setdefault(SPLITS[split.name], {}).update(classes)
    for split_name, class_name, file in sorted(found):
        images = listing.get(SPLITS.get(split_name, ""), {}).get(class_name)
        if images is not None:  # else a hidden folder, or one beside the splits
            images.append(folder / file.relative_to(base))
    return listing


def _path(cfg: DataConfig) -> Path:
    return Path(cfg.path or "").expanduser()


def _folders(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))


def _all_images(folder: Path) -> list[Path]:
    walk = os.walk(folder, followlinks=True)
    files = (Path(top, name) for top, _, names in walk for name in names)
    return sorted(file for file in files if file.suffix.lower() in SUFFIXES)


@contextlib.contextmanager
def _with_splits(folder: Path) -> Iterator[Path]:
    """The folder, or where it has no splits a temporary one in which it is called `train`."""
    if (folder / "train").is_dir() and _folders(folder / "train"):
        yield folder
        return
    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "train").symlink_to(folder.resolve(), target_is_directory=True)
        yield Path(root)


def _list_with_tfds(root: Path) -> list[tuple[str, str, Path]]:
    """(split, class, image) of every image."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    store.keep_off_the_gpu(tf)
    builder = tfds.folder_dataset.ImageFolder(str(root))
    names = builder.info.features["label"].names
    found = []
    for split in builder.info.splits:
        if builder.info.splits[split].num_examples == 0:
            continue
        with tf.device("cpu"):
            undecoded = {"image": tfds.decode.SkipDecoding()}
            examples = builder.as_dataset(split=split, decoders=undecoded).as_numpy_iterator()
            for example in examples:
                file = Path(example["image/filename"].decode())
                found.append((split, names[example["label"]], file))
    return found


def _list_without_tfds(root: Path) -> list[tuple[str, str, Path]]:
    return [
        (split.name, of_class.name, file)
        for split in _folders(root)
        for of_class in _folders(split)
        for file in of_class.iterdir()
        if file.suffix.lower() in SUFFIXES
    ]


def _checked(folder: Path, listing: Listing) -> tuple[str, ...]:
    """The classes' names, in order; DataError unless every split has images of every class."""
    if not any(listing["train"].values()):
        raise DataError(f"{folder} holds no images to train on; the layout is {LAYOUT}")
    names = tuple(sorted({name for by_class in listing.values() for name in by_class}))
    if len(names) < 2:
        raise DataError(f"{folder} holds one class, {names[0]}; at least two are needed: {LAYOUT}")
    for split in sorted(listing, reverse=True):  # train before test: what is said first
        by_class = listing[split]
        for name in names:
            if not by_class.get(name):
                raise DataError(
                    f"the class {name} has no image in the {split} part of {folder}; "
                    f"the layout is {LAYOUT}"
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
