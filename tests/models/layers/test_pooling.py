import itertools

import keras
import numpy as np
import pytest

from models import layers
from models.padding import Padding, PaddingError
from models.padding.supports import supports
from tests.models.layers import oracle
from tests.models.layers.oracle import AXIS_MODES

MODES = tuple(mode for mode in AXIS_MODES if mode != "odd_reflect")

KINDS = ["MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"]
AMOUNTS = ["valid", "same", "same_lower", "half", "full", "causal", 1]


def picture(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32") - 3.0  # below zero


def geometries(kind):
    rank = int(kind[-2])
    for sizes, k, s in [
        ((7, 6), (2, 3), (2, 2)),
        ((5, 8), (3, 2), (1, 3)),
        ((6, 6), (3, 3), (2, 1)),
    ]:
        yield sizes[:rank], k[:rank], s[:rank]


def reducers(kind):
    return (np.nanmax, np.max) if kind.startswith("Max") else (np.nanmean, np.mean)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("amount", [*AMOUNTS, "pairs"])
def test_neutral_border_is_not_there(kind, amount):
    for sizes, k, s in geometries(kind):
        rank = len(sizes)
        if amount == "pairs":
            amount = [[1, 0], [0, 1]][:rank]
        if supports(amount, "zeros", kind):
            continue
        border = Padding(amount, "constant", 5.0)
        x = picture(2, *sizes, 2)
        pool = getattr(layers, kind)(k, s, border)
        axes = zip(border.amounts(rank), sizes, k, s, strict=True)
        widths = [oracle.amounts(*axis, 1) for axis in axes]
        expected = oracle.pool(x, k, s, widths, reducers(kind)[0])
        np.testing.assert_allclose(pool(x), expected, rtol=1e-5)
        assert pool.compute_output_shape((None, *sizes, 2)) == (None, *expected.shape[1:])
        assert pool(keras.Input((*sizes, 2))).shape == (None, *expected.shape[1:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_counted_border_is_content(kind, mode):
    for (sizes, k, s), amount in itertools.product(geometries(kind), ["same", "full", 1]):
        border = Padding(amount, mode, 2.0 if mode == "constant" else 0.0)
        x = picture(2, *sizes, 2)
        pool = getattr(layers, kind)(k, s, border, count_include_pad=True)
        widths = [oracle.amounts(amount, *axis, 1) for axis in zip(sizes, k, s, strict=True)]
        padded = oracle.pad(x, widths, [mode] * len(sizes), border.value)
        expected = oracle.pool(padded, k, s, [(0, 0)] * len(sizes), reducers(kind)[1])
        np.testing.assert_allclose(pool(x), expected, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_strings_are_keras_bit_for_bit(kind, padding):
    for sizes, k, s in geometries(kind):
        x = picture(2, *sizes, 2)
        theirs = getattr(keras.layers, kind)(k, s, padding)
        assert np.array_equal(getattr(layers, kind)(k, s, padding)(x), theirs(x))


@pytest.mark.parametrize("kind", KINDS)
def test_neutral_amounts_equal_keras_same(kind):
    for sizes, k, s in geometries(kind):
        x = picture(2, *sizes, 2)
        theirs = getattr(keras.layers, kind)(k, s, "same")
        np.testing.assert_allclose(getattr(layers, kind)(k, s, Padding())(x), theirs(x), rtol=1e-5)


def test_published_maximum_pools():
    """TensorFlow's SAME against PyTorch's 1 (tensorflow-onnx#4); StackOverflow 37674306."""
    x = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)

    def grid(x, *args):
        return np.asarray(layers.MaxPooling2D(*args)(x))[0, :, :, 0].tolist()

    assert grid(x, 3, 2, "same") == grid(x, 3, 2, Padding()) == [[10, 11], [14, 15]]
    assert grid(x, 3, 2, Padding(1)) == grid(x, 3, 2, Padding("half")) == [[5, 7], [13, 15]]
    y = np.array([[1, 2, 3], [4, 5, 6]], "float32")[None, :, :, None]
    assert grid(y, 2, 2, "valid") == [[5]]
    assert grid(y, 2, 2, "same") == grid(y, 2, 2, Padding()) == [[5, 6]]


def test_dumoulin_and_visin_value_grids():
    x = [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
    x = np.array(x, "float32")[None, :, :, None]
    average = layers.AveragePooling2D(3, 1, Padding("valid"))(x)
    expected = np.array([[15, 15, 15], [9, 11, 16], [10, 7, 12]]) / 9
    np.testing.assert_allclose(np.asarray(average)[0, :, :, 0], expected, rtol=1e-6)
    maximum = layers.MaxPooling2D(3, 1, Padding("valid"))(x)
    assert np.asarray(maximum)[0, :, :, 0].tolist() == [[3, 3, 3], [3, 3, 3], [3, 2, 3]]


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_finite_behind_a_neutral_border(kind):
    for sizes, k, s in geometries(kind):
        x = picture(1, *sizes, 1)
        pool = getattr(layers, kind)(k, s, Padding("full"))
        shape = pool.compute_output_shape(x.shape)
        _, (by_x,) = oracle.value_and_gradients(pool, x, np.ones(shape, "float32"))
        assert np.isfinite(by_x).all()
        # Every output hands on its one unit of gradient, whatever the border.
        np.testing.assert_allclose(by_x.sum(), np.prod(shape), rtol=1e-5)


def test_config_and_file_round_trip(tmp_path):
    inputs = keras.Input((6, 5, 2))
    x = layers.MaxPooling2D(3, 2, Padding("half"), name="max")(inputs)
    follow = Padding(["full", 1], ["reflect", "circular"])
    x = layers.AveragePooling2D(2, 1, follow, count_include_pad=True, name="mean")(x)
    model = keras.Model(inputs, layers.MaxPooling2D(2, padding="same", name="plain")(x))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = picture(2, 6, 5, 2)
    assert np.array_equal(loaded(x), model(x))
    assert loaded.get_layer("mean").border == follow
    assert [layer.get_config() for layer in loaded.layers] == [
        layer.get_config() for layer in model.layers
    ]


def test_mistakes():
    with pytest.raises(PaddingError, match="narrower than the pool"):
        layers.MaxPooling2D(2, padding=Padding(2))(picture(1, 4, 4, 1))
    with pytest.raises(ValueError, match="did you mean full"):
        layers.MaxPooling1D(2, padding="ful")
    with pytest.raises(ValueError, match="count_include_pad"):
        layers.MaxPooling1D(2, padding="same", count_include_pad=True)
    with pytest.raises(layers.CollapseError, match="layer 'pool'"):
        layers.AveragePooling1D(4, name="pool")(keras.Input((3, 1)))
    with pytest.raises(ValueError, match="channels_last"):
        layers.MaxPooling1D(2, data_format="channels_first")
    with pytest.raises(PaddingError, match="one amount per axis"):
        layers.MaxPooling2D(2, padding=Padding("causal"))
