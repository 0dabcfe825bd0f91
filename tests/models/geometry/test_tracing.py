import keras
import numpy as np
import pytest
from keras import layers

import models
from models.geometry.tracing import TraceError, fields_of, final_map_size, trace
from models.layers import Conv2D, PadInput2D, SeparableConv2D
from models.padding import Padding

# Published in google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md: field, stride, padding.
VGG16 = {
    "block1_conv1": (3, 1, 1),
    "block1_pool": (6, 2, 2),
    "block2_conv1": (10, 2, 4),
    "block2_pool": (16, 4, 6),
    "block3_conv1": (24, 4, 10),
    "block3_conv2": (32, 4, 14),
    "block3_pool": (44, 8, 18),
    "block4_conv1": (60, 8, 26),
    "block4_conv2": (76, 8, 34),
    "block4_pool": (100, 16, 42),
    "block5_conv1": (132, 16, 58),
    "block5_conv2": (164, 16, 74),
    "block5_pool": (212, 32, 90),
}
MOBILENET_224 = {
    "conv1": (3, 2, 0),
    "conv_pw_1": (7, 2, 2),
    "conv_pw_2": (11, 4, 2),
    "conv_pw_3": (19, 4, 6),
    "conv_pw_4": (27, 8, 6),
    "conv_pw_5": (43, 8, 14),
    "conv_pw_6": (59, 16, 14),
    "conv_pw_7": (91, 16, 30),
    "conv_pw_11": (219, 16, 94),
    "conv_pw_12": (251, 32, 94),
    "conv_pw_13": (315, 32, 126),
}


def places(rows):
    columns = ("receptive_field", "effective_stride", "effective_padding")
    return {row.name: tuple(getattr(row, c)[0] for c in columns) for row in rows if row.output_size}


def test_vgg16_is_the_published_table():
    model = keras.applications.VGG16(weights=None, include_top=False, input_shape=(224, 224, 3))
    rows = trace(model)
    assert places(rows).items() >= VGG16.items()
    assert final_map_size(rows) == (7, 7)
    assert sum(row.parameters for row in rows) == model.count_params() == 14_714_688
    # 15.3 GMACs; the table's 30.713 GFLOP also counts biases and activations.
    assert sum(row.macs for row in rows) * 2 == 30_693_261_312
    assert len({row.name for row in rows}) == len(rows) == len(model.layers)


def test_mobilenet_is_the_published_table():
    model = keras.applications.MobileNet(weights=None, include_top=False, input_shape=(224, 224, 3))
    rows = trace(model)
    assert places(rows).items() >= MOBILENET_224.items()
    assert sum(row.parameters for row in rows) == model.count_params()
    # 567.7 MMACs without the head; the table prints 1.140 GFLOP with biases and activations.
    assert sum(row.macs for row in rows) == pytest.approx(1.140e9 / 2, rel=0.01)


def test_residual_branches_are_hulls():
    """Keras' ResNet50 pads its stem by hand: field 483, stride 32, padding 241 at every size."""
    model = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(64, 64, 3))
    assert places(trace(model))["conv5_block3_out"] == (483, 32, 241)


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
    with pytest.raises(TraceError, match="'up' of type UpSampling2D is not followed"):
        trace(keras.Model(inputs, layers.UpSampling2D(name="up")(inputs)))
    with pytest.raises(TraceError, match="'t' of type Conv2DTranspose"):
        trace(keras.Model(inputs, layers.Conv2DTranspose(1, 3, name="t")(inputs)))
    fast = layers.Conv2D(1, 1, 2, name="fast")(inputs)
    slow = layers.Cropping2D(2, name="slow")(inputs)
    with pytest.raises(TraceError, match=r"unequal effective stride meet at layer 'add': \[1, 2\]"):
        trace(keras.Model(inputs, layers.Add(name="add")([fast, slow])))


def test_sequential_and_multiplied_gates():
    model = keras.Sequential([keras.Input((9, 9, 2)), layers.Conv2D(4, 3), layers.Flatten()])
    assert final_map_size(trace(model)) == (7, 7)
    inputs = keras.Input((9, 9, 2))
    gate = layers.Reshape((1, 1, 2))(layers.GlobalAveragePooling2D()(inputs))
    rows = trace(keras.Model(inputs, layers.Multiply(name="gated")([inputs, gate])))
    assert rows[-1].receptive_field == (1, 1)
