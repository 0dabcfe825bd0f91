"""Channels first are refused by every layer, in one line that says what to do."""

import keras
import pytest

import models
from models import layers
from models.geometry.tracing.trace import TraceError, trace

ARGUMENTS = {
    "Conv1D": (1, 3),
    "Conv2D": (1, 3),
    "WeightNormConv1D": (1, 3),
    "DepthwiseConv2D": (3,),
    "SeparableConv2D": (1, 3),
    "Conv1DTranspose": (1, 3),
    "Conv2DTranspose": (1, 3),
    "MaxPooling1D": (2,),
    "MaxPooling2D": (2,),
    "AveragePooling1D": (2,),
    "AveragePooling2D": (2,),
    "PadInput1D": ("explicit",),
    "PadInput2D": ("explicit",),
    "LocalResponseNormalization": (),
    "LastStep": (),
    "DepthToSpace": (2,),
    "PadChannels": (0, 1),
}
SAYS = (
    r"move them with keras\.layers\.Permute, and give data_format='channels_last'.*'channels_first'"
)


@pytest.fixture
def channels_first():
    """Keras' own data format is channels_first meanwhile."""
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


def test_every_layer_is_here_but_the_one_that_has_an_axis():
    every = {name for name in layers.__all__ if hasattr(getattr(layers, name), "from_config")}
    assert every - {"BatchNormalization"} == set(ARGUMENTS)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_it_is_refused(name):
    with pytest.raises(ValueError, match=SAYS) as caught:
        getattr(layers, name)(*ARGUMENTS[name], data_format="channels_first")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_so_is_keras_own_where_the_layer_is_not_told_and_a_saved_one_loads(name, channels_first):
    kind = getattr(layers, name)
    with pytest.raises(ValueError, match=SAYS):
        kind(*ARGUMENTS[name])
    layer = kind(*ARGUMENTS[name], data_format="channels_last")
    assert kind.from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_network_is_refused_in_the_same_words(channels_first):
    with pytest.raises(models.ModelError, match=SAYS):
        models.build("small_cnn", input_shape=(32, 32, 1), num_classes=2)


def test_the_trace_says_what_it_follows():
    inputs = keras.Input((2, 8, 8))
    outputs = keras.layers.MaxPooling2D(2, data_format="channels_first", name="pool")(inputs)
    with pytest.raises(TraceError, match="'pool' is channels_first.*data_format='channels_last'"):
        trace(keras.Model(inputs, outputs))
