import keras
import numpy as np
import pytest

from models.layers.normalization import BatchNormalization, LocalResponseNormalization


def by_hand(x, size, alpha, beta):
    out = np.empty_like(x)
    for c in range(x.shape[-1]):
        low, high = max(0, c - size // 2), min(x.shape[-1], c + size // 2 + 1)
        energy = (x[..., low:high] ** 2).sum(-1)
        out[..., c] = x[..., c] / (1 + alpha / size * energy) ** beta
    return out


@pytest.mark.parametrize(("size", "alpha", "beta"), [(5, 1e-4, 0.75), (3, 0.5, 0.5), (1, 2.0, 1.0)])
def test_formula(size, alpha, beta):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 7)) * 10
    layer = LocalResponseNormalization(size, alpha, beta)
    found = np.asarray(layer(x.astype("float32")))
    np.testing.assert_allclose(found, by_hand(x, size, alpha, beta), rtol=1e-4)


def test_half_precision_does_not_overflow():
    layer = LocalResponseNormalization(dtype="float16")
    found = np.asarray(layer(np.full((1, 2, 2, 5), 1e4, "float16")))[..., 2]
    np.testing.assert_allclose(found, 1e4 / (1 + 1e-4 * 1e8) ** 0.75, rtol=1e-2)


def test_round_trip():
    config = LocalResponseNormalization(3, 0.1, 0.5).get_config()
    assert LocalResponseNormalization.from_config(config).get_config() == config
    with pytest.raises(ValueError, match="`size` must be odd"):
        LocalResponseNormalization(4)


def test_it_is_traced_as_elementwise():
    from models.geometry.tracing.trace import trace

    inputs = keras.Input((8, 8, 3))
    x = LocalResponseNormalization()(keras.layers.Conv2D(4, 3)(inputs))
    assert trace(keras.Model(inputs, x))[-1].receptive_field == (3, 3)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_batch_normalization_trains_as_keras_does(dtype):
    random = np.random.default_rng(3)
    x = (3 * random.standard_normal((4, 5, 6, 7)) + 2).astype("float32")
    target = random.standard_normal(x.shape).astype("float32")
    found = []
    for layer in (keras.layers.BatchNormalization, BatchNormalization):
        model = keras.Sequential([keras.Input(x.shape[1:]), layer(dtype=dtype, name="bn")])
        gamma, beta, *_ = model.get_layer("bn").weights
        gamma.assign(np.arange(1, 8) / 4)
        beta.assign(np.arange(7) / 3)
        model.compile(keras.optimizers.SGD(0.5), "mse")
        losses = [model.train_on_batch(x[: 4 - i], target[: 4 - i]) for i in range(3)]
        weights = [weight.numpy() for weight in model.weights]
        found.append([losses, model.predict(x, verbose=0), *weights])
    tolerance = 1e-5 if dtype == "float32" else 2e-2
    for keras_value, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, keras_value, rtol=tolerance, atol=tolerance)


def test_batch_normalization_leaves_a_frozen_layer_alone():
    x = np.random.default_rng(3).standard_normal((4, 5, 6, 7)).astype("float32")
    layer = BatchNormalization(trainable=False)
    np.testing.assert_allclose(layer(x, training=True), x / np.sqrt(1.001), rtol=1e-5)
    assert not layer.moving_mean.numpy().any()


@pytest.mark.parametrize(
    ("shape", "options"),
    [((6, 3), {}), ((6, 3, 4), {}), ((6, 3, 4, 5), {"axis": 1}), ((6, 3, 4, 5), {"scale": False})],
)
def test_batch_normalization_takes_all_that_keras_takes(shape, options):
    x = np.random.default_rng(3).standard_normal(shape).astype("float32")
    ours = BatchNormalization(**options)(x, training=True)
    theirs = keras.layers.BatchNormalization(**options)(x, training=True)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
