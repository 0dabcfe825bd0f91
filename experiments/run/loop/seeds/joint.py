"""One program for several seeds: the scanned steps of `scan.py` over the stacked states.

Each seed keeps its own training loop (`turns`). Where it trains an epoch it asks, and the seeds
whose epochs have equally many batches are trained together: `jax.vmap` of the chunk of steps, with
each seed's variables, order and draws, and the data in common. The numbers are those of a training
alone up to rounding.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from data.epochs.pipeline import Epoch
from experiments.run.loop import memory
from experiments.run.loop.engines.chunks import ChunkedEpochs, told
from experiments.run.loop.engines.programs import Programs
from experiments.run.loop.engines.scan import ScannedEpochs, State
from experiments.run.loop.seeds import turns

GIB = 2**30


def run(
    epochs: ChunkedEpochs, epoch: Epoch, callbacks: Sequence[keras.callbacks.Callback]
) -> dict[str, float]:
    """`epochs.run(epoch, callbacks)`, together with the other seeds.

    Meanwhile the others use the same model, so this seed's state is put back into it.
    """
    assert isinstance(epochs, ScannedEpochs)  # another engine has one seed at once
    policy = keras.config.dtype_policy()
    one = OneEpoch(epochs, epoch, callbacks, policy, epochs.begin())
    try:
        turns.ask(one)
    finally:
        keras.config.set_dtype_policy(policy)  # another seed's start clears what Keras keeps
    if one.error is not None:
        raise one.error
    epochs.keep(one.state)
    return one.logs


@dataclass
class OneEpoch(turns.Ask):
    """An epoch that a seed is to be trained for, and afterwards what came of it.

    Attributes:
        epochs, epoch, callbacks: as in `run`.
        policy: of Keras' data types.
        state: before the epoch; afterwards, after it.
        logs: the mean loss and the measure.
        error: that the epoch ended with; the other seeds know nothing of it.
    """

    epochs: ScannedEpochs
    epoch: Epoch
    callbacks: Sequence[keras.callbacks.Callback]
    policy: Any
    state: State
    logs: dict[str, float] = field(default_factory=dict)
    error: Exception | None = None

    def serve(self, asks: Sequence[OneEpoch], say: Callable[[str], None]) -> None:
        keras.config.set_dtype_policy(self.policy)
        alike: dict[tuple[int, ...], list[OneEpoch]] = {}
        for one in asks:
            key = (id(one.epochs), len(one.epoch.order), one.epoch.batch_size)
            alike.setdefault(key, []).append(one)
        for group in alike.values():
            of(group[0].epochs).train(group, say)

    def alone(self) -> None:
        """Train it by itself."""
        try:
            self.epochs.keep(self.state)
            self.logs = self.epochs.run(self.epoch, self.callbacks)
            self.state = self.epochs.state()
        except Exception as error:
            self.error = error


class TooLargeError(Exception):
    """A program does not fit into the device's memory; the message says what it needs."""


_last: JointEpochs | None = None


def of(epochs: ScannedEpochs) -> JointEpochs:
    """The joint programs of these steps; those of the last call if they are the same."""
    global _last
    if _last is None or _last.epochs is not epochs:
        _last = JointEpochs(epochs)
    return _last


class JointEpochs:
    """The epochs of several seeds, whose programs are compiled once for each number of seeds."""

    def __init__(self, epochs: ScannedEpochs) -> None:
        self.epochs = epochs
        self._most: int | None = None  # seeds that fit into the device's memory, once it is known
        self._sizes: set[int] = set()
        self._programs: dict[int, Programs] = {}  # by the number of seeds
        self._stack = jax.jit(lambda *states: jax.tree.map(lambda *v: jnp.stack(v), *states))
        self._apart = jax.jit(lambda state, i: jax.tree.map(lambda v: v[i], state))

    def train(self, asks: Sequence[OneEpoch], say: Callable[[str], None]) -> None:
        """Train the epochs, as many at once as fit; what came of it is in `asks`."""
        left = list(asks)
        while left:
            part = left[: self._most]
            if len(part) == 1:
                part[0].alone()
            elif why := self._train(part):
                self._most = math.ceil(len(part) / 2)
                now = f"{self._most} at once" if self._most > 1 else "one after the other"
                say(f"{len(part)} seeds at once {why}: they are trained {now}")
                continue
            left = left[len(part) :]

    def _train(self, asks: Sequence[OneEpoch]) -> str | None:
        """Train the epochs in one program; returns why nothing was trained, if they do not fit."""
        try:
            size = self._size(len(asks))
            filled = [*asks, *(asks[0] for _ in range(size - len(asks)))]
            programs = self._of(size)

            def given(first: int, count: int) -> tuple[Any, ...]:
                return _merged([one.epochs.given(one.epoch, first, count) for one in filled])

            def hear(first: int, logs: Any) -> bool:
                _tell(asks, first, logs)
                return all(one.error for one in asks)

            state = self._stack(*(one.state for one in filled))
            check = functools.partial(_check, asks)
            state, parts = programs.prepare(asks[0].epoch, state, given, check)
            self._sizes.add(size)
            for one in asks:
                for callback in one.callbacks:
                    callback.on_epoch_begin(0)
            state = programs.run(state, parts, given, hear)
            for i, one in enumerate(asks):
                one.state = self._apart(state, i)
        except TooLargeError as error:
            return str(error)
        except Exception as error:
            if memory.is_exhausted(error) and not any(one.logs for one in asks):
                return "do not fit into the device's memory"
            for one in asks:
                one.error = one.error or error
        return None

    def _size(self, count: int) -> int:
        """The seeds of the program that trains `count` of them: a compiled one may be larger, and
        the rest of it compute what is thrown away, but for less than half.
        """
        return min((n for n in self._sizes if count <= n < 2 * count), default=count)

    def _of(self, size: int) -> Programs:
        """The programs for so many seeds. Under `vmap`, a convolution is a grouped convolution."""
        return self._programs.setdefault(size, Programs(self.epochs.steps, seeds=True))


def _merged(given: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The arguments of several seeds as one: an array of them all, or the data on the device, which
    they have in common.
    """
    parts = zip(*given, strict=True)
    return tuple(np.stack(part) if isinstance(part[0], np.ndarray) else part[0] for part in parts)


def _tell(asks: Sequence[OneEpoch], first: int, logs: Any) -> None:
    """Call the callbacks of each seed as after a chunk; what one raises is that seed's error."""
    each = {name: np.asarray(values) for name, values in logs.items()}
    for i, one in enumerate(asks):
        if one.error is None:
            try:
                own = {name: values[i] for name, values in each.items()}
                one.logs = told(one.callbacks, first, own)
            except Exception as error:
                one.error = error


def _check(asks: Sequence[OneEpoch], program: Any) -> None:
    """`TooLargeError` if the program does not fit into the device's memory; a CPU has no limit."""
    if (limit := memory.limit()) is None:
        return
    beside = sum(leaf.nbytes for one in asks for leaf in jax.tree.leaves(one.state))
    needed = memory.program_bytes(program) + beside
    if needed > memory.FREE * limit:
        raise TooLargeError(f"need about {needed / GIB:.2g} of the device's {limit / GIB:.2g} GiB")
