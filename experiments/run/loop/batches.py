"""The bridge from an epoch's batches to `model.fit`; importing it loads Keras."""

from typing import Any

import keras
import numpy as np

from data.config import AugmentConfig, DataError
from data.pipeline import Epoch, plan_epoch
from data.types import Split


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


def epoch_batches(
    split: Split,
    *,
    batch_size: int,
    epoch: int,
    order_seed: int,
    augment_seed: int,
    augment: AugmentConfig | None = None,
    steps: int | None = None,
) -> Any:
    """One epoch for `model.fit(x=…, shuffle=False)`, on any Keras backend.

    Args:
        split: what to train on.
        batch_size: the last batch may be smaller, down to a quarter of it.
        epoch: from 0; with the two seeds it decides everything.
        order_seed, augment_seed: at least 0; two streams, so one can change without the other.
        augment: images only; None for none.
        steps: stop after this many batches, if there are more.

    Returns:
        A keras.utils.PyDataset of (x float32 (b, …), y int32 (b,)). It refuses to be read out
        of order, which `fit` does unless it is given shuffle=False.

    Raises:
        DataError: an argument means nothing, or sequences are to be augmented.
    """
    epoch_plan = plan_epoch(
        split,
        batch_size=batch_size,
        epoch=epoch,
        order_seed=order_seed,
        augment_seed=augment_seed,
        augment=augment or AugmentConfig(),
        steps=steps,
    )
    return KerasBatches(epoch_plan)


def ordered_batches(split: Split, *, batch_size: int) -> Any:
    """All of `split` in its own order, as `epoch_batches` gives it, to evaluate or predict."""
    return KerasBatches(Epoch(split, np.arange(len(split)), batch_size, AugmentConfig(), None))
