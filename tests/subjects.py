"""Small networks and data for the probes: the real things, a few examples of them."""

import numpy as np

import models
from data import Data, Spec, Split
from data.tasks import CLASSIFICATION, TASKS
from experiments.probes.shared.subject import Subject
from experiments.run import inputs
from models.geometry.tracing.trace import trace


def data(x, y, *, classes=None, margin=None, subset=None, scored_steps=None):
    """A data set whose test split, and training split, is these examples."""
    x, y = np.asarray(x, np.float32), np.asarray(y, np.int32)
    split = Split(x, y, np.arange(len(x)), margin=margin, subset=subset)
    channels = x.shape[-1]
    spec = Spec(
        kind="image" if x.ndim == 4 else "sequence",
        input_shape=x.shape[1:],
        num_classes=classes or int(y.max()) + 1,
        class_names=tuple(map(str, range(classes or int(y.max()) + 1))),
        fingerprint="made/1.0.0",
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        normalize="none",
        validation="none",
        test="test",
        scored_steps=scored_steps,
    )
    return Data(train=split, validation=None, test=split, spec=spec)


def noise(shape, n=64, classes=5, seed=0, **more):
    """`n` examples of noise of this shape with random labels."""
    rng = np.random.default_rng(seed)
    return data(rng.normal(size=(n, *shape)), rng.integers(classes, size=n), **more)


def images(task, shape, n=24, factor=1, classes=3, seed=0, y=None, **more):
    """`n` images of noise of this shape, whose targets are noise too: masks, or pictures.

    Pictures are in units of 2, after normalisation; the first pixel of a mask does not count.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, *shape)).astype(np.float32)
    size = (factor * shape[0], factor * shape[1])
    masks = TASKS[task].target == "mask"
    if y is None and masks:
        y = rng.integers(classes, size=(n, *size)).astype(np.int32)
        y[:, 0, 0] = -1
    elif y is None:
        y = rng.normal(size=(n, *size, shape[-1])).astype(np.float32)
    split = Split(x, y, np.arange(n), **more)
    channels = shape[-1]
    spec = Spec(
        kind="image",
        input_shape=tuple(shape),
        num_classes=classes if masks else channels,
        class_names=tuple(map(str, range(classes))) if masks else (),
        fingerprint="made/1.0.0",
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        normalize="none",
        validation="none",
        test="test",
        target_mean=None if masks else (0.0,) * channels,
        target_std=None if masks else (2.0,) * channels,
        target_range=None if masks else 16.0,
    )
    return Data(train=split, validation=None, test=split, spec=spec)


def subject(name, loaded, padding="same", task=CLASSIFICATION, **options):
    """An untrained network of the zoo for this data, which can be built again."""
    spec = loaded.spec

    def rebuild(padding):
        return models.build(
            name,
            input_shape=spec.input_shape,
            num_classes=spec.num_classes,
            padding=padding,
            scored_steps=spec.scored_steps,
            **options,
        )

    model = rebuild(padding)
    return of(model, inputs.framed(loaded, model), rebuild=rebuild, task=task)


def undecided(of):
    """The same network, its logits moved so that it tells every class to some example."""
    bias = of.model.get_layer("logits").bias
    bias.assign(bias - of.model.predict(of.loaded.test.x, verbose=0).mean(axis=0))
    return of


def of(model, loaded, **more):
    """What a probe gets of a network and its data."""
    return Subject(model, trace(model), loaded, **more)
