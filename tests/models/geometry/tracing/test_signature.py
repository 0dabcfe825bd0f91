from collections import defaultdict

import keras
import numpy as np
import pytest

import models
from models.geometry.tracing.signature import border, signature
from models.layers import Conv1D, Conv1DTranspose, Conv2D
from models.padding import NAMED, Padding


def groups(names, **network):
    found = defaultdict(set)
    for name in names:
        keras.utils.clear_session()
        found[signature(models.build(num_classes=3, padding=name, **network))].add(name)
    return {frozenset(group) for group in found.values()}


SMALL = {"name": "small_cnn", "widths": [4, 4], "convs_per_stage": [1, 1]}


def test_at_stride_one_and_kernel_three_same_has_four_other_names():
    names = ["same", "same_lower", "half", "even_split", "explicit", "valid", "full", "reflect"]
    assert groups(names, input_shape=(8, 8, 1), **SMALL) == {
        frozenset({"same", "same_lower", "half", "even_split", "explicit"}),
        *(frozenset({name}) for name in ("valid", "full", "reflect")),
    }


def test_under_stride_the_sides_tell_same_from_half():
    network = {"input_shape": (8, 8, 1), "downsample": "stride", **SMALL}
    assert len(groups(["same", "same_lower", "half", "even_split"], **network)) == 4


def test_at_a_size_that_strides_consume_evenly_they_are_one_again():
    network = {"input_shape": (9, 9, 1), "downsample": "stride", **SMALL}
    assert len(groups(["same", "same_lower", "half"], **network)) == 1


def test_replicate_and_symmetric_are_one_at_one_pixel_and_two_beyond():
    pair = ["replicate", "symmetric"]
    assert len(groups(pair, input_shape=(8, 8, 1), **SMALL)) == 1
    assert len(groups(pair, input_shape=(8, 8, 1), kernel_size=5, **SMALL)) == 2


def test_a_constant_of_zero_is_zeros_and_another_is_not():
    zero, one = Padding("same", "constant", 0.0), Padding("same", "constant", 1.0)
    assert len(groups(["same", zero], input_shape=(8, 8, 1), **SMALL)) == 1
    assert len(groups(["same", one], input_shape=(8, 8, 1), **SMALL)) == 2


def test_what_else_differs_is_told_apart():
    def build(**options):
        keras.utils.clear_session()
        return signature(models.build(**SMALL | {"input_shape": (8, 8, 1), **options}))

    default = build(num_classes=3)
    assert default == build(num_classes=3)
    assert len({default, build(num_classes=4), build(num_classes=3, kernel_size=5)}) == 3
    assert build(num_classes=3, input_shape=(9, 9, 1)) != default


@pytest.mark.full
@pytest.mark.parametrize("name", ["small_cnn", "causal_conv1d"])
def test_one_signature_is_one_function(name):
    """Every two named paddings that share a signature give the same outputs."""
    shape = (12, 1) if name == "causal_conv1d" else (10, 10, 1)
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    outputs = defaultdict(list)
    for padding in NAMED:
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        options = (
            {"levels": 1} if name == "causal_conv1d" else {"widths": [4], "convs_per_stage": [2]}
        )
        try:
            model = models.build(name, input_shape=shape, num_classes=3, padding=padding, **options)
        except models.ModelError:
            continue
        outputs[signature(model)].append(np.asarray(model(x)))
    assert any(len(group) > 1 for group in outputs.values())
    for group in outputs.values():
        for other in group[1:]:
            np.testing.assert_allclose(other, group[0], atol=1e-5)


def test_a_border_shows_its_pixels():
    layer = Conv1D(1, 3, padding=Padding("same", "reflect"))
    assert border(layer, (None, 4, 1)) == [[1, 1, [1, 0, 1, 2, 3, 2], False]]
    assert border(Conv2D(1, 1, padding=Padding("same")), (None, 4, 4, 1)) == [None, None]
    assert border(Conv1D(1, 2, padding=Padding("even_split")), (None, 4, 1))[0][-1]


def test_transposed_ones_are_told_by_what_they_keep_and_go_on_by():
    def of(amount, mode="zeros", kernel=4, **options):
        layer = Conv1DTranspose(1, kernel, 2, Padding(amount, mode), **options)
        keras.utils.clear_session()
        inputs = keras.Input((6, 1))
        found = signature(keras.Model(inputs, layer(inputs)))
        return found, border(layer, (None, 6, 1))

    assert of("same")[1] == [[1, 12, [1, 1, "zeros", False]]]
    assert of("same", "circular")[1] == [[1, 12, [1, 1, [5, 0, 1, 2, 3, 4, 5, 0], False]]]
    assert of("full", "circular", 2)[1] == [[1, 10, None]]
    assert of("same")[0] == of("same_lower")[0] == of(1)[0] == of("same", "constant")[0]
    assert of("same", "replicate")[0] == of("same", "symmetric")[0] != of("same", "circular")[0]
    assert of("full", "circular", 2)[0] == of("full", "reflect", 2)[0] == of("full", kernel=2)[0]
    assert len({of(amount, kernel=3)[0] for amount in ("same", "same_lower", "half", 0)}) == 4


def test_a_globe_is_told_from_a_closed_map_where_a_row_goes_on_beyond_a_pole():
    def of(amount, mode):
        keras.utils.clear_session()
        inputs = keras.Input((6, 8, 1))
        return signature(keras.Model(inputs, Conv2D(1, 3, padding=Padding(amount, mode))(inputs)))

    columns = ["valid", "same"]
    assert of(columns, "spherical") == of(columns, ("zeros", "circular"))
    assert of("same", "spherical") != of("same", "circular")
    assert of("same", "spherical") == of("half", "spherical") != of("full", "spherical")
    assert of("valid", "spherical") == of("valid", "zeros")
