"""Convolutions that some kernel of TensorFlow refuses or gets wrong.

Where a machine's kernels are right, so were the numbers; `test_no_such_kernel_is_called` does not
depend on the machine.
"""

import itertools

import keras
import numpy as np
import pytest

from models import layers
from models.padding import Padding
from models.padding.supports import LAYER_RANK
from tests.helpers import thinned
from tests.models.layers import covering, oracle, reference, test_covering

ON_JAX = keras.backend.backend() == "jax"  # which compiles each case
on_tensorflow = pytest.mark.skipif(ON_JAX, reason="asks for TensorFlow's kernels")
CONVOLUTIONS = ("Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D")
TRANSPOSED = ("Conv1DTranspose", "Conv2DTranspose")


def picture(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def check(layer, amount, window, sizes, groups=1):
    """Compare outputs and all gradients with the oracle's; of a sequence, on the last axis."""
    kept = slice(2 - LAYER_RANK[layer], None)
    window, sizes = [axes[kept] for axes in window], sizes[kept]
    case = covering.Case(layer, amount, "zeros", *(axes[0] for axes in window), str(sizes))
    test_covering.check(case, groups, window=window, sizes=sizes)


def some(*cases):
    return cases[:: 4 if ON_JAX else 1]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layer", CONVOLUTIONS + TRANSPOSED)
def test_one_pixel_with_strides(layer, channels, monkeypatch):
    monkeypatch.setattr(reference, "CHANNELS", channels)
    for sizes, strides, amount in some(
        ((8, 36), (2, 2), "same"),
        ((10, 10), (2, 2), "valid"),
        ((6, 9), (3, 3), "same"),
        ((5, 7), (2, 2), "same_lower"),
        ((6, 48), (1, 2), "half"),
        ((12, 24), (2, 3), "full"),
        ((7, 8), (3, 2), "valid"),
    ):
        check(layer, amount, ((1, 1), strides, (1, 1)), sizes)


@pytest.mark.parametrize("layer", CONVOLUTIONS + TRANSPOSED)
def test_kernels_smaller_than_their_strides(layer):
    for k, strides, sizes in some(
        ((2, 2), (3, 3), (9, 12)),
        ((1, 2), (3, 3), (10, 8)),
        ((2, 1), (3, 2), (12, 36)),
    ):
        check(layer, "valid", (k, strides, (1, 1)), sizes)


@pytest.mark.parametrize("amount", ["valid", "same", "same_lower", "full", 1, "causal"])
@pytest.mark.parametrize("layer", TRANSPOSED)
def test_transposed_and_dilated(layer, amount):
    if amount == "causal" and layer == "Conv2DTranspose":
        amount = ("causal", "same")
    for k, dilation, sizes in some(
        ((3, 3), (2, 2), (5, 6)),
        ((2, 2), (3, 3), (8, 7)),
        ((3, 2), (1, 3), (4, 5)),
        ((2, 4), (2, 1), (6, 9)),
        ((1, 3), (2, 4), (7, 10)),
        ((1, 1), (2, 2), (4, 4)),
    ):
        check(layer, amount, (k, (1, 1), dilation), sizes)


@pytest.mark.parametrize("padding", ["same", Padding("same")])
@pytest.mark.parametrize("extra", [0, 1])
def test_transposed_same_with_an_output_padding(padding, extra):
    """Of the whole output SAME keeps the middle, also where TensorFlow refuses to compute it."""
    for k, s, n in some(
        (2, 2, 3), (4, 2, 5), (4, 3, 2), (2, 4, 4), (6, 2, 3), (3, 2, 4), (5, 3, 2)
    ):
        layer = layers.Conv1DTranspose(2, k, s, padding=padding, output_padding=extra)
        x = picture(2, n, 3)
        found = keras.ops.convert_to_numpy(layer(x))
        assert found.shape == tuple(layer.compute_output_shape(x.shape))
        assert found.shape[1] == (n - 1) * s + k % 2 + extra
        whole, kernel = np.zeros((2, (n - 1) * s + max(k, s), 2)), np.asarray(layer.kernel)
        for i, tap in itertools.product(range(n), range(k)):
            whole[:, i * s + tap] += x[:, i] @ kernel[tap].T
        before = (k // 2 * 2 - extra) // 2
        np.testing.assert_allclose(found, whole[:, before:][:, : found.shape[1]], atol=1e-5)


@pytest.mark.parametrize("padding", ["same", Padding("same")])
def test_an_output_of_no_pixel_is_refused(padding):
    with pytest.raises(layers.CollapseError, match="collapses at layer 'up'"):
        layers.Conv2DTranspose(1, 2, 2, padding=padding, output_padding=0, name="up")(
            picture(1, 1, 1, 1)
        )


@pytest.mark.parametrize("layer", ["Conv1D", "Conv2D"])
def test_groups(layer):
    check(layer, "same", ((1, 1), (2, 2), (1, 1)), (8, 9), groups=2)
    check(layer, "same", ((3, 2), (1, 1), (2, 3)), (8, 9), groups=2)


@pytest.mark.parametrize("amount", ["valid", "same", "full", (0, (2, 1))])
@pytest.mark.parametrize("layer", ["DepthwiseConv2D", "SeparableConv2D"])
def test_strides_that_differ_by_axis(layer, amount):
    for k, strides, dilation, sizes in some(
        ((3, 3), (1, 2), (1, 1), (7, 8)),
        ((2, 4), (3, 1), (1, 1), (8, 9)),
        ((4, 3), (2, 4), (1, 1), (9, 7)),
        ((1, 1), (2, 4), (1, 1), (8, 8)),
        ((1, 3), (2, 3), (1, 1), (6, 6)),
        ((1, 1), (1, 2), (2, 2), (5, 6)),
        ((2, 3), (1, 2), (2, 1), (7, 8)),
        ((3, 2), (2, 4), (2, 3), (9, 8)),
    ):
        check(layer, amount, (k, strides, dilation), sizes)


# Every way round: a layer's name and its arguments.
WAYS = [
    *((name, {"kernel_size": 1, "strides": 2}) for name in CONVOLUTIONS + TRANSPOSED),
    ("Conv1DTranspose", {"kernel_size": 3, "dilation_rate": 4}),
    ("Conv2DTranspose", {"kernel_size": (2, 3), "dilation_rate": (3, 1)}),
    ("DepthwiseConv2D", {"kernel_size": 3, "strides": (1, 2)}),
    ("SeparableConv2D", {"kernel_size": 1, "strides": (2, 4)}),
]
WAY_IDS = ["-".join([name, *map(str, args.values())]) for name, args in WAYS]
by_way = pytest.mark.parametrize(("name", "args"), WAYS, ids=WAY_IDS)


def made(name, args, channels=2, sizes=(12, 8), padding="same", **more):
    """Return a layer and a map for it."""
    filters = {} if name.startswith("Depthwise") else {"filters": 3}
    x = picture(2, *sizes[: LAYER_RANK[name]], channels)
    layer = getattr(layers, name)(padding=padding, **filters, **args, **more)
    layer.build(x.shape)
    layer.set_weights([picture(*w.shape, seed=i) for i, w in enumerate(layer.get_weights())])
    return layer, x


def gradients(layer, **compiled):
    """Return a compiled function from a map to outputs and gradients."""
    import tensorflow as tf

    @tf.function(**compiled)
    def function(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(tf.square(y))
        return y, *tape.gradient(total, [x, *(w.value for w in layer.trainable_variables)])

    return function


@on_tensorflow
@by_way
def test_no_such_kernel_is_called(name, args):
    """No hole in a kernel, no unlike strides apart, no strided gradient of one pixel."""
    import tensorflow as tf

    for padding in ("same", "valid", Padding("half")):
        layer, x = made(name, args, channels=1, padding=padding)
        graph = gradients(layer).get_concrete_function(tf.TensorSpec(x.shape)).graph
        called = [op for op in graph.get_operations() if op.type.startswith(("Conv2", "Depthwise"))]
        assert called
        for op in called:
            strides = op.get_attr("strides")[1:3]
            assert set(op.get_attr("dilations")) == {1}
            assert len(set(strides)) == 1 or not op.type.startswith("Depthwise")
            one_pixel = max(layer.kernel_size) == 1 and op.type.endswith("BackpropFilter")
            assert max(strides) == 1 or not one_pixel


@on_tensorflow
@pytest.mark.parametrize(("name", "args"), thinned(WAYS[1::2], 3), ids=WAY_IDS[1::2])
def test_compiled_and_eager_agree(name, args):
    import tensorflow as tf

    layer, x = made(name, args)
    eager = gradients(layer).python_function(tf.constant(x))
    for jit in (False, True):
        for a, b in zip(gradients(layer, jit_compile=jit)(x), eager, strict=True):
            scale = max(1, np.abs(b).max())
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * scale)


@by_way
def test_mixed_precision(name, args):
    layer, x = made(name, args, 4)
    cotangent = picture(*layer.compute_output_shape(x.shape))
    y, expected = oracle.value_and_gradients(layer, x, cotangent)
    for policy in ("mixed_bfloat16", "mixed_float16"):
        low = keras.Sequential([made(name, args, 4, dtype=policy)[0]])
        low.add(keras.layers.Identity(dtype="float32"))
        found, all_found = oracle.value_and_gradients(low, x, cotangent)
        for a, b in zip([found, *all_found], [y, *expected], strict=True):
            assert a.dtype == np.float32
            np.testing.assert_allclose(a, b, atol=0.03 * np.abs(b).max())


@by_way
def test_unknown_sizes_give_what_known_ones_do(name, args):
    padding = "valid" if "Conv2D" in name else Padding("half")
    known, x = made(name, args, padding=padding)
    open_ = keras.Sequential([keras.Input((None,) * LAYER_RANK[name] + (2,))])
    open_.add(made(name, args, padding=padding)[0])
    np.testing.assert_allclose(open_.predict_on_batch(x), known(x), atol=1e-6)


@on_tensorflow
@pytest.mark.parametrize("known_axes", [(), (0,), (1,)])
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("DepthwiseConv2D", {"kernel_size": 3, "strides": (1, 2)}),
        ("DepthwiseConv2D", {"kernel_size": (2, 4), "strides": (3, 1)}),
        ("DepthwiseConv2D", {"kernel_size": (5, 3), "strides": (4, 2), "depth_multiplier": 2}),
        ("SeparableConv2D", {"kernel_size": 3, "strides": (2, 1)}),
        ("SeparableConv2D", {"kernel_size": (1, 2), "strides": (2, 4)}),
    ],
)
@pytest.mark.parametrize("padding", ["same", Padding("same")], ids=["keras", "ours"])
def test_same_with_unlike_strides_on_unknown_sizes(name, args, padding, known_axes):
    """Outputs and gradients are those of a network that knows its sizes; so is what is known."""
    for sizes in ((12, 8), (7, 9)):
        known, x = made(name, args, padding=padding, sizes=sizes)
        shape = tuple(n if i in known_axes else None for i, n in enumerate(sizes))
        layer = made(name, args, padding=padding, sizes=sizes)[0]
        inputs = keras.Input((*shape, 2))
        open_ = keras.Model(inputs, layer(inputs))
        cotangent = picture(*known.compute_output_shape(x.shape))
        ends = [n if i in known_axes else None for i, n in enumerate(cotangent.shape[1:-1])]
        assert open_.output_shape == (None, *ends, cotangent.shape[-1])
        np.testing.assert_allclose(open_.predict_on_batch(x), known(x), atol=1e-6)
        (y, a), (z, b) = (oracle.value_and_gradients(m, x, cotangent) for m in (open_, known))
        for found, expected in zip([y, *a], [z, *b], strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-5)


@on_tensorflow
def test_unlike_strides_train_on_unknown_sizes():
    inputs = keras.Input((None, None, 2))
    x = layers.DepthwiseConv2D(3, (1, 2), padding="same")(inputs)
    outputs = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, outputs)
    for jit in (False, True):
        model.compile("sgd", "mse", jit_compile=jit)
        for sizes in ((12, 8), (7, 9)):
            assert np.isfinite(model.train_on_batch(picture(2, *sizes, 2), picture(2, 2)))


@pytest.mark.parametrize("name", TRANSPOSED)
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_what_is_left_over_after_one_pixel_is_zero(name, padding):
    for extra in (None, 0, 1, 2):
        args = {"kernel_size": 1, "strides": 3, "output_padding": extra, "use_bias": False}
        layer, x = made(name, args, padding=padding)
        y, more = np.asarray(layer(x)), 2 if extra is None else extra
        sizes = [3 * (n - 1) + 1 + more for n in x.shape[1:-1]]
        assert y.shape == tuple(layer.compute_output_shape(x.shape)) == (2, *sizes, 3)
        every = (slice(None), *[slice(None, None, 3)] * LAYER_RANK[name])
        spread = np.zeros(y.shape)
        spread[every] = x @ np.asarray(layer.get_weights()[0]).reshape(3, 2).T
        np.testing.assert_allclose(y, spread, atol=1e-6)


@pytest.mark.parametrize("name", TRANSPOSED)
def test_output_padding_of_dilated_ones(name):
    for padding, k, rate in itertools.product(("same", "valid"), (2, 3), (2, 3)):
        args = {"kernel_size": k, "dilation_rate": rate, "output_padding": 0}
        layer, x = made(name, args, padding=padding)
        assert tuple(layer(x).shape) == tuple(layer.compute_output_shape(x.shape))
