"""Published tables of receptive fields: google-research/receptive_field, its README and table.

Rows are (receptive field, effective stride, effective padding); the networks are those of slim.
"""

import keras
import pytest
from keras import layers

import models
from models.geometry.tracing.trace import TraceError, final_map_size, meetings, trace

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
VGG_A = {
    "stage1_conv1": (3, 1, 1),
    "stage1_pool": (4, 2, 1),
    "stage2_conv1": (8, 2, 3),
    "stage2_pool": (10, 4, 3),
    "stage3_conv1": (18, 4, 7),
    "stage3_conv2": (26, 4, 11),
    "stage3_pool": (30, 8, 11),
    "stage4_conv1": (46, 8, 19),
    "stage4_conv2": (62, 8, 27),
    "stage4_pool": (70, 16, 27),
    "stage5_conv1": (102, 16, 43),
    "stage5_conv2": (134, 16, 59),
    "stage5_pool": (150, 32, 59),
}
# Field, stride, padding at 224, padding at 321.
MOBILENET = {
    "conv1": (3, 2, 0, 1),
    "conv_pw_1": (7, 2, 2, 3),
    "conv_pw_2": (11, 4, 2, 5),
    "conv_pw_3": (19, 4, 6, 9),
    "conv_pw_4": (27, 8, 6, 13),
    "conv_pw_5": (43, 8, 14, 21),
    "conv_pw_6": (59, 16, 14, 29),
    "conv_pw_7": (91, 16, 30, 45),
    "conv_pw_8": (123, 16, 46, 61),
    "conv_pw_9": (155, 16, 62, 77),
    "conv_pw_10": (187, 16, 78, 93),
    "conv_pw_11": (219, 16, 94, 109),
    "conv_pw_12": (251, 32, 94, 125),
    "conv_pw_13": (315, 32, 126, 157),
}
# Where the odd pixels of its strides lie at 321 and 1 + 2^5 a: the 224 column is slim's own.
RESNET = {"conv2_block3": 35, "conv3_block4": 99, "conv4_block6": 291, "conv5_block3": 483}
RESNET_PADDING_AT_321 = {35: 17, 99: 49, 291: 145, 483: 241}
RESNET_V2_STRIDE = {35: 8, 99: 16, 291: 32, 483: 32}


def places(rows):
    columns = ("receptive_field", "effective_stride", "effective_padding")
    return {row.name: tuple(getattr(row, c)[0] for c in columns) for row in rows if row.output_size}


def application(name, size):
    shape = (size, size, 3)
    return getattr(keras.applications, name)(weights=None, include_top=False, input_shape=shape)


def test_vgg16():
    model = application("VGG16", 224)
    rows = trace(model)
    assert len(VGG16) == 13
    assert places(rows).items() >= VGG16.items()
    assert final_map_size(rows) == (7, 7)
    assert sum(row.parameters for row in rows) == model.count_params() == 14_714_688
    # 15.3 GMACs; the table's 30.713 GFLOP also counts biases and activations.
    assert sum(row.macs for row in rows) * 2 == 30_693_261_312
    assert len({row.name for row in rows}) == len(rows) == len(model.layers)


def test_vgg_a_of_the_zoo():
    shape = {"input_shape": (224, 224, 3), "num_classes": 10}
    model = models.build("vgg16", depth=11, width=0.05, batch_norm=False, **shape)
    assert len(VGG_A) == 13
    assert places(trace(model)).items() >= VGG_A.items()


def slim_mobilenet(size):
    """MobileNet v1 with TensorFlow's SAME in every layer, as in slim; narrow, the field is all."""
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(2, 3, 2, padding="same", name="conv1")(inputs)
    for i, strides in enumerate((1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1), start=1):
        x = layers.DepthwiseConv2D(3, strides, padding="same")(x)
        x = layers.Conv2D(2, 1, name=f"conv_pw_{i}")(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(("size", "column"), [(224, 2), (321, 3)])
def test_mobilenet_of_slim(size, column):
    found = places(trace(slim_mobilenet(size)))
    expected = {name: (*row[:2], row[column]) for name, row in MOBILENET.items()}
    assert len(expected) == 14
    assert found.items() >= expected.items()


def test_mobilenet_of_keras():
    """Keras pads a strided depthwise kernel by (0, 1) at every size: slim's SAME at 224 alone."""
    model = application("MobileNet", 224)
    rows = trace(model)
    assert places(rows).items() >= {name: row[:3] for name, row in MOBILENET.items()}.items()
    assert sum(row.parameters for row in rows) == model.count_params()
    # 567.7 MMACs without the head; the table prints 1.140 GFLOP with biases and activations.
    assert sum(row.macs for row in rows) == pytest.approx(1.140e9 / 2, rel=0.01)
    odd = places(trace(application("MobileNet", 321)))
    assert odd["conv1"] == (3, 2, 1)
    # Only the first layer is SAME: one pixel more than at 224, where slim's has 31.
    for name, (field, stride, padding, _) in MOBILENET.items():
        assert odd[name] == (field, stride, padding + 1)


@pytest.mark.full
@pytest.mark.parametrize("size", [64, 65])
def test_resnet50(size):
    """Keras pads by hand, so its padding is that of slim at 321 at every size.

    Version 2 strides at the end of a stage, as both do in slim; version 1 of Keras at the start.
    """
    one, two = (places(trace(application(name, size))) for name in ("ResNet50", "ResNet50V2"))
    for name, field in RESNET.items():
        stride, padding = RESNET_V2_STRIDE[field], RESNET_PADDING_AT_321[field]
        assert two[f"{name}_out"] == (field, stride, padding)
        assert one[f"{name}_out"] == (field, stride if field == 483 else stride // 2, padding)


# Toy graphs. The published ones are told in words: of nets 1, 4 and 5 they fix the graph and the
# answer. Nets 3, 8 and 9 are graphs of the same kind made for this test, worked out by hand.


def meet(x, padding, strides=2, explicit=False, name="add"):
    """A 1x1 of stride 2 * strides beside a 3x3 of stride 2 and a 1x1 of the rest."""
    skip = layers.Conv2D(1, 1, 2 * strides, padding=padding)(x)
    if explicit:
        x = layers.ZeroPadding2D(((1, 0), (1, 0)))(x)
    x = layers.Conv2D(1, 3, 2, padding=padding)(x)
    if strides > 1:
        x = layers.Conv2D(1, 1, strides, padding=padding)(x)
    return layers.Add(name=name)([skip, x])


def toy(build, *size):
    inputs = keras.Input((*size, 1))
    model = keras.Model(inputs, build(inputs))
    row = trace(model)[-1]
    axes = zip(row.receptive_field, row.effective_stride, row.effective_padding, strict=True)
    return list(axes), [meeting.aligned for meeting in meetings(model)]


def test_net1_pads_by_hand():
    assert toy(lambda x: meet(x, "valid", explicit=True), 32, 32) == ([(3, 4, 1)] * 2, [True])


def test_net3_forgets_the_pad():
    """The 3x3's centre is pixel 1, the 1x1's pixel 0: one pixel off; their hull is 0 to 2."""
    places, aligned = toy(lambda x: meet(x, "valid"), 8, 8)
    assert (places, aligned) == ([(3, 4, 0)] * 2, [False])
    inputs = keras.Input((8, 8, 1))
    (found,) = meetings(keras.Model(inputs, meet(inputs, "valid")))
    assert found.name == "add"
    assert found.offsets == ((0.0, 1.0), (0.0, 1.0))


def test_net4_is_aligned_at_9_and_not_at_8():
    assert toy(lambda x: meet(x, "same"), 9, 9) == ([(3, 4, 1)] * 2, [True])
    assert toy(lambda x: meet(x, "same"), 8, 8)[1] == [False]


def test_net5_is_not_square():
    """Kernels (3, 5) of stride 2, then 2x2 of stride 2: 3 + 2 and 5 + 2 pixels, stride 4."""

    def build(x):
        return layers.Conv2D(1, 2, 2)(layers.Conv2D(1, (3, 5), 2)(x))

    assert toy(build, 32, 32)[0] == [(5, 4, 0), (7, 4, 0)]


def test_net8_meets_twice():
    """Net 1, then a 1x1 of stride 2 beside a padded 3x3: 3 + 2 * 4, 4 * 2, 1 + 4."""

    def build(x):
        return meet(meet(x, "valid", explicit=True), "valid", 1, explicit=True, name="second")

    assert toy(build, 32, 32) == ([(11, 8, 5)] * 2, [True, True])


def test_net9_meets_twice_under_same():
    """17 -> 9 -> 5 -> 3: every 3x3 is padded by one on each side."""

    def build(x):
        return meet(meet(x, "same"), "same", 1, name="second")

    assert toy(build, 17, 17) == ([(11, 8, 5)] * 2, [True, True])
    assert toy(build, 16, 16)[1] == [False, False]


def test_branches_of_unequal_stride_are_refused():
    def build(x):
        return layers.Add(name="add")([layers.Conv2D(1, 1, 2)(x), layers.Cropping2D(2)(x)])

    with pytest.raises(TraceError, match=r"unequal effective stride meet at layer 'add': \[1, 2\]"):
        toy(build, 8, 8)
