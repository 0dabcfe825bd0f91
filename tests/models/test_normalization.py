import keras
import numpy as np
import pytest

from models.normalization import LocalResponseNormalization


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
    from models.geometry.trace import trace

    inputs = keras.Input((8, 8, 3))
    x = LocalResponseNormalization()(keras.layers.Conv2D(4, 3)(inputs))
    assert trace(keras.Model(inputs, x))[-1].receptive_field == (3, 3)
