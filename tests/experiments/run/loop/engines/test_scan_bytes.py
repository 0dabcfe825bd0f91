"""Stored bytes on the device: a quarter of the memory, and the batches of `fit` to the bit."""

import dataclasses
import functools

import keras
import numpy as np
import pytest

import data
from conf.schema import TrainerConfig
from data import AugmentConfig
from data.epochs.pipeline import plan_epoch
from experiments.run.loop import training

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="is about JAX")
N, SIDE = 37, 8
ALL = {"flip": True, "crop": 2, "cutout": 3}


@pytest.fixture
def own(tmp_path):
    """`own(…)` loads coloured pictures of bytes in three classes; as they are, or of a type."""

    def load(dtype="uint8", **settings):
        rng = np.random.default_rng(0)
        x = rng.integers(0, 256, (N + 9, SIDE, SIDE, 3)).astype(dtype)
        arrays = {"x_train": x[:N], "x_validation": x[:9], "x_test": x[:9]}
        arrays |= {f"y{name[1:]}": np.arange(len(part)) % 3 for name, part in arrays.items()}
        path = tmp_path / "own.npz"
        np.savez(path, **arrays)
        return data.load(data.DataConfig("own", "npz", path=str(path), **settings))

    return load


def compiled(loaded, task):
    """A network of a layer or two, since no step of it is computed."""
    layers = [keras.layers.Flatten(), keras.layers.Dense(3)]
    if task != "classification":
        larger = loaded.train.y.shape[1] // loaded.train.x.shape[1]
        layers = [keras.layers.UpSampling2D(larger), keras.layers.Conv2D(3, 1)]
    inputs = outputs = keras.Input(loaded.spec.input_shape)
    for layer in layers:
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)
    training.compile_model(model, keras.optimizers.SGD(), TrainerConfig(), task, loaded.spec)
    return model


def epochs_of(loaded, task="classification", augment=None, **changes):
    """The epochs of a training, whose step is replaced by one that gives its batch back."""
    from experiments.run.loop.engines import scan

    train = dataclasses.replace(loaded.train, **changes)
    model = compiled(loaded, task)
    epochs = scan.ScannedEpochs(model, train, augment or AugmentConfig())
    model.train_step = lambda state, batch: (dict(enumerate(batch)), state)
    return epochs, train


@pytest.mark.parametrize(
    ("settings", "augment"),
    [
        ({}, {}),
        ({}, ALL),
        ({}, ALL | {"crop_mode": "reflect"}),
        ({"sequence": True}, {}),
        ({"sequence": True, "permutation": 3}, {}),
        ({"task": "reconstruction"}, {}),
        ({"task": "reconstruction"}, {"flip": True}),
        ({"task": "super_resolution", "factor": 2}, {"flip": True}),
    ],
)
def test_the_batches_are_those_of_fit_to_the_bit(own, settings, augment):
    chosen, task = AugmentConfig(**augment), settings.get("task", "classification")
    epochs, train = epochs_of(own(**settings), task, chosen)
    if task == "reconstruction":
        epochs._train = train = dataclasses.replace(train, frame=((1, 5), (2, 4)))
    held = epochs._held
    assert (held.y if task == "super_resolution" else held.x).dtype == "uint8"
    assert (held.y is None) == (task == "reconstruction")
    epoch = plan_epoch(
        train, batch_size=8, epoch=1, order_seed=1, augment_seed=2, augment=chosen, steps=None
    )
    given_to, seen = functools.partial(epochs.given, epoch), 0
    epochs._programs._most = 3
    for first, count, program in epochs._programs.prepare(epoch, (), given_to)[1]:
        _, given = program((), 1, *given_to(first, count))
        for i in range(count):
            for part, expected in enumerate(epoch[first + i]):
                found = np.asarray(given[part][i])
                assert found.dtype == expected.dtype
                assert found.tobytes() == expected.tobytes()
            seen += 1
    assert seen == len(epoch) == 5


@pytest.mark.parametrize(("dtype", "settings"), [("float32", {}), ("uint8", {"resize": 10})])
def test_values_that_were_no_bytes_are_on_the_device_as_they_are(own, dtype, settings):
    epochs, train = epochs_of(own(dtype, **settings))
    assert epochs._held.levels is None
    np.testing.assert_array_equal(epochs._held.x, train.x)


def test_a_value_that_is_not_in_the_table_leaves_the_values_on_the_device(own):
    loaded = own()
    x = loaded.train.x.copy()
    x[-1, 2, 1, 0] = np.nextafter(x[-1, 2, 1, 0], 9)
    epochs, train = epochs_of(loaded, x=x)
    assert epochs._held.levels is None
    np.testing.assert_array_equal(epochs._held.x, train.x)


@pytest.mark.parametrize("beside", [0, 1000])
def test_what_counts_is_the_memory_that_is_used(own, beside, monkeypatch):
    """The bytes of the pictures and the labels; as floats the pictures would take four times."""
    from experiments.run.loop import memory
    from experiments.run.loop.engines import scan

    needed = N * SIDE * SIDE * 3 + 4 * N
    for limit, fits in ((needed + beside, True), (needed + beside - 1, False)):
        monkeypatch.setattr(memory, "limit", lambda limit=limit: round(limit / scan.FITS))
        assert (scan.on_device(own().train, beside) is not None) == fits
