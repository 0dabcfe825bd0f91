"""At which sizes maps meet, and what mends it, against networks that are built."""

import keras
import pytest
from keras import layers

import models.layers as zoo
from models.geometry.findings.lint import lint
from models.geometry.findings.meeting import Sizes, meeting_sizes, nearest_sizes
from models.geometry.tracing.trace import TraceError
from models.padding import Padding

SKIP = {"filters": 1, "kernel_size": 3, "padding": "same"}


def unet(size, depth=4, down=None, up=None):
    """A U-shaped network; None for an input of any size. Raises ValueError where maps differ."""
    down = down or (lambda i: layers.MaxPooling2D(2, name=f"down{i}"))
    up = up or (lambda i: layers.Conv2DTranspose(1, 2, 2, name=f"up{i}"))
    x = inputs = keras.Input((size, 32, 1))
    skips = []
    for i in range(depth):
        x = layers.Conv2D(**SKIP, name=f"skip{i}")(x)
        skips.append(x)
        x = down(i)(x)
    for i in reversed(range(depth)):
        x = layers.Concatenate(name=f"meet{i}")([up(i)(x), skips[i]])
    return keras.Model(inputs, x)


def strided(i):
    return layers.Conv2D(1, 3, (2, 2), padding="same", name=f"down{i}")


def odd(i, extra=0, kind=layers):
    padding = "same" if kind is layers else Padding("half")
    return kind.Conv2DTranspose(1, 3, 2, padding, output_padding=(extra, 1), name=f"up{i}")


def found(model, code, size=None):
    (one,) = [finding for finding in lint(model, size) if finding.code == code]
    return one


NETWORKS = {
    "multiples of 16": (4, None, None, Sizes(16, (0,), 16)),
    "odd": (3, strided, odd, Sizes(8, (1,), 1)),
    "same, nearest": (2, strided, lambda i: layers.UpSampling2D(2), Sizes(4, (0,), 1)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_sizes_that_meet_are_those_for_which_the_network_is_built(name):
    depth, down, up, expected = NETWORKS[name]
    sizes = meeting_sizes(unet(None, depth, down, up))
    assert sizes == expected
    for size in range(sizes.least, 60):
        try:
            unet(size, depth, down, up)
        except ValueError:
            assert size not in sizes, size
        else:
            assert size in sizes, size
    assert sizes.least - 1 not in sizes


def test_sizes_in_words():
    assert str(Sizes(16, (0,), 1)) == "multiples of 16"
    assert str(Sizes(16, (1,), 1)) == "16·a + 1"
    of = "sizes whose remainder by 32 is "
    assert str(Sizes(32, (0, 1, 5), 1)) == f"{of}0, 1 or 5"
    assert str(Sizes(32, (0, *range(25, 32)), 1)) == f"{of}0 or 25 to 31"
    assert str(Sizes(32, tuple(range(9)), 1)) == f"{of}0 to 8"
    assert str(Sizes(32, tuple(range(0, 32, 2)), 1)) == f"{of}0, 2, 4, 6, 8, 10 or one of 10 more"
    assert not Sizes(4, (0, 1), 1).all
    assert Sizes(1, (0,), 5).all


def test_an_unknown_size_is_told_when_all_meet():
    one = found(unet(None), "sizes_do_not_meet")
    assert one.message == (
        "height: the maps that meet at 'meet3' are of one size only for inputs of multiples of 16 "
        "pixels; likewise meet0, meet1, meet2"
    )
    assert (one.layer, one.severity) == ("meet3", "note")
    assert one.layers == ("meet0", "meet1", "meet2", "meet3")
    other = unet(None, 4, strided, odd)
    assert "16·a + 1" in found(other, "sizes_do_not_meet").message
    assert "49 ('up1') and 50 ('skip1')" in found(other, "sizes_do_not_meet", (100, 32)).message
    assert nearest_sizes(other, 0, 100) == (97, 113)


def test_a_size_at_which_maps_do_not_meet_has_neighbours():
    """100 pixels become 50, 25 and 12, and 12 come back as 24."""
    model = unet(None)
    one = found(model, "sizes_do_not_meet", (100, 32))
    assert one.message == (
        "height: with an input of 100 pixels the maps that meet at 'meet2' have 24 ('up2') and 25 "
        "('skip2') pixels, 1 pixel apart; likewise meet1, meet0"
    )
    assert one.remedy.startswith("use inputs of 96 or 112 pixels; or ")
    assert one.severity == "warning"
    assert nearest_sizes(model, 0, 100) == (96, 112)
    assert nearest_sizes(model, 0, 10) == (None, 16)
    assert nearest_sizes(unet(100 - 4), 0, 112) == (96, 128)
    codes = {finding.code for finding in lint(model, (96, 32))}
    assert "sizes_do_not_meet" not in codes


@pytest.mark.parametrize("kind", [layers, zoo])
def test_the_output_padding_that_it_names_mends_it(kind):
    """50 pixels come down to 25, 13 and 7: the last way up needs none, the others one."""

    def up(extra):
        return lambda i: odd(i, extra(i), kind)

    model = unet(None, 3, strided, up(lambda i: 1))
    one = found(model, "sizes_do_not_meet", (50, 32))
    assert "give output_padding=0 to 'up2', output_padding=0 to 'up1'; or crop " in one.remedy
    built = unet(50, 3, strided, up(lambda i: int(i == 0)))
    assert built.output_shape[1:3] == (50, 32)
    with pytest.raises(ValueError, match="matching shapes"):
        unet(50, 3, strided, up(lambda i: 1))


def test_the_crop_that_it_names_mends_it():
    model = unet(None, 1, strided, lambda i: layers.UpSampling2D(2, name="up"))
    one = found(model, "sizes_do_not_meet", (25, 32))
    assert one.remedy.endswith("crop 1 pixel after from 'up' (padzoo.align does)")

    def cropped(x):
        return layers.Cropping2D(((0, 1), (0, 0)))(layers.UpSampling2D(2)(x))

    assert unet(25, 1, strided, lambda i: cropped).output_shape[1:3] == (25, 32)


def test_maps_that_meet_at_no_size():
    inputs = keras.Input((None, 1))
    x = layers.Conv1D(1, 4, padding="valid", name="short")(inputs)
    model = keras.Model(inputs, layers.Add(name="add")([x, inputs]))
    one = found(model, "sizes_do_not_meet")
    assert one.message == "the maps that meet at 'add' differ in size whatever the input's is"
    assert one.severity == "warning"
    assert meeting_sizes(model) == Sizes(1, (), 4)
    at = found(model, "sizes_do_not_meet", (9,))
    assert at.remedy.startswith("crop ")


def test_a_crop_to_a_fixed_size_has_no_period():
    inputs = keras.Input((None, None, 1))
    crop = layers.CenterCrop(9, 9)(inputs)
    model = keras.Model(inputs, layers.Add()([crop, layers.MaxPooling2D(1)(inputs)]))
    assert meeting_sizes(model) is None
    assert nearest_sizes(model, 0, 9) == (None, None)


def test_networks_that_meet_at_every_size_have_no_finding():
    shape = {"weights": None, "include_top": False}
    for model in (
        keras.applications.ResNet50(**shape),
        keras.applications.MobileNetV2(**shape, input_shape=(96, 96, 3)),
        unet(48),
    ):
        assert "sizes_do_not_meet" not in {finding.code for finding in lint(model)}


def test_one_size_says_nothing_of_two_images():
    first, second = keras.Input((None, 1)), keras.Input((None, 1))
    half = layers.MaxPooling1D(2)(first)
    model = keras.Model([first, second], layers.UpSampling1D(2)(half))
    joined = keras.Model([first, second], layers.Add()([model([first, second]), first, second]))
    assert meeting_sizes(joined) is None
    assert nearest_sizes(joined, 0, 9) == (None, None)


def test_a_size_for_each_axis():
    for wrong in ((9,), 9, "9x9", (9.0, 9)):
        with pytest.raises(ValueError, match="a sequence of 2 numbers of pixels .* Received: "):
            lint(unet(48), wrong)
    with pytest.raises(ValueError, match="Received: input_size=[(]0, 9[)]"):
        lint(unet(48), (0, 9))


def test_a_size_that_an_input_fixes_cannot_be_another():
    model = unet(None)
    with pytest.raises(ValueError, match="fixes") as error:
        lint(model, (32, 48))
    assert str(error.value) == (
        "`input_size` must be (None, 32), which an input of the model fixes (None: any size from 1 "
        "on). Received: input_size=(32, 48)"
    )
    assert lint(model, (64, 32)) == lint(model, [64, 32])
    assert lint(unet(48), (48, 32)) == lint(unet(48))
    free, fixed = keras.Input((None, 1)), keras.Input((9, 1))
    both = keras.Model([free, fixed], [layers.ReLU()(free), layers.ReLU()(fixed)])
    with pytest.raises(ValueError, match="must be [(]9,[)]"):
        lint(both, (8,))


def pooled(size):
    """Down and up again by four pools of 2."""
    x = inputs = keras.Input((size, size, 1))
    skips = []
    for i in range(4):
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f"pool{i}")(x)
    for skip in reversed(skips):
        x = layers.Concatenate()([layers.UpSampling2D(2)(x), skip])
    return keras.Model(inputs, x)


def window(size):
    inputs = keras.Input((size, size, 1))
    return keras.Model(inputs, layers.Conv2D(2, 7, name="conv")(inputs))


@pytest.mark.parametrize(
    ("make", "size", "layer", "left", "smallest"),
    [
        (pooled, 15, "pool3", "1 pixel", 16),
        (pooled, 1, "pool0", "1 pixel", 16),
        (window, 5, "conv", "5 pixels", 7),
    ],
)
def test_a_size_at_which_a_map_shrinks_to_nothing(make, size, layer, left, smallest):
    one = found(make(None), "map_too_small", (size, size))
    assert (one.layer, one.severity) == (layer, "warning")
    assert one.message.endswith(f"'{layer}' leaves nothing of its map of {left}")
    assert one.remedy == f"an input of {smallest} pixels is the smallest that works"
    for exists, n in ((False, size), (False, smallest - 1), (True, smallest)):
        codes = {finding.code for finding in lint(make(None), (n, n))}
        assert ("map_too_small" not in codes) == exists
        try:
            make(n)
        except ValueError:
            assert not exists
        else:
            assert exists


def test_a_map_smaller_than_its_crop_is_resized_and_not_too_small():
    inputs = keras.Input((None, None, 1))
    model = keras.Model(inputs, layers.CenterCrop(9, 9)(inputs))
    assert "map_too_small" not in {finding.code for finding in lint(model, (5, 5))}


def test_sizes_that_suit_the_strides_and_at_which_maps_differ():
    """Odd sizes suit a 3x3 with stride 2 under `same`, and only even ones come back."""
    x = inputs = keras.Input((98, 98, 1))
    x = layers.Conv2D(1, 3, 2, padding="same")(x)
    alone = keras.Model(inputs, x)
    assert found(alone, "one_sided_padding").remedy.startswith("use inputs of 97 or 99 pixels")
    x = layers.Conv2DTranspose(1, 3, 2, padding="same")(x)
    met = keras.Model(inputs, layers.Concatenate()([x, inputs]))
    rest = " suits all strides: change a kernel, a stride or an amount"
    assert found(met, "one_sided_padding").remedy == f"no size at which all maps meet{rest}"
    skewed = zoo.Conv2D(1, 3, 2, padding=Padding([[0, 1], [0, 1]]))(inputs)
    at_none = found(keras.Model(inputs, skewed), "one_sided_padding")
    assert at_none.remedy == f"no size{rest}"


@pytest.mark.parametrize(
    ("kernel", "remedy"),
    [
        (2, "crop 2 pixels after from 'up' (padzoo.align does)"),
        (3, "give output_padding=0 to 'up'; or crop 1 pixel after from 'up' (padzoo.align does)"),
    ],
)
def test_an_output_padding_that_cannot_be_computed_is_not_named(kernel, remedy):
    """49 pixels come back as 98, and with output_padding=0 as 96 or 97."""
    inputs = keras.Input((None, None, 1))
    down = layers.Conv2D(1, 3, 2, padding="same")(inputs)
    up = layers.Conv2DTranspose(1, kernel, 2, padding="same", name="up")(down)
    cut = layers.Cropping2D(((0, 4 - kernel), (0, 4 - kernel)))(inputs)
    model = keras.Model(inputs, layers.Add()([up, cut]))
    one = found(model, "sizes_do_not_meet", (98, 98))
    assert one.remedy == remedy


def test_a_resize_from_an_unknown_size_says_what_to_do():
    def model(size):
        inputs = keras.Input((size, size, 3))
        return keras.Model(inputs, layers.Resizing(10, 10, name="resize")(inputs))

    for asked in (None, (32, 32)):
        with pytest.raises(
            TraceError, match=r"'resize' .* build the model with one, as with keras"
        ):
            lint(model(None), asked)
    assert lint(model(32), (32, 32)) == lint(model(32))
