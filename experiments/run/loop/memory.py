"""When a training does not fit into the device's memory: what would."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from conf.schema import TrainerConfig
    from data import Split

SIGNS = ("RESOURCE_EXHAUSTED", "ResourceExhausted", "Out of memory", "out of memory")
FREE = 0.9  # of the device's memory: what is held beside the step, and lost to its gaps


class OutOfMemoryError(RuntimeError):
    """The device's memory does not hold a step; the message says which batch it would hold."""


@contextlib.contextmanager
def told(model: keras.Model, train: Split, trainer: TrainerConfig) -> Iterator[None]:
    """Inside the block, an error of the device's memory is one line that says what to do.

    Args:
        model: compiled for the training.
        train: what it is trained on.
        trainer: of the run.

    Raises:
        OutOfMemoryError: in the error's stead.
    """
    try:
        yield
    except Exception as error:
        if not any(sign in f"{type(error).__name__}: {error}" for sign in SIGNS):
            raise
        batch, limit, fits = trainer.batch_size, _limit(), None
        if limit is not None:
            with contextlib.suppress(Exception):  # of a second error nobody would learn the first
                fits = largest_batch(model, train, batch, limit)
        known = f"about {fits} would fit" if fits else "how many would fit is not known"
        raise OutOfMemoryError(
            f"the device's memory does not hold a step of trainer.batch_size={batch}; {known}: "
            f"take trainer.batch_size={fits or max(1, batch // 2)}"
        ) from error


def largest_batch(model: keras.Model, train: Split, batch_size: int, limit: int) -> int | None:
    """The largest batch whose step, as XLA compiles it, fits into `limit` bytes; on JAX.

    The memory of two small batches' steps is extended along a line (what XLA's `memory_analysis`
    tells of arguments, results and all between).

    Returns:
        A power of two below `batch_size`; None where not even one example fits.
    """
    few, more = max(1, batch_size // 8), max(2, batch_size // 4)
    small, large = (step_bytes(model, train, size) for size in (few, more))
    each = max(1.0, (large - small) / (more - few))
    most = min(batch_size - 1, int((FREE * limit - (small - few * each)) / each))
    return 2 ** (most.bit_length() - 1) if most >= 1 else None


def step_bytes(model: keras.Model, train: Split, batch_size: int) -> int:
    """The memory that one training step of `batch_size` takes at its peak, by XLA's account."""
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
    found = step.lower(state, examples).compile().memory_analysis()
    kept = found.argument_size_in_bytes + found.output_size_in_bytes - found.alias_size_in_bytes
    return int(kept + found.temp_size_in_bytes)


def _limit() -> int | None:
    """The bytes of the device that JAX computes on; None on a CPU and on another back end."""
    if keras.backend.backend() != "jax":
        return None
    import jax

    return (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
