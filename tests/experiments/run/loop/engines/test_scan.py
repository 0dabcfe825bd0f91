"""Chunks of steps as one program: the training of `fit`, on TensorFlow to the bit."""

import dataclasses
import functools

import keras
import numpy as np
import pytest

import models
from conf.schema import SCAN, TrainerConfig
from data import AugmentConfig, Data, Spec, Split
from tests.helpers import full, slow, trained_by

ON_JAX = keras.backend.backend() == "jax"
about_jax = pytest.mark.skipif(not ON_JAX, reason="is about JAX")

# On JAX, relative to the largest value: XLA computes a convolution in a loop by another kernel, and
# a training carries the difference of its rounding on. Adam divides a gradient by its size, so
# where that is hardly more than rounding, its steps may differ by a good part of the learning rate.
TOLERANCE = {"SGD": 1e-3, "AdamW": 2e-3}
SEEDS = {"order": 1, "augment": 2}
TRAINER = TrainerConfig(epochs=2, batch_size=8, jit=ON_JAX, progress=False)


def limited(monkeypatch, **limits):
    """Set limits of the chunks on this back end."""
    name = "chunks" if ON_JAX else "graph_loop"
    for limit, value in limits.items():
        monkeypatch.setattr(f"experiments.run.loop.engines.{name}.{limit}", value)


def split(shape, classes, n, seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, *shape)).astype(np.float32)
    return Split(x, random.integers(0, classes, n).astype(np.int32), np.arange(n))


def data(shape, classes=3, n=37):
    spec = Spec(
        "image", shape, classes, tuple("abc"), "f", (0.0,), (1.0,), "none", "carved", "test"
    )
    train, validation, test = (split(shape, classes, k, i) for i, k in enumerate((n, 9, 9)))
    return Data(train=train, validation=validation, test=test, spec=spec)


def trained(
    build, loaded, trainer, folder, augment=None, optimizer=None, task="classification", **more
):
    """(history, variables) of a training of a network that is built anew."""
    from experiments.run import framework
    from experiments.run.loop import training

    framework.fresh(precision=trainer.precision.replace("auto", "float32"), seed=5)
    model = build()
    chosen = optimizer() if optimizer else keras.optimizers.SGD(0.01)
    training.compile_model(model, chosen, trainer, task, loaded.spec)
    history = training.fit(
        model,
        loaded,
        trainer,
        augment=augment or AugmentConfig(),
        seeds=SEEDS,
        checkpoint_path=folder / "checkpoint.npz",
        **{"progress": keras.callbacks.Callback(), "on_epoch": lambda _: None, **more},
    )
    return history, [np.asarray(v) for v in framework.variables(model)]


def assert_alike(tmp_path, build, loaded, trainer=TRAINER, **more):
    """A training by either engine has the same history and ends with the same variables."""
    scanned = dataclasses.replace(trainer, engine=SCAN)
    for name in ("fit", "scan"):
        (tmp_path / name).mkdir()
    tolerance = TOLERANCE[type(more["optimizer"]()).__name__ if "optimizer" in more else "SGD"]
    history, values = trained(build, loaded, trainer, tmp_path / "fit", **more)
    again, others = trained(build, loaded, scanned, tmp_path / "scan", **more)
    assert len(values) == len(others)
    for row, other in zip(history, again, strict=True):
        assert row.keys() == other.keys() and row["step"] == other["step"]
        for name in row.keys() - {"time", "train_seconds", "images_per_second", "step_ms"}:
            near = pytest.approx(row[name], rel=1e-3, abs=1e-4) if ON_JAX else row[name]
            assert other[name] == near, name
    for value, other in zip(values, others, strict=True):
        if not ON_JAX:
            np.testing.assert_array_equal(other, value)
        scale = max(1.0, float(np.abs(value).max(initial=0)))
        np.testing.assert_allclose(other, value, rtol=0, atol=tolerance * scale)


def network(name, **more):
    """(build, data, task) of a network of the zoo, as small as can be."""
    kind, options = models.kind(name), {**models.registry.tiny(name), **more}
    image = models.gives(name) == "image"
    options["num_classes"] = 1 if image else 3
    side = max(8, models.smallest_input(name, **options))
    loaded = data((*(side,) * models.SPATIAL_RANK[kind], 1))
    build = functools.partial(models.build, name, input_shape=loaded.spec.input_shape, **options)
    if not image:
        return build, loaded, "classification"
    larger = options.get("factor", models.options(name).get("factor", 1))
    return build, of_images(loaded, larger), "reconstruction"


def of_images(loaded, larger):
    """The same data with pictures as targets: each image's own, or its enlargement."""

    def target(split):
        return split.x if larger == 1 else split.x.repeat(larger, 1).repeat(larger, 2)

    splits = {name: getattr(loaded, name) for name in ("train", "validation", "test")}
    own = {name: dataclasses.replace(split, y=target(split)) for name, split in splits.items()}
    spec = dataclasses.replace(
        loaded.spec, num_classes=1, target_mean=(0.0,), target_std=(1.0,), target_range=4.0
    )
    return dataclasses.replace(loaded, **own, spec=spec)


def each(name):
    if name == "fcn8":  # compiled for a minute and a half
        return slow(name)
    return name if name in ("causal_conv1d", "small_cnn", "unet") else full(name)


@pytest.mark.parametrize("name", map(each, models.names()))
def test_every_architecture_trains_as_by_fit(tmp_path, name):
    build, loaded, task = network(name)
    assert_alike(tmp_path, build, loaded, task=task)


def test_circular_trains_as_by_fit(tmp_path):
    """Its gradient by the map is the layers' own."""
    build, loaded, task = network("small_cnn", padding="circular")
    assert_alike(tmp_path, build, loaded, task=task)


@pytest.mark.parametrize(
    ("name", "augment"),
    [
        ("small_cnn", {"flip": True, "crop": 2, "cutout": 3}),
        full("small_cnn", {"crop": 2, "crop_mode": "reflect"}),
        full("unet", {"flip": True}),
        full("subpixel", {"flip": True}),
    ],
)
def test_augmented_images_are_those_of_fit(tmp_path, name, augment):
    build, loaded, task = network(name)
    assert_alike(tmp_path, build, loaded, task=task, augment=AugmentConfig(**augment))


@about_jax
@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("augment", [{}, {"flip": True, "crop": 2, "cutout": 3}])
@pytest.mark.parametrize("name", ["small_cnn", "unet", "subpixel"])
def test_the_batches_are_those_of_fit_to_the_bit(name, augment, held, monkeypatch):
    """The step is replaced by one that gives its batch back."""
    from data.epochs.pipeline import plan_epoch
    from experiments.run.loop import training
    from experiments.run.loop.engines import scan

    monkeypatch.setattr(scan, "_fits", lambda *_: held)
    build, loaded, task = network(name)
    train = loaded.train
    if name == "unet":
        train = dataclasses.replace(train, frame=((1, 5), (2, 4)))
    model = build()
    training.compile_model(model, keras.optimizers.SGD(), TRAINER, task, loaded.spec)
    epochs = scan.ScannedEpochs(model, loaded.train, chosen := AugmentConfig(**augment))
    epochs._train = train
    model.train_step = lambda state, batch: (dict(enumerate(batch)), state)
    epoch = plan_epoch(
        train, batch_size=8, epoch=1, order_seed=1, augment_seed=2, augment=chosen, steps=None
    )
    given_to, seen = functools.partial(epochs.given, epoch), 0
    epochs._programs._most = 3
    for first, count, program in epochs._programs.prepare(epoch, (), given_to)[1]:
        _, given = program((), 1, *given_to(first, count))
        for i in range(count):
            for part, expected in enumerate(epoch[first + i]):
                np.testing.assert_array_equal(given[part][i], expected)
            seen += 1
    assert seen == len(epoch) == 5


def test_adam_trains_as_by_fit(tmp_path):
    build, loaded, _ = network("small_cnn")
    assert_alike(tmp_path, build, loaded, optimizer=lambda: keras.optimizers.AdamW(0.003))


def test_dropout_draws_the_same_numbers(tmp_path):
    build, loaded, _ = network("small_cnn", dropout=0.5)
    assert_alike(tmp_path, build, loaded)


@pytest.mark.parametrize(
    "change",
    [
        full({"steps": 7, "epochs": None}),  # the second epoch is cut short
        full({"label_smoothing": 0.1}),
        full({"freeze": "*conv*"}),
        full({"restore_best": True}),
        full({"precision": "mixed_float16"}),
        full({"jit": True}),
    ],
)
def test_settings_of_the_trainer(tmp_path, change):
    build, loaded, _ = network("small_cnn")
    assert_alike(tmp_path, build, loaded, dataclasses.replace(TRAINER, **change))


def test_a_schedule_goes_on_from_epoch_to_epoch(tmp_path):
    build, loaded, _ = network("small_cnn")

    def falling():
        return keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(0.1, 10), momentum=0.9, nesterov=True
        )

    assert_alike(tmp_path, build, loaded, optimizer=falling)


def test_a_training_that_is_cut_goes_on_to_the_same_end(tmp_path):
    build, loaded, _ = network("small_cnn", dropout=0.5)
    scanned = dataclasses.replace(TRAINER, engine=SCAN, epochs=3)
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    history, values = trained(build, loaded, scanned, tmp_path / "whole")

    class Cut(KeyboardInterrupt):
        pass

    def cut(history):
        if len(history) == 2:
            raise Cut

    with pytest.raises(Cut):
        trained(build, loaded, scanned, tmp_path / "cut", on_epoch=cut)
    again, others = trained(build, loaded, scanned, tmp_path / "cut")
    assert [row["loss"] for row in again] == [row["loss"] for row in history]
    for value, other in zip(values, others, strict=True):
        np.testing.assert_array_equal(other, value)


@pytest.mark.parametrize("limit", [{"CHUNK": 2}, {"SECONDS": 1e-9}])
def test_an_interrupt_ends_it_between_two_chunks(tmp_path, monkeypatch, limit):
    """Whose length is limited, and shorter if a step takes long."""
    from experiments.run import framework

    limited(monkeypatch, **limit)
    build, loaded, _ = network("small_cnn")
    seen = []

    class Bar(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)
            framework.INTERRUPTED.set()

    try:
        with pytest.raises(KeyboardInterrupt):
            trained(
                build, loaded, dataclasses.replace(TRAINER, engine=SCAN), tmp_path, progress=Bar()
            )
    finally:
        framework.INTERRUPTED.clear()
    # On TensorFlow the first step, which is traced, is alone.
    assert seen == [1 if ON_JAX and "CHUNK" in limit else 0]


@pytest.mark.parametrize("chunk", [2, 50])
def test_a_loss_that_is_not_finite_is_told_with_its_step(tmp_path, monkeypatch, chunk):
    from experiments.run.evaluation.diverged import DivergedError

    limited(monkeypatch, CHUNK=chunk)
    build, loaded, _ = network("small_cnn")
    told = {}
    for name in ("fit", "scan"):
        (tmp_path / name).mkdir()
        settings = dataclasses.replace(TRAINER, engine=name)
        with pytest.raises(DivergedError) as caught:
            trained(build, loaded, settings, tmp_path / name, optimizer=Exploding)
        told[name] = str(caught.value)
    assert told["scan"] == told["fit"] == "the loss became nan at step 4"


class Exploding(keras.optimizers.SGD):
    """Makes the weights NaN in its third step, so that the loss of the fourth is."""

    def update_step(self, gradient, variable, learning_rate):
        late = keras.ops.where(self.iterations >= 2, np.nan, 0.0)
        self.assign(variable, variable + late)


@about_jax
def test_data_that_stays_beside_the_device_is_sent_by_the_chunk(tmp_path, monkeypatch):
    from experiments.run.loop.engines import scan

    monkeypatch.setattr(scan, "_fits", lambda *_: False)
    build, loaded, _ = network("small_cnn")
    assert_alike(tmp_path, build, loaded, augment=AugmentConfig(flip=True))


SMALL = ("model.widths=[4,4]", "model.convs_per_stage=[1,1]")
UNET = ("model=unet", "model.depth=1", "model.width=2")


@pytest.mark.skipif(ON_JAX, reason="is about TensorFlow")
@pytest.mark.parametrize(
    "options",
    [
        (*SMALL, "data.augment.flip=true", "model.dropout=0.5"),
        (*SMALL, "data.memory=1e-6"),  # read from disk
        full((*UNET, "padding=valid")),  # part of each mask
        full((*SMALL, "trainer.precision=mixed_bfloat16")),
        full((*SMALL, "optimizer=sgd", "schedule=cosine", "trainer.epochs=null")),
    ],
)
def test_a_run_is_that_of_fit_to_the_bit(program, options):
    shared = ("data.examples=150", "trainer.batch_size=54", "trainer.progress=false")
    length = "trainer.steps=5" if "trainer.epochs=null" in options else "trainer.epochs=2"
    left = {}
    for name in ("fit", "scan"):
        own = (f"trainer.engine={name}", f"study={name}")
        outcome = program(*shared, length, *options, *own)
        assert (outcome.code, outcome.err) == (0, "")
        left[name] = trained_by(0, study=name)
    assert left["fit"].keys() == left["scan"].keys()
    for name, values in left["fit"].items():
        np.testing.assert_array_equal(values, left["scan"][name], err_msg=name)
