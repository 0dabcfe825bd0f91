import keras
import pytest
from keras import layers

import models
from models.geometry.reach.usage import lost_share, usage
from models.geometry.tracing.trace import trace
from models.layers import Conv1D, Conv2D, MaxPooling1D
from models.padding import Padding


def used(layer, *size):
    inputs = keras.Input((*size, 1))
    return usage(keras.Model(inputs, layer(inputs)))[-1]


def test_one_row_each_in_the_order_of_the_trace():
    model = models.build("inception", input_shape=(32, 32, 3), num_classes=10)
    assert [u.name for u in usage(model)] == [row.name for row in trace(model)]


@pytest.mark.parametrize(
    ("amount", "size", "share"),
    [("same", 10, 2 / 30), ("full", 10, 6 / 36), ("causal", 10, 3 / 30), ("valid", 10, 0)],
)
def test_share_of_padding_on_one_axis(amount, size, share):
    assert used(Conv1D(1, 3, padding=Padding(amount)), size).padding_share == pytest.approx(share)


def test_share_of_padding_in_two_dimensions():
    """4x4 under `same` 3x3: of 16 * 9 taps (4 * 3 - 2)^2 lie on the map."""
    found = used(Conv2D(1, 3, padding=Padding("same")), 4, 4)
    assert found.padding_share == pytest.approx(1 - 100 / 144)
    split = used(Conv2D(1, 2, padding=Padding("even_split")), 4, 4)
    assert split.padding_share == pytest.approx(1 - 49 / 64)


def test_pixels_that_no_output_reads():
    """Dumoulin & Visin, relationship 6: i = 6, k = 3, s = 2, p = 1 leaves the last padding."""
    assert used(Conv1D(1, 3, 2, padding=Padding(1)), 6).unread_pad == ((0, 1),)
    assert used(Conv1D(1, 3, 2, padding=Padding(1)), 5).unread_pad == ((0, 0),)
    assert used(Conv1D(1, 3, 2, padding=Padding("valid")), 6).unread == ((0, 1),)
    assert used(MaxPooling1D(2), 7).unread == ((0, 1),)
    pointwise = used(Conv1D(1, 1, 2), 6)
    assert (pointwise.unread, pointwise.skipped) == (((0, 1),), (2,))
    assert used(layers.Cropping1D((2, 1)), 6).unread == ((2, 1),)
    assert used(Conv1D(1, 3, 2, padding=Padding(1, "circular")), 6).unread == ((0, 0),)


def test_a_border_that_another_layer_put_there():
    """ResNet50 pads its 7x7 by 3: at 224 the last row and column are never read."""
    for size, last in ((224, 1), (225, 0)):
        inputs = keras.Input((size, size, 3))
        x = layers.ZeroPadding2D(3, name="pad")(inputs)
        model = keras.Model(inputs, layers.Conv2D(8, 7, 2, name="conv")(x))
        _, pad, conv = usage(model)
        assert pad.unread_pad == ((0, last),) * 2
        assert conv.unread == conv.unread_pad == ((0, 0),) * 2
        own = used(Conv2D(8, 7, 2, padding=Padding(3)), size, size)
        assert conv.padding_share == own.padding_share > 0
        assert own.unread_pad == pad.unread_pad


def test_a_border_is_read_if_one_of_two_layers_reads_it():
    inputs = keras.Input((6, 1))
    x = layers.ReLU()(layers.ZeroPadding1D((1, 1), name="pad")(inputs))
    strided = layers.Conv1D(1, 3, 2)(x)
    pads = [usage(keras.Model(inputs, ends))[1] for ends in (strided, [strided, Conv1D(1, 3)(x)])]
    assert [pad.unread_pad for pad in pads] == [((0, 1),), ((0, 0),)]


def test_pads_wider_than_the_map():
    def wraps(mode, size, width=3):
        return used(Conv1D(1, 2, padding=Padding([[width, 0]], mode)), size).wrapped

    assert [wraps("reflect", n) for n in (3, 4)] == [(True,), (False,)]
    assert [wraps("circular", n) for n in (2, 3)] == [(True,), (False,)]
    assert [wraps("symmetric", n) for n in (2, 3)] == [(True,), (False,)]
    assert wraps("zeros", 2) == wraps("replicate", 2) == (False,)


def test_what_ten_valid_layers_lose():
    inputs = x = keras.Input((240, 240, 1))
    for _ in range(10):
        x = layers.Conv2D(1, 5)(x)
    rows = trace(keras.Model(inputs, x))
    assert rows[-1].output_size == (200, 200)
    assert round(lost_share(rows, (240, 240)), 4) == 0.3056
    assert lost_share(rows[:1], (240, 240)) == 0
    strided = trace(keras.Model(inputs, layers.Conv2D(1, 3, 4)(inputs)))
    assert strided[-1].output_size == (60, 60)
    assert lost_share(strided, (240, 240)) == 0


def test_unknown_sizes_are_left_open():
    conv = used(Conv1D(1, 3), None)
    assert (conv.padding_share, conv.unread, conv.wrapped) == (None, (), ())
