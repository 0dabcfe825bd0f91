"""What a border must do to any layer: properties, not numbers."""

import keras
import numpy as np
import pytest

from models import layers
from models.layers import Conv1D, Conv2D
from models.padding import Padding
from models.padding.modes import CAUSAL_MODES
from models.padding.supports import supports
from tests.models.layers import oracle
from tests.models.layers.oracle import MODES

KINDS = ("Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D")
PAIRS = (("zeros", "reflect"), ("circular", "replicate"), ("constant", "odd_reflect"))


def picture(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def make(kind, mode, amount="same", k=3, strides=1, x=None, seed=5, **kwargs):
    """Return a layer whose weights depend on the seed alone, its border not at zero."""
    value = 1.5 if "constant" in mode else 0.0
    filters = () if kind.startswith(("Depthwise", "Max", "Average")) else (3,)
    layer = getattr(layers, kind)(
        *filters, k, strides=strides, padding=Padding(amount, mode, value), **kwargs
    )
    layer.build(x.shape)
    layer.set_weights([picture(*w.shape, seed=seed) for w in layer.get_weights()])
    return layer


def modes_of(kind):
    taken = [mode for mode in MODES if supports("same", mode, kind) is None]
    return [*taken, *PAIRS * (kind != "Conv1D")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("k", "strides"), [(3, 1), (5, 2), (4, 1)])
def test_the_interior_is_the_same_under_every_mode(kind, k, strides):
    shape = (2, 15, 4) if kind == "Conv1D" else (2, 15, 14, 4)
    x = picture(*shape)
    outputs = {m: np.asarray(make(kind, m, "half", k, strides, x)(x)) for m in modes_of(kind)}
    reach = -(-(k // 2) // strides)
    inside = (slice(None), *(slice(reach, -reach),) * (len(shape) - 2))
    for mode, y in outputs.items():
        np.testing.assert_allclose(y[inside], outputs["zeros"][inside], atol=2e-5, err_msg=mode)
        assert mode == "zeros" or not np.allclose(y, outputs["zeros"], atol=1e-3), mode


@pytest.mark.parametrize(
    ("kind", "mode"),
    [(kind, mode) for kind in KINDS for mode in modes_of(kind) if isinstance(mode, str)],
)
@pytest.mark.parametrize("amount", ["same", "full"])
def test_a_constant_picture_stays_constant(kind, mode, amount):
    """Not under zeros, nor under a constant or a learned border of another value.

    Under partial it does if the kernel's taps are equal: it counts them and does not weigh them.
    """
    shape = (1, 6, 2) if kind == "Conv1D" else (1, 5, 6, 2)
    x = np.broadcast_to(np.array([2.0, -3.0], "float32"), shape)
    layer = make(kind, mode, amount, x=x)
    if mode == "partial":
        first, *others = layer.get_weights()
        layer.set_weights([np.full_like(first, 0.5), *others])
    y = np.asarray(layer(x))
    stays = np.allclose(y, y[(slice(None), *[slice(3, 4)] * (len(shape) - 2))], atol=1e-4)
    assert stays == (mode not in ("zeros", "constant", "learned"))


@pytest.mark.parametrize("kind", [*KINDS, "MaxPooling2D", "AveragePooling1D"])
def test_circular_commutes_with_circular_shifts(kind):
    counted = {"count_include_pad": True} if "Pooling" in kind else {}
    x = picture(1, 7, 3) if "1D" in kind else picture(1, 6, 7, 3)
    axes = tuple(range(1, x.ndim - 1))
    for k, amount in [(3, "same"), (4, "same_lower"), (2, "same"), (9, "same")]:
        layer = make(kind, "circular", amount, k, 1, x, **counted)
        zeros = make(kind, "zeros", amount, k, 1, x, **counted)
        rolled = np.roll(x, 2, axes)
        np.testing.assert_allclose(layer(rolled), np.roll(layer(x), 2, axes), atol=1e-5)
        assert not np.allclose(zeros(rolled), np.roll(zeros(x), 2, axes), atol=1e-3)


@pytest.mark.parametrize("mode", CAUSAL_MODES)
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (1, 3)])
def test_causal_sees_no_future(mode, strides, dilation):
    x = picture(2, 12, 2)
    conv = make("Conv1D", mode, "causal", 4, strides, x, dilation_rate=dilation)
    y = np.asarray(conv(x))
    for t in range(0, 12, strides):
        other = x.copy()
        other[:, t + 1 :] += 5.0
        changed = np.asarray(conv(other))
        assert np.array_equal(changed[:, : t // strides + 1], y[:, : t // strides + 1])
    assert not np.array_equal(np.asarray(conv(x[:, ::-1].copy()))[:, -1], y[:, -1])


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("kind", ["Conv2D", "DepthwiseConv2D", "SeparableConv2D"])
@pytest.mark.parametrize("mode", CAUSAL_MODES)
def test_causal_rows_and_columns_see_no_future(axis, kind, mode):
    x = picture(1, 6, 7, 2)
    amount = ["causal", "same"] if axis == 0 else ["same", "causal"]
    layer = make(kind, mode, amount, x=x)
    y = np.asarray(layer(x))
    for t in range(x.shape[1 + axis]):
        other = np.moveaxis(x.copy(), 1 + axis, 0)
        other[t + 1 :] += 5.0
        changed = np.moveaxis(np.asarray(layer(np.moveaxis(other, 0, 1 + axis))), 1 + axis, 0)
        assert np.array_equal(changed[: t + 1], np.moveaxis(y, 1 + axis, 0)[: t + 1])


@pytest.mark.parametrize("kind", KINDS)
def test_full_is_valid_on_the_padded_map(kind):
    x = picture(1, 4, 2) if kind == "Conv1D" else picture(1, 4, 3, 2)
    rank = x.ndim - 2
    for mode in ("zeros", "constant", "reflect", "symmetric", "replicate", "circular"):
        padded = oracle.pad(x, ((2, 2),) * rank, [mode] * rank, 1.5).astype("float32")
        full, valid = make(kind, mode, "full", x=x), make(kind, "zeros", "valid", x=padded)
        valid.set_weights(full.get_weights())
        np.testing.assert_allclose(full(x), valid(padded), atol=1e-5)


def test_partial_convolution_of_ones():
    """Liu et al. 2018: the output is 1.5 times at edges and 2.25 times in corners; no bias is."""
    zeros, partial = (
        Conv2D(1, 3, padding=Padding("same", m), bias_initializer="ones", kernel_initializer="ones")
        for m in ("zeros", "partial")
    )
    x = np.ones((1, 4, 5, 1), "float32")
    ratio = (np.asarray(partial(x)) - 1) / (np.asarray(zeros(x)) - 1)
    assert ratio[0, :, :, 0].tolist() == [
        [2.25, 1.5, 1.5, 1.5, 2.25],
        *[[1.5, 1, 1, 1, 1.5]] * 2,
        [2.25, 1.5, 1.5, 1.5, 2.25],
    ]


def test_a_constant_for_each_channel():
    values = (1.0, -2.0, 0.5)
    x = picture(2, 4, 5, 3)
    for amount in ("same", "full", ["same", "valid"]):
        layer = Conv2D(2, 3, padding=Padding(amount, "constant", values))
        layer.build(x.shape)
        widths = layer.pad_widths(x.shape)
        padded = oracle.pad(x, widths, ["constant"] * 2, np.array(values))
        kernel, bias = layer.get_weights()
        expected = oracle.convolve(padded, kernel, (1, 1), (1, 1)) + bias
        np.testing.assert_allclose(layer(x), expected, atol=1e-5)
    with pytest.raises(ValueError, match="one number for each channel of the input .*: 3, not 2"):
        Conv2D(2, 3, padding=Padding("same", "constant", (1.0, 2.0)), name="c").build(x.shape)


@pytest.mark.parametrize("kind", [*KINDS, "MaxPooling2D", "AveragePooling1D", "PadInput2D"])
def test_learned_starts_at_zero_behind_the_other_weights(kind):
    x = picture(2, 6, 4) if "1D" in kind else picture(2, 6, 5, 4)
    counted = {"count_include_pad": True, "strides": 1} if "Pooling" in kind else {}
    args = () if kind.startswith(("Depthwise", "Max", "Average")) else (3,)
    args = (*args, 3) if kind != "PadInput2D" else ()
    amount = 1 if kind == "PadInput2D" else "same"
    learned, zeros = (
        getattr(layers, kind)(*args, padding=Padding(amount, mode), **counted)
        for mode in ("learned", "zeros")
    )
    learned.build(x.shape)
    zeros.build(x.shape)
    names = [w.path.split("/")[-1] for w in learned.weights]
    assert names[-1] == "border" and "border" not in names[:-1]
    assert names[:-1] == [w.path.split("/")[-1] for w in zeros.weights]
    assert learned.weights[-1].shape == (4,) and learned.weights[-1].trainable
    learned.save_own_variables(store := {})
    assert len(store) == len(learned.weights)
    for i, weight in enumerate(learned.get_weights()):
        assert np.array_equal(store[str(i)], weight)
    zeros.set_weights(learned.get_weights()[:-1])
    np.testing.assert_allclose(learned(x), zeros(x), atol=1e-6)
    _, gradients = oracle.value_and_gradients(learned, x, np.ones(learned(x).shape, "float32"))
    assert np.abs(gradients[-1]).max() > 0


def test_learned_keeps_no_weight_where_nothing_is_padded():
    layer = Conv1D(2, 3, padding=Padding("valid", "learned"))
    layer.build((None, 5, 1))
    assert [w.path.split("/")[-1] for w in layer.weights] == ["kernel", "bias"]
    halves = Conv1D(2, 2, 2, Padding("same", "learned"))
    halves(picture(1, 4, 1))
    with pytest.raises(ValueError, match="built for a size that needs no border"):
        halves(picture(1, 5, 1))


def test_the_mean_is_each_examples_and_each_channels():
    x = picture(2, 3, 4, 2) + np.array([10.0, -5.0], "float32")
    padded = layers.PadInput2D(Padding(1, "mean"))(x)
    expected = oracle.pad(x, ((1, 1),) * 2, ["constant"] * 2, x.mean((1, 2), keepdims=True))
    np.testing.assert_allclose(padded, expected, rtol=1e-5)
    assert keras.backend.standardize_dtype(padded.dtype) == "float32"
