"""Every mode in every layer that takes it: the layer computes what the mode's file says."""

import keras
import numpy as np
import pytest

from models import layers
from models.padding import MODES, Padding
from models.padding.axes import mask_scale, outside
from models.padding.definitions import Mask
from models.padding.supports import LAYERS, supports
from tests.helpers import full
from tests.models.layers import formula, oracle, spreading
from tests.models.layers.oracle import value_and_gradients

AMOUNT, KERNEL, SIZES, CHANNELS = 2, 3, (5, 6), 2  # a border of its own at both ends of a window


def amount_of(kind):
    """A transposed convolution reads the more of its border the less it cuts."""
    return 0 if kind.computes == "transposed" else AMOUNT


CASES = [
    (layer, mode) if layer in ("Conv2D", "AveragePooling2D") else full(layer, mode)
    for layer, kind in LAYERS.items()
    for mode in MODES
    if supports(amount_of(kind), mode, layer) is None
]


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def make(layer, mode):
    value = 0.7 if MODES[mode].takes_value else 0.0
    padding, kind = Padding(amount_of(LAYERS[layer]), mode, value), LAYERS[layer]
    if kind.computes == "image":
        return getattr(layers, layer)(padding)
    if "Pooling" in layer:
        counts = not isinstance(MODES[mode], Mask)
        return getattr(layers, layer)(KERNEL, 1, padding, count_include_pad=counts)
    filters = () if layer.startswith("Depthwise") else (4,)
    return getattr(layers, layer)(*filters, KERNEL, padding=padding)


def expected(layer, made, x):
    """The outputs by the formula; None for layers whose kernel has a test of its own."""
    kind, mode = LAYERS[layer], made.border.mode
    widths = ((AMOUNT, AMOUNT),) * kind.rank
    learned = None if made.border_value is None else np.asarray(made.border_value)
    padded = formula.padded(x.astype("float64"), widths, mode, made.border.value, learned)
    if kind.computes == "image":
        return padded
    window = ((KERNEL,) * kind.rank, (1,) * kind.rank)
    if kind.computes in ("maximum", "average"):
        reduce = np.max if kind.computes == "maximum" else np.mean
        return oracle.pool(padded, *window, ((0, 0),) * kind.rank, reduce)
    if kind.computes == "transposed":
        return expected_transposed(made, x, padded)
    if layer not in ("Conv1D", "Conv2D"):
        return None
    y = oracle.convolve(padded, np.asarray(made.kernel), window[1], window[1])
    if isinstance(MODES[mode], Mask):
        axes = [outside(n, AMOUNT, AMOUNT, KERNEL, 1, 1) for n in x.shape[1:-1]]
        y = y * mask_scale(mode, axes)
    return y + np.asarray(made.bias)


def expected_transposed(made, x, padded):
    """What the continued map spreads into the whole output of the map."""
    mode, steps = MODES[made.border.mode], ((1,) * (x.ndim - 2),) * 2
    window = [(KERNEL - 1, n + 2 * (KERNEL - 1)) for n in x.shape[1:-1]]
    y = spreading.cut(spreading.spread(padded, np.asarray(made.kernel), *steps), window)
    if isinstance(mode, Mask):
        for axis, n in enumerate(x.shape[1:-1], start=1):
            covered = np.convolve(np.ones(n), np.ones(KERNEL))
            scale = mode.scale(covered, KERNEL, np)
            y = y * scale.reshape([-1 if i == axis else 1 for i in range(y.ndim)])
    return y + np.asarray(made.bias)


@pytest.mark.parametrize(("layer", "mode"), CASES)
def test_a_layer_computes_the_formula_and_has_gradients(layer, mode, tmp_path):
    made, x = make(layer, mode), numbers(3, *SIZES[: LAYERS[layer].rank], CHANNELS)
    made.build(x.shape)
    made.set_weights([numbers(*w.shape, seed=i) for i, w in enumerate(made.get_weights())])
    shape = tuple(made.compute_output_shape(x.shape))
    y, gradients = value_and_gradients(made, x, numbers(*shape, seed=5))
    assert y.shape == shape
    masked_pool = "Pooling" in layer and isinstance(MODES[mode], Mask)
    wanted = None if masked_pool else expected(layer, made, x)
    if wanted is not None:
        np.testing.assert_allclose(y, wanted, atol=2e-5)
    for name, gradient in zip(["x", *(w.name for w in made.trainable_variables)], gradients,
                              strict=True):  # fmt: skip
        assert np.isfinite(gradient).all() and gradient.any(), f"{mode}: no gradient for {name}"


@pytest.mark.parametrize("mode", MODES)
def test_a_saved_layer_is_the_same(mode, tmp_path):
    inputs = keras.Input((*SIZES, CHANNELS))
    model = keras.Model(inputs, make("Conv2D", mode)(inputs))
    model.set_weights([numbers(*w.shape, seed=i) for i, w in enumerate(model.get_weights())])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = numbers(2, *SIZES, CHANNELS)
    assert np.array_equal(loaded(x), model(x))


def test_initial_weights_are_the_same_under_every_mode():
    drawn = {}
    for mode in MODES:
        keras.utils.set_random_seed(3)
        made = make("Conv2D", mode)
        made.build((None, *SIZES, CHANNELS))
        drawn[mode] = [w.numpy() if hasattr(w, "numpy") else np.asarray(w) for w in made.kernels()]
    for mode, weights in drawn.items():
        assert all(map(np.array_equal, weights, drawn["zeros"])), mode
