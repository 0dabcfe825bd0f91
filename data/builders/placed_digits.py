"""TFDS builder of placed_digits: real handwritten digits anywhere on a textured canvas."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from data.builders.digest import content_digest
from data.builders.scenes import SIDE, SPLITS, make_split

VERSION = "1.1.0"
MASK_CLASSES = ("background", *map(str, range(10)))

_DESCRIPTION = f"""
Grey {SIDE} x {SIDE} images, each with one handwritten digit on a textured background with clutter.
The digit can be anywhere, up to and cut by the border, with at least about half of it in the image.
`margin` is the distance in pixels from the digit's bounding box to the nearest border, negative
where the border cuts the digit, so that accuracy can be broken down by distance to the border.
`mask` has the class of each pixel: 1 + the digit where the digit's own ink is, 0 elsewhere, clutter
included.

The digits are the 1,797 of 8 x 8 pixels that scikit-learn ships (the test part of the UCI set
"Optical Recognition of Handwritten Digits"). Each is used in one split only (`source_id`).
"""

_CITATION = """
@misc{alpaydin1998optical,
  author = {Alpaydin, E. and Kaynak, C.},
  title = {Optical Recognition of Handwritten Digits},
  year = {1998},
  howpublished = {UCI Machine Learning Repository},
  doi = {10.24432/C50P49},
}
"""


def without_mask(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns that version 1.0.0 had."""
    return {name: column for name, column in columns.items() if name != "mask"}


class Builder(tfds.core.GeneratorBasedBuilder):
    """Generates from scikit-learn's digits; the content is the same on every call."""

    name = "placed_digits"
    VERSION = tfds.core.Version(VERSION)
    RELEASE_NOTES = {  # noqa: RUF012
        "1.0.0": "First version.",
        "1.1.0": "A mask for each image. Images, labels, margins and sources are those of 1.0.0.",
    }

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            homepage="https://archive.ics.uci.edu/dataset/80",
            citation=_CITATION,
            # A plain tensor, not a PNG: encoding one would load TensorFlow.
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Tensor(shape=(SIDE, SIDE, 1), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(num_classes=10),
                    "margin": tfds.features.Scalar(np.float32),
                    "source_id": tfds.features.Scalar(np.int64),
                    "mask": tfds.features.Tensor(shape=(SIDE, SIDE), dtype=np.uint8),
                }
            ),
            supervised_keys=("image", "label"),
            metadata=tfds.core.MetadataDict(mask_classes=list(MASK_CLASSES)),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict]]]:
        from sklearn.datasets import load_digits

        digits = load_digits()
        drawings, labels = digits.images / 16.0, digits.target
        splits = {name: make_split(name, drawings, labels) for name in SPLITS}
        # Without the masks, which come from the same draws: the digest is that of version 1.0.0.
        classified = {name: without_mask(columns) for name, columns in splits.items()}
        self.info.metadata["content"] = content_digest(classified)
        return {name: self._generate_examples(part) for name, part in splits.items()}

    def _generate_examples(self, columns: dict[str, np.ndarray]) -> Iterator[tuple[int, dict]]:
        for i in range(len(columns["label"])):
            yield i, {name: column[i] for name, column in columns.items()}
