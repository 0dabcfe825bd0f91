"""One epoch of training batches: which examples, in which order, changed how.

Everything is computed by NumPy from (order seed, augment seed, epoch) alone, so an epoch is
bit-identical on every backend and after a resume.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data import augment as augmentation
from data.config import AugmentConfig, DataError
from data.types import Split

# Names of the two streams: equal seeds must not give an order tied to the augmentation.
ORDER, AUGMENT = 0, 1


def stream(seed: int, purpose: int, epoch: int) -> np.random.Generator:
    """The generator of one purpose in one epoch."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, epoch)))


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
        batch_size: the last batch may be smaller.
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
    from data.keras_batches import KerasBatches

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
    from data.keras_batches import KerasBatches

    return KerasBatches(Epoch(split, np.arange(len(split)), batch_size, AugmentConfig(), None))


def plan_epoch(
    split: Split,
    *,
    batch_size: int,
    epoch: int,
    order_seed: int,
    augment_seed: int,
    augment: AugmentConfig,
    steps: int | None = None,
) -> "Epoch":
    """Draw the order and the augmentation of one epoch; arguments as in `epoch_batches`."""
    augment.validate()
    limits = {"batch_size": (batch_size, 1), "epoch": (epoch, 0), "order_seed": (order_seed, 0)}
    limits |= {"augment_seed": (augment_seed, 0), "steps": (1 if steps is None else steps, 1)}
    for name, (value, least) in limits.items():
        if value < least:
            raise DataError(f"{name}={value} must be at least {least}")
    if augment.active and split.x.ndim != 4:
        raise DataError("data.augment is for images; these are sequences")
    order = stream(order_seed, ORDER, epoch).permutation(len(split))
    draws = None
    if augment.active:
        size = (split.x.shape[1], split.x.shape[2])
        draws = augmentation.draw(stream(augment_seed, AUGMENT, epoch), len(split), size, augment)
    if steps is not None:
        order = order[: steps * batch_size]
    return Epoch(split, order, batch_size, augment, draws)


@dataclass(frozen=True)
class Epoch:
    """The batches of one epoch by index: a pure function of its fields."""

    split: Split
    order: NDArray[np.int64]
    batch_size: int
    augment: AugmentConfig
    draws: augmentation.Draws | None

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, i: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        if not 0 <= i < len(self):
            raise IndexError(i)
        ids = self.order[i * self.batch_size : (i + 1) * self.batch_size]
        if self.draws is None:
            return self.split.x[ids], self.split.y[ids]
        x = augmentation.apply(self.split.x, ids, self.draws, self.augment)
        return x, self.split.y[ids]
