"""Each rule finds what it is for, and nothing in a network that is clean of it."""

from pathlib import Path

import keras
import pytest
from keras import layers

import models
from models.geometry.findings.lint import RULES, RULES_OF_LAYERS, lint
from models.geometry.tracing.trace import trace
from models.layers import Conv1D, Conv2D
from models.padding import Padding


def net(*stack, size=33, channels=1):
    """A plain stack on a picture of `size` pixels a side, or on (steps,)."""
    inputs = x = keras.Input((*((size, size) if isinstance(size, int) else size), channels))
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x)


def found(model):
    return {finding.code: finding for finding in lint(model)}


def conv(k=3, s=1, padding="same", **kwargs):
    return layers.Conv2D(1, k, s, padding=padding, **kwargs)


def strided(size, padding="same"):
    return net(conv(7, 2, padding, name="a"), conv(3, 2, padding, name="b"), conv(3), size=size)


def resnet(size):
    inputs = keras.Input((size, size, 3))
    return keras.applications.ResNet50(weights=None, include_top=False, input_tensor=inputs)


def test_a_rule_is_called_by_its_code():
    source = Path(__file__).read_text()
    for rule in RULES + RULES_OF_LAYERS:
        assert source.count(f'"{rule.__name__}"') >= 2, rule.__name__
    seen = {f.code for f in lint(resnet(224)) + lint(strided(8))}
    assert seen <= {rule.__name__ for rule in RULES}


def test_clean_networks_have_no_finding():
    assert lint(keras.applications.VGG16(weights=None, include_top=False)) == []  # size unknown
    shape = {"weights": None, "include_top": False}
    assert lint(keras.applications.VGG16(**shape, input_shape=(224, 224, 3))) == []
    assert lint(resnet(225)) == []
    assert lint(keras.applications.MobileNetV2(**shape, input_shape=(225, 225, 3))) == []
    small = models.build("small_cnn", input_shape=(32, 32, 1), num_classes=10)
    assert lint(small) == []


def test_a_finding_names_layer_and_remedy_in_one_line():
    for finding in lint(resnet(224)):
        assert finding.layer in finding.message
        assert finding.layer == finding.layers[0]
        assert len(finding.remedy) > 10
        assert "\n" not in finding.message + finding.remedy
        assert set(finding.to_dict()) == {
            "code", "layer", "message", "remedy", "severity", "layers",
        }  # fmt: skip


@pytest.mark.parametrize(("size", "apart"), [(8, 1), (9, 0)])
def test_misaligned_merge(size, apart):
    """The published graph that is aligned at 9 pixels under SAME and not at 8."""
    inputs = keras.Input((size, size, 1))
    long = layers.Conv2D(1, 3, 2, padding="same", name="l2")(inputs)
    long = layers.Conv2D(1, 1, 2, padding="same", name="l3")(long)
    short = layers.Conv2D(1, 1, 4, padding="same", name="l1")(inputs)
    outputs = layers.Add(name="add")([short, long])
    findings = found(keras.Model(inputs, outputs))
    assert ("misaligned_merge" in findings) == bool(apart)
    if apart:
        finding = findings["misaligned_merge"]
        assert finding.layer == "add"
        assert "'add' lie 1 pixel of the input apart, 0.25 of their own: 'l1', 'l3'" in (
            finding.message
        )
        assert finding.remedy.startswith("give inputs of 7 or 9 pixels")


def test_causal_branches_meet_by_their_newest_pixel():
    def block(padding, size):
        inputs = keras.Input((size, 1))
        x = layers.Conv1D(1, 3, padding=padding)(inputs)
        return keras.Model(inputs, layers.Add(name="add")([x, inputs]))

    assert "misaligned_merge" not in found(block("causal", 40))
    inputs = keras.Input((40, 40, 1))
    x = Conv2D(1, 3, padding=Padding([[2, 0], [2, 0]]), name="shifted")(inputs)
    y = Conv2D(1, 3, padding=Padding([[0, 2], [0, 2]]), name="other")(inputs)
    finding = found(keras.Model(inputs, layers.Add(name="add")([x, y])))["misaligned_merge"]
    assert "2 pixels" in finding.message


def test_one_sided_padding_and_the_sizes_that_are_even():
    finding = found(strided(32))["one_sided_padding"]
    assert (finding.layer, finding.layers) == ("a", ("a", "b"))
    assert "'a' pads its map of 32 by 2 before and 3 after" in finding.message
    assert "inputs of 29 or 33 pixels" in finding.remedy
    for size in (29, 33):
        model = strided(size)
        assert lint(model) == []
        assert all(pad[0] == pad[1] for row in trace(model) for pad in row.pad)


def test_only_the_axis_where_it_is_so_is_named():
    inputs = keras.Input((33, 32, 1))
    (finding,) = lint(keras.Model(inputs, conv(17, 2, name="a")(inputs)))
    assert (finding.code, finding.message[:6]) == ("one_sided_padding", "width:")


def test_pads_written_down_are_seen_through():
    """Keras' MobileNet writes SAME's pads down for even sizes; its V2 works them out."""
    pad = layers.ZeroPadding2D(((0, 1), (0, 1)), name="pad")
    finding = found(net(pad, conv(3, 2, "valid", name="a"), size=8))["one_sided_padding"]
    assert finding.layer == "a"
    assert "build the network for inputs of 7 or 9 pixels" in finding.remedy
    at_odd = found(net(pad, conv(3, 2, "valid", name="a"), size=9))
    assert at_odd["unread_padding"].layer == "pad"
    assert at_odd["one_sided_padding"].remedy.startswith("give every ZeroPadding")
    even = layers.ZeroPadding2D(1, name="pad")
    assert not {"one_sided_padding", "unread_padding"} & set(
        found(net(even, conv(3, 2, "valid"), size=9))
    )


def test_unread_padding():
    finding = found(strided(32, "same"))
    assert "unread_padding" not in finding
    inputs = keras.Input((32, 32, 1))
    x = Conv2D(1, 17, 2, padding=Padding("half"), name="a")(inputs)
    finding = found(keras.Model(inputs, x))["unread_padding"]
    assert finding.layer == "a"
    assert "1 pixel after the map is never read" in finding.message
    assert "inputs of 31 or 33 pixels" in finding.remedy


def test_unread_input():
    stack = (conv(17), conv(3, 2, "valid", name="a"))
    finding = found(net(*stack, size=32))["unread_input"]
    assert (finding.layer, finding.severity) == ("a", "warning")
    assert "inputs of 31 or 33 pixels" in finding.remedy
    assert "unread_input" not in found(net(*stack, size=33))


def test_what_another_branch_reads_is_not_unread():
    inputs = keras.Input((8, 8, 1))
    a = layers.Conv2D(1, 1, 2, name="a")(layers.ReLU()(inputs))
    only = keras.Model(inputs, a)
    assert found(only)["unread_input"].layer == "a"
    b = layers.Conv2D(1, 3, 2, padding="same", name="b")(layers.BatchNormalization()(inputs))
    assert "unread_input" not in found(keras.Model(inputs, layers.Add()([a, b])))


def test_even_kernels_drift():
    stack = [Conv2D(1, 2, padding="same", name=f"c{i}") for i in range(3)]
    stack.insert(1, layers.MaxPooling2D(2))
    finding = found(net(*stack, size=8))["even_kernel_drift"]
    assert finding.layers == ("c0", "c1", "c2")
    # Half a pixel, and twice half a pixel of a map twice as coarse.
    assert "off by 2.5 pixels of the input, 1.25 of its own" in finding.message
    split = [Conv2D(4, 2, padding=Padding("even_split"), name=f"c{i}") for i in range(3)]
    back = [Conv2D(1, 2, padding=Padding(amount)) for amount in ("same", "same_lower")]
    for stack in (split, back, [conv(3)]):
        assert "even_kernel_drift" not in found(net(*stack, size=8))


def test_even_kernel_drift_is_where_the_centre_is():
    """What is added up is the distance of the last map's centre from the picture's."""
    stack = [Conv2D(1, k, padding="same", name=f"c{k}") for k in (2, 4, 3, 6)]
    model = net(*stack, size=16)
    last = trace(model)[-1]
    off = last.centre[0] + (last.output_size[0] - 1) / 2 - (16 - 1) / 2
    assert f"off by {off:g} pixels" in found(model)["even_kernel_drift"].message


@pytest.mark.parametrize(("pad", "repeats"), [(7, False), (8, True)])
def test_repeated_border(pad, repeats):
    wide = Conv2D(1, 3, padding=Padding(pad, "reflect"), name="a")
    findings = found(net(wide, size=8))
    assert ("repeated_border" in findings) == repeats
    if repeats:
        assert "'a' adds 8 pixels" in findings["repeated_border"].message
    zeros = Conv2D(1, 3, padding=Padding(pad), name="a")
    assert "repeated_border" not in found(net(zeros, size=8))


@pytest.mark.parametrize(("pad", "repeats"), [(8, False), (9, True)])
def test_a_border_that_goes_on_beyond_the_other_pole_repeats(pad, repeats):
    wide = Conv2D(1, 3, padding=Padding([[0, pad], [0, 0]], "spherical"), name="a")
    assert ("repeated_border" in found(net(wide, size=8))) == repeats


def test_a_causal_stack_that_looks_ahead():
    def stack(second):
        causal = layers.Conv1D(1, 3, padding="causal")
        return net(causal, layers.Conv1D(1, 3, padding=second, name="b"), size=(5,))

    finding = found(stack("same"))["looks_ahead"]
    assert finding.layer == "b"
    assert "'b' looks ahead by 1 step" in finding.message
    assert lint(stack("causal")) == []
    assert "looks_ahead" not in found(net(layers.Conv1D(1, 3, padding="same"), size=(5,)))


def test_causality_is_of_an_axis():
    """A picture whose rows are time: the pools look into the next row."""
    model = models.build(
        "small_cnn", input_shape=(32, 32, 1), num_classes=10, padding="causal_rows"
    )
    finding = found(model)["looks_ahead"]
    assert finding.message.startswith("height:")
    assert finding.layers == ("stage1_pool", "stage2_pool")


def test_short_memory():
    def tcn(steps):
        return models.build(
            "causal_conv1d", input_shape=(steps, 1), num_classes=10, padding="causal"
        )

    assert "sees 29 of 40 steps" in found(tcn(40))["short_memory"].message
    assert lint(tcn(29)) == []
    inputs = keras.Input((40, 1))
    x = Conv1D(1, 3, padding=Padding([[2, 0]]), name="by_hand")(inputs)
    assert "short_memory" in found(keras.Model(inputs, x))


@pytest.mark.parametrize(
    ("size", "code"),
    [
        (2 * 17 + 1, "small_receptive_field"),
        (2 * 17, None),
        (5, None),
        (4, "large_receptive_field"),
    ],
)
def test_receptive_field_against_the_picture(size, code):
    model = net(conv(9), conv(9), size=size)
    fields = {"small_receptive_field", "large_receptive_field"}
    assert fields & set(found(model)) == ({code} if code else set())


def test_a_gate_sees_the_whole_picture():
    def gated(gate):
        inputs = keras.Input((64, 64, 2))
        x = layers.Conv2D(2, 3, padding="same")(inputs)
        whole = layers.Reshape((1, 1, 2))(layers.GlobalAveragePooling2D()(x))
        return keras.Model(inputs, layers.Multiply()([x, whole]) if gate else x)

    assert "small_receptive_field" in found(gated(False))
    assert "small_receptive_field" not in found(gated(True))


@pytest.mark.parametrize(("size", "fires"), [(32, True), (64, False)])
def test_vgg16_on_small_pictures(size, fires):
    """Its five pools leave one pixel of 32, and 3x3 windows on maps of 2x2."""
    vgg = models.build("vgg16", input_shape=(size, size, 3), num_classes=10, width=0.05)
    findings = found(vgg)
    assert ("one_pixel_map" in findings) == fires
    assert ("map_smaller_than_window" in findings) == fires
    if fires:
        assert "an input of 64 pixels" in findings["one_pixel_map"].remedy
        finding = findings["map_smaller_than_window"]
        assert "an input of 64 pixels" not in findings["large_receptive_field"].remedy
        assert finding.layers == ("stage5_conv1", "stage5_conv2", "stage5_conv3")
        assert "spans 3 pixels and its map has 2" in finding.message


@pytest.mark.parametrize(
    "norm",
    [
        lambda: layers.GroupNormalization(1, name="norm"),
        lambda: layers.LayerNormalization(axis=[1, 2, 3], name="norm"),
        lambda: layers.UnitNormalization(axis=[1, 2], name="norm"),
        lambda: layers.Softmax(axis=(1, 2), name="norm"),
    ],
)
def test_whole_map(norm):
    """A small field says little where a normalisation reads everything."""
    stack = conv(name="a"), norm(), conv(name="b")
    assert set(found(net(*stack))) == {"whole_map"}
    finding = found(net(*stack))["whole_map"]
    assert (finding.layers, finding.severity) == (("norm",), "note")
    assert "'norm' sums over all pixels of its map" in finding.message
    local = conv(name="a"), layers.BatchNormalization(), layers.LayerNormalization(), conv(name="b")
    assert set(found(net(*local))) == {"small_receptive_field"}


def test_whole_map_on_the_axis_that_it_is_about():
    (finding,) = [
        f for f in lint(net(conv(), layers.Softmax(axis=2), conv())) if f.code == "whole_map"
    ]
    assert finding.message.startswith("width:")


@pytest.mark.parametrize(
    "norm",
    [
        layers.GroupNormalization(1, name="norm"),
        layers.LayerNormalization(axis=[1, 2], name="norm"),
        layers.UnitNormalization(axis=1, name="norm"),
    ],
)
def test_looks_ahead_through_a_normalisation_over_time(norm):
    causal = {"padding": "causal"}
    stack = layers.Conv1D(2, 3, **causal), norm, layers.Conv1D(2, 3, **causal)
    findings = found(net(*stack, size=(40,)))
    assert set(findings) == {"looks_ahead"}  # and no short memory: the sequence is seen whole
    assert "'norm' looks ahead by 39 steps of its map" in findings["looks_ahead"].message
    assert findings["looks_ahead"].remedy == "normalise over the channels alone"
    by_step = layers.LayerNormalization(name="norm")
    assert "looks_ahead" not in found(net(stack[0], by_step, stack[2], size=(40,)))


def test_what_a_normalisation_reads_is_not_unread():
    """The last pixels have no window of their own, and still count."""
    stack = [layers.Conv2D(1, 1, name="a"), conv(2, 3, "valid", name="b")]
    assert "unread_input" in found(net(*stack, size=9))
    stack.insert(1, layers.GroupNormalization(1, name="norm"))
    assert "unread_input" not in found(
        net(stack[0], layers.GroupNormalization(1), stack[-1], size=9)
    )


on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="is about TensorFlow's kernels"
)


@on_tensorflow
@pytest.mark.parametrize(
    ("layer", "channels", "fires"),
    [
        (layers.Conv2D(4, 1, 2), 2, True),
        (layers.Conv2D(64, 1, 3, padding="same"), 3, True),
        (layers.Conv2D(4, 1, (1, 2)), 15, True),
        (layers.Conv2D(4, 1, 2, groups=4), 32, True),
        (layers.Conv1D(4, 1, 2), 2, True),
        (layers.DepthwiseConv2D(1, 2), 1, True),
        (layers.DepthwiseConv2D(1, 2), 3, False),
        (layers.Conv2D(4, 1, 2), 16, False),
        (layers.Conv2D(4, 1), 2, False),
        (layers.Conv2D(4, 2, 3), 2, False),
        (layers.MaxPooling2D(1, 2), 2, False),
        (layers.Conv2D(4, 1, 2, trainable=False), 2, False),
        (Conv2D(4, 1, 2), 2, False),
        (Conv1D(4, 1, 2), 2, False),
    ],
)
def test_wrong_kernel_gradient(layer, channels, fires):
    sizes = (None,) if layer.__class__.__name__ == "Conv1D" else (None, None)
    finding = found(net(layer, size=sizes, channels=channels)).get("wrong_kernel_gradient")
    assert (finding is not None) == fires
    if fires:
        assert finding.layers == (layer.name,) and f"'{layer.name}'" in finding.message
        assert finding.severity == "warning" and "TF_ENABLE_ONEDNN_OPTS=0" in finding.remedy


@on_tensorflow
def test_each_wrong_kernel_gradient_is_named_once():
    model = net(conv(1, 2, name="a"), conv(3, name="b"), conv(1, 3, name="c"), channels=2)
    finding = found(model)["wrong_kernel_gradient"]
    assert finding.layers == ("a", "c") and "likewise c" in finding.message
