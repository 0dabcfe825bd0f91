import keras
import pytest

import models
from models import ModelError
from models.geometry.tracing.trace import meetings, trace

VGG = ((3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 512))
VGG += ((512, 512),) * 5


def net(size=64, classes=4, **kwargs):
    kwargs = {"width": 1 / 64, **kwargs}
    return models.build("fcn8", input_shape=(size, size, 3), num_classes=classes, **kwargs)


def crops(model):
    return {
        layer.name.removesuffix("0").removesuffix("1"): layer.cropping[0]
        for layer in model.layers
        if isinstance(layer, keras.layers.Cropping2D)
    }


@pytest.mark.full
def test_published_parameters():
    """By hand; the paper's Table 1 says 134M for FCN-VGG16, and section 4.2 adds the skips."""
    stages = sum(9 * before * after + after for before, after in VGG)
    hidden = 7 * 7 * 512 * 4096 + 4096 + 4096 * 4096 + 4096
    scores = sum(channels * 21 + 21 for channels in (4096, 512, 256))
    up = (4 * 4 + 4 * 4 + 16 * 16) * 21 * 21
    assert stages + hidden + scores + up == 134_489_759
    assert net(32, 21, width=1.0).count_params() == 134_489_759


@pytest.mark.parametrize(("size", "output"), [(500, (31, 37)), (224, (31, 57)), (30, (31, 59))])
def test_padded_by_100_the_crops_are_the_published_ones(size, output):
    """The offsets 5, 9 and 31 of the authors' network definition."""
    model = net(size, sizes="pad100")
    assert model.get_layer("stage1_conv1").border.amount == 100
    found = crops(model)
    assert [found[f"{at}_align_crop"][0] for at in ("stage4", "stage3", "output")] == [5, 9, 31]
    assert found["output_align_crop"] == output
    assert model.output_shape == (None, size, size, 4)
    assert all(meeting.aligned for meeting in meetings(model))
    shapes = {layer.name: layer.output.shape[1] for layer in model.layers}
    if size == 500:
        assert [shapes[f"stage{i}_pool"] for i in range(1, 6)] == [349, 175, 88, 44, 22]
        assert [shapes[n] for n in ("stage6_conv", "stage4_up", "stage3_up", "output")] == [
            *(16, 34, 70, 568)
        ]


def test_the_border_of_100_is_of_the_bound_mode_and_an_override_wins():
    model = net(30, sizes="pad100", padding="reflect")
    assert model.get_layer("stage1_conv1").border == models.Padding(100, "reflect")
    own = net(30, sizes="pad100", overrides={"stage1_conv1": {"amount": 90}})
    assert own.get_layer("stage1_conv1").border == models.Padding(90)
    # Under `input` the picture is padded once instead.
    once = net(30, sizes="pad100", padding="input")
    assert once.get_layer("stage1_conv1").border == models.Padding("valid")
    assert once.output_shape[1:3] == (30, 30)


@pytest.mark.filterwarnings("ignore::models.align.MisalignedWarning")
@pytest.mark.parametrize("size", [1, 32, 70])
def test_on_a_causal_axis_the_whole_border_lies_before_the_picture(size):
    model = net(size, sizes="pad100", padding="causal_rows")
    rows, columns = model.get_layer("stage1_conv1").border.widths(
        (size, size), (3, 3), (1, 1), (1, 1)
    )
    assert rows[0] >= 200 and rows[1] == 0 and columns == (100, 100)
    assert model.output_shape[1:3] == (size, size)


def test_a_crop_leaves_float32_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = net(16, sizes="pad100")
        assert model.get_layer("output_align_crop0").compute_dtype == "float32"
        assert model.get_layer("stage4_align_crop1").compute_dtype == "bfloat16"
        assert model.outputs[0].dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("size", [*range(1, 34, 8), 50, 63, 64])
def test_under_same_the_sizes_meet_without_a_crop(size):
    model = net(size)
    assert model.output_shape[1:3] == (size, size)
    assert crops(model) == {}
    assert all(meeting.aligned for meeting in meetings(model))
    last = trace(model)[-1]
    assert last.effective_stride == (1, 1)
    assert last.centre == (0.0, 0.0)  # the first score is of the first pixel


def test_the_first_network_has_three_skips_strides_of_8_16_and_32():
    rows = {row.name: row for row in trace(net(64))}
    strides = [rows[f"stage{i}_score"].effective_stride[0] for i in (3, 4, 7)]
    assert strides == [8, 16, 32]
    assert [rows[name].effective_stride[0] for name in ("stage4_up", "stage3_up")] == [16, 8]


@pytest.mark.parametrize("options", [{"sizes": "valid"}, {"width": 0.0}, {"dropout": 1.0}])
def test_mistakes(options):
    with pytest.raises(ModelError, match=rf"`{next(iter(options))}`.*Received: "):
        net(**options)
