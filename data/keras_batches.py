"""The bridge from an epoch's batches to `model.fit`; importing it loads Keras."""

from typing import Any

import keras

from data.config import DataError
from data.pipeline import Epoch


class KerasBatches(keras.utils.PyDataset):
    """An Epoch as `fit` wants it, to be read in order.

    `fit` shuffles the batches of a PyDataset by default, from Python's global generator: the
    order would then depend on more than the seeds and the epoch. Out of order is refused.
    """

    def __init__(self, epoch: Epoch) -> None:
        super().__init__()
        self.epoch = epoch
        self._next = 0

    @property
    def num_batches(self) -> int:
        return len(self.epoch)

    def __getitem__(self, i: int) -> Any:
        # Keras looks at the first batches before it begins at 0.
        if i not in (0, self._next):
            raise DataError(f"batch {i} was read where {self._next} is next: fit(shuffle=False)")
        self._next = i + 1
        return self.epoch[i]
