"""Amount "input": the picture is padded once, by what the whole network eats."""

import keras
import numpy as np
import pytest

import models
from models import ModelError, layers
from models.geometry.tracing.trace import final_map_size, trace
from models.padding import Padding, PaddingError

NETWORKS = {
    "small_cnn": ((24, 27, 2), {"widths": (3, 4, 5)}),
    "strided": ((33, 32, 1), {"widths": (3, 4, 5), "downsample": "stride", "kernel_size": 5}),
    "even": ((28, 30, 1), {"widths": (3, 4), "convs_per_stage": (1, 1), "kernel_size": 4}),
    "googlenet": ((32, 48, 1), {"stem": "googlenet", "modules": ("3a", "pool"), "width": 1 / 32}),
}  # fmt: skip
NAMES = {"strided": "small_cnn", "even": "small_cnn", "googlenet": "inception"}


def build(network, padding, **kwargs):
    shape, options = NETWORKS[network]
    shape = kwargs.pop("input_shape", shape)
    keras.utils.set_random_seed(5)
    name = NAMES.get(network, network)
    return models.build(
        name, input_shape=shape, num_classes=3, padding=padding, **options, **kwargs
    )


def last_map(model):
    return [row for row in trace(model) if row.output_size][-1]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_last_map_lies_where_that_of_same_lies(network):
    same, once = last_map(build(network, "same")), last_map(build(network, "input"))
    assert once.output_size == same.output_size
    assert once.effective_padding == same.effective_padding
    assert once.effective_stride == same.effective_stride


@pytest.mark.parametrize("network", NETWORKS)
def test_the_layers_pad_nothing(network):
    model = build(network, {"amount": "input", "mode": "reflect"})
    border = model.get_layer("pad_input").border
    assert border.mode == "reflect"
    assert all(any(width) for width in model.get_layer("pad_input").widths)
    convolutions = [x for x in model.layers if "conv" in x.name and hasattr(x, "border")]
    assert {x.border for x in convolutions} == {Padding("valid")}


def test_it_is_valid_on_the_padded_picture():
    once = build("small_cnn", {"amount": "input", "mode": "circular"})
    widths = once.get_layer("pad_input").widths
    x = np.random.default_rng(0).normal(size=(2, 24, 27, 2)).astype("float32")
    padded = np.pad(x, [(0, 0), *widths, (0, 0)], mode="wrap")
    valid = build("small_cnn", "valid", input_shape=padded.shape[1:])
    for a, b in zip(once.get_weights(), valid.get_weights(), strict=True):
        assert np.array_equal(a, b)
    np.testing.assert_allclose(once(x), valid(padded), atol=1e-5)


def test_the_published_100_pixels_of_fcn_are_about_what_vgg_eats():
    """Long et al. 2015 pad by 100; an output of VGG-16 sees 212 pixels: 90 around 32."""
    model = models.build(
        "vgg16", input_shape=(32, 32, 3), num_classes=10, padding="input", width=1 / 64
    )
    assert model.get_layer("pad_input").widths == ((90, 90), (90, 90))
    assert final_map_size(trace(model)) == (1, 1)


@pytest.mark.parametrize("mode", ["zeros", "odd_reflect", "mean", "random", "learned"])
def test_saved_models_come_back(mode, tmp_path):
    model = build("small_cnn", {"amount": "input", "mode": mode})
    x = np.random.default_rng(0).normal(size=(2, 24, 27, 2)).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.array_equal(loaded(x), model(x))
    learned = [w.path for w in model.weights if w.path.endswith("border")]
    assert len(learned) == (mode == "learned")


def test_overrides_pad_their_layer_on_top():
    model = build("small_cnn", "input", overrides={"stage1_conv1": "reflect"})
    assert model.get_layer("stage1_conv1").border == Padding("same", "reflect")
    assert model.get_layer("stage1_conv2").border == Padding("valid")


def test_what_cannot_be_padded_once_is_one_line():
    for kwargs, message in [
        ({"input_shape": (None, 27, 2)}, "known size"),
        ({"padding": {"amount": "input", "mode": "partial"}}, "the image is not computed"),
        ({"overrides": {"stage1_conv1": "input"}}, "is not an amount of Conv2D"),
    ]:
        with pytest.raises(ModelError, match=message) as caught:
            build("small_cnn", **{"padding": "input", **kwargs})
        assert "\n" not in str(caught.value)
    with pytest.raises(PaddingError, match="is not an amount of Conv2D"):
        layers.Conv2D(1, 3, padding=Padding("input"))


def test_a_builder_that_forgets_the_border_is_told(monkeypatch):
    monkeypatch.setattr("models.bind.Bound.pad_input", lambda self, inputs: inputs)
    with pytest.raises(ModelError, match="does not begin with pad_input"):
        build("small_cnn", "input")
