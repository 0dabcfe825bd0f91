"""A prediction in windows: equal to the whole one, of any network that can be traced."""

import keras
import numpy as np
import pytest

import models
from models import layers
from models.geometry.tiling import predict_tiled as module
from models.geometry.tiling.halo import halo
from models.geometry.tiling.predict_tiled import predict_tiled
from models.geometry.tiling.tiled_network import TileError
from models.padding import Padding
from tests.contract.test_contract_tiles import close


def picture(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def of_keras(size=(None, None)):
    """Keras' own layers, with a skip, strides and both ways back up."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((*size, 2))
    x = skip = keras.layers.Conv2D(3, 3, padding="same", activation="relu")(inputs)
    x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.SeparableConv2D(3, 5, padding="same")(x)
    x = keras.layers.Conv2DTranspose(3, 3, 2, padding="same")(x)
    x = keras.layers.BatchNormalization()(keras.layers.Concatenate()([x, skip]))
    x = keras.layers.UpSampling2D(2, interpolation="bilinear")(keras.layers.AveragePooling2D(2)(x))
    return keras.Model(inputs, keras.layers.Conv2D(2, 1)(x) + 0.5)


@pytest.mark.parametrize("size", [(None, None), (36, 44)])
def test_a_network_of_keras_layers(size):
    model, image = of_keras(size), picture(76, 92, 2)
    whole = of_keras((76, 92))
    whole.set_weights(model.get_weights())
    close(predict_tiled(model, image, tile=32), whole.predict(image[None], verbose=0)[0])


def test_a_network_larger_than_it_was_built_for():
    """What it crops and cuts holds for every size of the same remainder."""
    built = {size: models.build("unet", input_shape=(*size, 1), num_classes=2, padding="reflect",
                                width=2) for size in ((33, 30), (97, 82))}  # fmt: skip
    small, large = built.values()
    large.set_weights(small.get_weights())
    image = picture(97, 82, 1)
    close(predict_tiled(small, image, tile=56), large.predict(image[None], verbose=0)[0])


@pytest.mark.parametrize("batch_size", [1, 3, 50])
def test_a_batch_of_images(batch_size):
    model, images = of_keras(), picture(3, 48, 40, 2)
    found = predict_tiled(model, images, tile=(32, 28), batch_size=batch_size)
    assert found.shape == (3, 48, 40, 2)
    close(found, model.predict(images, verbose=0))
    assert predict_tiled(model, images[0], tile=(32, 28)).shape == (48, 40, 2)


def test_a_sequence():
    inputs = keras.Input((90, 2))
    x = layers.Conv1D(3, 3, dilation_rate=4, padding=Padding("causal", "replicate"))(inputs)
    model, steps = keras.Model(inputs, layers.Conv1D(1, 3, padding="causal")(x)), picture(90, 2)
    assert halo(model).overlap == (10,)
    close(predict_tiled(model, steps, tile=25), model.predict(steps[None], verbose=0)[0])


def test_a_sequential_model_and_models_within():
    inner = keras.Sequential([keras.Input((None, None, 2)), layers.Conv2D(2, 3, padding="same")])
    model = keras.Sequential([keras.Input((None, None, 2)), inner, layers.Conv2D(1, 3)])
    image = picture(40, 30, 2)
    close(predict_tiled(model, image, tile=12), model.predict(image[None], verbose=0)[0])


def test_a_model_of_a_fixed_size_within_is_refused_in_a_line():
    inner = keras.Sequential([keras.Input((20, 20, 2)), layers.Conv2D(2, 3, padding="same")])
    inputs = keras.Input((20, 20, 2))
    model = keras.Model(inputs, inner(inputs))
    with pytest.raises(TileError, match="holds a model of a fixed size") as refusal:
        predict_tiled(model, picture(40, 30, 2), tile=12)
    assert "\n" not in str(refusal.value)


def test_a_layer_with_a_weight_for_each_pixel_is_refused_in_a_line():
    inputs = keras.Input((20, 20, 2))
    model = keras.Model(inputs, keras.layers.PReLU(name="steep")(inputs))
    with pytest.raises(TileError, match="'steep' has weights for each pixel") as refusal:
        predict_tiled(model, picture(40, 30, 2), tile=12)
    assert "\n" not in str(refusal.value)


def test_the_whole_image_is_never_in_the_network(monkeypatch):
    seen = []
    call = module._AtAnySize.predict_on_batch

    def spy(self, x):
        seen.append(x.shape)
        return call(self, x)

    monkeypatch.setattr(module._AtAnySize, "predict_on_batch", spy)
    predict_tiled(of_keras(), picture(100, 96, 2), tile=32, batch_size=4)
    assert set(seen) == {(4, 32, 32, 2)}


def test_the_model_is_left_as_it_was():
    model = of_keras()
    before = [len(layer._inbound_nodes) for layer in model.layers]
    weights = model.get_weights()
    predict_tiled(model, picture(48, 40, 2), tile=32)
    assert [len(layer._inbound_nodes) for layer in model.layers] == before
    assert all(map(np.array_equal, weights, model.get_weights()))
    assert model.predict(picture(1, 48, 40, 2), verbose=0).shape == (1, 48, 40, 2)


def test_a_picture_of_bytes_and_an_output_with_a_name():
    inputs = keras.Input((None, None, 2))
    x = layers.Conv2D(1, 3, padding="same")(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, {"mask": x})
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 2), dtype=np.uint8)
    close(predict_tiled(model, image, tile=16), model.predict(image[None], verbose=0)["mask"][0])


def test_dropout_and_moving_statistics_are_those_of_inference():
    inputs = keras.Input((None, None, 2))
    x = layers.BatchNormalization()(keras.layers.Dropout(0.9)(inputs))
    model, image = keras.Model(inputs, x), picture(20, 20, 2)
    close(predict_tiled(model, image, tile=8), model.predict(image[None], verbose=0)[0])


@pytest.mark.parametrize(
    ("image", "tile", "batch_size", "said"),
    [
        (picture(40, 30, 3), 32, 4, r"takes images of 2 channels, (rows, columns, channels)"),
        (picture(40, 30), 32, 4, "must be an array (rows, columns, channels), or a batch of them"),
        (picture(1, 1, 40, 30, 2), 32, 4, "must be an array (rows, columns, channels)"),
        ([[1], [2, 3]], 32, 4, "must be an array (rows, columns, channels)"),
        ("image.png", 32, 4, "must be an array (rows, columns, channels)"),
        (picture(0, 30, 2), 32, 4, "has no pixel"),
        (picture(40, 30, 2), 32, 0, "`batch_size` must be an int from 1 on"),
        (picture(40, 32, 2), 31, 4, "multiple of 2 rows"),
        (picture(40, 32, 2), 8, 4, "at least"),
        (picture(41, 32, 2), 32, 4, "nearest sizes at which all meet: 40 and 42"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(image, tile, batch_size, said):
    with pytest.raises(TileError) as refusal:
        predict_tiled(of_keras(), image, tile=tile, batch_size=batch_size)
    assert said in str(refusal.value) and "Received" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_classifier_is_refused_with_the_layer_that_sees_everything():
    model = models.build("small_cnn", input_shape=(32, 32, 1), num_classes=3, widths=(2, 2, 2))
    with pytest.raises(TileError, match="reads all of its map, and the network gives no image"):
        predict_tiled(model, picture(64, 64, 1), tile=32)
