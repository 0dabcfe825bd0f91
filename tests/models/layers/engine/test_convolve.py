import keras
import numpy as np
import pytest

from models.layers import Conv1D, Conv2D, DepthwiseConv2D
from models.layers.engine.convolve import (
    Window,
    add_border,
    convolve_zeros,
    is_closed,
    is_native,
    split_kernel,
)
from models.layers.engine.extend import pad
from models.padding import MODES, Padding
from models.padding.modes import AXIS_MODES
from tests.models.layers import covering, test_covering

ON_JAX = keras.backend.backend() == "jax"


def picture(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def impulse(*shape):
    x = np.zeros((1, *shape, 4), "float32")
    x[0, *(n // 2 for n in shape)] = 1.0
    return x


@pytest.mark.parametrize(("k", "dilation"), [(2, 1), (4, 1), (2, 3)])
def test_even_split_moves_each_channel_to_its_corner(k, dilation):
    """Channel i is padded towards corner i mod 4: there its picture moves away from."""
    layer = DepthwiseConv2D(
        k, padding=Padding("even_split"), dilation_rate=dilation, use_bias=False,
        depthwise_initializer="ones",
    )  # fmt: skip
    y = np.asarray(layer(impulse(15, 15)))[0]
    assert y.shape == (15, 15, 4)
    for channel, (down, right) in enumerate([(1, 1), (1, -1), (-1, 1), (-1, -1)]):
        rows, columns = np.nonzero(y[..., channel])
        # One pixel is left over, so each channel lies half a pixel off.
        assert (rows.mean() - 7, columns.mean() - 7) == (down / 2, right / 2)
    assert np.mean([np.mean(np.nonzero(y[..., c]), axis=1) for c in range(4)]) == 7.0


def test_even_split_of_a_sequence_has_two_sides():
    layer = Conv1D(4, 2, padding=Padding("even_split"), use_bias=False, groups=4)
    layer.build((1, 9, 4))
    layer.set_weights([np.ones((2, 1, 4), "float32")])
    y = np.asarray(layer(impulse(9)))[0]
    assert [np.nonzero(y[:, c])[0].tolist() for c in range(4)] == [[4, 5], [3, 4], [4, 5], [3, 4]]


def test_even_split_does_not_drift_where_same_does():
    """Twelve 2x2 convolutions move a picture by 6 pixels under `same`, by none under the split."""

    def drift(amount):
        x = impulse(41, 41).sum(-1, keepdims=True).repeat(4, -1)
        for _ in range(12):
            conv = Conv2D(4, 2, padding=Padding(amount), use_bias=False, kernel_initializer="ones")
            x = np.asarray(conv(x)) / 16
        return (x[0].sum(-1) * np.arange(41)[:, None]).sum() / x[0].sum() - 20

    assert drift("even_split") == pytest.approx(0.0, abs=1e-4)
    assert drift("same") == pytest.approx(-6.0, abs=1e-4)


def test_even_split_of_odd_kernels_is_same():
    x = picture(1, 7, 6, 4)
    for k, s in [(3, 1), (5, 1), (1, 1), (3, 3), ((3, 5), (1, 1))]:
        split, same = (Conv2D(3, k, s, Padding(amount)) for amount in ("even_split", "same"))
        split.build(x.shape)
        same.build(x.shape)
        same.set_weights(split.get_weights())
        if not any(split.splits(x.shape)):
            np.testing.assert_allclose(split(x), same(x), atol=1e-6)


def test_a_split_kernel_keeps_its_numbers():
    kernel = keras.ops.convert_to_tensor(picture(2, 3, 4, 5))
    wide, window = split_kernel(kernel, Window((2, 3), (1, 1), (2, 1)), (True, False), 4)
    assert window == Window((4, 3), (1, 1), (1, 1))
    wide = np.asarray(wide)
    for c in range(4):
        start = c // 2  # padded towards the top: it leaves out the last row
        assert np.array_equal(wide[start : start + 3 : 2, :, c], np.asarray(kernel)[:, :, c])
    assert np.count_nonzero(wide) == kernel.shape[0] * 3 * 4 * 5


GROUPED = [
    covering.Case("Conv2D", amount, mode, k, s, 1, "odd x even")
    for amount, mode, k, s in [
        ("full", "learned", 3, 1),
        ("same", "mean", 3, 2),
        (2, "constant", 2, 1),
        ("even_split", "zeros", 2, 1),
        ("even_split", "mean", 4, 1),
        ("half", "partial", 3, 1),
        ("same", ("constant", "circular"), 3, 1),
        ("full", "odd_reflect", 2, 1),
    ]
]


@pytest.mark.parametrize("case", GROUPED, ids=lambda c: f"{c.amount}-{c.mode}-{c.kernel}")
@pytest.mark.parametrize("groups", [2, 4])
def test_groups(case, groups):
    test_covering.check(case, groups)


BEYOND = [
    covering.Case(layer, amount, mode, k, 1, d, "odd")
    for layer, amount, mode, k, d in [
        ("Conv1D", ((4, 0),), "zeros", 2, 1),
        ("Conv2D", ((1, 2), (4, 0)), "mean", 2, 1),
        ("Conv2D", ((4, 0), (1, 2)), "zeros", 3, 1),
        ("Conv2D", ((5, 1), (5, 0)), "partial", 2, 2),
        ("DepthwiseConv2D", ((3, 0), (3, 1)), "constant", 2, 1),
    ]
]


@pytest.mark.parametrize("case", BEYOND, ids=lambda c: f"{c.layer}-{c.mode}-{c.kernel}")
def test_an_amount_beyond_the_window_on_one_side(case):
    """Where XLA's gradient by the map is wrong for few channels, should it be asked for it."""
    test_covering.check(case)


def test_an_output_without_border_is_that_of_zeros():
    """Bit for bit: what the border adds there is nothing, not something small."""
    x, kernel = picture(2, 9, 8, 3), keras.ops.convert_to_tensor(picture(3, 3, 3, 2))
    window, widths = Window((3, 3), (1, 1), (1, 1)), ((1, 1), (1, 1))
    zeros = convolve_zeros(x, kernel, window, widths)
    values = keras.ops.convert_to_tensor(picture(2, 3) * 1e6)
    y = np.asarray(add_border(zeros, kernel, values, (9, 8), window, widths))
    assert np.array_equal(y[:, 1:-1, 1:-1], np.asarray(zeros)[:, 1:-1, 1:-1])
    assert np.abs(y[:, 0] - np.asarray(zeros)[:, 0]).min() > 1.0


def test_which_borders_the_backend_takes_itself():
    window = Window((3,), (2,), (1,))
    assert window.is_same((8,), ((0, 1),))
    assert not window.is_same((8,), ((1, 1),))
    assert not window.is_same((None,), ((0, 1),))
    assert Window((3,), (1,), (2,)).is_same((None,), ((2, 2),))
    assert is_native((8,), window, ((1, 1),)) == ON_JAX
    assert is_native((8,), window, ((0, 1),))


@pytest.mark.parametrize("mode", [mode for mode in AXIS_MODES if MODES[mode].needs_size])
def test_an_empty_batch_is_padded_too(mode):
    y = pad(keras.ops.zeros((0, 4, 5, 3)), ((1, 2), (0, 7)), mode)
    assert tuple(y.shape) == (0, 7, 12, 3)


@pytest.mark.skipif(ON_JAX, reason="TensorFlow's gather")
def test_plans_are_kept_and_are_plain_copies_where_they_can_be():
    from models.layers.engine import extend_tensorflow

    made = extend_tensorflow.plan((4, 5), ((1, 1), (2, 0)), ("reflect", "circular"))
    assert made is extend_tensorflow.plan((4, 5), ((1, 1), (2, 0)), ("reflect", "circular"))
    assert made.sums == ()
    assert made.order.reshape(6, 7)[1:-1, 2:].tolist() == np.arange(20).reshape(4, 5).tolist()
    assert extend_tensorflow.plan((4, 5), ((1, 1), (2, 0)), ("odd_reflect", "circular")).sums != ()


CLOSED = [
    ("Conv1D", (9,), 3, 1, "same"),
    ("Conv1D", (9,), 4, 1, "same"),  # amounts (1, 2)
    ("Conv1D", (8,), 3, 2, [[4, 0]]),
    ("Conv1D", (3,), 5, 2, "same"),  # amounts beyond the map
    ("Conv2D", (5, 6), 3, 1, "same"),
    ("Conv2D", (4, 6), (1, 3), 1, "half"),
    ("Conv2D", (6, 5), 2, 1, "even_split"),
    ("Conv2D", (7, 6), (2, 5), (2, 1), "same_lower"),
    ("Conv2D", (2, 3), 3, (3, 1), [[6, 0], [0, 2]]),
]


def derivatives(layer, x):
    """Return a loss of the outputs, its gradients, and those of a loss of the gradients."""
    import tensorflow as tf

    of = [x, layer.kernel.value]
    with tf.GradientTape() as outer:
        outer.watch(of)
        with tf.GradientTape() as inner:
            inner.watch(of)
            loss = tf.reduce_sum(tf.sin(layer(x)))
        first = inner.gradient(loss, of)
        steepness = sum(tf.reduce_sum(tf.sin(gradient)) for gradient in first)
    return loss, *first, *outer.gradient(steepness, of)


@pytest.mark.skipif(ON_JAX, reason="TensorFlow's gradient")
@pytest.mark.parametrize(("kind", "sizes", "kernel", "dilation", "amount"), CLOSED)
def test_a_closed_map_has_the_derivatives_of_the_padded_one(kind, sizes, kernel, dilation, amount):
    """A graph, of any batch, against the same steps one by one, which the oracle checks."""
    import tensorflow as tf

    layer = {"Conv1D": Conv1D, "Conv2D": Conv2D}[kind](
        3, kernel, padding=Padding(amount, "circular"), dilation_rate=dilation, dtype="float64"
    )
    x = tf.constant(picture(2, *sizes, 4), "float64")
    layer.build(x.shape)
    expected = derivatives(layer, x)
    widths, taken = layer.pad_widths(x.shape), []

    @tf.function(input_signature=[tf.TensorSpec((None, *sizes, 4), "float64")])
    def in_graph(x):
        wide = (layer.kernel, layer.window)
        if any(layer.splits(x.shape)):
            wide = split_kernel(*wide, layer.splits(x.shape), 4)
        taken.append(is_closed(4, *wide, widths, ("circular",) * len(sizes)))
        return derivatives(layer, x)

    for found, exact in zip(in_graph(x), expected, strict=True):
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-12 * np.abs(exact).max())
    assert taken == [True]


@pytest.mark.skipif(ON_JAX, reason="TensorFlow's gradient")
@pytest.mark.parametrize(("dtype", "rounding"), [("float16", 2**-11), ("bfloat16", 2**-8)])
def test_a_closed_map_of_half_precision_rounds_and_no_more(dtype, rounding):
    import tensorflow as tf

    def gradients(layer, x, signal):
        of = [x, layer.kernel.value]
        with tf.GradientTape() as tape:
            tape.watch(of)
            y = layer(x)
        return tape.gradient(y, of, signal)

    x, signal = (tf.cast(picture(2, 6, 7, n, seed=n), dtype) for n in (4, 3))
    exact, rounded = (Conv2D(3, 3, padding="circular", dtype=d) for d in ("float64", dtype))
    for layer in (exact, rounded):
        layer.build(x.shape)
        layer.kernel.assign(tf.cast(picture(3, 3, 4, 3, seed=1), dtype))
    graph = tf.function(gradients).get_concrete_function(rounded, x, signal)
    assert "ReverseV2" in {op.type for op in graph.graph.get_operations()}  # the turned kernel
    wide = (tf.cast(one, "float64") for one in (x, signal))
    for found, known in zip(graph(x, signal), gradients(exact, *wide), strict=True):
        assert found.dtype == dtype
        wrong = np.abs(tf.cast(found, "float64") - known).max() / np.abs(known).max()
        assert 0 < wrong < 8 * rounding


@pytest.mark.skipif(ON_JAX, reason="TensorFlow's gradient")
def test_what_is_infinite_stays_where_it_is_read_on_a_closed_map():
    import tensorflow as tf

    layer = Conv2D(8, 3, padding="circular", dilation_rate=(1, 2))
    x, signal = picture(1, 9, 11, 8), picture(1, 9, 11, 8, seed=1)
    layer.build(x.shape)
    x[0, 8, 3, 2] = signal[0, 0, 10, 5] = np.inf

    @tf.function
    def outputs_and_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return y, tape.gradient(y, x, signal)

    for found, rows, columns in zip(
        outputs_and_gradient(tf.constant(x)), [(7, 8, 0), (8, 0, 1)], [(1, 3, 5), (8, 10, 1)],
        strict=True,
    ):  # fmt: skip
        reached = np.zeros((9, 11), bool)
        reached[np.ix_(rows, columns)] = True
        assert np.array_equal(~np.isfinite(found).all((0, 3)), reached)


@pytest.mark.skipif(ON_JAX, reason="TensorFlow's gradient")
def test_which_maps_are_closed():
    import tensorflow as tf

    def closed(strides=1, widths=((1, 1), (2, 0)), modes=("circular",) * 2, read=4, apart=False):
        window = Window((3, 2), (strides, 1), (1, 2), apart)
        return is_closed(4, np.zeros((3, 2, read, 4)), window, widths, modes)

    with tf.Graph().as_default():
        assert closed()
        assert not closed(strides=2)
        assert not closed(widths=((1, 1), (2, 1)))
        assert not closed(modes=("circular", "reflect"))
        assert not closed(read=2)
        assert not closed(apart=True)
    assert not closed()
