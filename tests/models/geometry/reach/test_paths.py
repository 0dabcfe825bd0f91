import keras
import numpy as np
import pytest
from keras import layers

from models.geometry.reach.paths import asymmetry, paths
from models.geometry.tracing.trace import TraceError
from models.layers import (
    AveragePooling1D,
    AveragePooling2D,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    MaxPooling1D,
    PadInput1D,
    PadInput2D,
)
from models.padding import Padding
from tests.models.geometry.reach.gradients import gradients_of

# One layer, kernel of ones, ten pixels: the gradient of sum(conv(pad(x))); symmetric maps.
ONE_LAYER = {
    "valid": ([1, 2, 3, 3, 3], [1, 2, 3, 4, 5]),
    "same": ([2, 3, 3, 3, 3], [3, 4, 5, 5, 5]),
    "full": ([3, 3, 3, 3, 3], [5, 5, 5, 5, 5]),
    "circular": ([3, 3, 3, 3, 3], [5, 5, 5, 5, 5]),
    "symmetric": ([3, 3, 3, 3, 3], [5, 5, 5, 5, 5]),
    "replicate": ([3, 3, 3, 3, 3], [6, 4, 5, 5, 5]),
    "reflect": ([2, 4, 3, 3, 3], [3, 6, 6, 5, 5]),
    "partial": ([5 / 2, 7 / 2, 3, 3, 3], [47 / 12, 59 / 12, 71 / 12, 5.25, 5]),
}


def one(layer, *size):
    inputs = keras.Input((*size, 1))
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("name", ONE_LAYER)
def test_one_layer_of_each_padding(name):
    for k, half in zip((3, 5), ONE_LAYER[name], strict=True):
        found = paths(one(Conv1D(1, k, padding=Padding.of(name)), 10))
        np.testing.assert_allclose(found, half + half[::-1], rtol=1e-15)


def test_a_corner_is_read_once_and_the_centre_nine_times():
    found = paths(one(Conv2D(1, 3), 6, 7))
    assert found[0, 0] == found[-1, -1] == 1
    assert found[0, 1] == 2
    assert found[0, 3] == 3
    assert found[3, 3] == 9
    assert found.sum() == 4 * 5 * 9


@pytest.mark.parametrize("layer", [
    Conv2D(1, 3, padding="spherical"),
    Conv2D(1, (5, 3), 2, padding=Padding("half", "spherical")),
    Conv2D(1, 4, padding=Padding("even_split", "spherical")),
    Conv2DTranspose(1, 4, 2, padding="spherical"),
    PadInput2D(Padding(((1, 7), (0, 9)), "spherical")),
    AveragePooling2D(3, 2, padding="spherical", count_include_pad=True),
    AveragePooling2D(3, 2, padding="spherical"),
])  # fmt: skip
def test_over_the_poles_paths_are_the_gradients_of_ones(layer):
    model = one(layer, 5, 6)
    model.set_weights([np.full(w.shape, float(w.ndim > 1)) for w in model.get_weights()])
    weights = np.random.default_rng(0).integers(1, 5, model.output_shape[1:3])
    gradient = gradients_of(model)(np.ones((1, 5, 6, 1), "float32"), weights)
    found = paths(model, weights.astype(float))
    np.testing.assert_allclose(found, gradient, rtol=1e-5)
    assert len(np.unique(found.round(6))) > 3


@pytest.mark.parametrize(("size", "expected"), [(33, 0), (225, 0), (32, 0.393), (224, 0.352)])
def test_asymmetry_of_five_strides(size, expected):
    """2^5 a + 1 pixels are consumed evenly; at 2^n TensorFlow's and PyTorch's rule mirror."""

    def five(amount):
        inputs = x = keras.Input((size, 1))
        for _ in range(5):
            x = Conv1D(1, 3, 2, padding=Padding(amount))(x)
        return paths(keras.Model(inputs, x))

    same, half = five("same"), five("half")
    assert round(asymmetry(same), 3) == round(asymmetry(half), 3) == expected
    assert same.tolist() == half[::-1].tolist()
    assert (same.tolist() == half.tolist()) == (expected == 0)


def test_odd_reflect_has_signs():
    """One pixel on each side holds 2 x0 - x1 and 2 x3 - x2."""
    found = paths(one(Conv1D(1, 3, padding=Padding("same", "odd_reflect")), 4))
    assert found.tolist() == [4, 2, 2, 4]
    found = paths(one(PadInput1D(Padding([[1, 0]], "odd_reflect")), 3))
    assert found.tolist() == [3, 0, 1]


def test_even_split_is_the_mean_of_its_corners_by_channels():
    """Channel i looks back or ahead: [2, 2, 2, 1] or [1, 2, 2, 2] of four pixels."""

    def counts(kind, channels, *size):
        inputs = keras.Input((*size, channels))
        return paths(keras.Model(inputs, kind(1, 2, padding=Padding("even_split"))(inputs)))

    np.testing.assert_allclose(counts(Conv1D, 4, 4), [1.5, 2, 2, 1.5])
    np.testing.assert_allclose(counts(Conv1D, 3, 4), [5 / 3, 2, 2, 4 / 3])
    # Three channels: top left, top right, bottom left.
    found = counts(Conv2D, 3, 4, 4)
    np.testing.assert_allclose(found[[0, 0, 3, 3], [0, 3, 0, 3]], np.array([8, 7, 7, 5]) / 3)


def test_a_mean_comes_from_every_pixel_and_a_constant_from_none():
    mean = paths(one(Conv1D(1, 3, padding=Padding("same", "mean")), 4))
    np.testing.assert_allclose(mean, np.array([2, 3, 3, 2]) + 2 / 4)
    for mode, value in (("constant", 3.0), ("learned", 0.0)):
        found = paths(one(Conv1D(1, 3, padding=Padding("same", mode, value)), 4))
        assert found.tolist() == [2, 3, 3, 2]


def test_pools():
    assert paths(one(layers.MaxPooling1D(3, 2, "same"), 5)).tolist() == [1, 2, 1, 2, 1]
    average = paths(one(layers.AveragePooling1D(3, 2, "same"), 5))
    np.testing.assert_allclose(average, [1 / 2, 5 / 6, 1 / 3, 5 / 6, 1 / 2])
    counted = {"padding": Padding("same", "replicate"), "count_include_pad": True}
    assert paths(one(MaxPooling1D(3, 2, **counted), 5)).tolist() == [2, 2, 1, 2, 2]
    average = paths(one(AveragePooling1D(3, 2, **counted), 5))
    np.testing.assert_allclose(average, np.array([2, 2, 1, 2, 2]) / 3)


def test_branches_add_up_and_one_output_has_its_own_field():
    inputs = keras.Input((6, 1))
    branch = Conv1D(1, 3, padding="same", name="branch")(inputs)
    model = keras.Model(inputs, layers.Concatenate()([inputs, branch, branch]))
    assert paths(model).tolist() == [5, 7, 7, 7, 7, 5]
    assert paths(model, np.eye(6)[0]).tolist() == [3, 2, 0, 0, 0, 0]
    assert paths(model, to="branch").tolist() == [2, 3, 3, 3, 3, 2]


def test_a_gate_leaves_the_paths_as_they_are():
    inputs = keras.Input((5, 5, 2))
    x = Conv2D(2, 3)(inputs)
    gate = layers.Dense(2)(layers.GlobalAveragePooling2D(keepdims=True)(x))
    gated = keras.Model(inputs, layers.Multiply()([x, gate]))
    np.testing.assert_array_equal(paths(gated), paths(keras.Model(inputs, x)))


def test_deep_networks_stay_finite():
    """32^220 = 2^1100 paths, more than a double holds."""
    inputs = x = keras.Input((4, 1))
    for _ in range(220):
        x = layers.Add()([x] * 32)
    found = paths(keras.Model(inputs, x))
    assert np.isfinite(found).all()
    assert len(set(found.tolist())) == 1
    assert found[0] > 0


def test_what_has_no_paths_is_refused():
    with pytest.raises(TraceError, match="unknown size"):
        paths(one(Conv1D(1, 3), None))
    model = one(Conv1D(1, 3, name="a"), 5)
    with pytest.raises(TraceError, match=r"No layer called 'b' has a map.*'a'"):
        paths(model, to="b")
    with pytest.raises(ValueError, match=r"shape of the map of 'a', \(3,\)"):
        paths(model, np.ones(5))
    two = [keras.Input((5, 1), name=name) for name in ("left", "right")]
    with pytest.raises(TraceError, match="'left', 'right'"):
        paths(keras.Model(two, layers.Add()(two)))
