"""Passes an epoch's batches to `model.fit`; importing this module loads Keras."""

from typing import Any

import keras
import numpy as np

from data.config import AugmentConfig, DataError
from data.epochs.pipeline import Epoch, plan_epoch
from data.types import Split


class KerasBatches(keras.utils.PyDataset):
    """An Epoch in the form that `fit` takes, to be read in order.

    By default `fit` shuffles the batches of a PyDataset with Python's global generator, so the
    order would not depend on the seeds and the epoch alone. Reading out of order is refused.
    """

    def __init__(self, epoch: Epoch) -> None:
        super().__init__()
        self.epoch = epoch
        self._next = 0

    @property
    def num_batches(self) -> int:
        return len(self.epoch)

    def __getitem__(self, i: int) -> Any:
        # Keras reads the first batches once before it begins at 0.
        if i not in (0, self._next):
            raise DataError(f"batch {i} was read instead of {self._next}: use fit(shuffle=False)")
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
    """One epoch for `model.fit(x=…, shuffle=False)`, on any Keras back end.

    Args:
        split: the training split.
        batch_size: the last batch may be smaller, down to a quarter of it.
        epoch: from 0; the result depends only on it and on the two seeds.
        order_seed, augment_seed: at least 0; two streams, so one can change without the other.
        augment: for images only; None for no augmentation.
        steps: stop after this many batches, if there are more.

    Returns:
        A keras.utils.PyDataset of (x float32 (b, …), y int32 (b,)). It raises an error when it is
        read out of order, as `fit` does without shuffle=False.

    Raises:
        DataError: an argument is invalid, or sequences would be augmented.
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
    """All of `split` in its own order, in the form of `epoch_batches`, for evaluation."""
    return KerasBatches(Epoch(split, np.arange(len(split)), batch_size, AugmentConfig(), None))
