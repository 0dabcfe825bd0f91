"""The neighbours of an input whose maps do not meet, found by arithmetic and built."""

import random

import keras
import numpy as np
import pytest
from keras import layers

from models.geometry.findings.meeting import inputs_that_meet
from models.sizing import other_inputs


def make(shape):
    """A network that comes down by 4 on the first axis, by 8 on the second, and up again."""
    made.append(shape)
    random.random()
    np.random.random()
    x = inputs = keras.Input(shape)
    x = layers.Conv2DTranspose(1, 2, (4, 8), "same")(layers.MaxPooling2D((4, 8))(x))
    return keras.Model(inputs, layers.Add()([x, inputs]))


made = []


@pytest.mark.parametrize(
    ("shape", "below", "above"),
    [
        ((10, 10, 1), (8, 8, 1), (12, 16, 1)),
        ((8, 20, 1), (8, 16, 1), (8, 24, 1)),
        ((30, 16, 1), (28, 16, 1), (32, 16, 1)),
        ((3, 9, 1), None, (4, 16, 1)),
    ],
)
def test_the_nearest_of_each_axis_are_named(shape, below, above):
    assert inputs_that_meet(make, shape) == (below, above)


def test_it_is_said_and_leaves_the_random_generators_alone():
    before = random.getstate(), np.random.get_state()[1].tolist()
    assert other_inputs(make, (10, 10, 1)) == (
        "The next smaller input that works is 8x8, the next larger 12x16. "
        "Received: input_shape=(10, 10, 1)"
    )
    assert other_inputs(make, (3, 9, 1)).startswith("The next larger input that works is 4x16. ")
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


def test_what_takes_no_unknown_size_is_built_for_a_larger_one():
    def known(shape):
        if None in shape:
            raise ValueError("a known size")
        return make(shape)

    made.clear()
    assert inputs_that_meet(known, (70, 10, 1)) == ((68, 8, 1), (72, 16, 1))
    assert made[0] == (128, 64, 1)


def test_what_arithmetic_finds_is_built_before_it_is_named():
    def strict(shape):
        if shape[0] and shape[0] < 12:
            raise ValueError("too small for another reason")
        return make(shape)

    assert inputs_that_meet(strict, (10, 16, 1)) == (None, (12, 16, 1))


def test_nothing_that_works_is_nothing_to_name():
    def never(shape):
        raise ValueError("maps differ at any size")

    assert inputs_that_meet(never, (10, 10, 1)) == (None, None)
    assert other_inputs(never, (10, 10, 1)) == ""
