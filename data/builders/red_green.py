"""TFDS builder of red_green: two boxes whose order is the class and whose height gives it away.

A network that cannot tell position must use the order; one that can tell position may use the
height, and fails when the heights are swapped. After Kayhan & van Gemert, "On Translation
Invariance in CNNs" (CVPR 2020). Their generator starts from the same seed at every call, so its
validation and "similar" test images are the first 1,000 training images. The set has these and
new ones.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from data.builders.digest import content_digest

VERSION = "1.0.0"

Ints = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]

SIDE, BOX = 32, 4
HEIGHT = np.array([7, 23])  # mean height of a class's boxes, which are jittered
MOVED = np.array([16, -16])  # to the other class's height
TRAIN, HELD_OUT = 2000, 1000
PUBLISHED_SEED, VALIDATION_SEED, TEST_SEED = 1988, 1989, 1990
# A run's test accuracy is that of the first.
SUBSETS = ("fresh_similar", "fresh_dissimilar", "similar", "dissimilar")

_DESCRIPTION = f"""
Black {SIDE} x {SIDE} colour images with a red and a green box of {BOX} x {BOX} pixels. Class 0 has
red on the left, in the upper half; class 1 has green on the left, in the lower half. "Dissimilar"
images are "similar" ones moved by 16 pixels into the other half. By `subset`, the test split has
1,000 new images of each kind, none of which is used for training or validation, and the 1,000
published images of each kind, which are made from the first 1,000 training images.
"""

_CITATION = """
@inproceedings{kayhan2020translation,
  author = {Kayhan, Osman Semih and van Gemert, Jan C.},
  title = {On Translation Invariance in {CNNs}: Convolutional Layers Can Exploit Absolute Spatial
           Location},
  booktitle = {Conference on Computer Vision and Pattern Recognition},
  year = {2020},
}
"""


def classes(n: int) -> Ints:
    """(n,) labels: they alternate."""
    return np.arange(n) % 2


def draw_boxes(seed: int, n: int) -> Ints:
    """(n, 2, 2) row and column of the upper left corner of each image's left and right box.

    The random draws and their order are those of the published generator.
    """
    rng = np.random.RandomState(seed)
    boxes = np.empty((n, 2, 2), np.int64)
    for i, height in enumerate(HEIGHT[classes(n)]):
        left = rng.randint(10)
        boxes[i, 0] = height + rng.randint(-4, 4), left
        right = left
        while right - left < BOX + 1:
            right = rng.randint(left, SIDE - BOX)
            boxes[i, 1] = height + rng.randint(-4, 4), right
    return boxes


def draw_fresh(seed: int, n: int, used: Ints) -> Ints:
    """(n, 2, 2) boxes with alternating classes, none of which is in `used` (m, 2, 2)."""
    drawn = draw_boxes(seed, 2 * n)
    taken = set(map(bytes, used))
    new = np.array([bytes(boxes) not in taken for boxes in drawn])
    by_class = [np.flatnonzero(new & (classes(2 * n) == label))[: n // 2] for label in (0, 1)]
    return drawn[np.stack(by_class, axis=1).reshape(-1)]


def render(boxes: Ints) -> NDArray[np.uint8]:
    """(n, 32, 32, 3) images, 0 or 255, of boxes (n, 2, 2) whose classes alternate."""
    pictures = np.zeros((len(boxes), SIDE, SIDE, 3), np.uint8)
    for picture, pair, label in zip(pictures, boxes, classes(len(boxes)), strict=True):
        for (row, column), channel in zip(pair, (label, 1 - label), strict=True):
            picture[row : row + BOX, column : column + BOX, channel] = 255
    return pictures


def moved(boxes: Ints) -> Ints:
    """The same boxes at the other class's height."""
    rows_only = np.array([1, 0])
    return boxes + MOVED[classes(len(boxes))][:, None, None] * rows_only


def _columns(*parts: tuple[str, Ints]) -> Columns:
    return {
        "image": np.concatenate([render(boxes) for _, boxes in parts]),
        "label": np.concatenate([classes(len(boxes)) for _, boxes in parts]),
        "subset": np.repeat(
            [SUBSETS.index(name) for name, _ in parts], [len(boxes) for _, boxes in parts]
        ),
    }


def make_splits(published_validation: bool) -> dict[str, Columns]:
    """The splits: image uint8 (n, 32, 32, 3), label and subset int64 (n,)."""
    train = draw_boxes(PUBLISHED_SEED, TRAIN)
    published = draw_boxes(PUBLISHED_SEED, HELD_OUT)
    validation = draw_fresh(VALIDATION_SEED, HELD_OUT, train)
    fresh = draw_fresh(TEST_SEED, HELD_OUT, np.concatenate([train, validation]))
    held_out = ("similar", published) if published_validation else ("fresh_similar", validation)
    return {
        "train": _columns(("similar", train)),
        "validation": _columns(held_out),
        "test": _columns(
            ("fresh_similar", fresh),
            ("fresh_dissimilar", moved(fresh)),
            ("similar", published),
            ("dissimilar", moved(published)),
        ),
    }


class Builder(tfds.core.GeneratorBasedBuilder):
    """Generates the boxes, with new validation images; the content is the same on every call."""

    name = "red_green"
    VERSION = tfds.core.Version(VERSION)
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012
    PUBLISHED_VALIDATION = False

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            homepage="https://github.com/oskyhn/CNNs-Without-Borders",
            citation=_CITATION,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Tensor(shape=(SIDE, SIDE, 3), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(names=["red_left", "green_left"]),
                    "subset": tfds.features.ClassLabel(names=SUBSETS),
                }
            ),
            supervised_keys=("image", "label"),
            metadata=tfds.core.MetadataDict(),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict]]]:
        splits = make_splits(self.PUBLISHED_VALIDATION)
        self.info.metadata["content"] = content_digest(splits)
        return {name: self._generate_examples(part) for name, part in splits.items()}

    def _generate_examples(self, columns: Columns) -> Iterator[tuple[int, dict]]:
        for i in range(len(columns["label"])):
            yield i, {name: column[i] for name, column in columns.items()}
