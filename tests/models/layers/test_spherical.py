"""A globe: what lies beyond the poles and round the equator, and what stays when it turns."""

import re

import keras
import numpy as np
import pytest

import models
from models import layers
from models.layers import Conv2D, Conv2DTranspose, DepthwiseConv2D, MaxPooling2D, PadInput2D
from models.padding import Padding, PaddingError
from models.padding.checks import SizeError
from tests.models.layers import oracle


def picture(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def walked(row, column, height, width):
    """Walk from the first pixel: over a pole one stays in the row and is on the other side."""
    at, side, south = 0, 0, True
    for step in [1 if row > 0 else -1] * abs(row):
        ahead = at + step * (1 if south else -1)
        if 0 <= ahead < height:
            at = ahead
        else:
            side, south = side + width // 2, not south
    return at, (column + side) % width


@pytest.mark.parametrize("sizes", [(4, 6), (1, 2), (3, 8), (5, 4)])
@pytest.mark.parametrize("widths", [((1, 1), (1, 1)), ((2, 0), (0, 3)), ((9, 11), (7, 13))])
def test_each_pixel_is_the_one_that_a_walk_leads_to(sizes, widths):
    x = picture(2, *sizes, 3)
    padded = np.asarray(PadInput2D(Padding(widths, "spherical"))(x))
    (top, bottom), (left, right) = widths
    assert padded.shape == (2, top + sizes[0] + bottom, left + sizes[1] + right, 3)
    for row, column in np.ndindex(padded.shape[1:3]):
        source = walked(row - top, column - left, *sizes)
        assert np.array_equal(padded[:, row, column], x[(slice(None), *source)]), (row, column)


def test_the_row_above_the_pole_is_the_opposite_meridian():
    x = picture(1, 5, 8, 2)
    padded = np.asarray(PadInput2D(Padding(((1, 1), (0, 0)), "spherical"))(x))
    assert np.array_equal(padded[:, 0], np.roll(x[:, 0], 4, axis=1))
    assert np.array_equal(padded[:, -1], np.roll(x[:, -1], 4, axis=1))


@pytest.mark.parametrize("widths", [((1, 1), (1, 1)), ((3, 0), (2, 5)), ((9, 7), (11, 3))])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_gradients_are_exact_sums(widths, dtype):
    x = picture(2, 3, 4, 2)
    layer = PadInput2D(Padding(widths, "spherical"), dtype=dtype)
    shape = layer.compute_output_shape(x.shape)
    cotangent = np.random.default_rng(1).integers(-4, 5, shape) / 4
    cast = [np.asarray(keras.ops.cast(a, dtype)) for a in (x, cotangent)]
    _, (found,) = oracle.value_and_gradients(layer, *cast)
    expected = oracle.pad_adjoint(cotangent, (3, 4), widths, ["spherical"] * 2)
    assert np.array_equal(np.asarray(found, "float64"), expected)


def network(mode, x, symmetric=False):
    """A convolution, one of wide reach, a depthwise one, a transposed one and a pool."""
    padding = Padding("same", mode)
    inputs = y = keras.Input(x.shape[1:])
    for layer in (
        Conv2D(3, 3, padding=padding, activation="relu"),
        Conv2D(3, (7, 5), padding=padding, dilation_rate=2),
        DepthwiseConv2D(5, padding=padding),
        Conv2DTranspose(2, 3, padding=padding),
        MaxPooling2D(3, 1, padding=padding, count_include_pad=True),
    ):
        y = layer(y)
    model = keras.Model(inputs, y)
    weights = [picture(*w.shape, seed=i) for i, w in enumerate(model.get_weights())]
    if symmetric:
        weights = [w + w[::-1] if w.ndim == 4 else w for w in weights]
    model.set_weights(weights)
    return model


def test_the_globe_may_turn_about_its_axis():
    """Circular shifts of the columns, by any number of them, at stride 1; not so under zeros."""
    x = picture(1, 6, 8, 2)
    spherical, zeros = network("spherical", x), network("zeros", x)
    y, apart = np.asarray(spherical(x)), np.asarray(zeros(x))
    for shift in range(1, 8):
        turned = np.roll(x, shift, axis=2)
        np.testing.assert_allclose(
            spherical(turned), np.roll(y, shift, axis=2), atol=1e-4 * np.abs(y).max()
        )
        assert not np.allclose(zeros(turned), np.roll(apart, shift, axis=2), rtol=0.01)


def test_over_the_poles_the_network_sees_the_same_globe():
    """With kernels that are the same upside down, there is no edge at a pole.

    The way over both poles and back is a closed map of twice the rows: `circular` on it gives the
    globe's outputs, and the same turned round on the other side.
    """
    x = picture(1, 5, 8, 2)

    def way_round(y):
        return np.concatenate([y, np.roll(y[:, ::-1], y.shape[2] // 2, axis=2)], axis=1)

    y = np.asarray(network("spherical", x, symmetric=True)(x))
    closed = way_round(x)
    found = np.asarray(network("circular", closed, symmetric=True)(closed))
    np.testing.assert_allclose(found, way_round(y), atol=1e-4 * np.abs(y).max())
    other = np.asarray(network("circular", x, symmetric=True)(x))
    assert not np.allclose(found[:, :5], other, rtol=0.01)


def test_odd_widths_are_refused_where_a_border_is_read():
    said = "layer 'stem' has a width of 5, and mode 'spherical' needs an even width"
    for layer in (
        Conv2D(2, 3, padding="spherical", name="stem"),
        Conv2DTranspose(2, 3, padding="spherical", name="stem"),
        MaxPooling2D(3, padding="spherical", count_include_pad=True, name="stem"),
        PadInput2D(Padding(1, "spherical"), name="stem"),
    ):
        with pytest.raises(SizeError, match=said):
            layer(keras.Input((4, 5, 1)))
    for layer in (
        Conv2D(2, 1, padding="spherical"),
        Conv2D(2, 3, padding=Padding("valid", "spherical")),
        MaxPooling2D(3, padding="spherical"),
    ):
        layer(picture(1, 4, 5, 1))
    with pytest.raises(PaddingError, match="needs a known size on every axis"):
        Conv2D(2, 3, padding="spherical")(keras.Input((None, 4, 1)))
    with pytest.raises(PaddingError, match="Conv1D has one axis"):
        layers.Conv1D(2, 3, padding="spherical")


@pytest.mark.parametrize(
    ("shape", "layer", "works"),
    [
        ((28, 28, 1), "stage3_conv1' has a width of 7", ["24x24", "32x32"]),
        ((28, 60, 1), "stage3_conv1' has a width of 15", ["28x56", "28x64"]),
        ((2, 2, 1), "stage2_conv1' has a width of 1", ["8x8"]),
    ],
)
def test_a_network_names_the_next_sizes_that_work(shape, layer, works):
    network = {"num_classes": 2, "padding": "spherical", "widths": [2, 2, 2]}
    with pytest.raises(models.DoesNotFitError) as refusal:
        models.build("small_cnn", input_shape=shape, **network)
    said = str(refusal.value)
    assert layer in said and "mode 'spherical' needs an even width" in said and "\n" not in said
    assert re.findall(r"\d+x\d+", said) == works
    assert ("square" in said) == (shape[0] == shape[1])
    for size in works:
        models.build("small_cnn", input_shape=(*map(int, size.split("x")), 1), **network)


def test_the_smallest_input_is_one_that_works():
    assert models.smallest_input("small_cnn", padding="spherical", widths=[2, 2, 2]) == 8
