import numpy as np
import pytest

import models
from models import ModelError
from models.geometry.tracing.trace import final_map_size, trace


def net(padding="causal", steps=24, **kwargs):
    options = {"channels": 4, "levels": 3, "head": "last", **kwargs}
    return models.build(
        "causal_conv1d", input_shape=(steps, 2), num_classes=3, padding=padding, **options
    )


def sequence(steps=24):
    return np.random.default_rng(0).normal(size=(2, steps, 2)).astype("float32")


def body(model):
    """Return the model up to its last map."""
    import keras

    return keras.Model(model.input, model.get_layer("level3_relu").output)


@pytest.mark.parametrize("weight_norm", [False, True])
@pytest.mark.parametrize("padding", ["causal", {"amount": "causal", "mode": "replicate"}, "full"])
def test_the_future_does_not_matter(padding, weight_norm):
    model = body(net(padding, weight_norm=weight_norm))
    x = sequence()
    y = np.asarray(model(x))
    for t in (0, 7, 22):
        other = x.copy()
        other[:, t + 1 :] += 3.0
        assert np.array_equal(np.asarray(model(other))[:, : t + 1], y[:, : t + 1])


def test_same_sees_the_future():
    model = body(net("same"))
    other = sequence()
    other[:, 8:] += 3.0
    assert not np.array_equal(np.asarray(model(other))[:, 7], np.asarray(model(sequence()))[:, 7])


def test_full_is_causal():
    causal, full = net("causal"), net("full")
    full.set_weights(causal.get_weights())
    np.testing.assert_allclose(full(sequence()), causal(sequence()), atol=1e-5)
    assert full.get_layer("level1_align_crop0").cropping == (0, 4)
    assert final_map_size(trace(full)) == (24,)


def test_valid_is_the_end_of_causal():
    """Where the receptive field is inside the sequence, causal padding is never seen."""
    causal, valid = net("causal", steps=40), net("valid", steps=40)
    valid.set_weights(causal.get_weights())
    seen = np.asarray(body(causal)(sequence(40)))[:, 28:]
    np.testing.assert_allclose(body(valid)(sequence(40)), seen, atol=1e-5)


def test_receptive_field():
    """1 + 2 (k - 1) sum of dilations: Bai et al. 2018, section 3."""
    for k, levels, base in [(3, 3, 2), (2, 4, 2), (5, 2, 3)]:
        rows = trace(net("causal", kernel_size=k, levels=levels, dilation_base=base))
        last = [row for row in rows if row.output_size][-1]
        expected = 1 + 2 * (k - 1) * sum(base**i for i in range(levels))
        assert last.receptive_field == (expected,)


def test_mnist_tcn_of_bai_et_al_has_66910_parameters():
    args = {"channels": 25, "kernel_size": 7, "levels": 8, "weight_norm": True, "head": "last"}
    model = models.build("causal_conv1d", input_shape=(784, 1), num_classes=10, **args)
    assert model.count_params() == 66_910


def test_last_step_reads_the_last_step():
    model = net("causal")
    x = sequence()
    last = np.asarray(body(model)(x))[:, -1]
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(model(x), last @ kernel + bias, atol=1e-5)


def test_defaults_survive_valid_on_mnist1d():
    model = models.build("causal_conv1d", input_shape=(40, 1), num_classes=10, padding="valid")
    assert final_map_size(trace(model)) == (12,)


@pytest.mark.parametrize("options", [{"head": "first"}, {"channels": 0}, {"dilation_base": 0}])
def test_mistakes(options):
    with pytest.raises(ModelError, match=rf"`{next(iter(options))}`.*Received: "):
        net(**options)
