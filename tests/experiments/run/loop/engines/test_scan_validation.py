"""The validation of an epoch as one program: the numbers of Keras' `evaluate`, on JAX."""

import dataclasses
import functools
import gc

import keras
import numpy as np
import pytest

import models
from conf.schema import SCAN, TrainerConfig
from data import AugmentConfig, Data, Spec, Split
from data.transforms import apply_normalisation, byte_levels
from experiments.run import framework
from experiments.run.loop import memory, training
from experiments.run.loop.batches import ordered_batches
from experiments.run.loop.engines import epochs
from tests.helpers import full

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="is about JAX")
TOLERANCE = 1e-5  # relative; XLA computes a convolution in a loop by another kernel
TRAINER = TrainerConfig(epochs=3, batch_size=2, engine=SCAN, progress=False)
SIDE, NONE = 8, AugmentConfig()
NETWORKS = {
    "classification": ("small_cnn", {}),
    "forecasting": ("causal_conv1d", {"head": "steps"}),
    "segmentation": ("unet", {}),
    "reconstruction": ("autoencoder", {"num_classes": 1}),
    "super_resolution": ("subpixel", {"num_classes": 1, "factor": 2}),
}


def split(task, n, seed):
    """Stored bytes, normalised, and targets of the task in three classes."""
    rng = np.random.default_rng(seed)
    mean, std = np.array([120.0]), np.array([70.0])
    shape = (40, 1) if task == "forecasting" else (SIDE, SIDE, 1)
    x = apply_normalisation(rng.integers(0, 256, (n, *shape)).astype(np.uint8), mean, std)
    y = {
        "classification": lambda: rng.integers(0, 3, n).astype(np.int32),
        "forecasting": lambda: rng.integers(0, 3, (n, 5)).astype(np.int32),
        "segmentation": lambda: rng.integers(-1, 3, (n, SIDE, SIDE)).astype(np.int32),
        "reconstruction": lambda: x,
        "super_resolution": lambda: x.repeat(2, 1).repeat(2, 2),
    }[task]()
    return Split(x, y, np.arange(n), levels=byte_levels(mean, std))


def prepared(task="classification", n=21):
    """(model, data) with n examples in the validation split."""
    framework.fresh(precision="float32", seed=5)
    train, validation = split(task, 6, 0), split(task, n, 1)
    pictures = {"target_mean": (120.0,), "target_std": (70.0,), "target_range": 255.0}
    spec = Spec(
        *("image", train.x.shape[1:], 3, tuple("abc"), "f", (120.0,), (70.0,)),
        *("standardize", "carved", "test"),
        **pictures,
    )
    name, more = NETWORKS[task]
    options = {**models.registry.tiny(name), "num_classes": 3, **more}
    if task == "forecasting":
        options["scored_steps"] = 5
    model = models.build(name, input_shape=spec.input_shape, **options)
    training.compile_model(model, keras.optimizers.SGD(0.1), TRAINER, task, spec)
    return model, Data(spec, train, validation, validation)


def validated(model, data):
    return training.validate(model, data, TRAINER, NONE)


def evaluated(model, data):
    """The numbers of Keras, in its order."""
    batches = ordered_batches(data.validation, batch_size=4 * TRAINER.batch_size)
    logs = model.evaluate(batches, verbose=0, return_dict=True)
    return {f"validation_{name}": value for name, value in logs.items()}


def held(model, data):
    """What the pass has on the device."""
    return epochs.of(model, data.train, NONE)._validation._held


def refuse(*_, **__):
    raise AssertionError("Keras' evaluate was called")


@pytest.mark.parametrize(
    ("task", "n"),
    [
        ("classification", 21),  # two whole batches and a smaller one
        full("classification", 16),
        full("classification", 5),
        ("forecasting", 21),
        ("segmentation", 21),
        full("reconstruction", 21),
        ("super_resolution", 21),
    ],
)
def test_the_numbers_are_those_of_evaluate(task, n, monkeypatch):
    model, data = prepared(task, n)
    expected = evaluated(model, data)
    before = [np.asarray(v) for v in framework.variables(model)]
    monkeypatch.setattr(keras.Model, "evaluate", refuse)
    found = validated(model, data)
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=TOLERANCE)
    assert held(model, data).x.dtype == "uint8"
    for value, now in zip(before, framework.variables(model), strict=True):
        np.testing.assert_array_equal(value, now)


def test_only_the_part_that_a_network_gives_counts():
    model, data = prepared("super_resolution")
    whole = validated(model, data)
    inputs = model.input
    cut = keras.Model(inputs, keras.layers.Cropping2D(((1, 2), (3, 1)))(model.output))
    training.compile_model(cut, keras.optimizers.SGD(), TRAINER, "super_resolution", data.spec)
    framed = {
        name: dataclasses.replace(getattr(data, name), frame=((1, 13), (3, 12)))
        for name in ("train", "validation")
    }
    data = dataclasses.replace(data, **framed)
    found = validated(cut, data)
    assert found == pytest.approx(evaluated(cut, data), rel=TOLERANCE)
    assert found["validation_psnr"] != whole["validation_psnr"]


def test_data_that_does_not_fit_beside_that_of_the_training_is_sent_by_keras(monkeypatch):
    from experiments.run.loop.engines import scan

    model, data = prepared()
    both = sum(each.x.size + each.y.nbytes for each in (data.train, data.validation))
    for limit, fits in ((both, True), (both - 1, False)):
        monkeypatch.setattr(memory, "limit", lambda limit=limit: round(limit / scan.FITS))
        monkeypatch.setattr(epochs, "_last", None)
        assert validated(model, data) == pytest.approx(evaluated(model, data), rel=TOLERANCE)
        assert (held(model, data) is not None) == fits
        assert epochs.of(model, data.train, NONE)._held is not None


def test_data_leaves_the_device_before_other_data_comes(monkeypatch):
    import jax

    from experiments.run.loop.engines import scan

    def on_it():
        """The bytes of pictures on the device, without a garbage collection."""
        return sum(array.nbytes for array in jax.live_arrays() if array.dtype == "uint8")

    model, data = prepared()
    monkeypatch.setattr(epochs, "_last", None)
    gc.collect()
    before, put, seen = on_it(), scan.on_device, []
    monkeypatch.setattr(scan, "on_device", lambda *a: (seen.append(on_it() - before), put(*a))[1])
    validated(model, data)
    validated(model, dataclasses.replace(data, validation=split("classification", 9, 2)))
    validated(model, dataclasses.replace(data, train=split("classification", 7, 3)))
    train = data.train.x.size
    assert seen == [0, train, train, 0, 7 * SIDE * SIDE]


def test_a_loss_that_is_not_finite_ends_the_training():
    from experiments.run.evaluation.diverged import DivergedError

    model, data = prepared()
    model.trainable_variables[0].assign(model.trainable_variables[0] * np.nan)
    with pytest.raises(DivergedError, match="^the validation loss became nan$"):
        validated(model, data)


def test_later_epochs_and_seeds_trace_nothing(tmp_path, monkeypatch):
    model, data = prepared()
    monkeypatch.setattr(keras.Model, "evaluate", refuse)
    traced, step = [], model.test_step
    monkeypatch.setattr(model, "test_step", lambda *a: (traced.append(1), step(*a))[1])
    counts = []

    def trained(seed):
        return training.fit(
            model,
            data,
            TRAINER,
            augment=NONE,
            seeds={"order": seed, "augment": seed},
            checkpoint_path=tmp_path / f"{seed}.npz",
            progress=keras.callbacks.Callback(),
            on_epoch=lambda _: counts.append(len(traced)),
        )

    first, second = trained(0), trained(1)
    assert counts[0] > 0
    assert counts == [counts[0]] * 2 * TRAINER.epochs
    assert first[-1]["validation_loss"] != second[-1]["validation_loss"]


def test_another_split_is_a_pass_of_its_own_with_measures_that_begin_anew():
    model, data = prepared()
    first = validated(model, data)
    other = dataclasses.replace(data, validation=split("classification", 21, 2))
    found = validated(model, other)
    assert found == pytest.approx(evaluated(model, other), rel=TOLERANCE)
    assert found != first


def test_an_interrupt_ends_it_between_two_chunks(monkeypatch):
    """In a thread, where it is remembered and not raised."""
    from experiments.run.loop.engines import chunks

    monkeypatch.setattr(chunks, "CHUNK", 1)
    model, data = prepared()
    expected, seen = validated(model, data), []
    programs = epochs.of(model, data.train, NONE)._validation._programs

    def interrupted(program, *arguments):
        seen.append(1)
        framework.INTERRUPTED.set()
        return program(*arguments)

    for key, program in list(programs._compiled.items()):
        monkeypatch.setitem(programs._compiled, key, functools.partial(interrupted, program))
    try:
        with pytest.raises(KeyboardInterrupt):
            validated(model, data)
    finally:
        framework.INTERRUPTED.clear()
    assert len(seen) == 1
    assert expected == pytest.approx(evaluated(*prepared()), rel=TOLERANCE)
