"""Which pools treat the two sides of their map unevenly, and which only take up its end."""

import keras
import pytest
from keras import layers

import models
from models.geometry.findings.lint import lint
from models.geometry.tracing.trace import trace
from models.layers import AveragePooling2D, MaxPooling2D
from models.padding import Padding


def net(*stack, size):
    inputs = x = keras.Input((size, size, 1))
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x)


def codes(model):
    return {finding.code for finding in lint(model)}


@pytest.mark.parametrize(
    ("pool", "fires"),
    [
        (layers.MaxPooling2D(2, padding="same"), False),
        (layers.AveragePooling2D(2, 3, padding="same"), False),
        (MaxPooling2D(2, padding="same"), False),
        (AveragePooling2D(2, padding=Padding("same")), False),
        (AveragePooling2D(2, padding=Padding("same"), count_include_pad=True), True),
        (MaxPooling2D(2, padding=Padding("same_lower")), True),
        (layers.MaxPooling2D(3, 2, padding="same"), True),
        (layers.Conv2D(1, 2, 2, padding="same"), True),
    ],
)
def test_a_pool_that_takes_up_the_last_pixels_is_not_one_sided(pool, fires):
    """At the odd size of windows of 2, and at the even one of windows of 3."""
    row = trace(net(pool, size=33))[-1]
    size = {(2, 2): 31, (2, 3): 34, (3, 2): 32}[row.kernel_size[0], row.strides[0]]
    model = net(pool, size=size)
    assert trace(model)[-1].pad[0] in ((0, 1), (1, 0))
    assert ("one_sided_padding" in codes(model)) == fires


def test_zeros_that_a_layer_of_their_own_adds_before_a_pool_are_one_sided():
    pad = layers.ZeroPadding2D(((0, 1), (0, 1)))
    assert "one_sided_padding" in codes(net(pad, layers.MaxPooling2D(2), size=31))


def test_a_unet_at_odd_sizes_has_no_side():
    unet = models.build("unet", input_shape=(31, 45, 1), num_classes=1)
    assert "one_sided_padding" not in codes(unet)
