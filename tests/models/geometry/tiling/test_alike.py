"""Which outputs of a window are the whole image's: the arithmetic against the networks themselves.

With positive weights and an image that is infinite outside a window, an output of the whole image
is finite where it has read nothing but the window.
"""

import keras
import numpy as np
import pytest

from models.geometry.findings.meeting import period_of
from models.geometry.tiling.alike import seen
from models.geometry.tracing.trace import follow
from models.layers import Conv2D
from models.padding import Padding
from tests.contract.test_contract_images import FORMS, net, spoken

SMALL = [form for form in FORMS if form[0] != "fcn8"]  # whose field is 404 pixels wide
SIZE, OTHER, WINDOW = 105, 45, 60  # pixels of an axis, of the other one, of a window at most
PADDINGS = ("same", "same_lower", "full", "valid", "causal_rows", "causal_columns", "explicit",
            "reflect", "symmetric", "input")  # fmt: skip


def positive(model):
    """The model with weights that are all positive, and small enough to add up to no infinity."""
    for weight in model.weights:
        weight.assign(np.full(weight.shape, 0.05, "float32"))
    return model


def finite(model, size, window, axis):
    """For each output on an axis whether all of it is finite, the image infinite elsewhere."""
    shape = [1, *model.input_shape[1:3], 1]
    image = np.full(shape, np.inf, "float32")
    inside = [slice(None)] * 4
    inside[1 + axis] = slice(*window)
    image[tuple(inside)] = 1
    outputs = np.asarray(model(image))[0]
    return np.isfinite(outputs).all(axis=(1 - axis, 2))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("form", SMALL, ids=spoken)
@pytest.mark.parametrize("axis", [0, 1])
def test_an_output_is_alike_where_it_reads_the_window_alone(form, padding, axis):
    sizes = [OTHER, OTHER]
    sizes[axis] = SIZE
    model = positive(net(form, padding, sizes))
    followed = follow(model)
    period, size = period_of(followed, axis), sizes[axis]
    long = WINDOW - (WINDOW - size) % period
    stride = followed.fields[followed.results[0]][axis].effective_stride
    nothing = finite(model, size, (0, 0), axis)  # outputs that no pixel reaches
    for start, inner in (
        (0, (False, True)),
        (5 * period, (True, True)),
        (size - long, (True, False)),
    ):
        piece = seen(followed, axis, long, size, inner).last
        first = int(start / stride)
        own = slice(first, first + piece.size)
        found = finite(model, size, (start, start + long), axis)[own]
        assert found.tolist() == (piece.alike | nothing[own]).tolist()
        assert piece.alike.any()


@pytest.mark.parametrize("padding", ["circular", "mean", "spherical"])
def test_what_comes_from_far_is_not_alike_at_the_image_s_border(padding):
    image = keras.Input((40, 40, 1))
    model = keras.Model(image, Conv2D(2, 3, padding=padding)(image))
    found = seen(follow(model), 0, 20, 40, (False, True))
    assert not found.last.alike[0] and found.last.alike[1:-1].all()
    assert found.far or found.spread


def test_a_border_wider_than_the_window_folds_elsewhere_than_that_of_the_image():
    image = keras.Input((40, 40, 1))
    model = keras.Model(image, Conv2D(2, 3, padding=Padding(12, "reflect"))(image))
    followed = follow(model)
    assert seen(followed, 0, 13, 40, (False, False)).last.alike.all()
    folded = seen(followed, 0, 12, 40, (False, False))
    assert not folded.last.alike.all() and folded.far


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
def test_a_transposed_layer_of_keras_reads_beyond_its_map(kernel_size, padding):
    """Keras' own joins no border on; where the image goes on, there would be more to read."""
    image = keras.Input((SIZE, OTHER, 1))
    x = keras.layers.Conv2DTranspose(1, kernel_size, 2, padding=padding)(image)
    model = positive(keras.Model(image, x))
    followed = follow(model)
    for start, inner in ((0, (False, True)), (20, (True, True)), (SIZE - WINDOW, (True, False))):
        piece = seen(followed, 0, WINDOW, SIZE, inner).last
        own = slice(2 * start, 2 * start + piece.size)
        found = finite(model, SIZE, (start, start + WINDOW), 0)[own]
        assert found.tolist() == piece.alike.tolist()
