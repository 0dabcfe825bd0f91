"""Small networks and data to look into."""

import numpy as np

from data.types import Data, Spec, Split
from experiments.probes.shared.subject import Subject
from models.architectures import small_cnn
from models.bind import bind
from models.geometry import trace


def subject(model, x, y=None, seed=0):
    """A network and data whose splits all hold x."""
    y = np.zeros(len(x), np.int32) if y is None else y
    split = Split(np.asarray(x, np.float32), y, np.arange(len(x)))
    kind = "image" if x.ndim == 4 else "sequence"
    names = tuple(map(str, range(model.output_shape[-1])))
    spec = Spec(
        kind, x.shape[1:], len(names), names, "made", (0.0,), (1.0,), "none", "none", "test"
    )
    return Subject(model, trace(model), Data(spec, split, None, split), seed)


def tiny_cnn(padding, size=16, **options):
    """small_cnn with two stages of a few filters."""
    options = {"widths": (4, 4), "convs_per_stage": (1, 1), **options}
    return small_cnn.build(bind(padding), (size, size, 1), 3, **options)


def noise(*shape, mean=1.0, seed=0):
    """White noise, the same at any place."""
    return np.random.default_rng(seed).normal(mean, 1, shape).astype(np.float32)


def state(model):
    """All that a probe must leave alone: variables, what is trained, and the graph."""
    values = [np.array(variable) for variable in model.variables]
    flags = [layer.trainable for layer in model._flatten_layers()]
    nodes = [len(layer._inbound_nodes) for layer in model.layers]
    return values, flags, nodes, [variable.name for variable in model.variables]


def unchanged(before, after):
    """Whether two states are alike, to the bit."""
    same = all(np.array_equal(a, b) for a, b in zip(before[0], after[0], strict=True))
    return same and before[1:] == after[1:]


def alike(one, two):
    """Whether two measurements are alike, to the bit."""
    arrays = zip(one.maps.items(), two.maps.items(), strict=True)
    same = all(a == b and np.array_equal(x, y) for (a, x), (b, y) in arrays)
    return same and one.values == two.values and np.array_equal(one.picture, two.picture)
