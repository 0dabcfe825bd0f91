import keras
import numpy as np
import pytest

import models
from models import layers
from models.bind import bind
from models.layers import Conv1D, Conv2D, PadInput1D, PadInput2D
from models.padding import Padding
from tests.models.layers import oracle

NOISE = Padding(1, "random")


def picture(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def border_of(padded, width=1):
    """Return the pixels of a border as (batch, pixels, channels)."""
    mask = np.pad(np.zeros([n - 2 * width for n in padded.shape[1:-1]], bool), width,
                  constant_values=True)  # fmt: skip
    return np.asarray(padded)[:, mask]


def test_noise_has_each_channels_mean_and_variance():
    scale, shift = np.array([1.0, 5.0], "float32"), np.array([3.0, -20.0], "float32")
    x = picture(3, 80, 70, 2) * scale + shift
    x[1] *= 0.5  # the statistics are each example's own
    padded = np.asarray(PadInput2D(Padding(9, "random"))(x, training=True))
    assert np.array_equal(padded[:, 9:-9, 9:-9], x)
    border = border_of(padded, 9)
    mean, sd, n = x.mean((1, 2)), x.std((1, 2)), border.shape[1]
    assert (np.abs(border.mean(1) - mean) < 5 * sd / n**0.5).all()
    np.testing.assert_allclose(border.std(1), sd, rtol=0.08)
    standard = (border - mean[:, None]) / sd[:, None]
    assert abs(np.corrcoef(standard[0, :, 0], standard[0, :, 1])[0, 1]) < 0.08  # each its own
    assert abs(np.corrcoef(standard[0, :, 0], standard[1, :, 0])[0, 1]) < 0.08
    assert len(np.unique(padded[0, :, :9, 0])) == padded.shape[1] * 9


@pytest.mark.parametrize("kind", ["Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D"])
def test_the_interior_is_that_of_zeros_in_training_too(kind):
    x = picture(2, 9, 3) if kind == "Conv1D" else picture(2, 9, 8, 3)
    args = (3,) if kind.startswith("Depthwise") else (2, 3)
    noisy, zeros = (
        getattr(layers, kind)(*args, padding=Padding("same", mode)) for mode in ("random", "zeros")
    )
    noisy.build(x.shape)
    zeros.build(x.shape)
    zeros.set_weights(noisy.get_weights())
    y, expected = np.asarray(noisy(x, training=True)), np.asarray(zeros(x))
    inside = (slice(None), *(slice(1, -1),) * (x.ndim - 2))
    np.testing.assert_allclose(y[inside], expected[inside], atol=1e-5)
    assert np.abs(y[:, 0] - expected[:, 0]).max() > 1e-2
    assert np.abs(y[:, 0] - np.asarray(noisy(x))[:, 0]).max() > 1e-2
    assert np.array_equal(noisy(x), noisy(x, training=False))


def test_inference_is_the_mean():
    x = picture(2, 7, 6, 3)
    noisy, mean = (Conv2D(2, 3, padding=Padding("full", m)) for m in ("random", "mean"))
    noisy.build(x.shape)
    mean.build(x.shape)
    mean.set_weights(noisy.get_weights())
    assert np.array_equal(noisy(x), mean(x))
    assert np.array_equal(PadInput2D(NOISE)(x), PadInput2D(Padding(1, "mean"))(x))


def test_a_seed_says_the_draws():
    x = picture(1, 20, 2)

    def draws(seed, calls=2):
        layer = PadInput1D(NOISE, border_seed=seed)
        return [border_of(layer(x, training=True)) for _ in range(calls)]

    first, second = draws(1)
    again = draws(1)
    assert np.array_equal(first, again[0]) and np.array_equal(second, again[1])
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, draws(2)[0])
    layer = PadInput1D(NOISE, border_seed=7)
    assert PadInput1D.from_config(layer.get_config()).border_seed == 7
    assert Conv1D(2, 3, padding=Padding("same", "random"), border_seed=9).get_config()[
        "border_seed"
    ] == 9  # fmt: skip
    assert "border_seed" not in Conv1D(2, 3, padding=Padding("same", "mean")).get_config()


def test_layers_draw_apart_and_by_their_names():
    def seeds(seed, names=("a", "b")):
        nn = bind(Padding("same", "random"), seed=seed)
        return [nn.Conv2D(2, 3, name=name).border_seed for name in names]

    assert len({*seeds(0), *seeds(1)}) == 4
    assert seeds(0) == seeds(0) == seeds(0, ("b", "a"))[::-1]
    nn = bind("valid", input_padding=NOISE, seed=3)
    model = keras.Model(inputs := keras.Input((6, 6, 1)), nn.pad_input(inputs))
    assert model.get_layer("pad_input").border_seed not in (0, 3)


def test_noise_carries_no_gradient_but_the_mean_does():
    """Of the border's sum by a pixel: border pixels / map pixels, whatever was drawn."""
    x, layer = picture(2, 5, 4, 1), PadInput2D(NOISE)
    y = np.asarray(layer(x, training=True))
    cotangent = np.pad(np.zeros((2, 5, 4, 1), "float32"), ((0, 0), (1, 1), (1, 1), (0, 0)),
                       constant_values=1.0)  # fmt: skip
    layer = PadInput2D(NOISE)
    layer.build(x.shape)
    training = InTraining(layer)
    y_again, (by_x, *_) = oracle.value_and_gradients(training, x, cotangent)
    np.testing.assert_allclose(y_again, y, atol=1e-6)  # compiled, it may be rounded otherwise
    np.testing.assert_allclose(by_x, np.full(x.shape, 22 / 20), rtol=1e-5)


class InTraining(keras.layers.Layer):
    """Calls a layer as in training."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def build(self, input_shape):
        self.built = True

    def call(self, x):
        return self.layer(x, training=True)


def test_nothing_else_is_moved_by_the_noise():
    """Initial weights and dropout are those of `same`; padding_seed moves the noise only."""
    options = {"widths": (3, 4), "convs_per_stage": (1, 1), "dropout": 0.5}

    def built(padding, **kwargs):
        keras.utils.set_random_seed(2)
        return models.build("small_cnn", input_shape=(12, 12, 1), num_classes=2, padding=padding,
                            **options, **kwargs)  # fmt: skip

    same, noisy, other = built("same"), built("random"), built("random", padding_seed=1)
    for a, b, c in zip(same.get_weights(), noisy.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(a, b) and np.array_equal(b, c)
    seeds = [m.get_layer("stage1_conv1").border_seed for m in (noisy, other)]
    assert seeds[0] != seeds[1]
    dropped = [np.asarray(m.get_layer("head_dropout").seed_generator.state) for m in (same, noisy)]
    assert np.array_equal(*dropped)


def test_unknown_sizes_are_padded_with_noise_too():
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, PadInput2D(NOISE)(inputs))
    for shape in [(2, 5, 4, 2), (1, 3, 7, 2)]:
        x = picture(*shape)
        y = np.asarray(model(x, training=True))
        assert y.shape == (shape[0], shape[1] + 2, shape[2] + 2, 2)
        assert np.array_equal(y[:, 1:-1, 1:-1], x)
        assert border_of(y).std() > 0.1
