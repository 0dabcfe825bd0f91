"""What each output sees behind layers that come back up, against networks that are run."""

import itertools
from fractions import Fraction

import keras
import numpy as np
import pytest
from keras import layers, ops

import models.layers as zoo
from models.geometry.tracing.fields import Field, merged, resampled, slid, spread
from models.geometry.tracing.trace import TraceError, fields_of, trace
from models.padding import Padding

ONES = {"kernel_initializer": "ones", "use_bias": False}


def conv(k, s=1, padding="same", d=1, kind=layers):
    return lambda x: kind.Conv2D(1, (k, 1), (s, 1), padding, dilation_rate=(d, 1), **ONES)(x)


def up(k, s, padding="same", more=None, d=1, kind=layers):
    extra = None if more is None else (more, 0)
    args = {"padding": padding, "output_padding": extra, "dilation_rate": (d, 1)}
    return lambda x: kind.Conv2DTranspose(1, (k, 1), (s, 1), **args, **ONES)(x)


def pool(k, s, padding="valid", kind=layers.MaxPooling2D):
    return lambda x: kind((k, 1), (s, 1), padding)(x)


def upsampled(s, interpolation="nearest"):
    return lambda x: layers.UpSampling2D((s, 1), interpolation=interpolation)(x)


def resized(to, interpolation="bilinear"):
    return lambda x: layers.Resizing(to, 1, interpolation)(x)


def crop(before, after):
    return lambda x: layers.Cropping2D(((before, after), (0, 0)))(x)


def to_space(x):
    """Both kinds by turns, one column kept of two."""
    x = layers.Conv2D(4, 1, **ONES)(x)
    x = zoo.DepthToSpace(2)(x) if x.shape[1] % 2 else ops.depth_to_space(x, 2)
    return layers.Cropping2D(((0, 0), (0, 1)))(x)


def to_depth(x):
    x = layers.Concatenate(axis=-1)([x, x])
    x = layers.ZeroPadding2D(((0, x.shape[1] % 2), (0, 1)))(x)
    return layers.Conv2D(1, 1, **ONES)(ops.space_to_depth(x, 2))


HALF, UNEVEN, ONE = (Padding(n) for n in ("half", [[1, 2], [0, 0]], [1, 0]))
CHAINS = {
    "fcn": [pool(2, 2, "same")] * 3 + [conv(7, 1, "valid"), up(4, 2, "valid"), up(16, 8, "valid")],
    "unet": [conv(3, 1, "valid"), pool(2, 2), conv(3, 1, "valid"), up(2, 2), conv(3)],
    "keras same 3": [conv(3, 2), up(3, 2)],
    "keras same 4": [conv(3, 2), up(4, 2), conv(3)],
    "output padding 0": [conv(3, 2), up(3, 2, "same", 0), conv(2)],
    "output padding 1": [conv(5, 2, "valid"), up(5, 3, "same", 1), conv(3, 2)],
    "even, output padding": [conv(3, 2), up(6, 4, "same", 2), conv(2, 1, "valid")],
    "valid, output padding": [conv(3, 2), up(4, 3, "valid", 2), pool(3, 2)],
    "holes": [conv(3, 2), up(1, 3), conv(2, 1, "valid")],
    "holes, strided": [up(2, 4, "valid"), conv(2, 3, "valid"), up(3, 2)],
    "dilated behind holes": [up(1, 2), conv(2, 1, "valid", d=2), conv(3)],
    "dilated up": [conv(3, 2), up(3, 1, "same", d=2), up(3, 2)],
    "nearest": [conv(3, 2), upsampled(2), conv(3)],
    "nearest, every second": [upsampled(2), conv(1, 2), pool(2, 2), upsampled(3)],
    "bilinear 2": [conv(3, 2), upsampled(2, "bilinear"), conv(2)],
    "bilinear 3": [pool(3, 3), upsampled(3, "bilinear"), conv(3, 2, "valid")],
    "bilinear 4 after nearest": [pool(4, 4), upsampled(2), upsampled(4, "bilinear"), pool(2, 2)],
    "depth to space": [conv(3, 2), to_space, conv(3), to_space],
    "space to depth": [to_depth, conv(3), to_space, crop(1, 2)],
    "crops": [conv(4, 2), up(4, 2), crop(3, 1), conv(3, 2), up(3, 3), crop(2, 0)],
    "resized up": [conv(3, 2), resized(160), conv(3)],
    "resized down": [resized(90), conv(3), resized(150, "nearest")],
    "the zoo's": [
        conv(3, 2, HALF, kind=zoo),
        up(5, 2, HALF, kind=zoo),
        up(4, 3, UNEVEN, 1, kind=zoo),
        conv(3, 2, Padding("full"), kind=zoo),
    ],
    "the zoo's lower": [conv(3, 2, kind=zoo), up(4, 3, "same_lower", kind=zoo), conv(2)],
    "the zoo's dilated": [conv(3, 2), up(3, 1, ONE, d=2, kind=zoo), up(2, 5, HALF, kind=zoo)],
}


def reads(model, size):
    """Return for each output which input pixels it reads: booleans (outputs, size).

    All weights are ones, so that an output is more than 0 where a single pixel of 1 is read.
    """
    lit = np.eye(size, dtype="float32")[:, :, None, None]
    return np.asarray(model(lit)).sum((2, 3)).T > 0


@pytest.mark.parametrize("name", CHAINS)
def test_every_output_sees_what_its_phase_says(name):
    size = 240
    inputs = x = keras.Input((size, 1, 1))
    for layer in CHAINS[name]:
        x = layer(x)
    model, field = keras.Model(inputs, x), fields_of([x])[0][0]
    found, rows = reads(model, size), trace(model)
    assert rows[-1].output_size[0] == len(found)
    for before, row in itertools.pairwise(rows):
        if "Transpose" in row.type:
            whole = row.dilation_rate[0] * (row.kernel_size[0] - 1) + 1
            whole += (before.output_size[0] - 1) * row.strides[0]
            assert whole - sum(row.pad[0]) == row.output_size[0]
    inside = [
        y
        for y in range(len(found))
        if size / 4 < field.effective_stride * y + field.middle < 3 * size / 4
    ]
    assert len(inside) >= 2 * field.period
    for y in inside:
        places = np.flatnonzero(found[y])
        assert field.run(y) == ((places[0], places[-1]) if len(places) else None), y
    for n in (n for n in range(1, field.period) if field.period % n == 0):
        by = n * field.effective_stride
        assert any(
            field.run(y + n) != (field.run(y) and tuple(pixel + by for pixel in field.run(y)))
            for y in range(field.period)
        )


def test_a_transposed_convolution_moves_the_centre_by_the_arithmetic():
    """S / s ((k - 1) / 2 - before) back, whatever the kernel leaves out."""
    down = slid(Field(), tuple(range(5)), 6, 2)
    for k in range(1, 9):
        for s in range(1, 7):
            for before in (0, 1, 3):
                up = spread(down, tuple(range(k)), s, before)
                moved = Fraction(6, s) * (before - Fraction(k - 1, 2))
                assert up.effective_stride == Fraction(6, s)
                assert up.middle == down.middle + moved
                assert up.receptive_field == 5 + 6 * ((k - 1) // s)
                assert Fraction(up.receptive_field - 1, 2) - up.effective_padding == up.middle


def test_what_is_undone_is_as_it_was():
    field = slid(Field(), (0, 1, 2), 4, 1)
    twice = resampled(field, 1, 2)
    assert (twice.period, twice.effective_stride) == (2, 2)
    assert slid(twice, (0,), 2, 0) == field
    assert resampled(resampled(field, 2, 3), 9, 9) == resampled(field, 2, 3)
    assert resampled(resampled(field, 4, 4, bilinear=True), 1, 1) == field
    assert spread(field, (0,), 1, 0) == field
    assert merged([twice, twice]) == twice


def test_branches_of_unlike_periods_have_one_hull():
    down = slid(Field(), tuple(range(4)), 4, 0)
    nearest, taps = resampled(down, 1, 4), spread(down, (0, 1, 2, 3, 4, 5), 4, 1)
    hull = merged([Field(), nearest, taps])
    assert (hull.period, hull.effective_stride) == (4, 1)
    for y in range(-9, 9):
        runs = [field.run(y) for field in (Field(), nearest, taps)]
        assert hull.run(y) == (min(a for a, _ in runs), max(b for _, b in runs))
    assert merged([Field(), down]) is None
    unknown = slid(Field(), (0, 1, 2), 1, None)
    assert merged([unknown, Field()]).middle is None
    assert merged([unknown, Field()]).receptive_field == 3


def test_rows_show_fractions_and_dicts_floats():
    inputs = keras.Input((20, 20, 3))
    x = layers.Conv2DTranspose(8, 4, 2, padding="same", name="up")(inputs)
    row = trace(keras.Model(inputs, x))[-1]
    assert (row.effective_stride, row.receptive_field) == ((Fraction(1, 2),) * 2, (2, 2))
    assert (row.output_size, row.pad, row.centre) == ((40, 40), ((1, 1),) * 2, (-0.25,) * 2)
    assert row.macs == 20 * 20 * 16 * 3 * 8
    assert (row.kernel_size, row.strides) == ((4, 4), (2, 2))
    shown = row.to_dict()
    assert shown["effective_stride"] == (0.5, 0.5)
    assert shown["effective_padding"] == (0.75, 0.75)
    assert {type(n) for n in shown["effective_stride"]} == {float}
    assert "fields" not in shown


def test_an_unknown_size_leaves_the_places_open():
    inputs = keras.Input((None, None, 1))
    x = layers.Conv2D(1, 3, 2, padding="same")(inputs)
    row = trace(keras.Model(inputs, layers.UpSampling2D(2)(x)))[-1]
    assert (row.receptive_field, row.effective_padding, row.macs) == ((3, 3), (None, None), 0)
    up = layers.Conv2DTranspose(2, 4, 2, padding="same")(inputs)
    row = trace(keras.Model(inputs, up))[-1]
    assert (row.centre, row.macs, row.pad) == ((-0.25, -0.25), None, ((1, 1), (1, 1)))


@pytest.mark.parametrize("height", [4, 5, 8, 9])
def test_a_crop_to_the_centre_is_a_shift(height):
    inputs = keras.Input((9, 10, 1))
    model = keras.Model(inputs, layers.CenterCrop(height, 7)(inputs))
    row = trace(model)[-1]
    at = -row.effective_padding[0], -row.effective_padding[1]
    x = np.random.default_rng(0).normal(size=(1, 9, 10, 1)).astype("float32")
    assert np.asarray(model(x))[0, 0, 0] == x[0][at]
    assert row.output_size == (height, 7)


def test_resizes_that_are_not_followed():
    inputs = keras.Input((8, 10, 1), name="image")
    free = keras.Input((None, None, 1))

    def error(x, start=inputs):
        with pytest.raises(TraceError) as found:
            trace(keras.Model(start, x))
        return str(found.value)

    cubic = layers.UpSampling2D(2, interpolation="bicubic", name="up")(inputs)
    assert error(cubic).startswith("Layer 'up' interpolates by bicubic, and only 'nearest' and")
    smooth = layers.Resizing(4, 5, antialias=True, name="down")(inputs)
    assert error(smooth) == "Layer 'down' resizes with antialiasing, which is not followed."
    cut = layers.Resizing(9, 9, crop_to_aspect_ratio=True, name="square")(inputs)
    assert error(cut).startswith("Layer 'square' resizes to another aspect ratio")
    small = layers.CenterCrop(9, 9, name="centre")(inputs)
    assert error(small).startswith("Layer 'centre' resizes a map that is smaller than its crop")
    fixed = layers.Resizing(9, 9, name="fixed")(free)
    assert error(fixed, free).startswith("Layer 'fixed' resizes a map of unknown size to (9, 9)")
    narrow = layers.Cropping2D(((0, 2), (0, 0)))(inputs)
    stretched = layers.Add(name="add")([ops.image.resize(narrow, (8, 10)), inputs])
    assert error(stretched).endswith("unequal effective stride meet at layer 'add': [3/4, 1].")
