"""Shared by probes that look inside a network: examples, and feature maps by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from data import Split

FLOATS = 2**25  # of activations in memory at a time


def sample(split: Split, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw up to `count` random examples of a split, in its order: inputs and labels."""
    rng = np.random.default_rng(seed)
    some = np.sort(rng.permutation(len(split))[:count])
    return np.asarray(split.x[some], np.float32), split.y[some]


def activations(
    model: keras.Model, names: Sequence[str], x: np.ndarray, *, linear: bool = False
) -> Iterator[list[np.ndarray]]:
    """Yield the outputs of layers, batch by batch, as float32.

    The network is not changed: its layers run at inference, inside another model.

    Args:
        names: of layers.
        linear: leave out the activation function that is part of a layer.
    """
    layers = [model.get_layer(name) for name in names]
    twins = [_without_activation(layer) if linear else None for layer in layers]
    outputs = [
        layer.output if twin is None else layer.input
        for layer, twin in zip(layers, twins, strict=True)
    ]
    inner = keras.Model(model.inputs, outputs)
    floats = sum(int(np.prod(output.shape[1:])) for output in outputs)
    size = max(1, min(64, FLOATS // floats))
    for start in range(0, len(x), size):
        found: Any = inner.predict_on_batch(x[start : start + size])
        found = found if isinstance(found, list) else [found]
        yield [
            np.asarray(values if twin is None else twin(values, training=False), np.float32)
            for values, twin in zip(found, twins, strict=True)
        ]


def _without_activation(layer: Any) -> Any:
    """A layer with the same weights that gives its values before the activation; None: it does."""
    if getattr(layer, "activation", None) in (None, keras.activations.linear):
        return None
    twin = type(layer).from_config({**layer.get_config(), "activation": None})
    twin.build(layer.input.shape)
    twin.set_weights(layer.get_weights())
    return twin
