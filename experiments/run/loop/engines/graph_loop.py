"""Training on TensorFlow by chunks of steps, each one call of a graph that loops over them.

Keras' `fit` calls Python and reads its input pipeline at every step, for which two processor cores
wait as long as for the kernels of a small network. Here the data is a tensor from which the graph
gathers each batch; batches that Python has to make, augmented or read from disk, are made in a
thread while the chunk before them runs. The kernels of a step are those of `fit`, and so are its
numbers, to the bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from data import AugmentConfig, Split
from data.epochs.pipeline import Epoch
from data.sources.streaming import Streamed
from experiments.run.loop.engines.chunks import BYTES, CHUNK, SECONDS, ChunkedEpochs, told


class LoopedEpochs(ChunkedEpochs):
    """The epochs of one training."""

    def __init__(self, model: keras.Model, train: Split, augment: AugmentConfig) -> None:
        super().__init__(model, train, augment)
        self._held: tuple[tf.Tensor, ...] = ()
        if not augment.active and not isinstance(train.x, Streamed):
            x = tf.constant(train.x)
            self._held = (x, x if train.y is train.x else tf.constant(train.y))
        step = model.train_step
        self._step = tf.function(step, jit_compile=True) if model.jit_compile else step
        self._program: Any = None
        self._pace = float("inf")  # seconds for a step, without those of tracing
        self._sent = 0  # bytes for a step

    def release(self) -> None:
        self._held = ()

    def run(self, epoch: Epoch, callbacks: Sequence[keras.callbacks.Callback]) -> dict[str, float]:
        for callback in callbacks:
            callback.on_epoch_begin(0)
        self._model.reset_metrics()
        logs: dict[str, float] = {}
        with ThreadPoolExecutor(1) as pool:
            first, waiting = 0, pool.submit(self._given, epoch, 0, 1)
            while first < len(epoch):
                given = waiting.result()
                count = len(given[0])
                following = first + count
                self._sent = sum(a.dtype.size * math.prod(a.shape[1:]) for a in given)
                if following < len(epoch):
                    steps = self._steps(epoch, following)
                    waiting = pool.submit(self._given, epoch, following, steps)
                self._program = self._program or self._compiled(given)
                begun = time.perf_counter()
                found = self._program(*given, *self._held)
                self._pace = min(self._pace, (time.perf_counter() - begun) / count)
                logs = told(callbacks, first, found)
                first = following
        return logs

    def _steps(self, epoch: Epoch, first: int) -> int:
        """How many steps from `first` on are the next chunk; a smaller last batch is one alone."""
        full = len(epoch.order) // epoch.batch_size
        most = min(CHUNK, int(SECONDS / self._pace), BYTES // max(1, self._sent), full - first)
        return max(1, most)

    def _given(self, epoch: Epoch, first: int, count: int) -> tuple[Any, ...]:
        """The arguments of the batches from `first` on: their indices, or the batches."""
        if self._held:
            ids = epoch.order[first * epoch.batch_size : (first + count) * epoch.batch_size]
            return (tf.constant(ids.reshape(count, -1)),)
        batches = [epoch[i] for i in range(first, first + count)]
        return tuple(tf.constant(np.stack(arrays)) for arrays in zip(*batches, strict=True))

    def _compiled(self, given: tuple[Any, ...]) -> Any:
        """The program for chunks of any number of batches of any size, as those of `fit` are: a
        size that is known would be divided by in another way.
        """
        free = [tf.TensorSpec([None, None, *a.shape[2:]], a.dtype) for a in given]
        held = [tf.TensorSpec(a.shape, a.dtype) for a in self._held]
        return tf.function(self._chunk, input_signature=[*free, *held], autograph=False)

    def _chunk(self, *arguments: Any) -> dict[str, Any]:
        """The logs after each step of a chunk."""
        each = arguments[: len(arguments) - len(self._held)]
        count = tf.shape(each[0])[0]
        model = self._model
        names = list(model.get_metrics_result())

        def step(i: Any, *logs: Any) -> tuple[Any, ...]:
            found = self._step(self._batch(*(array[i] for array in each)))
            return (i + 1, *(log.write(i, found[n]) for log, n in zip(logs, names, strict=True)))

        logs = [tf.TensorArray(tf.float32, count) for _ in names]
        _, *logs = tf.while_loop(
            lambda i, *_: i < count, step, (tf.constant(0), *logs), parallel_iterations=1
        )
        return {name: log.stack() for name, log in zip(names, logs, strict=True)}

    def _batch(self, *one: Any) -> tuple[Any, Any]:
        if not self._held:
            return one
        x, y = (tf.gather(array, one[0]) for array in self._held)
        own = self._train.y is self._train.x
        return x, self._train.framed(x if own else y)
