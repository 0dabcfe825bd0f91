"""Training on JAX by chunks of steps, each one compiled program.

Keras' `fit` calls Python at every step, which a fast accelerator waits for. Here the data lies on
the device, as bytes where these were stored, and a chunk of steps is a `jax.lax.scan` over Keras'
own training step, which is a pure function of the lists of variables. The order of the examples and
the draws of their augmentation are those of `fit`, sent as indices, so the batches are the same to
the bit. The next chunk is on its way while the measures of the last are read.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from data import AugmentConfig, Split
from data.epochs import augment as augmentation
from data.epochs.codes import Compact, compact
from data.epochs.pipeline import Epoch, mirrored
from data.sources.streaming import Streamed
from experiments.run.loop import memory
from experiments.run.loop.engines.chunks import ChunkedEpochs, same_examples, told
from experiments.run.loop.engines.programs import Programs

FITS = 0.5  # fraction of the device's memory that the data may take
State = tuple[list[Any], ...]


class ScannedEpochs(ChunkedEpochs):
    """The epochs of one training."""

    def __init__(self, model: keras.Model, train: Split, augment: AugmentConfig) -> None:
        super().__init__(model, train, augment)
        self._held = on_device(train)
        self._programs = Programs(self.steps)
        self._validation: ScannedPass | None = None

    def release(self) -> None:
        self._held = None
        if self._validation is not None:
            self._validation.release()

    def run(self, epoch: Epoch, callbacks: Sequence[keras.callbacks.Callback]) -> dict[str, float]:
        given, logs = functools.partial(self.given, epoch), {}

        def hear(first: int, found: Any) -> None:
            logs.update(told(callbacks, first, found))

        state, parts = self._programs.prepare(epoch, self.begin(), given)  # not in the epoch's time
        for callback in callbacks:
            callback.on_epoch_begin(0)
        self.keep(self._programs.run(state, parts, given, hear))
        return logs

    def evaluate(self, split: Split, batch_size: int) -> dict[str, float]:
        if self._validation is None or not self._validation.serves(split, batch_size):
            if self._validation is not None:
                self._validation.release()
            beside = 0 if self._held is None else self._held.nbytes
            most = self._programs.most
            self._validation = ScannedPass(self._model, split, batch_size, beside, most)
        found = self._validation.run()
        return super().evaluate(split, batch_size) if found is None else found

    def steps(self, state: State, *given: Any) -> tuple[State, Any]:
        """The state after a chunk, and the logs after each of its steps."""

        def step(state: State, one: Any) -> tuple[State, Any]:
            batch = one if held is None else self._batch(held, *one)
            logs, state = self._model.train_step(state, batch)
            return state, logs

        held: Any = None if self._held is None else given[0]
        each = given if held is None else given[1:]
        return jax.lax.scan(step, state, each)

    def _batch(self, held: Compact, ids: Any, *draws: Any) -> tuple[Any, Any]:
        """A batch of the data on the device, as `Epoch` makes it."""
        if not draws:
            x, y = held.batch(jnp, ids)
            return x, self._train.framed(y)
        flip, window, hole = draws
        x = augmentation.apply_by(
            jnp, held.x, ids, flip, window, hole, self._augment, levels=held.levels
        )
        y = x if held.y is None else mirrored(jnp, held.targets(jnp, ids), flip)
        return x, self._train.framed(y)

    def given(self, epoch: Epoch, first: int, count: int) -> tuple[Any, ...]:
        """The arguments of the batches from `first` on: indices and draws, or the batches."""
        if self._held is None:
            batches = [epoch[i] for i in range(first, first + count)]
            return tuple(np.stack(arrays) for arrays in zip(*batches, strict=True))
        size = epoch.batch_size
        ids = epoch.order[first * size : (first + count) * size].reshape(count, -1)
        draws = epoch.draws
        drawn = () if draws is None else (draws.flip[ids], draws.window[ids], draws.hole[ids])
        return (self._held, *(_narrow(one) for one in (ids, *drawn)))

    def _lists(self) -> tuple[list[Any], ...]:
        model = self._model
        return (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )

    def begin(self) -> State:
        """The state at the beginning of an epoch, whose metrics are new."""
        self._model.reset_metrics()
        return self.state()

    def state(self) -> State:
        """The values of the model's variables."""
        return _values(*self._lists())

    def keep(self, state: State) -> None:
        """Put the values of a state into the model's variables."""
        _assign(self._lists(), state)


class ScannedPass:
    """A pass over a split without training, by chunks as those of the training, of Keras' own test
    step. The batches and the measures are those of Keras' `evaluate`.

    Args:
        model: compiled, the variables of its metrics built.
        split: evaluated in its own order.
        batch_size: of its batches.
        beside: the bytes of other data on the device.
        most: the batches of the longest chunk; None if they are to be measured.
    """

    def __init__(
        self, model: keras.Model, split: Split, batch_size: int, beside: int, most: int | None
    ) -> None:
        self._model, self._split, self._batch_size = model, split, batch_size
        self._held = on_device(split, beside)
        self._programs = Programs(self._steps, most=most)

    def serves(self, split: Split, batch_size: int) -> bool:
        """Whether a pass over this split is this one."""
        return same_examples(self._split, split) and self._batch_size == batch_size

    def release(self) -> None:
        """Let the data leave the device at once, as for `ScannedEpochs`."""
        self._held = None

    def run(self) -> dict[str, float] | None:
        """The mean loss and the measure with the present values of the model's variables; None
        where the device does not hold the data.
        """
        model, size = self._model, self._batch_size
        if self._held is None:
            return None
        model.reset_metrics()
        lists = (model.non_trainable_variables, model.metrics_variables)
        (trained,), logs = _values(model.trainable_variables), {}
        order = np.arange(len(self._split))
        epoch = Epoch(self._split, order, size, AugmentConfig(), None)

        def given(first: int, count: int) -> tuple[Any, ...]:
            ids = order[first * size : (first + count) * size].reshape(count, -1)
            return trained, self._held, _narrow(ids)

        def hear(first: int, found: Any) -> None:
            logs.update({name: float(values[-1]) for name, values in found.items()})

        state, parts = self._programs.prepare(epoch, _values(*lists), given)
        _assign(lists, self._programs.run(state, parts, given, hear))
        return logs

    def _steps(self, state: State, trained: Any, held: Compact, ids: Any) -> tuple[State, Any]:
        """The state after the batches (steps, b) of a chunk, and the logs after each."""

        def step(state: State, one: Any) -> tuple[State, Any]:
            x, y = held.batch(jnp, one)
            logs, after = self._model.test_step((trained, *state), (x, self._split.framed(y)))
            return tuple(after[1:]), logs

        return jax.lax.scan(step, state, ids)


def _values(*lists: list[Any]) -> State:
    return tuple([variable.value for variable in part] for part in lists)


def _assign(lists: tuple[list[Any], ...], state: State) -> None:
    for variables, values in zip(lists, state, strict=True):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _narrow(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int32) if values.dtype.kind == "i" else values


def on_device(split: Split, beside: int = 0) -> Compact | None:
    """The arrays of a split on the device; None if they stay on disk or do not fit there.

    Args:
        beside: the bytes of other data there.
    """
    if isinstance(split.x, Streamed):
        return None
    held = compact(split)
    return jax.device_put(held) if _fits(held, beside) else None


def _fits(held: Compact, beside: int) -> bool:
    """Whether the arrays can lie on the device, with 32-bit indices of their pixels."""
    limit, pixels = memory.limit(), math.prod(held.x.shape[:-1])
    return (limit is None or held.nbytes + beside <= FITS * limit) and pixels < 2**31
