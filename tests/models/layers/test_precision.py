"""Half and double precision: sums over pixels in float32, and nothing of a float64 in float32."""

import keras
import numpy as np
import pytest
from keras import ops

from models import layers
from models.layers import Conv1D, Conv2D, PadInput1D, PadInput2D
from models.padding import Padding
from tests.models.layers import oracle

HALVES = ("float16", "bfloat16")
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX has no float64 unless it is switched on"
)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def rounded(x, dtype):
    """Return numbers as the dtype holds them, in float64."""
    return np.asarray(ops.cast(ops.cast(x, dtype), "float32"), "float64")


def called(layer, x, **kwargs):
    y = layer(ops.cast(x, layer.compute_dtype), **kwargs)
    assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
    return np.asarray(ops.cast(y, "float32"), "float64")


def by_input(layer, x, cotangent):
    """Return the gradients of sum(layer(x) * cotangent) by x and the weights, as float64."""
    layer.build(x.shape)
    x, cotangent = (np.asarray(ops.cast(a, layer.compute_dtype)) for a in (x, cotangent))
    _, gradients = oracle.value_and_gradients(layer, x, cotangent)
    return [np.asarray(g).astype("float64") for g in gradients]


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(("mean", "sd"), [(0, 300), (-2000, 1000), (0, 1e-5), (3, 2e-2)])
def test_noise_has_the_maps_mean_and_deviation(dtype, mean, sd):
    x = rounded(mean + sd * numbers(2, 40, 30, 2), dtype)
    padded = called(PadInput2D(Padding(6, "random"), dtype=dtype), x, training=True)
    assert np.array_equal(padded[:, 6:-6, 6:-6], x)
    border = padded[:, np.pad(np.zeros((40, 30), bool), 6, constant_values=True)]
    np.testing.assert_allclose(border.std(1), x.std((1, 2)), rtol=0.1)
    assert (np.abs(border.mean(1) - x.mean((1, 2))) < 0.2 * sd).all()


@pytest.mark.parametrize("layer", [Conv1D, Conv2D, layers.DepthwiseConv2D])
def test_a_layer_trains_on_noise_in_float16(layer):
    x = 400 * numbers(2, 12, 3) if layer is Conv1D else 400 * numbers(2, 9, 8, 3)
    args = (3,) if layer is layers.DepthwiseConv2D else (2, 3)
    noisy = layer(*args, padding=Padding("same", "random"), dtype="float16")
    assert np.isfinite(called(noisy, x, training=True)).all()


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("ends", [(40000, 30000), (-50000, -45000, -41000)])
def test_a_continued_slope_overflows_only_where_it_does(dtype, ends):
    """2 edge - neighbour fits, though 2 edge does not."""
    x = rounded(np.array([*ends, *ends[::-1]], "float32"), dtype).reshape(1, -1, 1)
    width = len(ends) - 1
    found = called(PadInput1D(Padding(width, "odd_reflect"), dtype=dtype), x)
    expected = oracle.pad(x, [(width, width)], ["odd_reflect"])
    assert np.array_equal(found, rounded(expected.astype("float32"), dtype))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(
    "mode", ["replicate", "symmetric", "circular", "odd_reflect", "mean", "learned"]
)
def test_gradients_of_wide_borders_are_added_up_whole(dtype, mode):
    """A border far wider than the map: each pixel's gradient is a sum of thousands."""
    x, width = numbers(1, 3, 2, 2), 60
    cotangent = np.full((1, 3 + 2 * width, 2 + 2 * width, 2), 0.25)
    layer = PadInput2D(Padding(width, mode), dtype=dtype)
    by_x, *by_value = by_input(layer, x, cotangent)
    modes = ["constant" if mode in ("mean", "learned") else mode] * 2
    expected = np.concatenate(
        [
            oracle.pad_adjoint(cotangent[..., [c]], (3, 2), [(width, width)] * 2, modes)
            for c in (0, 1)
        ],
        axis=-1,
    )
    border = cotangent.sum((1, 2)) - 6 * 0.25
    if mode == "mean":
        expected = expected + border[:, None, None] / 6
    tolerance = 4 * {"float16": 2**-11, "bfloat16": 2**-8}[dtype]
    np.testing.assert_allclose(by_x, expected, rtol=tolerance, atol=tolerance * expected.max())
    for g in by_value:
        np.testing.assert_allclose(g, border[0], rtol=tolerance)


@pytest.mark.parametrize("mode", ["mean", "learned", "constant"])
@pytest.mark.parametrize("kind", ["Conv1D", "Conv2D"])
def test_a_difference_of_large_numbers_is_finite_in_float16(kind, mode):
    """A kernel that adds up to zero gives zero, though its part on the map alone overflows."""
    level = 30000.0
    conv = getattr(layers, kind)(
        1,
        3,
        padding=Padding("same", mode, level if mode == "constant" else 0.0),
        use_bias=False,
        dtype="float16",
    )
    x = np.full((1, 6, 1) if kind == "Conv1D" else (1, 6, 5, 1), level)
    conv.build(x.shape)
    kernel = np.zeros(conv.kernel.shape)
    kernel[(0,) * kernel.ndim], kernel[(2, *(0,) * (kernel.ndim - 1))] = -4, 4
    conv.set_weights([kernel, *[np.full((1,), level)] * (mode == "learned")])
    assert np.array_equal(called(conv, x), np.zeros_like(x))


@on_tensorflow
@pytest.mark.parametrize("value", [0.1, (0.1, -1 / 3, 1e-9)])
@pytest.mark.parametrize("kind", ["Conv1D", "Conv2D", "DepthwiseConv2D", "PadInput2D"])
def test_a_constant_border_of_float64_is_float64(kind, value):
    x = numbers(2, 7, 3) if kind == "Conv1D" else numbers(2, 7, 6, 3)
    args = {"PadInput2D": (), "DepthwiseConv2D": (3,)}.get(kind, (2, 3))
    amount = 1 if kind == "PadInput2D" else "same"
    layer = getattr(layers, kind)(
        *args, padding=Padding(amount, "constant", value), dtype="float64"
    )
    rank = x.ndim - 2
    values = np.broadcast_to(value, (1, 3)).reshape(1, *[1] * rank, 3)
    padded = np.concatenate(
        [
            oracle.pad(x[..., [c]], [(1, 1)] * rank, ["constant"] * rank, values[..., [c]])
            for c in range(3)
        ],
        axis=-1,
    )
    if kind != "PadInput2D":
        valid = getattr(layers, kind)(*args, padding="valid", dtype="float64")
        valid.build(padded.shape)
        layer.build(x.shape)
        layer.set_weights(valid.get_weights())
        padded = np.asarray(valid(padded))
    np.testing.assert_allclose(np.asarray(layer(x)), padded, rtol=0, atol=1e-14)


@on_tensorflow
@pytest.mark.parametrize("mode", ["mean", "learned", "partial", "odd_reflect"])
def test_other_borders_of_float64_are_float64(mode):
    x, value = 1000 + numbers(2, 7, 6, 3), numbers(3, seed=1)
    layer = Conv2D(2, 3, padding=Padding("same", mode), use_bias=False, dtype="float64")
    layer.build(x.shape)
    kernel = layer.get_weights()[0]
    layer.set_weights([kernel, *[value] * (mode == "learned")])
    fill = {"mean": x.mean((1, 2)), "learned": value[None]}.get(mode, np.zeros((1, 3)))
    kinds = ["odd_reflect" if mode == "odd_reflect" else "constant"] * 2
    padded = np.concatenate(
        [
            oracle.pad(x[..., [c]], [(1, 1)] * 2, kinds, fill[:, c].reshape(-1, 1, 1, 1))
            for c in range(3)
        ],
        axis=-1,
    )
    expected = oracle.convolve(padded, kernel, (1, 1), (1, 1))
    if mode == "partial":
        covered = oracle.convolve(
            np.pad(np.ones((1, 7, 6, 1)), ((0, 0), (1, 1), (1, 1), (0, 0))),
            np.ones((3, 3, 1, 1)), (1, 1), (1, 1),
        )  # fmt: skip
        expected = expected * 9 / covered
    np.testing.assert_allclose(np.asarray(layer(x)), expected, rtol=0, atol=1e-11)


@on_tensorflow
def test_the_norms_of_float64_are_float64():
    x, kernel = numbers(2, 7, 3), numbers(3, 3, 2, seed=1)
    layer = layers.WeightNormConv1D(2, 3, use_bias=False, dtype="float64")
    layer.build(x.shape)
    layer.set_weights([kernel, np.array([0.1, 3.0])])
    effective = kernel / np.sqrt((kernel**2).sum((0, 1))) * [0.1, 3.0]
    expected = oracle.convolve(x, effective, (1,), (1,))
    np.testing.assert_allclose(np.asarray(layer(x)), expected, rtol=0, atol=1e-14)

    found = np.asarray(layers.LocalResponseNormalization(3, dtype="float64")(x))
    around = np.pad(x**2, ((0, 0), (0, 0), (1, 1)))
    energy = around[..., :-2] + around[..., 1:-1] + around[..., 2:]
    np.testing.assert_allclose(found, x * (1 + 1e-4 / 3 * energy) ** -0.75, rtol=0, atol=1e-15)
