import warnings

import keras
import numpy as np
import pytest
from keras import layers

from models.align import MisalignedWarning, align, align_for_stride
from models.geometry.tracing.trace import TraceError, fields_of
from models.layers import CollapseError, Conv1D, Conv2D
from models.padding import Padding


def identity_at(offset, k):
    """Return an initializer for a kernel that copies one pixel of its window."""

    def initialise(shape, dtype):
        kernel = np.zeros(shape, "float32")
        kernel[(offset,) * (len(shape) - 2)] = 1.0
        return kernel

    return initialise


def test_equal_sizes_are_left_alone():
    x = keras.Input((8, 1))
    y = Conv1D(1, 3, padding="same")(x)
    aligned = align([x, y], name="here")
    assert aligned[0] is x
    assert aligned[1] is y


@pytest.mark.parametrize("amount", ["valid", "half", "full", 1])
@pytest.mark.parametrize("k", [3, 5])
def test_centres_meet(amount, k):
    """A kernel that copies its centre is the identity, so aligned branches hold one picture."""
    inputs = keras.Input((9, 11, 1))
    kernel = identity_at(k // 2, k)
    branch = Conv2D(1, k, padding=Padding(amount), kernel_initializer=kernel)(inputs)
    outputs = align([branch, inputs], name="here")
    x = np.random.default_rng(0).normal(size=(1, 9, 11, 1)).astype("float32")
    left, right = keras.Model(inputs, outputs)(x)
    assert np.array_equal(left, right)
    assert left.shape[1:3] == tuple(
        min(a, b) for a, b in zip(branch.shape[1:3], (9, 11), strict=True)
    )


@pytest.mark.parametrize("amount", ["valid", "causal", "full", "same", [[1, 4]]])
def test_newest_pixels_meet(amount):
    inputs = keras.Input((12, 1))
    last = {"kernel_initializer": identity_at(2, 3), "padding": Padding(amount)}
    branch = Conv1D(1, 3, **last)(Conv1D(1, 3, dilation_rate=2, **last)(inputs))
    outputs = align([branch, inputs], "end", name="here")
    x = np.random.default_rng(0).normal(size=(1, 12, 1)).astype("float32")
    left, right = (np.asarray(y) for y in keras.Model(inputs, outputs)(x))
    if amount == "same":  # equal sizes are not cropped, so they meet by their centres
        assert left.shape == right.shape == (1, 12, 1)
    else:
        assert np.array_equal(left, right)
        assert left.shape[1] >= 6


def test_crops_are_named_and_plain():
    inputs = keras.Input((12, 1))
    branch = Conv1D(1, 3, padding="valid", name="conv")(inputs)
    outputs = align([branch, inputs], "end", name="here")
    crop = keras.Model(inputs, outputs).get_layer("here_crop1")
    assert type(crop) is layers.Cropping1D
    assert crop.cropping == (2, 0)
    assert type(keras.Model(inputs, outputs).get_layer("here_crop0")) is layers.Identity
    assert fields_of(outputs)[1][0].effective_padding == -2


def test_many_branches_of_strided_maps():
    inputs = keras.Input((32, 32, 1))
    x = layers.Conv2D(1, 3, 2, padding="valid")(inputs)
    branches = [x, *(Conv2D(1, k, padding="valid")(x) for k in (3, 5))]
    outputs = align(branches, name="here")
    assert {y.shape for y in outputs} == {(None, 11, 11, 1)}
    assert {
        (f[0].receptive_field - 1) / 2 - f[0].effective_padding for f in fields_of(outputs)
    } == {5}


def test_half_a_pixel_is_named():
    inputs = keras.Input((10, 10, 1))
    branch = Conv2D(1, (2, 1), padding="valid")(inputs)
    with pytest.warns(MisalignedWarning, match="at 'here' stay 0.5 pixels .* on axis 0"):
        outputs = align([branch, inputs], name="here")
    assert {y.shape for y in outputs} == {(None, 9, 10, 1)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        align([branch, inputs], "end", name="here")


def convolved(x, times, **args):
    """Convolve by 3x3 so many times, one filter each."""
    for _ in range(times):
        x = layers.Conv2D(1, 3, **args)(x)
    return x


def cut(x, end):
    """Return what is cropped between two tensors on the first axis, (before, after)."""
    layer = end._keras_history.operation
    assert layer.input is x
    return layer.cropping[0] if isinstance(layer, layers.Cropping2D) else (0, 0)


@pytest.mark.parametrize("size", [227, 500])
def test_the_crops_of_the_published_fcn(size):
    """Long et al. 2015, voc-fcn8s: from 5 at pool4, from 9 at pool3, from 31 at the picture."""
    image = keras.Input((size, size, 1))
    x, pools = layers.ZeroPadding2D(99)(image), []  # and 1 of the first convolution's
    for times in (2, 2, 3, 3, 3):
        x = layers.MaxPooling2D(2, padding="same")(convolved(x, times, padding="same"))
        pools.append(x)
    x = layers.Conv2D(1, 7)(x)
    found = []
    for kernel, stride, skip in ((4, 2, pools[3]), (4, 2, pools[2]), (16, 8, image)):
        x = layers.Conv2DTranspose(1, kernel, stride)(x)
        ends = align([x, skip], name=f"meet{len(found)}")
        found.append((cut(x, ends[0])[0], cut(skip, ends[1])[0]))
        x = layers.Add()(ends)
    assert found == [(0, 5), (0, 9), (31, 0)]
    assert x.shape[1:3] == (size, size)


def test_the_crops_of_the_published_unet():
    """Ronneberger et al. 2015, figure 1: of 572 pixels 388 come back."""
    image = keras.Input((572, 572, 1))
    x, skips = image, []
    for _ in range(4):
        x = convolved(x, 2)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x, found = convolved(x, 2), []
    for skip in reversed(skips):
        x = layers.Conv2DTranspose(1, 2, 2)(x)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ends = align([x, skip], name=f"meet{len(found)}")
        found.append(cut(skip, ends[1]))
        assert cut(x, ends[0]) == (0, 0)
        x = convolved(layers.Concatenate()(ends), 2)
    assert found == [(4, 4), (16, 16), (40, 40), (88, 88)]
    assert x.shape[1:3] == (388, 388)


@pytest.mark.parametrize("amounts", [(0, 0), (3, 1), (2, 5)])
def test_maps_that_came_back_up_hold_one_picture(amounts):
    """Two ways up and down that shift a picture by whole pixels give the same pixels back."""
    image = keras.Input((24, 24, 1))
    copy = {"kernel_initializer": "ones", "use_bias": False}
    x = layers.ZeroPadding2D(amounts[0])(layers.Conv2DTranspose(1, 2, 2, **copy)(image))
    y = layers.Cropping2D(amounts[1])(layers.UpSampling2D(2)(layers.ZeroPadding2D(1)(image)))
    ends = align([x, y], name="meet")
    picture = np.random.default_rng(0).normal(size=(1, 24, 24, 1)).astype("float32")
    left, right = (np.asarray(end) for end in keras.Model(image, ends)(picture))
    inside = slice(amounts[0] + 2, -amounts[0] - 2)
    assert left.shape == right.shape and left[0, inside, inside].any()
    np.testing.assert_array_equal(left, right)


def test_branches_that_cannot_meet():
    inputs = keras.Input((9, 1))
    fast = layers.Conv1D(1, 1, 2)(inputs)
    with pytest.raises(TraceError, match=r"'here'.*effective strides on axis 0 are \[1, 2\]"):
        align([fast, inputs], name="here")
    open_ended = keras.Input((None, 1))
    longer = Conv1D(1, 3, padding=Padding([[9, 0]]))(keras.Input((9, 1)))
    with pytest.raises(TraceError, match="a size is not known"):
        align([open_ended, longer], name="here")
    ahead = layers.Cropping1D((5, 0))(inputs)
    behind = layers.Cropping1D((0, 6))(inputs)
    with pytest.raises(CollapseError, match="'here'"):
        align([ahead, behind], "end", name="here")


@pytest.mark.parametrize(
    ("amount", "size", "convolutions", "cut"),
    [
        ("same", 32, 1, 1), ("same", 33, 1, 0), ("same_lower", 32, 1, 0), ("half", 32, 2, 0),
        ("valid", 32, 1, 1), ("valid", 33, 2, 1), ("causal", 32, 1, 0), ("full", 32, 1, 0),
    ],
)  # fmt: skip
def test_a_stride_begins_where_the_windows_are_centred(amount, size, convolutions, cut):
    """A 3x3 of stride 2 is centred on pixel 1 of 32 under SAME; a second one adds 2 if unpadded."""
    x = y = keras.Input((size, 1))
    for i in range(convolutions):
        y = Conv1D(1, 3, strides=2 if i == 0 else 1, padding=Padding(amount))(y)
    placed = align_for_stride(x, y, name="place")
    assert placed.shape[1] == size - cut
    assert keras.Model(x, placed).get_layer("place").__class__ is (
        layers.Cropping1D if cut else layers.Identity
    )


def test_a_stride_whose_windows_depend_on_an_unknown_size_is_refused():
    x = keras.Input((None, 1))
    known = align_for_stride(x, Conv1D(1, 3, strides=2, padding="valid")(x), name="place")
    assert known.shape == (None, None, 1)
    with pytest.raises(TraceError, match="The stride at 'place' .* a size is not known"):
        align_for_stride(x, Conv1D(1, 3, strides=2, padding="same")(x), name="place")


def test_a_stride_that_leaves_no_pixel_collapses():
    x = keras.Input((1, 1))
    y = Conv1D(1, 3, strides=2, padding=Padding([[0, 5]]))(x)
    with pytest.raises(CollapseError, match="place"):
        align_for_stride(x, y, name="place")
