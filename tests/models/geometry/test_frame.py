"""The part of an image that a network gives, checked by where a single bright pixel comes out."""

import keras
import numpy as np
import pytest

import models
from models.geometry.frame import frame
from models.geometry.tracing.trace import TraceError

CASES = [
    ("unet", {"depth": 1, "width": 2}, "valid", 24, ((8, 8), (8, 8))),
    ("unet", {"depth": 1, "width": 2}, "same", 24, ((0, 24), (0, 24))),
    ("unet", {"depth": 1, "width": 2}, "full", 24, ((0, 24), (0, 24))),
    ("subpixel", {"widths": (3,), "factor": 2}, "valid", 12, ((6, 12), (6, 12))),
    ("subpixel", {"widths": (3,), "factor": 3}, "same", 12, ((0, 36), (0, 36))),
]


@pytest.mark.parametrize(("name", "options", "padding", "size", "expected"), CASES)
def test_where_the_output_lies(name, options, padding, size, expected):
    model = models.build(
        name, input_shape=(size, size, 1), num_classes=1, padding=padding, **options
    )
    assert frame(model) == expected


@pytest.mark.parametrize("factor", [1, 2])
def test_the_middle_of_the_frame_sees_the_middle_of_the_image(factor):
    """With kernels of ones a bright pixel lights what is centred on it."""
    inputs = keras.Input((9, 9, 1))
    x = models.Conv2D(factor**2, 5, padding="valid", kernel_initializer="ones")(inputs)
    if factor > 1:
        x = models.DepthToSpace(factor)(x)
    model = keras.Model(inputs, x)
    (top, height), _ = frame(model)
    image = np.zeros((1, 9, 9, 1), np.float32)
    image[0, 4, 4] = 1
    lit = np.flatnonzero(np.asarray(model(image))[0].any(axis=(1, 2)))
    centre = (top + (lit[0] + lit[-1]) / 2 + 0.5) / factor - 0.5
    assert (centre, height) == (4, 5 * factor)


def test_an_output_that_is_no_part_is_refused():
    inputs = keras.Input((9, 9, 1))
    model = keras.Model(inputs, models.Conv2D(1, 3, padding="full")(inputs))
    with pytest.raises(TraceError, match="no part of an image of 9"):
        frame(model)


def test_a_network_of_a_list_of_one_output_has_a_frame_too():
    """As a trained network is saved: `keras.Model(model.inputs, model.outputs)`."""
    model = models.build("unet", input_shape=(24, 24, 1), num_classes=1, depth=1, padding="valid")
    again = keras.Model(model.inputs, model.outputs)
    assert isinstance(again.output, list)
    assert frame(again) == frame(model)
