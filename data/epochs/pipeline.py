"""One epoch of training batches: the order of the examples and their augmentation.

Everything is computed by NumPy from (order seed, augment seed, epoch) alone, so an epoch is
bit-identical on every back end and after a resume.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.config import AugmentConfig, DataError, left_out
from data.epochs import augment as augmentation
from data.types import Split

# Numbers of the two streams: with equal seeds, order and augmentation must not be correlated.
ORDER, AUGMENT = 0, 1


def stream(seed: int, purpose: int, epoch: int) -> np.random.Generator:
    """The random generator for one purpose in one epoch."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, epoch)))


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
    """Draw the order and the augmentation of one epoch; arguments as in `epoch_batches`.

    A last batch that is too small is left out: see `data.config.left_out`.
    """
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
    order = order[: len(split) - left_out(len(split), batch_size)]
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

    def __getitem__(self, i: int) -> tuple[NDArray[Any], NDArray[Any]]:
        if not 0 <= i < len(self):
            raise IndexError(i)
        ids = self.order[i * self.batch_size : (i + 1) * self.batch_size]
        if self.draws is None:
            x = self.split.x[ids]
            y = x if self.split.y is self.split.x else self.split.y[ids]
            return x, self.split.framed(y)
        x = augmentation.apply(self.split.x, ids, self.draws, self.augment)
        if self.split.y is self.split.x:
            return x, self.split.framed(x)
        y = mirrored(np, self.split.y[ids], self.draws.flip[ids])
        return x, self.split.framed(y)


def mirrored(ops: Any, y: Any, flip: Any) -> Any:
    """Targets (b, …); images of them are mirrored with their input where `flip`, (b,), says so.

    Args:
        ops: the module NumPy or jax.numpy.
    """
    if y.ndim <= 2:
        return y
    return ops.where(flip.reshape(-1, *[1] * (y.ndim - 1)), y[:, :, ::-1], y)
