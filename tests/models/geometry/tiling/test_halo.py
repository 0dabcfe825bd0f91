"""By how much tiles must overlap, that less is not enough, and where no overlap is."""

import keras
import numpy as np
import pytest

import models
from models.geometry.tiling.halo import cover_image, halo
from models.geometry.tiling.tiled_network import TileError
from models.layers import BatchNormalization, Conv2D, Conv2DTranspose, MaxPooling2D
from models.padding import Padding


def network(*layers, size=(64, 64), channels=1):
    x = inputs = keras.Input((*size, channels))
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def convs(*sizes, **kwargs):
    return [Conv2D(1, k, padding="same", **kwargs) for k in sizes]


def test_a_window_of_k_pixels_costs_k_less_one():
    found = halo(network(*convs(3, 5, 7)))
    assert found.overlap == (12, 12) and found.smallest == (13, 13) and found.grid == (1, 1)


def test_one_pixel_costs_nothing():
    assert halo(network(Conv2D(2, 1), BatchNormalization())).overlap == (0, 0)
    assert halo(network(MaxPooling2D(2), Conv2DTranspose(1, 2, 2))).overlap == (0, 0)


@pytest.mark.parametrize(("dilation", "overlap"), [(1, 2), (4, 8)])
def test_dilation_widens_it(dilation, overlap):
    assert halo(network(*convs(3, dilation_rate=dilation))).overlap == (overlap, overlap)


def test_the_axes_have_their_own():
    found = halo(network(Conv2D(1, (1, 5), padding="same"), Conv2D(1, 3, (2, 1), padding="same")))
    assert found.overlap == (2, 6) and found.grid == (2, 1)


def test_the_published_u_net_at_the_size_it_is_published_for():
    """572 pixels become 388: 184 are lost, and 2^4 is the period of its pools."""
    model = models.build("unet", input_shape=(572, 572, 1), num_classes=2, padding="valid",
                         depth=4, width=1)  # fmt: skip
    found = halo(model)
    assert found.grid == (16, 16)
    (cover,) = {c.places[1:-1] for c in cover_image(model, (572 + 16 * 60,) * 2, 576)}
    steps = np.diff([place.start for place in cover])
    assert set(steps) == {384} and 572 - found.overlap[0] == 384


def test_no_smaller_tile_works_and_the_smallest_does():
    model = models.build("unet", input_shape=(203, 201, 1), num_classes=2, width=1)
    found = halo(model)
    for axis in (0, 1):
        tile = [400, 400]
        tile[axis] = found.smallest[axis]
        assert len(cover_image(model, (203, 201), tile)[axis].places) > 2
        tile[axis] -= found.grid[axis]
        with pytest.raises(TileError, match=f"at least {found.smallest[axis]} "):
            cover_image(model, (203, 201), tile)


def test_an_image_s_remainder_is_kept():
    """SAME pads strided layers by what the size leaves over, so a window leaves over as much."""
    model = network(Conv2D(1, 3, 2, padding="same"), Conv2DTranspose(1, 3, 2), size=(None, None))
    for size in (200, 201):
        (cover, _) = cover_image(model, (size, size), 32)
        assert cover.window % 2 == size % 2 and cover.window <= 32


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (keras.layers.GlobalAveragePooling2D, "'see' reads all of its map, and the network gives"),
        (keras.layers.Flatten, "'see' reads all of its map"),
        (lambda name: keras.layers.LayerNormalization((1, 2, 3), name=name),
         "'see' normalises over the whole map"),
        (lambda name: keras.layers.GroupNormalization(1, name=name),
         "'see' normalises over the whole map"),
        (lambda name: keras.layers.Resizing(32, 32, name=name), "'see' resizes to a fixed size"),
        (lambda name: keras.layers.CenterCrop(32, 32, name=name), "'see' crops to a fixed size"),
        (lambda name: Conv2D(1, 3, padding="circular", name=name),
         "mode 'circular' pads 'see' from the far end of its map"),
        (lambda name: Conv2D(1, 3, padding="mean", name=name),
         "mode 'mean' pads 'see' with what the whole map holds"),
        (lambda name: Conv2D(1, 3, padding="random", name=name), "what the whole map holds"),
        (lambda name: Conv2D(1, 3, padding="spherical", name=name), "what the whole map holds"),
    ],
)  # fmt: skip
def test_a_layer_that_sees_everything_has_none(layer, reason):
    model = network(*convs(3), layer(name="see"))
    found = halo(model)
    assert found.overlap == found.smallest == (None, None)
    assert all(reason in said for said in found.reasons)
    with pytest.raises(TileError) as refusal:
        cover_image(model, (64, 64), 32)
    assert reason in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_gate_has_none():
    inputs = keras.Input((32, 32, 2))
    x = Conv2D(4, 3, padding="same")(inputs)
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    found = halo(keras.Model(inputs, keras.layers.Multiply(name="gate")([x, gate])))
    assert found.reasons == ("'gate' joins in what was computed from a whole map",) * 2


def test_a_mean_beside_an_axis_sees_both():
    layer = Conv2D(1, 3, padding=Padding(("same", "valid"), "mean"))
    assert halo(network(layer)).overlap == (None, None)


def test_one_axis_goes_round_and_the_other_does_not():
    model = network(Conv2D(1, 3, padding="latitude_longitude"))
    found = halo(model)
    assert found.overlap == (2, None)
    assert [len(cover.places) for cover in cover_image(model, (64, 64), (16, 64))] == [5, 1]
    with pytest.raises(TileError, match="A tile must have all 64 columns"):
        cover_image(model, (64, 64), 16)


def test_a_mode_without_a_border_is_none():
    """A window of one pixel pads nothing, and neither does a neutral pool."""
    model = network(Conv2D(1, 1, padding="circular"), MaxPooling2D(2, padding="mean"))
    assert halo(model).overlap == (0, 0)


@pytest.mark.parametrize(
    ("sizes", "tile", "said"),
    [
        ((64, 64), 0, "`tile` must be"),
        ((64, 64), -4, "`tile` must be"),
        ((64, 64), 16.0, "`tile` must be"),
        ((64, 64), True, "`tile` must be"),
        ((64, 64), (16, 16, 16), "`tile` must be"),
        ((64, 64), 18, "multiple of 4 rows, the period of the network's strides: 16 or 20"),
        ((64, 64), 4, "at least 12 rows, because neighbours overlap by 8"),
        ((66, 64), 16, "crop or pad the image to 64 or 68 rows"),
        ((64, 67), 16, "crop or pad the image to 64 or 68 columns"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(sizes, tile, said):
    layers = [MaxPooling2D(2), MaxPooling2D(2), Conv2D(1, 3, padding="same")]
    with pytest.raises(TileError) as refusal:
        cover_image(network(*layers, keras.layers.UpSampling2D(4)), sizes, tile)
    assert said in str(refusal.value) and "Received" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_sizes_at_which_maps_do_not_meet_are_refused_with_those_that_do():
    x = inputs = keras.Input((None, None, 1))
    y = keras.layers.UpSampling2D(2)(keras.layers.MaxPooling2D(2)(x))
    model = keras.Model(inputs, keras.layers.Add(name="join")([x, y]))
    assert halo(model).overlap == (0, 0)
    with pytest.raises(TileError, match="meet at layer 'join'.* 62 and 64"):
        halo(model, (63, 64))


def test_sizes_of_one_remainder_alone_are_found():
    """(n - 1) s + 1 pixels come back of n: no multiple of 2 does."""
    x = inputs = keras.Input((None, None, 1))
    y = Conv2DTranspose(1, 3, 2, padding="half")(Conv2D(1, 3, 2, padding="half")(x))
    assert halo(keras.Model(inputs, keras.layers.Add()([x, y]))).grid == (2, 2)


def test_a_size_of_which_nothing_is_left_is_refused():
    with pytest.raises(TileError, match="With 3 rows nothing is left of the map at layer"):
        halo(network(Conv2D(1, 5), size=(None, None)), (3, 40))


def test_a_volume_is_refused():
    inputs = keras.Input((4, 4, 4, 1))
    with pytest.raises(TileError, match="from one image to one image"):
        halo(keras.Model(inputs, keras.layers.ReLU()(inputs)))


def test_two_images_are_refused():
    a, b = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    with pytest.raises(TileError, match="from one image to one image"):
        halo(keras.Model([a, b], keras.layers.Add()([a, b])))
