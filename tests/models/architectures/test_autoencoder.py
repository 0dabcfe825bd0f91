import warnings

import keras
import pytest

import models
from models import ModelError
from models.align import MisalignedWarning
from models.geometry.tracing.trace import trace


def net(height=21, width=26, **kwargs):
    kwargs = {"widths": (3, 4), **kwargs}
    return models.build("autoencoder", input_shape=(height, width, 1), num_classes=1, **kwargs)


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
def test_a_picture_comes_back_at_its_own_size_under_same(upsampling, kernel_size):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MisalignedWarning)  # half a pixel, with odd kernels
        for height in range(1, 10):
            model = net(height, 19 - height, kernel_size=kernel_size, upsampling=upsampling)
            assert model.output_shape == (None, height, 19 - height, 1)


@pytest.mark.parametrize("padding", ["valid", "half", "full", "causal_rows", "circular"])
def test_transposed_convolutions_give_each_size_back_under_any_amount(padding):
    for height in (22, 23, 24, 25):
        model = net(height, height + 9, padding=padding)
        sizes = {layer.name: layer.output.shape[1:3] for layer in model.layers}
        assert sizes["decoder1_up"] == model.output_shape[1:3] == (height, height + 9)
        assert sizes["decoder2_up"] == sizes["encoder1_conv"]
        assert not any(isinstance(layer, keras.layers.Cropping2D) for layer in model.layers)


@pytest.mark.parametrize("size", [24, 25])
def test_pixels_come_back_to_their_place(size):
    """With kernels that keep the pixel in the middle, the code of a lone pixel lies around it."""
    for upsampling in ("transposed", "resize"):
        model = net(size, size, upsampling=upsampling)
        row = trace(model)[-1]
        assert row.effective_stride == (1, 1)
        assert row.centre == (0.0, 0.0)


def test_resize_under_valid_leaves_the_pixels_that_the_geometry_predicts():
    """By hand: two convolutions of 4 and stride 2 down, and twice doubled less 2 up."""
    for size in (22, 23, 30, 37):
        once = (size - 4) // 2 + 1
        twice = (once - 4) // 2 + 1
        up = min(2 * twice, once) - 2
        up = min(2 * up, size) - 2
        model = net(size, size, padding="valid", upsampling="resize")
        assert model.output_shape[1:3] == (up, up)


def test_each_level_halves_and_has_its_width():
    model = net(32, 32, widths=(3, 5, 7))
    filters = {x.name: x.filters for x in model.layers if hasattr(x, "filters")}
    assert [filters[f"encoder{level}_conv"] for level in (1, 2, 3)] == [3, 5, 7]
    assert [filters[f"decoder{level}_up"] for level in (3, 2, 1)] == [5, 3, 3]
    assert model.get_layer("encoder3_conv").output.shape[1:3] == (4, 4)


def test_too_small_a_picture_is_told_the_smallest():
    with pytest.raises(ModelError, match=r"collapses.*smallest square input is 10x10\. Received"):
        net(9, 12, padding="valid")
    assert net(10, 12, padding="valid").output_shape == (None, 10, 12, 1)


@pytest.mark.parametrize(
    "options",
    [{"widths": ()}, {"widths": (3, 0)}, {"kernel_size": 1}, {"upsampling": "nearest"}],
)
def test_mistakes(options):
    with pytest.raises(ModelError, match=rf"`{next(iter(options))}`.*Received: "):
        net(**options)
