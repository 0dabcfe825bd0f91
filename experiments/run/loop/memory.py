"""For a training that does not fit into the device's memory: find a batch size that would."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from conf.schema import TrainerConfig
    from data import Split

SIGNS = ("RESOURCE_EXHAUSTED", "ResourceExhausted", "Out of memory", "out of memory")
FREE = 0.9  # fraction of the device's memory for data other than the step, and for fragmentation


class OutOfMemoryError(RuntimeError):
    """A step does not fit into the device's memory; the message names a batch size that fits."""


@contextlib.contextmanager
def told(model: keras.Model, train: Split, trainer: TrainerConfig) -> Iterator[None]:
    """Inside the block, turn an out-of-memory error into one line that says what to do.

    Args:
        model: compiled for the training.
        train: the training split.
        trainer: settings of the run.

    Raises:
        OutOfMemoryError: instead of the original error.
    """
    try:
        yield
    except Exception as error:
        if not is_exhausted(error):
            raise
        batch, most, fits = trainer.batch_size, limit(), None
        if most is not None:
            with contextlib.suppress(Exception):  # a second error would hide the first
                fits = largest_batch(model, train, batch, most)
        known = f"about {fits} would fit" if fits else "the batch size that would fit is unknown"
        raise OutOfMemoryError(
            f"a step of trainer.batch_size={batch} does not fit into the device's memory; {known}: "
            f"use trainer.batch_size={fits or max(1, batch // 2)}"
        ) from error


def is_exhausted(error: Exception) -> bool:
    """Whether it says that the device's memory is exhausted."""
    return any(sign in f"{type(error).__name__}: {error}" for sign in SIGNS)


def largest_batch(model: keras.Model, train: Split, batch_size: int, limit: int) -> int | None:
    """The largest batch size whose compiled step fits into `limit` bytes; on JAX.

    The estimate is linear, from the memory of the steps for two small batches (arguments, results
    and temporary buffers by XLA's `memory_analysis`).

    Returns:
        A power of two below `batch_size`; None if not even one example fits.
    """
    few, more = max(1, batch_size // 8), max(2, batch_size // 4)
    small, large = (step_bytes(model, train, size) for size in (few, more))
    each = max(1.0, (large - small) / (more - few))
    most = min(batch_size - 1, int((FREE * limit - (small - few * each)) / each))
    return 2 ** (most.bit_length() - 1) if most >= 1 else None


def step_bytes(model: keras.Model, train: Split, batch_size: int) -> int:
    """The peak memory of one training step of `batch_size` in bytes, by XLA's estimate."""
    import jax

    def shapes(variables: list[Any]) -> list[Any]:
        return [jax.ShapeDtypeStruct(tuple(v.shape), v.dtype) for v in variables]

    state = (
        shapes(model.trainable_variables),
        shapes(model.non_trainable_variables),
        shapes(model.optimizer.variables),
        shapes(model.metrics_variables),
    )
    examples = (
        jax.ShapeDtypeStruct((batch_size, *train.x.shape[1:]), "float32"),
        jax.ShapeDtypeStruct((batch_size, *train.y.shape[1:]), "int32"),
    )
    step = jax.jit(model.train_step, donate_argnums=0)
    return program_bytes(step.lower(state, examples).compile())


def program_bytes(compiled: Any) -> int:
    """The peak memory of a program that JAX has compiled, in bytes, by XLA's estimate."""
    found = compiled.memory_analysis()
    kept = found.argument_size_in_bytes + found.output_size_in_bytes - found.alias_size_in_bytes
    return int(kept + found.temp_size_in_bytes)


def limit() -> int | None:
    """The memory of JAX's device in bytes; None on a CPU and on another back end."""
    if keras.backend.backend() != "jax":
        return None
    import jax

    return (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
