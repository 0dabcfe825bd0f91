"""A folder of the user's own images for image-to-image tasks: without classes, perhaps in pairs.

Images that are their own targets lie anywhere in the folder. Pairs lie in two folders under one
name: images/<name>.png with masks/<name>.png, or with targets/<name>.png. Either may be within
train, validation and test; without a test part, a fraction of the images is held out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.config import DataConfig, DataError
from data.sources import image_files
from data.sources.image_listing import SPLITS, unreadable
from data.tasks import SUPER_RESOLUTION, TASKS, UNCOUNTED
from data.transforms import piece, resize_images, resize_masks
from data.types import RawSplit, Stored, StoredSplit

INPUTS, MASKS, PICTURES = "images", "masks", "targets"
LEFT_OUT = 255  # of a mask's pixels; read as UNCOUNTED
LAYOUT = "<folder>/[train|test/]images/<name> with masks/<name>, or targets/<name>, of one name"


@dataclass(frozen=True)
class Pairs:
    """The images of a split, in the order of their paths, and their targets; None without any."""

    images: list[Path]
    targets: list[Path] | None


def fingerprint(cfg: DataConfig) -> str | None:
    """`name+hash` of the paths and bytes of all images in the folder; None without a folder."""
    folder = Path(cfg.path or "").expanduser()
    if not folder.is_dir():
        return None
    digest = hashlib.sha256()
    for file in _images(folder):
        try:
            with file.open("rb") as content:
                own = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as error:
            raise unreadable(error) from None
        digest.update(f"{file.relative_to(folder).as_posix()}\0{own}\n".encode())
    return f"{cfg.name}+{digest.hexdigest()[:12]}"


def read(cfg: DataConfig) -> Stored:
    """List the images and check their headers; the pixels are read later.

    The classes of masks are the values of their pixels, from 0; 255 marks one that does not count.

    Raises:
        DataError: something is wrong with the layout or an image; one plain line.
    """
    folder = Path(cfg.path or "").expanduser()
    target = TASKS[str(cfg.task)].target
    roots = {SPLITS[d.name.lower()]: d for d in _folders(folder) if d.name.lower() in SPLITS}
    if "train" not in roots:
        roots = {"train": folder}
    parts = {role: _pairs(cfg, root, target) for role, root in sorted(roots.items())}
    test = "test" if "test" in parts else "validation" if "validation" in parts else "held out"
    if test == "validation":
        parts["test"] = parts.pop("validation")
    if test == "held out":
        parts["train"], parts["test"] = _held_out(cfg, parts["train"])
    everything = [file for pairs in parts.values() for file in pairs.images]
    shape = image_files.common_shape(everything, cfg.resize)
    names: tuple[str, ...] = ()
    channels = None
    files = [file for pairs in parts.values() for file in pairs.targets or ()]
    if target == "mask":
        names = tuple(map(str, range(_classes(files))))
    elif files:
        channels = max(image_files.header(file)[2] for file in files)
    place = {file: i for i, file in enumerate(sorted(everything))}
    splits = {
        role: _split(pairs, np.array([place[f] for f in pairs.images]), shape, cfg, channels)
        for role, pairs in parts.items()
    }
    provenance = {"name": cfg.name, "version": "", "format": "images", "homepage": ""}
    return Stored("image", splits, names, test, provenance, None, (), channels)


def _pairs(cfg: DataConfig, root: Path, target: str) -> Pairs:
    """The images below a folder and their targets."""
    kind = MASKS if target == "mask" else PICTURES
    paired = (root / INPUTS).is_dir() and (root / kind).is_dir()
    if not paired or cfg.task == SUPER_RESOLUTION:
        if target == "mask":
            raise DataError(f"{root} has no folders {INPUTS} and {MASKS}; the layout is {LAYOUT}")
        images = _images(root / INPUTS if (root / INPUTS).is_dir() else root)
        if not images:
            raise DataError(f"{root} holds no images")
        return Pairs(images, None)
    found, wanted = (
        {file.relative_to(folder).with_suffix(""): file for file in _images(folder)}
        for folder in (root / INPUTS, root / kind)
    )
    if not found:
        raise DataError(f"{root / INPUTS} holds no images; the layout is {LAYOUT}")
    for name in sorted({*found} ^ {*wanted}):
        has, lacks = (INPUTS, kind) if name in found else (kind, INPUTS)
        raise DataError(f"{root}: {name} is in {has} and not in {lacks}; the layout is {LAYOUT}")
    names = sorted(found)
    return Pairs([found[name] for name in names], [wanted[name] for name in names])


def _images(folder: Path) -> list[Path]:
    """The images at any depth, in the order of their paths; hidden ones are left out."""
    files = (f for f in sorted(folder.rglob("*")) if f.suffix.lower() in image_files.SUFFIXES)
    parts = ((f, f.relative_to(folder).parts) for f in files if f.is_file())
    return [file for file, names in parts if not any(n.startswith((".", "__")) for n in names)]


def _folders(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.is_dir()]
    except OSError as error:
        raise unreadable(error) from None


def _held_out(cfg: DataConfig, pairs: Pairs) -> tuple[Pairs, Pairs]:
    """Split off a random fraction `data.test` of the images: the rest, and the fraction."""
    order = np.random.default_rng(cfg.split_seed).permutation(len(pairs.images))
    tested = round(cfg.test * len(order))
    if not 0 < tested < len(order):
        raise DataError(
            f"data.test={cfg.test} of {len(order)} images leaves none to train on or to test"
        )
    rest, held = np.sort(order[tested:]), np.sort(order[:tested])

    def some(ids: NDArray[np.int64]) -> Pairs:
        targets = pairs.targets
        return Pairs([pairs.images[i] for i in ids], targets and [targets[i] for i in ids])

    return some(rest), some(held)


def _classes(masks: list[Path]) -> int:
    """The number of classes: one more than the largest value that counts."""
    values = [np.unique(image_files.indices(file)) for file in masks]
    counted = np.concatenate([v[v != LEFT_OUT] for v in values])
    classes = int(counted.max(initial=0)) + 1
    if classes < 2:
        raise DataError(f"the masks beside {masks[0]} hold one class; at least two are needed")
    return classes


def _split(
    pairs: Pairs,
    ids: NDArray[np.int64],
    shape: tuple[int, int, int],
    cfg: DataConfig,
    channels: int | None,
) -> StoredSplit:
    side = cfg.resize

    def pieces() -> Iterator[RawSplit]:
        size = piece(shape)
        for start in range(0, len(pairs.images), size):
            part = slice(start, start + size)
            x = np.stack([_pixels(file, side, shape[2]) for file in pairs.images[part]])
            y = None
            if pairs.targets is not None:
                both = zip(pairs.images[part], pairs.targets[part], strict=True)
                y = np.stack([_target(*files, side, channels) for files in both])
            yield RawSplit(x, y, source_ids=ids[part])

    kind = np.dtype(np.uint8 if side is None else "f4")
    return StoredSplit((len(pairs.images), *shape), kind, pieces)


def _pixels(file: Path, side: int | None, channels: int) -> NDArray[np.generic]:
    picture: NDArray[np.generic] = image_files.pixels(file)
    if side is not None:
        picture = resize_images(picture[None], side)[0]
    return np.broadcast_to(picture, (*picture.shape[:2], channels))


def _target(image: Path, file: Path, side: int | None, channels: int | None) -> NDArray[np.generic]:
    """A picture, or a mask if no channels are given, of its image's size."""
    own, size = image_files.header(image)[:2], image_files.header(file)[:2]
    if own != size:
        raise DataError(
            f"{file} is {size[0]}×{size[1]}, and {image} {own[0]}×{own[1]}: a target has the size "
            "of its image"
        )
    if channels is not None:
        return _pixels(file, side, channels)
    mask = image_files.indices(file).astype(np.int16)
    mask[mask == LEFT_OUT] = UNCOUNTED
    return mask if side is None else resize_masks(mask[None], side)[0]
