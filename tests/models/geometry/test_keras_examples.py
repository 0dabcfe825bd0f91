"""Networks such as those of Keras' examples, written anew and narrow, are traced whole."""

from fractions import Fraction

import keras
import pytest
from keras import layers, ops

from models.geometry.findings.lint import lint
from models.geometry.reach.paths import paths
from models.geometry.reach.usage import lost_share
from models.geometry.tracing.trace import meetings, trace


def unet(size, width=2, classes=3):
    """Segmentation: separable convolutions beside strided 1x1, transposed beside upsampled."""
    image = keras.Input((size, size, 3))
    x = layers.ReLU()(layers.Conv2D(width, 3, 2, padding="same")(image))
    skip = x
    for filters in (2 * width, 4 * width, 8 * width):
        for _ in range(2):
            x = layers.SeparableConv2D(filters, 3, padding="same")(layers.ReLU()(x))
            x = layers.BatchNormalization()(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        skip = x = layers.add([x, layers.Conv2D(filters, 1, strides=2, padding="same")(skip)])
    for filters in (8 * width, 4 * width, 2 * width, width):
        for _ in range(2):
            x = layers.Conv2DTranspose(filters, 3, padding="same")(layers.ReLU()(x))
            x = layers.BatchNormalization()(x)
        skip = layers.Conv2D(filters, 1, padding="same")(layers.UpSampling2D(2)(skip))
        skip = x = layers.add([layers.UpSampling2D(2)(x), skip])
    return keras.Model(image, layers.Conv2D(classes, 3, padding="same")(x))


@pytest.mark.parametrize("size", [160, 161])
def test_pools_beside_strided_convolutions_lie_a_pixel_apart(size):
    """At 160 SAME pads the pools after their maps only, and the 1x1 beside them not at all."""
    model = unet(size)
    met = meetings(model)
    assert len(met) == 7
    apart = [meeting.offsets[0] for meeting in met if not meeting.aligned]
    strides = [meeting.fields[0][0].effective_stride for meeting in met if not meeting.aligned]
    if size == 161:
        assert apart == []
        assert "misaligned_merge" not in {finding.code for finding in lint(model)}
        return
    assert strides == [4, 8, 16]
    # Half a pixel of what is added is a pixel of what is pooled.
    assert [offsets[1] - offsets[0] for offsets in apart] == [-2, -4, -8]
    (one,) = [finding for finding in lint(model) if finding.code == "misaligned_merge"]
    assert len(one.layers) == 3
    assert "or 161 pixels" in one.remedy


def test_what_comes_back_is_as_large_as_the_next_multiple_of_16():
    for size, back in ((160, 160), (161, 176)):
        rows = trace(unet(size))
        assert rows[-1].output_size == (back, back)
        assert rows[-1].effective_stride == (1, 1)
        assert lost_share(rows, (size, size)) == 0


def deeplab(size, width=2):
    """DeepLabV3+: dilated branches and the pooled image behind them, one skip to the decoder."""
    image = keras.Input((size, size, 3))
    low = x = layers.Conv2D(width, 3, 4, padding="same", activation="relu")(image)
    x = layers.Conv2D(width, 3, 4, padding="same", activation="relu")(x)
    whole = x.shape[1]
    pooled = layers.AveragePooling2D(whole)(x)
    pooled = layers.Conv2D(width, 1)(pooled)
    branches = [layers.UpSampling2D(whole, interpolation="bilinear", name="image")(pooled)]
    for rate in (1, 6, 12, 18):
        kernel = 1 if rate == 1 else 3
        conv = layers.Conv2D(width, kernel, dilation_rate=rate, padding="same", name=f"rate{rate}")
        branches.append(conv(x))
    x = layers.Conv2D(width, 1)(layers.Concatenate(name="pyramid")(branches))
    x = layers.UpSampling2D(4, interpolation="bilinear", name="up")(x)
    x = layers.Concatenate(name="decoder")([x, layers.Conv2D(width, 1)(low)])
    x = layers.Conv2D(width, 3, padding="same")(x)
    x = layers.UpSampling2D(4, interpolation="bilinear")(x)
    return keras.Model(image, layers.Conv2D(3, 1, name="classes")(x))


def test_a_pyramid_with_the_pooled_image_is_traced_whole():
    model = deeplab(128)
    rows = {row.name: row for row in trace(model)}
    assert (rows["image"].effective_stride, rows["image"].output_size) == ((16, 16), (8, 8))
    assert rows["rate18"].receptive_field == (36 * 16 + 11,) * 2
    assert rows["pyramid"].effective_stride == (16, 16)
    assert rows["decoder"].effective_stride == (4, 4)
    assert (rows["classes"].effective_stride, rows["classes"].output_size) == ((1, 1), (128, 128))
    # The centres lie at 1 behind one stride of 4 and at 5 behind two, less 6 for coming up by 4.
    by_name = {meeting.name: meeting.offsets[0] for meeting in meetings(model)}
    assert len(set(by_name["pyramid"][1:])) == 1
    assert by_name["decoder"] == (0, 2)
    covered = paths(model) > 0
    assert covered.shape == (128, 128)
    assert not covered[3::4].any()  # a stride of 4 leaves a pixel between kernels of 3
    assert covered[::4, ::4].all()


def espcn(factor=3, channels=1):
    """Super-resolution by sub-pixel convolution, for pictures of any size."""
    picture = x = keras.Input((None, None, channels))
    for filters, kernel in ((8, 5), (8, 3), (4, 3), (channels * factor**2, 3)):
        x = layers.Conv2D(filters, kernel, padding="same", activation="relu")(x)
    return keras.Model(picture, ops.depth_to_space(x, factor))


def test_a_picture_of_finer_pixels_has_a_fraction_for_its_jump():
    model = espcn()
    row = trace(model)[-1]
    assert (row.effective_stride, row.receptive_field) == ((Fraction(1, 3),) * 2, (11, 11))
    assert row.centre == (-1 / 3, -1 / 3)
    assert [finding.code for finding in lint(model)] == []
    assert list(row.output_size) == [None, None]
