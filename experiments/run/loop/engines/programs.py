"""Chunks of steps as compiled programs on JAX: their lengths, and how they are called.

XLA compiles each length of a chunk anew, so an epoch has chunks of one length and single steps. How
long they may be is measured once, before the first epoch: an interrupt waits for their end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from data.epochs.pipeline import Epoch
from experiments.run import framework
from experiments.run.loop.engines.chunks import CHUNK, longest

Given = Callable[[int, int], tuple[Any, ...]]  # (first, count) of a chunk → its arguments
Parts = Sequence[tuple[int, int, Any]]  # (first, count, program) of each chunk
ONE = 1


class Programs:
    """The compiled chunks of a training, or of several seeds' trainings together.

    Args:
        steps: (state, arguments of a chunk) → (state, the logs after each of its steps).
        seeds: whether the state and the arguments are those of several seeds, for `jax.vmap`; what
            they have in common is no array of NumPy.
        most: steps of the longest chunk; by default a step is measured.
    """

    def __init__(
        self, steps: Callable[..., tuple[Any, Any]], *, seeds: bool = False, most: int | None = None
    ) -> None:
        self._steps, self._seeds, self._most = jax.jit(steps), seeds, most
        self._compiled: dict[tuple[int, int], Any] = {}

    @property
    def most(self) -> int | None:
        """The steps of the longest chunk; None before it is known."""
        return self._most

    def prepare(
        self, epoch: Epoch, state: Any, given: Given, check: Callable[[Any], None] | None = None
    ) -> tuple[Any, Parts]:
        """The state and the chunks of an epoch, whose programs are compiled; before the first
        epoch, a step is measured.

        Args:
            check: of each program that was compiled, before it is called; may raise.
        """
        if self._most is None and len(epoch.order) >= 2 * epoch.batch_size:
            program = self._program(epoch, 0, ONE, state, given, check)
            kept = jax.device_get(state)
            self._most = _measured(program, state, given(0, ONE))
            state = jax.device_put(kept)
        parts = [
            (first, count, self._program(epoch, first, count, state, given, check))
            for first, count in chunks(epoch, self._most or ONE)
        ]
        return state, parts

    def run(
        self, state: Any, parts: Parts, given: Given, hear: Callable[[int, Any], bool | None]
    ) -> Any:
        """The state after the chunks.

        Args:
            hear: gets the first step of each chunk and its logs, while the next one is computed; or
                before that begins if a single step takes long. It may say that this is enough.
        """
        waiting = None
        for first, count, program in parts:
            _stop_if_interrupted()
            arguments = given(first, count)
            if waiting is not None and self._most == ONE:
                if hear(*waiting):
                    return state
                waiting = None
            state, logs = program(state, ONE, *arguments)
            if waiting is not None and hear(*waiting):
                return state
            waiting = (first, logs)
        if waiting is not None:
            hear(*waiting)
        return state

    def _program(
        self, epoch: Epoch, first: int, count: int, state: Any, given: Given, check: Any
    ) -> Any:
        """(state, 1, *arguments) → (state, logs); it uses the state up."""
        size = min(epoch.batch_size, len(epoch.order) - first * epoch.batch_size)
        if (count, size) not in self._compiled:
            _stop_if_interrupted()
            chunk: Any = self._whole if count > ONE or size < epoch.batch_size else self._single
            arguments = given(first, count)
            if self._seeds:
                axes = (0 if isinstance(one, np.ndarray) else None for one in arguments)
                chunk = jax.vmap(chunk, in_axes=(0, None, *axes))
            lowered = jax.jit(chunk, donate_argnums=0).lower(state, ONE, *arguments)
            program = lowered.compile()
            if check is not None:
                check(program)
            self._compiled[count, size] = program
        return self._compiled[count, size]

    def _whole(self, state: Any, end: Any, *given: Any) -> tuple[Any, Any]:
        return self._steps(state, *given)

    def _single(self, state: Any, end: Any, *given: Any) -> tuple[Any, Any]:
        """A step in a loop of which XLA does not know that it ends at 1.

        It may take a step out of a loop of one, and on a CPU compute its convolutions by another
        kernel; and without the barrier, what depends on the batch alone is taken out and rounded
        in another way, so that the numbers depend on the length of the chunks.
        """
        found = jax.eval_shape(self._steps, state, *given)[1]
        logs = jax.tree.map(lambda log: jnp.zeros(log.shape, log.dtype), found)

        def step(_: Any, last: Any) -> Any:
            before, arguments = jax.lax.optimization_barrier((last[0], given))
            return self._steps(before, *arguments)

        return jax.lax.fori_loop(0, end, step, (state, logs))


def chunks(epoch: Epoch, most: int = CHUNK) -> list[tuple[int, int]]:
    """(first step, steps) of the chunks: as few as there can be of one length, at most `most`, and
    single steps. A smaller last batch is one alone.

    Example: 120 full batches and a smaller one are (0, 40), (40, 40), (80, 40), (120, 1).
    """
    full = len(epoch.order) // epoch.batch_size
    length = min(range(most, 0, -1), key=lambda n: full // n + full % n)
    found = [(i * length, length) for i in range(full // length)]
    return found + [(i, ONE) for i in range(len(found) * length, len(epoch))]


def _measured(program: Any, state: Any, arguments: tuple[Any, ...]) -> int:
    """The steps of a chunk, by the time and the arguments of one; the state is used up."""
    begun = 0.0
    for _ in range(2):  # the first call loads the kernels
        _stop_if_interrupted()
        begun = time.perf_counter()
        state, _ = jax.block_until_ready(program(state, ONE, *arguments))
    sent = sum(one.nbytes for one in arguments if isinstance(one, np.ndarray))
    return longest(time.perf_counter() - begun, sent)


def _stop_if_interrupted() -> None:
    """In a thread, an interrupt is but remembered."""
    if framework.INTERRUPTED.is_set():
        raise KeyboardInterrupt
