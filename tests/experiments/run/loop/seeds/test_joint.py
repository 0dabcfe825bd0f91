"""Several seeds as one program: each as if it had been trained alone."""

import dataclasses
import functools

import keras
import numpy as np
import pytest

from conf.schema import SCAN, TrainerConfig
from data import AugmentConfig
from tests.experiments.run.loop.engines.test_scan import network
from tests.helpers import full

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="is about JAX")

# Relative to the largest value, as in test_scan.
TOLERANCE = 1e-3
TRAINER = TrainerConfig(epochs=3, batch_size=8, jit=True, engine=SCAN, progress=False)


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    """No test trains by another's programs, or is interrupted by another's interrupt."""
    from experiments.run import framework
    from experiments.run.loop.engines import reuse

    monkeypatch.setattr(reuse, "_last", None)
    yield
    framework.INTERRUPTED.clear()


@pytest.fixture
def traced(monkeypatch):
    """The sizes of the batches with which a step was traced so far."""
    found = []
    step = keras.Model.train_step

    def counted(self, state, batch):
        found.append(len(batch[0]))
        return step(self, state, batch)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    return found


def adam():
    falling = keras.optimizers.schedules.CosineDecay(0.01, 15)
    return keras.optimizers.AdamW(falling)


def sgd():
    return keras.optimizers.SGD(0.01)


def one(seed, build, loaded, trainer, folder, *, optimizer=adam, augment=None, task=None, **more):
    """(history, variables) of a seed's training, as train.py makes it."""
    from experiments.run import framework
    from experiments.run.loop import training
    from experiments.run.loop.engines import reuse

    framework.fresh(precision=trainer.precision.replace("auto", "float32"), seed=seed)
    model = build()
    training.compile_model(model, optimizer(), trainer, task or "classification", loaded.spec)
    model = reuse.compiled(model, "cell")
    on_epoch = more.get("on_epoch", lambda seed, model, history: None)
    (folder / f"{seed}").mkdir(exist_ok=True)
    history = training.fit(
        model,
        loaded,
        trainer,
        augment=augment or AugmentConfig(),
        seeds={"order": seed, "augment": seed},
        checkpoint_path=folder / f"{seed}" / "checkpoint.npz",
        progress=keras.callbacks.Callback(),
        on_epoch=functools.partial(on_epoch, seed, model),
    )
    return history, [np.asarray(v) for v in framework.variables(model)]


def at_once(seeds, *arguments, said=None, **more):
    from experiments.run.loop.seeds import turns

    calls = [functools.partial(one, seed, *arguments, **more) for seed in seeds]
    return turns.together(calls, [].append if said is None else said.append)


def folders(tmp_path, *names):
    for name in names:
        (tmp_path / name).mkdir()
    return [tmp_path / name for name in names]


def assert_alike(found, expected, tolerance=TOLERANCE):
    for (history, values), (own, others) in zip(found, expected, strict=True):
        for row, other in zip(history, own, strict=True):
            assert row.keys() == other.keys()
            assert row["step"] == other["step"]
            for name in row.keys() - {"time", "train_seconds", "images_per_second", "step_ms"}:
                assert row[name] == pytest.approx(other[name], rel=1e-3, abs=1e-4), name
        for value, other in zip(values, others, strict=True):
            scale = max(1.0, float(np.abs(other).max(initial=0)))
            np.testing.assert_allclose(value, other, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize(
    ("name", "options", "more"),
    [
        ("small_cnn", {"dropout": 0.5}, {"augment": {"flip": True, "crop": 2, "cutout": 3}}),
        full("causal_conv1d", {}, {}),
        full("unet", {}, {"augment": {"flip": True}}),
        # AdamW makes a step of any gradient, and in float16 more of them are but rounding.
        full("small_cnn", {}, {"trainer": {"precision": "mixed_float16"}, "optimizer": sgd}),
        full("small_cnn", {}, {"trainer": {"epochs": None, "steps": 13}}),
        full("small_cnn", {}, {"trainer": {"restore_best": True}}),
    ],
)
def test_seeds_at_once_end_as_each_alone(tmp_path, traced, name, options, more):
    build, loaded, task = network(name, **options)
    trainer = dataclasses.replace(TRAINER, **more.get("trainer", {}))
    together, apart = folders(tmp_path, "together", "apart")
    rest = {"augment": AugmentConfig(**more.get("augment", {})), "task": task}
    rest["optimizer"] = more.get("optimizer", adam)
    found = at_once((3, 4, 5), build, loaded, trainer, together, **rest)
    # A step that is measured, a chunk of four batches and the smaller last one, however many epochs
    # and seeds there are; an epoch that is cut short has a chunk of its own.
    assert len(traced) == 3 + bool(trainer.steps)
    expected = [one(seed, build, loaded, trainer, apart, **rest) for seed in (3, 4, 5)]
    assert_alike(found, expected)
    assert not np.allclose(found[0][1][0], found[1][1][0])


@pytest.mark.full
def test_data_that_stays_beside_the_device_is_sent_by_the_chunk(tmp_path, monkeypatch):
    from experiments.run.loop.engines import epochs, scan

    build, loaded, _ = network("small_cnn")
    trainer = dataclasses.replace(TRAINER, epochs=1)
    held, sent = folders(tmp_path, "held", "sent")
    expected = at_once((3, 4), build, loaded, trainer, held)
    monkeypatch.setattr(scan, "_fits", lambda *_: False)
    monkeypatch.setattr(epochs, "_last", None)
    assert_alike(at_once((3, 4), build, loaded, trainer, sent), expected)


def test_a_seed_that_diverges_fails_alone_with_its_step(tmp_path):
    from experiments.run.evaluation.diverged import DivergedError

    build, loaded, _ = network("small_cnn")
    together, apart = folders(tmp_path, "together", "apart")
    errors = {}

    def broken(seed, model, history):
        if seed == 4 and len(history) == 1:
            model.trainable_variables[0].assign(model.trainable_variables[0] * np.nan)

    def caught(seed):
        try:
            return one(seed, build, loaded, TRAINER, together, on_epoch=broken)
        except DivergedError as error:
            errors[seed] = str(error)

    from experiments.run.loop.seeds import turns

    calls = [functools.partial(caught, seed) for seed in (3, 4, 5)]
    first, none, last = turns.together(calls, print)
    assert none is None
    assert errors == {4: "the loss became nan at step 6"}
    expected = [one(seed, build, loaded, TRAINER, apart) for seed in (3, 5)]
    assert_alike([first, last], expected)


def test_a_program_serves_fewer_seeds_too_until_half_of_it_is_wasted(tmp_path, traced):
    """Seeds that end earlier, as here by their own number of epochs, leave the group."""
    build, loaded, _ = network("small_cnn")
    together, apart = folders(tmp_path, "together", "apart")

    class Enough(Exception):
        pass

    def stop(seed, model, history):
        if len(history) == seed:
            raise Enough

    def until(seed):
        with pytest.raises(Enough):
            one(seed, build, loaded, TRAINER, together, on_epoch=stop)

    from experiments.run.loop.seeds import joint, turns

    turns.together([functools.partial(until, seed) for seed in (1, 2, 3)], print)
    # Three seeds, then two in the program for three; the last one is trained alone.
    assert list(joint._last._programs) == [3]
    assert len(traced) == 3
    again = [one(seed, build, loaded, TRAINER, together) for seed in (2, 3)]
    assert_alike(again, [one(seed, build, loaded, TRAINER, apart) for seed in (2, 3)])


def test_seeds_are_cut_and_go_on_at_once_or_alone_from_epochs_of_their_own(tmp_path):
    build, loaded, _ = network("small_cnn", dropout=0.5)
    cut, apart = folders(tmp_path, "cut", "apart")

    def interrupt(at, seed, model, history):
        if len(history) == at and seed == 4:
            raise KeyboardInterrupt

    arguments = (build, loaded, TRAINER, cut)
    with pytest.raises(KeyboardInterrupt):  # alone: seed 4 is an epoch ahead of the others
        one(4, *arguments, on_epoch=functools.partial(interrupt, 1))
    with pytest.raises(KeyboardInterrupt):
        at_once((3, 4, 5), *arguments, on_epoch=functools.partial(interrupt, 2))
    from experiments.run import framework

    framework.INTERRUPTED.clear()
    # Seed 4 was interrupted after its second epoch, before seed 5 had its turn to keep its first.
    assert [file.parent.name for file in sorted(cut.glob("*/checkpoint.npz"))] == ["3", "4"]
    found = [one(3, *arguments), *at_once((4, 5), *arguments)]
    assert [row["epoch"] for history, _ in found for row in history] == [1, 2, 3] * 3
    assert_alike(found, [one(seed, build, loaded, TRAINER, apart) for seed in (3, 4, 5)])


def test_seeds_beyond_the_devices_memory_are_halved_and_it_is_said(tmp_path, monkeypatch):
    from experiments.run.loop import memory
    from experiments.run.loop.seeds import joint

    build, loaded, _ = network("small_cnn")
    trainer = dataclasses.replace(TRAINER, epochs=2)
    small, raised, apart = folders(tmp_path, "small", "raised", "apart")
    expected = [one(seed, build, loaded, trainer, apart) for seed in (3, 4, 5)]

    said = []
    monkeypatch.setattr(memory, "limit", lambda: 1000)
    found = at_once((3, 4, 5), build, loaded, trainer, small, said=said)
    assert_alike(found, expected, tolerance=0)
    assert len(said) == 2
    assert said[0].startswith("3 seeds at once need about ")
    assert said[0].endswith("GiB: they are trained 2 at once")
    assert said[1].endswith(": they are trained one after the other")

    monkeypatch.setattr(memory, "limit", lambda: None)
    monkeypatch.setattr(joint, "_last", None)
    programs = joint.JointEpochs._of

    def exhausted(self, size):
        if size > 2:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return programs(self, size)

    monkeypatch.setattr(joint.JointEpochs, "_of", exhausted)
    said.clear()
    assert_alike(at_once((3, 4, 5), build, loaded, trainer, raised, said=said), expected)
    assert said == [
        "3 seeds at once do not fit into the device's memory: they are trained 2 at once"
    ]


def test_another_error_of_the_program_is_the_error_of_each(tmp_path, monkeypatch):
    from experiments.run.loop.seeds import joint, turns

    build, loaded, _ = network("small_cnn")

    def broken(*_):
        raise ValueError("broken")

    monkeypatch.setattr(joint.JointEpochs, "_of", broken)
    seen = []

    def caught(seed):
        try:
            one(seed, build, loaded, TRAINER, tmp_path)
        except ValueError as error:
            seen.append(str(error))

    turns.together([functools.partial(caught, seed) for seed in (1, 2)], print)
    assert seen == ["broken", "broken"]


@pytest.mark.full
def test_networks_that_differ_are_trained_one_after_the_other(tmp_path):
    """As those of random borders, whose seed is in the layers."""
    build, loaded, _ = network("small_cnn")
    build = functools.partial(build, padding="random")
    trainer = dataclasses.replace(TRAINER, epochs=1)
    together, apart = folders(tmp_path, "together", "apart")
    chosen = {
        3: functools.partial(build, padding_seed=3),
        4: functools.partial(build, padding_seed=4),
    }
    from experiments.run.loop.seeds import turns

    calls = [functools.partial(one, s, b, loaded, trainer, together) for s, b in chosen.items()]
    found = turns.together(calls, print)
    expected = [one(seed, b, loaded, trainer, apart) for seed, b in chosen.items()]
    assert_alike(found, expected, tolerance=0)
