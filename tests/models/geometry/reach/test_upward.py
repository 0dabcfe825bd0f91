"""Paths and usage of what comes back up, borders and all, against gradients of running networks."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import models.layers as zoo
from models.geometry.reach.paths import paths
from models.geometry.reach.usage import lost_share, usage
from models.geometry.tracing.trace import trace
from models.padding import MODES, Padding
from tests.helpers import full
from tests.models.geometry.reach.gradients import gradients_of

ONES = {"kernel_initializer": "ones", "use_bias": False}


def up(k, s, padding="same", more=None, kind=layers, d=1):
    args = {"padding": padding, "output_padding": more, "dilation_rate": d, **ONES}
    return lambda x: kind.Conv2DTranspose(1, k, s, **args)(x)


def conv(k, s=1, padding="same"):
    return lambda x: zoo.Conv2D(1, k, s, padding, **ONES)(x)


def upsampled(size, interpolation="nearest"):
    return lambda x: layers.UpSampling2D(size, interpolation=interpolation)(x)


def resized(to, interpolation="bilinear"):
    return lambda x: layers.Resizing(*to, interpolation)(x)


def of_channels(rearranged):
    """Behind four channels alike, of which a convolution takes the mean again."""

    def call(x):
        return rearranged(layers.Conv2D(4, 1, **ONES)(x))

    return call


def of_space(x):
    return layers.Conv2D(1, 1, kernel_initializer="ones")(ops.space_to_depth(x, 2))


CHAINS = {
    "same": [conv(3, 2), up(3, 2), up((4, 5), 2)],
    "output padding": [up(3, 2, "same", 0), up(4, 3, "valid", 2), up(2, 3, "valid", (0, 1))],
    "the zoo's": [up(3, 2, "half", None, zoo), up(5, 2, Padding([[1, 3], 0]), 1, zoo)],
    "dilated": [up(3, 1, "full", None, zoo, 2), up(3, 1, "same", d=(1, 2))],
    "circular around": [up(4, 2), conv(3, 1, Padding("same", "circular")), up(3, 2)],
    "nearest": [upsampled((2, 3)), conv(3), upsampled(2)],
    "bilinear": [upsampled((2, 3), "bilinear"), conv(3, 2), upsampled((5, 4), "bilinear")],
    "resized": [resized((9, 11)), conv(2), resized((6, 5)), resized((16, 3), "nearest")],
    "to space": [of_channels(zoo.DepthToSpace(2)), conv(3), of_channels(zoo.DepthToSpace(2))],
    "operations": [of_channels(lambda x: ops.depth_to_space(x, 2)), conv(3), of_space],
}


@pytest.mark.parametrize("name", CHAINS)
def test_paths_are_the_gradients_up_to_the_border(name):
    inputs = x = keras.Input((7, 8, 1))
    for layer in CHAINS[name]:
        x = layer(x)
    model = keras.Model(inputs, x)
    shape = trace(model)[-1].output_size
    assert tuple(x.shape[1:-1]) == shape
    weights = np.random.default_rng(0).integers(0, 3, shape)
    expected = gradients_of(model)(np.ones((1, 7, 8, 1), "float32"), weights)
    assert len(np.unique(expected.round(6))) > 5
    np.testing.assert_allclose(paths(model, weights), expected, rtol=1e-5)
    np.testing.assert_allclose(paths(model).sum(), np.asarray(model(np.ones((1, 7, 8, 1)))).sum())


def modes():
    some = ("circular", "replicate", "odd_reflect", "mean", "partial", "spherical")
    return [mode if mode in some else full(mode) for mode in MODES if mode != "learned"]


@pytest.mark.parametrize("mode", modes())
@pytest.mark.parametrize("k", [3, (5, 4)])
def test_what_a_border_spreads_into_the_output_is_counted(mode, k):
    inputs = x = keras.Input((6, 8, 1))
    for amount, strides in (("same", 2), ("same", 1), ("valid", 2)):
        border = Padding(amount, mode, 0.5 if mode == "constant" else 0.0)
        x = zoo.Conv2DTranspose(1, k, strides, border, **ONES)(x)
    model = keras.Model(inputs, x)
    shape = trace(model)[-1].output_size
    weights = np.random.default_rng(0).integers(0, 3, shape)
    expected = gradients_of(model)(np.ones((1, 6, 8, 1), "float32"), weights)
    np.testing.assert_allclose(paths(model, weights), expected, rtol=1e-5)


def used(layer, *size):
    inputs = keras.Input((*size, 1))
    return usage(keras.Model(inputs, layer(inputs)))[-1]


def test_what_a_transposed_convolution_reads():
    """Its outputs 0 to 2 n read 1, 2, 1, …, 2, 1 pixels under k = 3, s = 2; one tap of the last is
    off the map where it has one pixel more."""
    whole = used(layers.Conv1DTranspose(1, 3, 2, padding="valid"), 5)
    assert whole.padding_share == pytest.approx(2 / 17)
    cut = used(zoo.Conv1DTranspose(1, 3, 2, padding=Padding([[1, 1]])), 5)
    assert (cut.padding_share, cut.unread, cut.unread_pad) == (0, ((0, 0),), ((0, 0),))
    same = used(layers.Conv1DTranspose(1, 3, 2, padding="same"), 5)
    assert same.padding_share == pytest.approx(1 / 15)
    more = used(zoo.Conv1DTranspose(1, 2, 2, padding=Padding([[3, 2]])), 5)
    assert (more.unread, more.skipped) == (((1, 1),), (0,))


def test_what_resizing_down_leaves_out():
    found = used(layers.Resizing(3, 4, "nearest"), 9, 8)
    assert (found.unread, found.skipped) == (((1, 1), (1, 0)), (4, 3))
    assert found.padding_share is None
    assert used(layers.UpSampling2D(2), 4, 4).unread == ((0, 0), (0, 0))


def test_the_share_that_is_lost_is_a_float():
    inputs = keras.Input((9, 9, 1))
    rows = trace(keras.Model(inputs, up(3, 2)(layers.MaxPooling2D(2)(inputs))))
    assert (rows[-1].output_size, lost_share(rows, (9, 9))) == ((8, 8), 1 - 64 / 81)
    rows = trace(keras.Model(inputs, up(4, 2)(inputs)))
    assert (lost_share(rows, (9, 9)), type(lost_share(rows, (9, 9)))) == (0, float)
