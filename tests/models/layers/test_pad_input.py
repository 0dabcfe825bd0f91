import random

import keras
import numpy as np
import pytest

import models
from models import ModelError
from models.geometry.input_border import input_widths
from models.geometry.tracing.trace import trace
from models.layers import PadInput1D, PadInput2D
from models.padding import Padding, PaddingError
from models.registry import tiny
from tests.contract import models_contract
from tests.helpers import thinned
from tests.models.layers import oracle

# An input that is no multiple of the strides.
SHAPES = {"image": (70, 68, 1), "sequence": (20, 2)}


def build(name, padding, seed=0, **kwargs):
    keras.utils.set_random_seed(seed)
    given = {"input_shape": SHAPES[models.kind(name)], "num_classes": 3, **tiny(name), **kwargs}
    return models.build(name, padding=padding, **given)


def last_map(model):
    return [row for row in trace(model) if row.output_size][-1]


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("amount", [0, 2, "pairs"])
@pytest.mark.parametrize("mode", ["zeros", "constant", "reflect", "odd_reflect", "mean", "learned"])
def test_the_border_is_the_modes(rank, amount, mode):
    amount = [[1, 4], [0, 2]][:rank] if amount == "pairs" else amount
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 2)[: rank + 1] + (2,)).astype("float32")
    layer = (PadInput1D if rank == 1 else PadInput2D)(
        Padding(amount, mode, 0.5 if mode == "constant" else 0.0)
    )
    layer.build(x.shape)
    layer.set_weights([np.full(2, 0.5, "float32")] * len(layer.weights))
    value = x.mean(tuple(range(1, rank + 1)), keepdims=True) if mode == "mean" else 0.5
    kind = "constant" if mode in ("mean", "learned") else mode
    expected = oracle.pad(x, layer.widths, [kind] * rank, value)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, *expected.shape[1:])
    assert layer(keras.Input(x.shape[1:])).shape == (None, *expected.shape[1:])


@pytest.mark.parametrize("name", thinned(models.names(), 2))
def test_the_last_map_is_that_of_same(name):
    same, padded = build(name, "same"), build(name, "input")
    before, after = last_map(same), last_map(padded)
    assert after.output_size == before.output_size
    assert after.effective_stride == before.effective_stride
    if models.gives(name) == "image":  # cropped to the image, which may need no border at all
        return
    assert after.effective_padding == before.effective_padding
    assert padded.layers[1].name == "pad_input" and max(map(max, padded.layers[1].widths)) > 0
    convolutions = [layer for layer in padded.layers if "conv" in layer.name.split("_")[-1]]
    assert {layer.border for layer in convolutions if hasattr(layer, "border")} == {
        Padding("valid")
    }


@pytest.mark.parametrize("name", thinned(models.names(), 4))
def test_weights_are_those_of_valid_and_the_search_draws_nothing(name):
    sizes = {"input_shape": models_contract.shape(name)}
    valid, padded = build(name, "valid", 4, **sizes), build(name, "input", 4, **sizes)
    for a, b in zip(valid.get_weights(), padded.get_weights(), strict=True):
        assert np.array_equal(a, b)
    states = []
    for padding in ("valid", "input"):
        build(name, padding, 4, **sizes)
        states.append((random.getstate(), np.random.get_state()[1].tolist()))
    assert states[0] == states[1]


def test_it_computes_what_valid_does_on_the_padded_picture():
    padded = build("small_cnn", {"amount": "input", "mode": "reflect"})
    widths = padded.get_layer("pad_input").widths
    x = np.random.default_rng(0).normal(size=(2, 70, 68, 1)).astype("float32")
    wide = oracle.pad(x, widths, ["reflect"] * 2).astype("float32")
    valid = build("small_cnn", "valid", input_shape=wide.shape[1:])
    valid.set_weights(padded.get_weights())
    np.testing.assert_allclose(padded(x), valid(wide), atol=1e-6)


@pytest.mark.parametrize("mode", ["learned", "random", ["replicate", "circular"]])
def test_modes_of_the_picture(mode, tmp_path):
    model = build("small_cnn", {"amount": "input", "mode": mode})
    border = model.get_layer("pad_input")
    assert border.border.modes(2) == (tuple(mode) if isinstance(mode, list) else (mode,) * 2)
    assert len(border.weights) == (mode == "learned")
    x = np.random.default_rng(0).normal(size=(1, 70, 68, 1)).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.array_equal(loaded(x), model(x))
    assert loaded.get_layer("pad_input").get_config() == border.get_config()


def test_overrides_still_pad_their_layers():
    plain = build("small_cnn", "input").get_layer("pad_input").widths
    model = build("small_cnn", "input", overrides={"stage1_conv1": "same"})
    assert model.get_layer("stage1_conv1").border == Padding("same")
    widths = model.get_layer("pad_input").widths
    assert [a for a, _ in widths] == [a - 1 for a, _ in plain]
    assert last_map(model).output_size == last_map(build("small_cnn", "same")).output_size


def test_the_trace_shows_the_border():
    model = build("small_cnn", "input")
    row = next(row for row in trace(model) if row.name == "pad_input")
    assert row.pad == model.get_layer("pad_input").widths
    assert row.effective_padding == tuple(before for before, _ in row.pad)
    assert row.receptive_field == (1, 1) and row.macs == 0


def test_mistakes():
    with pytest.raises(ModelError, match="Amount 'input' needs a known size on every axis"):
        build("small_cnn", "input", input_shape=(None, 28, 1))
    with pytest.raises(ModelError, match="'partial' rescales what a convolution computes"):
        build("small_cnn", {"amount": "input", "mode": "partial"})
    with pytest.raises(ModelError, match="stage9.*Its padded layers: stage1_conv1"):
        build("small_cnn", "input", overrides={"stage9*": "same"})
    with pytest.raises(PaddingError, match="finds no border"):
        input_widths(lambda amount, sizes: stuck(amount), (9,))
    with pytest.raises(PaddingError, match="needs a known size"):
        PadInput2D(Padding(1, "reflect"))(keras.Input((None, 4, 1)))
    with pytest.raises(PaddingError, match="is for padzoo.build to say"):
        PadInput2D(Padding("input"))
    with pytest.raises(PaddingError, match="one entry per axis"):
        PadInput1D(Padding([1, 2]))


def stuck(amount):
    """A network whose last map does not grow with the picture."""
    inputs = keras.Input((9 if amount == "same" else 5, 1))
    return keras.Model(inputs, keras.layers.MaxPooling1D(1, name="pool")(inputs))


def test_a_builder_that_forgets_the_border_is_told(monkeypatch):
    def forgetful(nn, input_shape, num_classes):
        inputs = keras.Input(input_shape)
        x = nn.Conv2D(num_classes, 3, name="conv")(inputs)
        return keras.Model(inputs, keras.layers.GlobalAveragePooling2D(name="pool")(x))

    monkeypatch.setattr("models.building.builder", lambda name: forgetful)
    with pytest.raises(ModelError, match="small_cnn does not begin with pad_input"):
        models.build("small_cnn", input_shape=(9, 9, 1), num_classes=2, padding="input")
