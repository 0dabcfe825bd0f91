"""Small networks and data for the probes: the real things, a few examples of them."""

import numpy as np

import models
from data import Data, Spec, Split
from experiments.probes.shared.subject import Subject
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


def subject(name, loaded, padding="same", **options):
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

    return of(rebuild(padding), loaded, rebuild=rebuild)


def undecided(of):
    """The same network, its logits moved so that it tells every class to some example."""
    bias = of.model.get_layer("logits").bias
    bias.assign(bias - of.model.predict(of.loaded.test.x, verbose=0).mean(axis=0))
    return of


def of(model, loaded, **more):
    """What a probe gets of a network and its data."""
    return Subject(model, trace(model), loaded, **more)
