import itertools

import keras
import numpy as np
import pytest

from models.layers import CollapseError, Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose
from models.padding import MODES, Padding, PaddingError
from tests.helpers import thinned
from tests.models.layers import oracle

ON_JAX = keras.backend.backend() == "jax"  # which compiles each case
AMOUNTS = ("valid", "same", "same_lower", "half", "full", "causal", 1, [[0, 2]])


def picture(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def pair(kinds, filters, k, strides, amount, shape, **kwargs):
    """Return a convolution and a transposed one with its kernel, both without bias."""
    args = {"strides": strides, "padding": Padding(amount), "use_bias": False}
    conv = kinds[0](filters, k, **args, dilation_rate=kwargs.pop("dilation_rate", 1))
    conv.build(shape)
    there = conv.compute_output_shape(shape)
    back = kinds[1](shape[-1], k, **args, dilation_rate=conv.dilation_rate, **kwargs)
    back.build(there)
    back.set_weights(conv.get_weights())
    return conv, back, there


@pytest.mark.parametrize("amount", thinned(AMOUNTS, 3))
def test_it_is_the_gradient_of_its_convolution(amount):
    """For every map: <conv(x), y> = <x, transposed(y)>, with the pixels that no window read."""
    tried = 0
    grid = itertools.product((1, 2, 3, 5, 6, 8), range(1, 6), (1, 2, 3), (1, 2))
    for n, k, s, d in list(grid)[:: 7 if ON_JAX else 1]:
        window = d * (k - 1) + 1
        before, after = oracle.amounts(
            tuple(amount[0]) if isinstance(amount, list) else amount, n, k, s, d
        )
        if (s > 1 and d > 1) or n + before + after < window:
            continue
        left = (n - 1 if amount in ("same", "same_lower") else n + before + after - window) % s
        if amount in ("valid", "same"):  # Keras' own two, whose output padding is Keras' too
            if left != (s - 1 if amount == "same" else 0) or window < s:
                continue
            left = None
        conv, back, there = pair(
            (Conv1D, Conv1DTranspose), 3, k, s, amount, (2, n, 2),
            dilation_rate=d, output_padding=left,
        )  # fmt: skip
        y = picture(*there)
        _, (by_x, _) = oracle.value_and_gradients(conv, picture(2, n, 2), y)
        transposed = np.asarray(back(y))
        assert transposed.shape == by_x.shape == tuple(back.compute_output_shape(there))
        np.testing.assert_allclose(transposed, by_x, atol=1e-5, err_msg=str((n, k, s, d)))
        tried += 1
    assert tried > (2 if ON_JAX else 20)


@pytest.mark.parametrize("amount", ["same_lower", "half", "full", 1, ["causal", "same_lower"]])
def test_it_is_the_gradient_of_its_convolution_of_images(amount):
    shape = (1, 7, 10, 2)  # at stride 3 and 3x3, no pixel is left over but under the half pads
    for s, k in [((1, 1), (3, 2)), ((3, 3), (3, 3)), ((2, 3), (4, 3))]:
        conv, back, there = pair((Conv2D, Conv2DTranspose), 3, k, s, amount, shape)
        padded = [n + sum(w) for n, w in zip(shape[1:-1], conv.pad_widths(shape), strict=True)]
        amounts = conv.border.amounts(2)
        extra = [
            (n - 1 if a == "same_lower" else p - span) % step
            for a, n, p, span, step in zip(amounts, shape[1:-1], padded, k, s, strict=True)
        ]
        conv, back, there = pair(
            (Conv2D, Conv2DTranspose), 3, k, s, amount, shape, output_padding=tuple(extra)
        )
        y = picture(*there)
        _, (by_x, _) = oracle.value_and_gradients(conv, picture(*shape), y)
        np.testing.assert_allclose(back(y), by_x, atol=1e-5)


@pytest.mark.parametrize(("i", "k", "s", "amount", "extra", "expected"), [
    (2, 3, 1, "valid", None, 4), (6, 4, 1, 2, None, 5), (5, 3, 1, "half", None, 5),
    (7, 3, 1, "full", None, 5), (2, 3, 2, "valid", None, 5), (3, 3, 2, 1, None, 5),
    (3, 3, 2, 1, 1, 6),
], ids=range(8, 15))  # fmt: skip
def test_dumoulin_and_visin_relations(i, k, s, amount, extra, expected):
    """Relationships 8 to 14 of the guide, at the numbers of its figures."""
    layer = Conv2DTranspose(1, k, s, Padding(amount), output_padding=extra)
    assert tuple(layer.compute_output_shape((1, i, i, 1))) == (1, expected, expected, 1)
    assert layer(picture(1, i, i, 1)).shape == (1, expected, expected, 1)


@pytest.mark.parametrize("padding", ["same", "valid", "SAME"])
@pytest.mark.parametrize("extra", [None, 0, 1])
def test_strings_and_their_paddings_are_keras_bit_for_bit(padding, extra):
    for k, s in itertools.product(range(1, 6), (2, 3)):
        if padding != "valid" and extra is not None and k % 2 == 0:
            continue  # Keras' own size is not that of any convolution, and TensorFlow refuses it
        for kind, shape in [(Conv1DTranspose, (2, 5, 3)), (Conv2DTranspose, (1, 4, 5, 3))]:
            theirs = getattr(keras.layers, kind.__name__)(2, k, s, padding, output_padding=extra)
            x = picture(*shape)
            expected = np.asarray(theirs(x))
            for spelled in (padding, Padding(padding.lower())):
                ours = kind(2, k, s, spelled, output_padding=extra)
                ours.build(x.shape)
                ours.set_weights(theirs.get_weights())
                assert np.array_equal(ours(x), expected)
                assert tuple(ours.compute_output_shape(x.shape)) == expected.shape


@pytest.mark.parametrize("amount", thinned(["same", "same_lower", "half", "full", "causal", 1], 2))
@pytest.mark.parametrize(("k", "s", "extra"), [(4, 2, None), (3, 2, 1), (3, 3, 0), (1, 3, 2)])
def test_unknown_sizes_give_what_known_ones_do(amount, k, s, extra):
    open_ = Conv1DTranspose(2, k, s, Padding(amount), output_padding=extra)
    model = keras.Sequential([keras.Input((None, 3)), open_])
    for n in (4, 7):
        x, known = picture(2, n, 3), Conv1DTranspose(2, k, s, Padding(amount), output_padding=extra)
        known.build(x.shape)
        known.set_weights(open_.get_weights())
        y = model.predict(x, verbose=0)
        np.testing.assert_allclose(y, known(x), atol=1e-6)
        assert tuple(known.compute_output_shape(x.shape)) == y.shape


def test_mistakes():
    with pytest.raises(CollapseError, match="layer 'up'"):
        Conv1DTranspose(1, 5, padding=Padding("full"), name="up")(keras.Input((3, 1)))
    with pytest.raises(PaddingError, match="looks ahead, so it takes zeros only"):
        Conv2DTranspose(1, 3, padding=Padding(["same", "causal"], "replicate"))
    with pytest.raises(PaddingError, match="Conv2DTranspose writes them"):
        Conv2DTranspose(1, 2, padding=Padding("even_split"))
    with pytest.raises(PaddingError, match="Mode 'reflect' needs a known size on every axis"):
        Conv1DTranspose(1, 3, padding="reflect")(keras.Input((None, 2)))
    with pytest.raises(ValueError, match="channels_last"):
        Conv2DTranspose(1, 3, data_format="channels_first")


def with_weights(kind, k, s, mode, amount, x, **kwargs):
    layer = kind(2, k, s, Padding(amount, mode), **kwargs)
    layer.build(x.shape)
    layer.set_weights([picture(*w.shape, seed=i) for i, w in enumerate(layer.get_weights())])
    return layer


@pytest.mark.parametrize("kind", [Conv1DTranspose, Conv2DTranspose])
@pytest.mark.parametrize(("k", "s", "amount", "extra"), [
    (3, 1, "same", None), (4, 2, "same", None), (3, 2, "half", 1), (2, 3, "same_lower", None),
    (6, 2, 2, None), (9, 3, "same", None),
])  # fmt: skip
def test_shifts_of_the_map_are_shifts_by_the_stride(kind, k, s, amount, extra):
    """A closed map: with n * s outputs a circular shift by j gives one by j * s."""
    x = picture(1, 5, 3) if kind is Conv1DTranspose else picture(1, 5, 4, 3)
    axes = tuple(range(1, x.ndim - 1))
    moved = {}
    for mode in ("circular", "zeros", "reflect"):
        layer = with_weights(kind, k, s, mode, amount, x, output_padding=extra)
        y = np.asarray(layer(x))
        assert y.shape[1:-1] == tuple(n * s for n in x.shape[1:-1])
        moved[mode] = max(
            np.abs(np.asarray(layer(np.roll(x, j, axes))) - np.roll(y, j * s, axes)).max()
            for j in (1, 2)
        )
    assert moved["circular"] < 1e-5
    reaches = any(map(any, layer.input_widths(x.shape[1:-1])))
    assert (moved["zeros"] > 0.1) == (moved["reflect"] > 0.1) == reaches


def test_it_goes_on_by_what_reaches_the_output():
    """Every pixel of the border changes some output, and one more would change none."""
    for k, s, amount in itertools.product(range(1, 7), (1, 2, 3), ("valid", "same", "full", 1, 3)):
        layer = with_weights(Conv1DTranspose, k, s, "zeros", amount, x := picture(1, 6, 2))
        ((before, after),) = layer.input_widths((6,))
        assert layer.input_widths((None,)) == ((before, after),)
        ((cut, _),) = layer.cut_widths()
        outputs = layer(x).shape[1]
        for pixel in range(-9, 16):
            reads = any(0 <= cut + q - pixel * s < k for q in range(outputs))
            assert reads == (-before <= pixel < 0 or 0 <= pixel < 6 + after) or 0 <= pixel < 6, (
                k, s, amount, pixel,
            )  # fmt: skip


def test_where_nothing_is_read_beyond_the_map_the_mode_is_irrelevant():
    x = picture(2, 6, 5, 3)
    zeros = with_weights(Conv2DTranspose, 3, 1, "zeros", "full", x)
    for mode in MODES:
        other = with_weights(Conv2DTranspose, 3, 1, mode, "full", x)
        assert len(other.weights) == 2
        assert np.array_equal(other(x), zeros(x)), mode


def test_a_constant_map_stays_constant_where_it_goes_on():
    """Of equal taps in every phase: the border of a decoder has no brighter or darker frame."""
    x = np.full((1, 4, 5, 1), 3.0, "float32")
    for mode in ("replicate", "circular", "reflect", "mean", "random", "partial", "zeros"):
        layer = Conv2DTranspose(1, 4, 2, Padding("same", mode), kernel_initializer="ones")
        y = np.asarray(layer(x))
        assert (np.ptp(y) < 1e-5) == (mode != "zeros"), mode
        if mode != "zeros":
            np.testing.assert_allclose(y, 4 * 3.0, rtol=1e-6)  # two taps on each axis


def test_noise_is_drawn_in_training_from_the_seed():
    x = picture(2, 4, 5, 3)

    def made(seed):
        return with_weights(Conv2DTranspose, 4, 2, "random", "same", x, border_seed=seed)

    layer = made(7)
    drawn = np.asarray(layer(x, training=True))
    assert np.array_equal(drawn, made(7)(x, training=True))
    assert not np.array_equal(drawn, made(8)(x, training=True))
    mean = with_weights(Conv2DTranspose, 4, 2, "mean", "same", x)
    np.testing.assert_allclose(layer(x), mean(x), atol=1e-6)
    assert Conv2DTranspose.from_config(layer.get_config()).border_seed == 7
    inside = (slice(None), slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(drawn[inside], np.asarray(mean(x))[inside], atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("mode", ["circular", "odd_reflect", "mean", "learned", "partial"])
def test_half_precision(mode, dtype):
    x = picture(2, 4, 5, 3)
    full = with_weights(Conv2DTranspose, 4, 2, mode, "same", x)
    half = with_weights(Conv2DTranspose, 4, 2, mode, "same", x, dtype=dtype)
    y = half(keras.ops.cast(x, dtype))
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    expected = np.asarray(full(x))
    wrong = np.abs(np.asarray(keras.ops.cast(y, "float32")) - expected).max()
    assert wrong < {"float16": 0.01, "bfloat16": 0.06}[dtype] * np.abs(expected).max()
