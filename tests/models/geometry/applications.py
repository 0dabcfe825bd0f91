"""Networks of keras.applications as running arithmetic: what moves an output, by gradients.

A clone of a network has the same windows, strides and pads in every layer, and one filter in each
convolution. Its kernels are ones, spread over what they add up; it has no biases, linear
activations, no normalisation, average pools for max pools, and no gradient through the gates that
a global pool opens. It runs in double precision on a strip: long on the axis that is looked at,
short on the other.
"""

import math

import keras
import numpy as np

from models.geometry.tracing.trace import trace
from tests.models.geometry.reach.gradients import bounds, gradients_of, one_hot

WINDOWS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
PASSED = ("BatchNormalization", "LayerNormalization", "Activation", "ReLU", "Softmax", "LayerScale")
PASSED += ("Rescaling", "Normalization", "Dropout", "StochasticDepth")


def network(name, size):
    """Return a network without its head on pictures of a size, (height, width)."""
    options = {"weights": None, "include_top": False, "input_shape": (*size, 3)}
    keras.utils.clear_session()
    return getattr(keras.applications, name)(**options)


def linear(model):
    """Return the clone of a network that adds what it reads."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        picture = keras.Input(model.input_shape[1:], dtype="float64")
        clone = keras.models.clone_model(model, picture, _linear_layer)
    finally:
        keras.config.set_dtype_policy(policy)
    for layer in clone._flatten_layers():
        if type(layer).__name__ in (*WINDOWS, "Dense"):
            _set_ones(layer)
    return clone


def _linear_layer(layer):
    if not isinstance(layer, keras.layers.Layer):
        return layer
    kind, config = type(layer).__name__, {**layer.get_config(), "dtype": "float64"}
    if isinstance(layer, keras.Model):
        return keras.Sequential([_linear_layer(part) for part in layer.layers], name=layer.name)
    if kind in PASSED or kind == "Reshape":
        return Passed(name=layer.name)
    if kind.startswith("Global"):
        return Closed(name=layer.name)
    if kind == "MaxPooling2D":
        return keras.layers.AveragePooling2D.from_config(config)
    if kind in (*WINDOWS, "Dense"):
        config["activation"] = None
        config.update({key: 1 for key in ("filters", "units", "groups") if key in config})
    return type(layer).from_config(config)


class Passed(keras.layers.Layer):
    """Nothing, whatever it is told besides."""

    def call(self, x, **_):
        return x


class Closed(keras.layers.Layer):
    """A global pool without a gradient: what it opens is open by one."""

    def call(self, x):
        return keras.ops.stop_gradient(keras.ops.ones_like(x[:, :1, :1, :]))


def _set_ones(layer):
    weights = []
    for weight in layer.weights:
        *area, reads, _ = (1, *weight.shape)
        if "Depthwise" in type(layer).__name__ or "depthwise" in weight.path.split("/")[-1]:
            reads = 1
        value = 0 if len(weight.shape) == 1 else 1 / (math.prod(area) * reads)
        weights.append(np.full(weight.shape, value))
    layer.set_weights(weights)


def traced(model, axis):
    """Return field, stride and padding of the last map on an axis, and its size."""
    row = [row for row in trace(model) if row.output_size][-1]
    return row, tuple(
        getattr(row, column)[axis]
        for column in ("receptive_field", "effective_stride", "effective_padding")
    )


def measured(model, axis, row):
    """Return field, stride and padding of the last map on an axis, from two interior outputs."""
    clone = linear(model)
    gradient = gradients_of(clone)
    x = np.ones((1, *model.input_shape[1:]))
    at = [n // 2 for n in row.output_size]
    first, last = bounds(gradient(x, one_hot(row.output_size, at)), axis)
    at[axis] += 1
    stride = bounds(gradient(x, one_hot(row.output_size, at)), axis)[0] - first
    return last - first + 1, stride, (at[axis] - 1) * stride - first
