import itertools
import warnings

import keras
import numpy as np
import pytest

import models
from models import ModelError
from models.align import MisalignedWarning
from models.geometry import arithmetic
from models.geometry.tracing.trace import final_map_size, meetings, trace
from tests.helpers import full, thinned

TINY = {"width": 1 / 8}


def net(size=32, classes=10, **kwargs):
    kwargs = {**TINY, **kwargs}
    return models.build("resnet", input_shape=(size, size, 3), num_classes=classes, **kwargs)


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)


def convolution(size, channels, filters):
    """A kernel, and batch normalisation's two weights a channel."""
    return size * size * channels * filters + 2 * filters


def cifar(blocks):
    """Section 4.2: a stem, three stages of blocks of two convolutions, ten classes."""
    total = convolution(3, 3, 16) + 64 * 10 + 10
    for channels, filters in ((16, 16), (16, 32), (32, 64)):
        total += convolution(3, channels, filters)
        total += (2 * blocks - 1) * convolution(3, filters, filters)
    return total


def imagenet(blocks, bottleneck):
    """Table 1: a 7x7 stem, four stages, projections where channels change, 1000 classes."""
    total, channels = convolution(7, 3, 64), 64
    for filters, n in zip((64, 128, 256, 512), blocks, strict=True):
        out = 4 * filters if bottleneck else filters
        for _ in range(n):
            if bottleneck:
                total += convolution(1, channels, filters) + convolution(3, filters, filters)
                total += convolution(1, filters, out)
            else:
                total += convolution(3, channels, filters) + convolution(3, filters, filters)
            total += convolution(1, channels, out) * (channels != out)
            channels = out
    return total + channels * 1000 + 1000


@pytest.mark.parametrize(
    ("depth", "blocks", "parameters", "table"),
    [(20, 3, 269_722, 0.27), (32, 5, 464_154, 0.46), (56, 9, 853_018, 0.85)],
)
def test_published_parameters_of_the_form_for_small_images(depth, blocks, parameters, table):
    assert cifar(blocks) == parameters
    assert round(parameters / 1e6, 2) == table  # the paper's Table 6, in millions
    assert trainable(net(depth=depth, width=1.0)) == parameters


@pytest.mark.parametrize(
    ("depth", "blocks", "parameters"),
    [
        (18, (2, 2, 2, 2), 11_689_512),
        full(34, (3, 4, 6, 3), 21_797_672),
        (50, (3, 4, 6, 3), 25_557_032),
    ],
)
def test_published_parameters_of_the_form_for_imagenet(depth, blocks, parameters):
    assert imagenet(blocks, depth == 50) == parameters
    assert trainable(net(64, 1000, depth=depth, width=1.0)) == parameters


@pytest.mark.parametrize("depth", [18, 20, full(32), full(34), 50, full(56)])
def test_depth_counts_the_weighted_layers_outside_the_shortcuts(depth):
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    names = [layer.name for layer in net(64, depth=depth).layers if isinstance(layer, kinds)]
    assert len([name for name in names if "project" not in name]) == depth


def test_sizes_are_the_published_ones():
    rows = {row.name: row.output_size[0] for row in trace(net(224, depth=50)) if row.output_size}
    last = ["stem_conv", "stem_pool", *(f"stage{i}_block3_add" for i in (1, 2, 3, 4))]
    assert [rows[name] for name in last] == [112, 56, 56, 28, 14, 7]
    rows = {row.name: row.output_size[0] for row in trace(net(32)) if row.output_size}
    assert [rows[f"stage{i}_block3_add"] for i in (1, 2, 3)] == [32, 16, 8]


def apart(model):
    """The largest distance between the centres of a branch and its skip, in pixels of the map."""
    found = []
    for meeting in meetings(model):
        for axis in zip(*meeting.fields, strict=True):
            places = [
                arithmetic.centre(field.effective_padding, field.receptive_field)
                / field.effective_stride
                for field in axis
            ]
            found.append(max(places) - min(places))
    return max(found)


FORMS = ("subsample", "project")


@pytest.mark.full
@pytest.mark.parametrize(
    ("padding", "size", "shortcut"),
    thinned(itertools.product(("same", "same_lower", "half", "input"), (32, 33), FORMS), 3),
)
def test_branch_and_skip_meet_pixel_over_pixel(padding, size, shortcut):
    model = net(size, padding=padding, shortcut=shortcut)
    assert apart(model) == 0
    assert len(meetings(model)) == 9


@pytest.mark.parametrize(("depth", "size"), [(20, 90), full(20, 91), full(18, 431)])
def test_a_skip_is_cropped_to_its_smaller_branch(depth, size):
    with warnings.catch_warnings():
        warnings.simplefilter("error", MisalignedWarning)
        model = net(size, padding="valid", depth=depth)
    assert apart(model) == 0
    assert model.get_layer("stage1_block1_align_crop1").cropping == ((2, 2), (2, 2))


@pytest.mark.parametrize(
    ("size", "padding", "shortcut"),
    thinned(itertools.product((24, 25), ("same", "half", "valid"), FORMS), 5),
)
def test_an_impulse_stays_where_it_is_in_both(padding, size, shortcut):
    """Seen through the centres of the branch's windows and through the skip of a strided block."""
    model = net(size + 75 * (padding == "valid"), padding=padding, shortcut=shortcut)
    meeting = model.get_layer("stage2_block1_add").input
    block = keras.Model(model.get_layer("stage1_block3_relu").output, meeting)
    for layer in block.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = np.zeros(layer.kernel.shape, "float32")
            middle, filters = kernel.shape[0] // 2, np.arange(kernel.shape[3])
            kernel[middle, middle, filters % kernel.shape[2], filters] = 1.0
            layer.set_weights([kernel])
    x = np.zeros((1, *block.input_shape[1:]), "float32")
    x[0, 9:13, 8:14] = np.random.default_rng(0).random((4, 6, 1))
    branch, skip = (np.asarray(y)[0, ..., 0] for y in block(x))
    assert branch.max() > 0
    np.testing.assert_allclose(branch / branch.max(), skip / skip.max(), atol=1e-6)


def test_causal_rows_do_not_see_later_ones():
    model = net(padding="causal_rows")
    body = keras.Model(model.input, model.get_layer("stage3_block3_relu").output)
    x = np.random.default_rng(0).normal(size=(1, 32, 32, 3)).astype("float32")
    other = x.copy()
    other[:, 17:] += 3.0
    before, after = np.asarray(body(x)), np.asarray(body(other))
    assert np.array_equal(before[:, :5], after[:, :5])  # output row 4 is at row 16
    assert not np.array_equal(before[:, 5], after[:, 5])


def test_the_shortcut_without_parameters_keeps_values_and_adds_zeros():
    model = net(padding="half")
    inside = keras.Model(
        model.get_layer("stage1_block3_relu").output, model.get_layer("stage2_block1_zeros").output
    )
    x = np.random.default_rng(0).normal(size=(1, 32, 32, 2)).astype("float32")
    y = np.asarray(inside(x))
    assert np.array_equal(y[..., :2], x[:, ::2, ::2])
    assert not y[..., 2:].any()


def test_each_form_has_its_published_shortcut_by_default():
    for depth, published in ((20, "subsample"), (18, "project")):
        shapes = [
            [weight.shape for weight in net(64, depth=depth, shortcut=shortcut).weights]
            for shortcut in (None, "subsample", "project")
        ]
        wanted = {"subsample": 1, "project": 2}[published]
        assert shapes[0] == shapes[wanted]
        assert shapes[1] != shapes[2]


@pytest.mark.full
def test_valid_needs_81_pixels():
    with pytest.raises(ModelError, match=r"collapses.*input is 81x81\. Received"):
        net(80, padding="valid")
    assert final_map_size(trace(net(81, padding="valid"))) == (1, 1)


def test_a_size_that_is_not_known_is_refused_where_the_stride_depends_on_it():
    with pytest.raises(ModelError, match="stage2_block1_place.*a size is not known"):
        net(None)
    assert net(None, padding="half").output_shape == (None, 10)


def test_width_scales_every_layer():
    model = net(width=0.25)
    filters = [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [n for n, _ in itertools.groupby(filters)] == [4, 8, 16]


@pytest.mark.parametrize("options", [{"depth": 21}, {"width": 0.0}, {"shortcut": "identity"}])
def test_mistakes(options):
    with pytest.raises(ModelError, match=rf"`{next(iter(options))}`.*Received: "):
        net(**options)
