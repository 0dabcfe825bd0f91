import keras
import numpy as np
import pytest
from keras import layers

import models
from models.geometry.tracing.trace import TraceError, fields_of, final_map_size, trace
from models.layers import Conv2D, PadInput2D, SeparableConv2D
from models.padding import Padding


def test_tcn_of_bai_et_al():
    args = {"channels": 25, "kernel_size": 7, "levels": 8, "weight_norm": True, "head": "last"}
    net = models.build(
        "causal_conv1d", input_shape=(784, 1), num_classes=10, padding="causal", **args
    )
    rows = {row.name: row for row in trace(net)}
    assert net.count_params() == 66_910
    assert rows["level8_relu"].receptive_field == (3061,)
    assert rows["level8_relu"].effective_padding == (3060,)
    assert rows["level2_conv1"].pad == ((12, 0),)
    assert rows["level2_conv1"].macs == 784 * 7 * 25 * 25
    assert rows["logits"].output_size == ()


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("amount", ["valid", "same", "same_lower", "half", "full", 2, [[3, 0]]])
def test_fields_are_where_gradients_are(amount, strides):
    """An interior output depends on exactly the pixels that the trace says."""
    inputs = x = keras.Input((40, 1))
    from models.layers import Conv1D, MaxPooling1D

    args = {"kernel_initializer": "ones", "padding": Padding(amount)}
    x = Conv1D(1, 3, strides, name="a", **args)(x)
    x = layers.ReLU(name="relu")(x)
    x = MaxPooling1D(2, padding="same", name="pool")(x)
    x = layers.ZeroPadding1D((2, 1), name="zeros")(x)
    x = layers.Cropping1D((1, 0), name="crop")(x)
    outputs = Conv1D(1, 4, dilation_rate=2, name="b", **args)(x)
    field = fields_of([outputs])[0][0]
    model = keras.Model(inputs, outputs)
    at = outputs.shape[1] // 2
    first = at * field.effective_stride - field.effective_padding
    last = first + field.receptive_field - 1
    assert 0 < first < last < 39
    base = np.random.default_rng(0).uniform(1, 2, (1, 40, 1)).astype("float32")
    values = np.asarray(model(base))[0, at, 0]
    for pixel, inside in [(first - 1, 0), (first, 1), (last, 1), (last + 1, 0)]:
        changed = base.copy()
        changed[0, pixel] = 9.0
        assert (np.asarray(model(changed))[0, at, 0] != values) == inside


def test_plain_keras_and_ours_trace_alike():
    def rows(kind):
        inputs = keras.Input((17, 12, 3), name="image")
        x = kind(4, (3, 5), 2, padding="same", name="conv")(inputs)
        x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
        return [row.to_dict() for row in trace(keras.Model(inputs, x))]

    ours, theirs = rows(Conv2D), rows(layers.Conv2D)
    assert ours == theirs
    conv, depthwise = ours[1], ours[2]
    assert conv["pad"] == ((1, 1), (1, 2))
    assert conv["macs"] == 9 * 6 * 15 * 3 * 4
    assert depthwise["macs"] == 9 * 6 * 9 * 4
    assert depthwise["parameters"] == 9 * 4 + 4
    assert depthwise["receptive_field"] == (7, 9)


def test_causal_and_dilated_of_plain_keras():
    inputs = keras.Input((20, 2))
    x = layers.Conv1D(3, 4, dilation_rate=3, padding="causal", name="conv")(inputs)
    row = trace(keras.Model(inputs, x))[1]
    assert (row.pad, row.receptive_field, row.effective_padding) == (((9, 0),), (10,), (9,))


def test_even_split_is_a_hull_of_its_corners():
    """Each channel sees k pixels, all of them together one more, centred where the output is."""
    inputs = keras.Input((12, 13, 4), name="image")
    x = Conv2D(4, 2, padding=Padding("even_split"), name="a")(inputs)
    x = SeparableConv2D(4, (4, 3), padding=Padding("even_split"), name="b")(x)
    a, b = trace(keras.Model(inputs, x))[1:]
    assert (a.kernel_size, a.pad, a.receptive_field) == ((2, 2), ((1, 1), (1, 1)), (3, 3))
    assert (a.effective_padding, a.output_size) == ((1, 1), (12, 13))
    assert (b.pad, b.receptive_field) == (((2, 2), (1, 1)), (7, 5))
    assert b.effective_padding == (3, 2)
    assert (a.macs, a.parameters) == (12 * 13 * 4 * 4 * 4, 4 * 4 * 4 + 4)
    assert b.macs == 12 * 13 * (12 * 4 + 4 * 4)
    model = keras.Model(inputs, x)
    model.set_weights([np.ones(w.shape, "float32") for w in model.get_weights()])
    base = np.zeros((1, 12, 13, 4), "float32")
    reached = set()
    for row in range(12):
        lit = base.copy()
        lit[0, row, 6] = 1.0
        if (np.asarray(model(lit)) != np.asarray(model(base)))[0, 6, 6].any():
            reached.add(row)
    assert reached == set(range(3, 10))


def test_separable_and_its_border_are_traced():
    inputs = keras.Input((9, 10, 2))
    padding = Padding("same", "learned")
    x = SeparableConv2D(5, 3, 2, padding, depth_multiplier=3, name="conv")(inputs)
    row = trace(keras.Model(inputs, x))[1]
    assert (row.type, row.output_size, row.pad) == ("SeparableConv2D", (5, 5), ((1, 1), (0, 1)))
    assert row.macs == 5 * 5 * (9 * 6 + 6 * 5)
    assert row.parameters == 9 * 6 + 6 * 5 + 5 + 2


def test_a_padded_picture_is_a_shift():
    inputs = keras.Input((9, 8, 1))
    x = PadInput2D(Padding([[1, 2], [0, 3]], "reflect"), name="pad_input")(inputs)
    pad, conv = trace(keras.Model(inputs, Conv2D(1, 3, padding="valid", name="conv")(x)))[1:]
    assert (pad.pad, pad.output_size) == (((1, 2), (0, 3)), (12, 11))
    assert (pad.receptive_field, pad.effective_padding, pad.macs) == ((1, 1), (1, 0), 0)
    assert (conv.receptive_field, conv.effective_padding) == ((3, 3), (1, 0))


def test_unknown_sizes_leave_open_what_depends_on_them():
    inputs = keras.Input((None, 1))
    x = layers.Conv1D(1, 3, padding="same", name="a")(inputs)
    x = layers.Conv1D(1, 3, 2, padding="same", name="b")(x)
    a, b = trace(keras.Model(inputs, x))[1:]
    assert (a.output_size, a.pad, a.effective_padding, a.macs) == ((None,), ((1, 1),), (1,), None)
    assert (b.pad, b.effective_padding, b.receptive_field) == ((None,), (None,), (5,))


def test_what_cannot_be_traced_is_refused():
    inputs = keras.Input((8, 8, 1))
    with pytest.raises(TraceError, match="'turn' of type Permute is not followed"):
        trace(keras.Model(inputs, layers.Permute((2, 1, 3), name="turn")(inputs)))


def test_sequential_and_multiplied_gates():
    model = keras.Sequential([keras.Input((9, 9, 2)), layers.Conv2D(4, 3), layers.Flatten()])
    assert final_map_size(trace(model)) == (7, 7)
    inputs = keras.Input((9, 9, 2))
    gate = layers.Reshape((1, 1, 2))(layers.GlobalAveragePooling2D()(inputs))
    rows = trace(keras.Model(inputs, layers.Multiply(name="gated")([inputs, gate])))
    assert rows[-1].receptive_field == (1, 1)
    assert [row.gated for row in rows] == [False, False, False, True]
    assert rows[-1].inputs == (rows[0].name, rows[2].name)


def test_rows_say_what_they_read_and_where_their_centre_lies():
    inputs = keras.Input((9, 8, 1), name="image")
    x = layers.Conv2D(1, (3, 4), 2, padding="same", name="conv")(inputs)
    x = layers.Concatenate(name="join")([x, layers.ReLU(name="relu")(x)])
    image, conv, relu, join = trace(keras.Model(inputs, x))
    assert [row.inputs for row in (image, conv, relu, join)] == [
        (),
        ("image",),
        ("conv",),
        ("conv", "relu"),
    ]
    assert image.centre == (0.0, 0.0)
    assert conv.centre == relu.centre == (0.0, 0.5)
    assert list(conv.to_dict())[-3:] == ["macs", "inputs", "whole"]


def test_models_within_a_model_are_taken_apart():
    stem = keras.Sequential([layers.Conv2D(2, 3, 2, name="conv"), layers.ReLU()], name="stem")
    inside = keras.Input((None, None, 2))
    block = keras.Model(inside, layers.Conv2D(2, 3, padding="same", name="conv")(inside), name="b")
    inputs = keras.Input((17, 13, 1))
    model = keras.Model(inputs, layers.Conv2D(1, 3, 2, name="conv")(block(block(stem(inputs)))))
    rows = {row.name: row for row in trace(model)}
    assert list(rows)[1:] == ["stem/conv", "stem/re_lu", "b/conv", "b/conv#2", "conv"]
    assert rows["b/conv#2"].output_size == (8, 6)
    assert rows["b/conv#2"].macs == 8 * 6 * 9 * 4
    assert rows["b/conv#2"].inputs == ("b/conv",)
    assert (rows["conv"].receptive_field, rows["conv"].effective_padding) == ((15, 15), (4, 4))
    assert sum(row.parameters for row in rows.values()) == model.count_params()


def test_a_layer_called_twice_has_two_rows_and_its_parameters_once():
    conv = layers.Conv1D(1, 3, name="conv")
    inputs = keras.Input((9, 1))
    model = keras.Model(inputs, conv(conv(inputs)))
    first, second = trace(model)[1:]
    assert (first.name, second.name) == ("conv", "conv#2")
    assert (first.parameters, second.parameters) == (4, 0)
    assert second.receptive_field == (5,)


def test_operators_are_layers_too():
    inputs = keras.Input((9, 1))
    x = layers.Conv1D(1, 3, padding="same", name="conv")(inputs)
    rows = trace(keras.Model(inputs, keras.ops.relu(x * 0.5 + inputs)))
    assert (rows[-1].receptive_field, rows[-1].effective_padding) == ((3,), (1,))


def test_joins_and_formats_that_are_not_followed():
    inputs = keras.Input((8, 8, 1))
    tall = layers.Concatenate(axis=1, name="tall")([inputs, inputs])
    with pytest.raises(TraceError, match="'tall' joins maps along axis 1"):
        trace(keras.Model(inputs, tall))
    line = layers.Cropping2D(((0, 7), (0, 0)))(inputs)
    with pytest.raises(TraceError, match="unequal size meet at layer 'spread'"):
        trace(keras.Model(inputs, layers.Add(name="spread")([inputs, line])))
    first = layers.MaxPooling2D(2, data_format="channels_first", name="pool")
    deep = keras.Input((8, 8, 8))
    with pytest.raises(TraceError, match="'pool' is channels_first"):
        trace(keras.Model(deep, first(deep)))

    class Written(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(TraceError, match="no graph of layers.*Received: Written"):
        trace(Written())


SPATIAL = {
    "group": (lambda: layers.GroupNormalization(2), True, True),
    "instance": (lambda: layers.GroupNormalization(-1), True, True),
    "layer": (lambda: layers.LayerNormalization(axis=[1, 2, 3]), True, True),
    "layer_by_row": (lambda: layers.LayerNormalization(axis=[-2, -1]), False, True),
    "layer_by_channel": (lambda: layers.LayerNormalization(), False, False),
    "rms": (lambda: layers.RMSNormalization(axis=[1, 2, 3]), True, True),
    "rms_by_channel": (lambda: layers.RMSNormalization(), False, False),
    "softmax": (lambda: layers.Softmax(axis=(1, 2)), True, True),
    "softmax_by_column": (lambda: layers.Softmax(axis=1), True, False),
    "softmax_by_channel": (lambda: layers.Softmax(), False, False),
    "unit": (lambda: layers.UnitNormalization(axis=[1, 2]), True, True),
    "unit_by_row": (lambda: layers.UnitNormalization(axis=2), False, True),
    "unit_by_channel": (lambda: layers.UnitNormalization(), False, False),
    "batch": (lambda: layers.BatchNormalization(), False, False),
    "batch_by_row": (lambda: layers.BatchNormalization(axis=1), False, False),
}


@pytest.mark.parametrize("name", SPATIAL)
def test_what_reads_the_whole_map_is_what_far_pixels_move(name):
    make, *expected = SPATIAL[name]
    inputs = keras.Input((8, 9, 4))
    model = keras.Model(inputs, make()(inputs))
    base = np.random.default_rng(0).uniform(1, 2, (1, 8, 9, 4)).astype("float32")
    corner = np.asarray(model(base))[0, 0, 0]
    for axis, far in enumerate([(7, 0), (0, 8)]):
        changed = base.copy()
        changed[0][far] += [0.0, 1.0, 2.0, 5.0]
        moved = not np.array_equal(np.asarray(model(changed))[0, 0, 0], corner)
        assert moved == trace(model)[-1].whole[axis] == expected[axis]
    assert trace(model)[-1].receptive_field == (1, 1)


def test_a_sequence_is_read_whole_too():
    inputs = keras.Input((20, 4))
    x = layers.Conv1D(4, 3, name="conv")(inputs)
    x = layers.GroupNormalization(2, name="group")(x)
    x = layers.Softmax(axis=1, name="over_time")(x)
    rows = {row.name: row.whole for row in trace(keras.Model(inputs, layers.Flatten(name="f")(x)))}
    assert [rows[n] for n in ("conv", "group", "over_time", "f")] == [
        (False,),
        (True,),
        (True,),
        (),
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: layers.Attention(name="a")([x, x]),
        lambda x: layers.AdditiveAttention(name="a")([x, x]),
        lambda x: layers.MultiHeadAttention(2, 3, name="a")(x, x),
    ],
)
def test_attention_is_refused_and_not_taken_for_a_window_of_one(make):
    inputs = keras.Input((6, 4))
    with pytest.raises(TraceError, match="Layer 'a' of type .*Attention is not followed"):
        trace(keras.Model(inputs, make(inputs)))
