"""What the engines share: the length of a chunk, its logs, and the variables of the metrics."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from data import AugmentConfig, Split
from data.epochs.pipeline import Epoch
from experiments.run.loop.batches import ordered_batches

CHUNK = 50  # steps; more make training no faster
SECONDS = 0.25  # of a chunk: an interrupt waits for the end of one or two
BYTES = 2**28  # of the batches that are sent with a chunk; at least one batch is


class ChunkedEpochs(abc.ABC):
    """The epochs of one training.

    Args:
        model: compiled, its optimizer built.
        train: the training split.
        augment: of the batches.
    """

    def __init__(self, model: keras.Model, train: Split, augment: AugmentConfig) -> None:
        self._model, self._train, self._augment = model, train, augment
        build_metrics(model, train)

    def serves(self, model: keras.Model, train: Split, augment: AugmentConfig) -> bool:
        """Whether a training with these arguments of the class has these epochs."""
        same = same_examples(self._train, train)
        return self._model is model and same and self._augment == augment

    @abc.abstractmethod
    def release(self) -> None:
        """Let the data leave the device at once: the program refers to these epochs, and they to
        it, so only the garbage collection would end them.
        """

    @abc.abstractmethod
    def run(self, epoch: Epoch, callbacks: Sequence[keras.callbacks.Callback]) -> dict[str, float]:
        """Train one epoch; the callbacks get its beginning and the end of each chunk.

        Returns:
            The mean loss and the measure, as in Keras' history.
        """

    def evaluate(self, split: Split, batch_size: int) -> dict[str, float]:
        """The mean loss and the measure on a split: Keras' `evaluate`, or equal up to rounding."""
        batches = ordered_batches(split, batch_size=batch_size)
        return dict(self._model.evaluate(batches, verbose=0, return_dict=True))


def longest(seconds: float, nbytes: int = 0) -> int:
    """The steps of the longest chunk: a power of two, so that other timings make the same chunks,
    or `CHUNK`.

    Args:
        seconds: for a step.
        nbytes: of the batches that are sent with a step.

    Example: `longest(0.02)` is 8, and `longest(0.001)` is 50.
    """
    most = min(SECONDS / max(seconds, 1e-9), BYTES / max(nbytes, 1))
    return CHUNK if most >= CHUNK else 2 ** int(math.log2(max(most, 1)))


def same_examples(split: Split, other: Split) -> bool:
    """Whether the examples of two splits are the same objects, and their frame."""
    return split.x is other.x and split.y is other.y and split.frame == other.frame


def told(callbacks: Sequence[Any], first: int, logs: Any) -> dict[str, float]:
    """Call the callbacks as after the last step of a chunk, or the first without a finite loss;
    returns the logs after that step.
    """
    each = {name: np.asarray(values) for name, values in logs.items()}
    wrong = np.flatnonzero(~np.isfinite(each["loss"]))
    at = int(wrong[0]) if len(wrong) else len(each["loss"]) - 1
    last = {name: float(values[at]) for name, values in each.items()}
    for callback in callbacks:
        callback.on_train_batch_end(first + at, last)
    return last


def build_metrics(model: keras.Model, train: Split) -> None:
    """Make the variables of the loss and the measure, which Keras makes at the first batch."""
    x, y = np.asarray(train.x[:1]), train.framed(np.asarray(train.y[:1]))
    predicted = keras.ops.zeros((1, *model.output_shape[1:]), model.output.dtype)
    model.compute_loss(x=x, y=y, y_pred=predicted, training=False)
    model.compute_metrics(x, y, predicted)
    model.reset_metrics()
