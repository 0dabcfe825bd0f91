import keras
import pytest

import models
from models import ModelError
from models.geometry.tracing.trace import trace


def net(size=44, classes=2, **kwargs):
    kwargs = {"depth": 2, "width": 2, **kwargs}
    return models.build("unet", input_shape=(size, size, 1), num_classes=classes, **kwargs)


def convolution(k, before, after):
    return k * k * before * after + after


def test_published_parameters():
    """Figure 1 by hand, with a bias in every layer; the paper names no count."""
    count, channels, widths = 0, 1, (64, 128, 256, 512, 1024)
    for width in widths:
        count += convolution(3, channels, width) + convolution(3, width, width)
        channels = width
    for width in widths[-2::-1]:
        count += convolution(2, 2 * width, width)
        count += convolution(3, 2 * width, width) + convolution(3, width, width)
    count += convolution(1, 64, 2)
    assert count == 31_030_658
    # What is often quoted, 31,031,685, is of a form that ends in 3x3, 64 -> 2, and 1x1, 2 -> 1.
    assert count - 130 + convolution(3, 64, 2) + convolution(1, 2, 1) == 31_031_685
    assert net(depth=4, width=64).count_params() == count


def test_under_valid_the_sizes_are_those_of_figure_1():
    model = net(572, depth=4, padding="valid")
    shape = {layer.name: layer.output.shape[1] for layer in model.layers}
    down = [shape[f"down{i}_{part}"] for i in (1, 2, 3, 4) for part in ("conv1", "conv2", "pool")]
    assert down == [570, 568, 284, 282, 280, 140, 138, 136, 68, 66, 64, 32]
    up = [
        shape[f"{name}_{part}"]
        for name in ("up4", "up3", "up2", "up1")
        for part in ("conv", "conv1", "conv2")
    ]
    assert [shape["bottom_conv1"], shape["bottom_conv2"]] == [30, 28]
    assert up == [56, 54, 52, 104, 102, 100, 200, 198, 196, 392, 390, 388]
    assert model.output_shape == (None, 388, 388, 2)
    cropped = {
        layer.name: layer.cropping
        for layer in model.layers
        if isinstance(layer, keras.layers.Cropping2D)
    }
    assert cropped == {
        f"up{level}_align_crop0": ((n, n), (n, n))
        for level, n in {4: 4, 3: 16, 2: 40, 1: 88}.items()
    }


def test_batch_normalisation_takes_the_place_of_each_3x3_bias():
    plain, normalised = net(), net(batch_norm=True)
    norms = [lay for lay in normalised.layers if isinstance(lay, keras.layers.BatchNormalization)]
    three = [lay for lay in normalised.layers if getattr(lay, "kernel_size", None) == (3, 3)]
    assert len(norms) == len(three) == 10 and not any(lay.use_bias for lay in three)
    channels = sum(lay.filters for lay in three)
    assert normalised.count_params() - plain.count_params() == (4 - 1) * channels
    assert normalised.get_layer("bottom_relu2").output.shape == (None, 11, 11, 8)


def test_the_overlap_tile_is_amount_input_with_reflect():
    model = net(388, depth=4, padding={"amount": "input", "mode": "reflect"})
    border = model.get_layer("pad_input")
    assert border.widths == ((92, 92), (92, 92)) and border.mode == "reflect"  # 572 - 388
    assert model.output_shape == (None, 388, 388, 2)
    assert not any(name.startswith("output_align") for name in (x.name for x in model.layers))
    odd = net(31, padding="input")  # no unpadded U-Net gives 31 pixels
    assert odd.output_shape[1:3] == (31, 31)
    assert any(x.name.startswith("output_align") for x in odd.layers)


def test_on_even_sizes_pools_and_up_convolutions_are_the_published_ones():
    rows = {row.name: row for row in trace(net(32, padding="valid", depth=1))}
    assert rows["down1_pool"].pad == rows["up1_conv"].pad == ((0, 0), (0, 0))
    odd = {row.name: row for row in trace(net(33))}
    assert odd["down1_pool"].pad == odd["up1_conv"].pad == ((0, 1), (0, 1))


def test_the_skip_lies_over_what_comes_up():
    """Both branches of every merge have one centre, where the paper's network crops as well."""
    from models.geometry.tracing.trace import meetings

    for padding, size in (("valid", 92), ("same", 64), ("same", 45), ("full", 45)):
        found = meetings(net(size, padding=padding))
        assert len(found) == 2
        assert all(meeting.aligned for meeting in found), padding


def test_parameters_do_not_depend_on_the_map():
    counts = {net(s, padding=p).count_params() for s in (44, 47) for p in ("valid", "same", "full")}
    assert len(counts) == 1


@pytest.mark.parametrize("options", [{"depth": 0}, {"depth": 9}, {"width": 0}, {"depth": 1.5}])
def test_mistakes(options):
    with pytest.raises(ModelError, match=rf"`{next(iter(options))}`.*Received: "):
        net(**options)
