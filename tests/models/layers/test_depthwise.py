import keras
import numpy as np
import pytest

from models.layers import CollapseError, Conv2D, DepthwiseConv2D, SeparableConv2D
from models.padding import Padding
from tests.models.layers import oracle


def picture(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.parametrize("mode", ["zeros", "circular", "mean", "partial", "learned"])
def test_each_channel_is_convolved_alone(mode):
    """Filter c * multiplier + m is channel c's m-th, as in Keras: a Conv2D of one channel."""
    x = picture(2, 6, 5, 3)
    layer = DepthwiseConv2D(3, padding=Padding("full", mode), depth_multiplier=2)
    layer.build(x.shape)
    layer.set_weights([picture(*w.shape, seed=i) for i, w in enumerate(layer.get_weights())])
    kernel, bias, *border = layer.get_weights()
    y = np.asarray(layer(x))
    assert y.shape == (2, 8, 7, 6)
    for c in range(3):
        alone = Conv2D(2, 3, padding=Padding("full", mode))
        alone.build((2, 6, 5, 1))
        own = [border[0][c : c + 1]] if border else []
        alone.set_weights([kernel[:, :, c : c + 1], bias[2 * c : 2 * c + 2], *own])
        np.testing.assert_allclose(y[..., 2 * c : 2 * c + 2], alone(x[..., c : c + 1]), atol=1e-5)


@pytest.mark.parametrize("mode", ["zeros", "odd_reflect", "mean", "partial", "learned"])
@pytest.mark.parametrize("amount", ["same", "full", "even_split"])
def test_separable_is_depthwise_then_pointwise(mode, amount):
    if (amount, mode) == ("even_split", "partial"):
        return
    x = picture(2, 6, 5, 4)
    whole = SeparableConv2D(3, 2, padding=Padding(amount, mode), depth_multiplier=2)
    whole.build(x.shape)
    whole.set_weights([picture(*w.shape, seed=i) for i, w in enumerate(whole.get_weights())])
    depthwise, pointwise, bias, *border = whole.get_weights()
    first = DepthwiseConv2D(2, padding=Padding(amount, mode), depth_multiplier=2, use_bias=False)
    first.build(x.shape)
    first.set_weights([depthwise, *border])
    expected = np.asarray(first(x)) @ pointwise[0, 0] + bias
    np.testing.assert_allclose(whole(x), expected, atol=1e-5)


@pytest.mark.parametrize("mode", ["zeros", "circular", "mean"])
def test_strides_of_each_axis(mode):
    x = picture(1, 7, 8, 2)
    layer = DepthwiseConv2D(3, (1, 2), Padding("same", mode), use_bias=False)
    layer.build(x.shape)
    kernel = np.zeros((3, 3, 2, 2), "float32")
    for c in range(2):
        kernel[..., c, c] = layer.get_weights()[0][..., c, 0]
    kind = "constant" if mode == "mean" else mode
    padded = oracle.pad(x, layer.pad_widths(x.shape), [kind] * 2, x.mean((1, 2), keepdims=True))
    np.testing.assert_allclose(layer(x), oracle.convolve(padded, kernel, (1, 2), (1, 1)), atol=1e-5)


@pytest.mark.parametrize("kind", [DepthwiseConv2D, SeparableConv2D])
def test_collapse_and_config(kind):
    args = (3,) if kind is DepthwiseConv2D else (2, 3)
    with pytest.raises(CollapseError, match="layer 'small': its window spans 5 pixels on axis 0"):
        kind(*args, dilation_rate=2, padding=Padding("valid"), name="small")(keras.Input((4, 9, 1)))
    layer = kind(*args, strides=2, padding=Padding([1, "same"], "constant", (0.5, 1.0)))
    again = kind.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.border == layer.border and again.strides == (2, 2)
    assert kind(*args, padding="SAME").get_config()["padding"] == "same"
