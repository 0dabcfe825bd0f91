"""TFDS builder of advection: a field on a torus, and the same field a step later.

The step is a linear filter around each pixel, the same for all: constant velocity and diffusion.
What leaves at one border comes in at the opposite one, so circular padding is right, and what
another padding costs is known to come from the border.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from data.builders import transport
from data.builders.digest import content_digest

VERSION = "1.0.0"

VELOCITY = (-2.3, 2.7)  # cells a step: down, to the right
TOLD = "a torus: opposite borders meet"


class Builder(tfds.core.GeneratorBasedBuilder):
    """Draws the fields and solves the equation; the content is the same on every call."""

    name = "advection"
    VERSION = tfds.core.Version(VERSION)
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012
    FLOW, WALLS, ON = VELOCITY, False, TOLD

    def _info(self) -> tfds.core.DatasetInfo:
        field = tfds.features.Tensor(shape=(transport.SIDE, transport.SIDE, 1), dtype=np.float32)
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                f"Pairs of fields of {transport.SIDE} x {transport.SIDE} cells on {self.ON}. The "
                "`image` is a Gaussian random field u, mean 0 and variance 1, with the correlation "
                f"exp(-r^2 / (2 ({transport.LENGTH} cells)^2)). The `target` is u after a step of "
                f"du/dt + v . grad u = D laplace u with v = {self.FLOW} cells (down, right) and "
                f"sqrt(2 D t) = {transport.SPREAD} cells, solved exactly for each wave. Values are "
                "rounded to multiples of 2^-12. Each field (`source_id`) is in one split only."
            ),
            features=tfds.features.FeaturesDict(
                {"image": field, "target": field, "source_id": tfds.features.Scalar(np.int64)}
            ),
            supervised_keys=("image", "target"),
            metadata=tfds.core.MetadataDict(),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict]]]:
        splits = transport.make_splits(self.name, self.FLOW, self.WALLS)
        self.info.metadata["content"] = content_digest(splits)
        return {name: self._generate_examples(part) for name, part in splits.items()}

    def _generate_examples(self, columns: dict[str, np.ndarray]) -> Iterator[tuple[int, dict]]:
        for i in range(len(columns["source_id"])):
            yield i, {name: column[i] for name, column in columns.items()}
