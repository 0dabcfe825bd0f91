"""A step that the device's memory does not hold: what is said, and what would fit."""

import keras
import numpy as np
import pytest

from conf.schema import TrainerConfig
from data import Split
from experiments.run.loop import memory, training

TRAIN = Split(np.zeros((64, 8, 8, 1), np.float32), np.zeros(64, np.int32), np.arange(64))
jax_only = pytest.mark.skipif(keras.backend.backend() != "jax", reason="XLA's account of memory")


@pytest.fixture
def model():
    layers = [keras.Input((8, 8, 1)), keras.layers.Conv2D(8, 3), keras.layers.Flatten()]
    made = keras.Sequential([*layers, keras.layers.Dense(2)])
    training.compile_model(made, keras.optimizers.SGD(0.1), TrainerConfig(jit=True))
    return made


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes."),
        type("ResourceExhaustedError", (Exception,), {})("failed to allocate memory"),
        RuntimeError("CUDA out of memory"),
    ],
)
def test_the_line_names_the_batch_and_what_to_take(model, error):
    with (
        pytest.raises(memory.OutOfMemoryError) as caught,
        memory.told(model, TRAIN, TrainerConfig(batch_size=48)),
    ):
        raise error
    assert str(caught.value) == (
        "a step of trainer.batch_size=48 does not fit into the device's memory; the batch size "
        "that would fit is unknown: use trainer.batch_size=24"
    )
    assert caught.value.__cause__ is error


def test_another_error_is_left_alone(model):
    with (
        pytest.raises(ValueError, match="of another kind"),
        memory.told(model, TRAIN, TrainerConfig()),
    ):
        raise ValueError("of another kind")


@jax_only
def test_what_would_fit_is_read_from_the_compiled_step(model, monkeypatch):
    limit = int(memory.step_bytes(model, TRAIN, 16) / memory.FREE) + 100
    assert memory.largest_batch(model, TRAIN, 64, limit) == 16
    assert memory.largest_batch(model, TRAIN, 64, 10 * limit) == 32  # below what did not fit
    assert memory.largest_batch(model, TRAIN, 64, 1) is None
    monkeypatch.setattr(memory, "limit", lambda: limit)
    with (
        pytest.raises(memory.OutOfMemoryError, match=r"about 16 would fit: use .*batch_size=16$"),
        memory.told(model, TRAIN, TrainerConfig(batch_size=64)),
    ):
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory")
