"""Layers whose borders differ from the rest's, and networks in which that is no mistake."""

import contextlib

import keras
import pytest
from keras import layers

import models
import models.layers as zoo
from models.geometry.findings.lint import lint
from models.padding import MODES, Padding
from models.padding.supports import supports
from models.registry import kind, names, tiny
from tests.helpers import full


def odd_ones(model):
    return [finding for finding in lint(model) if finding.code == "mixed_borders"]


def autoencoder(mode, up):
    """Two strides down and, by `up`, two up again."""
    around = Padding("same", mode)
    x = inputs = keras.Input((16, 16, 1))
    for i in range(2):
        x = zoo.Conv2D(1, 4, 2, around, name=f"down{i}")(x)
    for i in range(2):
        x = zoo.Conv2D(1, 3, 1, around, name=f"out{i}")(up(f"up{i}")(x))
    return keras.Model(inputs, x)


@pytest.mark.parametrize("kind", [layers, zoo])
def test_transposed_zeros_in_a_circular_network_are_named(kind):
    model = autoencoder(
        "circular", lambda name: kind.Conv2DTranspose(1, 4, 2, padding="same", name=name)
    )
    (one,) = odd_ones(model)
    assert one.message == (
        "4 of the layers that read a border find circular there, but 'up0' finds zeros; likewise "
        "up1"
    )
    assert one.remedy.startswith("give the odd ones mode 'circular' too")
    assert (one.layers, one.severity) == (("up0", "up1"), "warning")


@pytest.mark.parametrize("mode", ["circular", "spherical", "reflect", "partial"])
def test_a_mode_that_all_layers_have_is_mixed_with_nothing(mode):
    around = Padding("same", mode)
    model = autoencoder(mode, lambda name: zoo.Conv2DTranspose(1, 4, 2, around, name=name))
    assert odd_ones(model) == []
    model = autoencoder("zeros", lambda name: zoo.Conv2DTranspose(1, 4, 2, around, name=name))
    assert [one.layers for one in odd_ones(model)] == [("up0", "up1")]


def test_what_depends_on_an_unknown_size_is_a_border_too():
    inputs = x = keras.Input((None, 1))
    for name in "abc":
        x = zoo.Conv1D(1, 3, 1, Padding("same", "constant", 0.5), name=name)(x)
    x = layers.Conv1D(1, 3, 2, padding="same", name="down")(x)
    x = layers.MaxPooling1D(3, 2, padding="same", name="pool")(layers.Conv1D(1, 3)(x))
    (one,) = odd_ones(keras.Model(inputs, x))
    assert (one.layers, one.severity) == (("down",), "warning")


def test_what_reads_no_border_is_not_named():
    """Every output of a 2x2 kernel with stride 2 reads one pixel, and nearest copies one."""
    for up in (
        lambda name: layers.Conv2DTranspose(1, 2, 2, name=name),
        lambda name: layers.UpSampling2D(2, name=name),
        lambda name: zoo.Conv2DTranspose(1, 4, 2, padding=Padding(3), name=name),
    ):
        assert odd_ones(autoencoder("circular", up)) == []
    padded = autoencoder("zeros", lambda name: layers.Conv2DTranspose(1, 4, 2, name=name))
    assert odd_ones(padded) == []


def test_interpolation_repeats_the_edge_where_the_rest_is_closed():
    def up(name):
        return layers.UpSampling2D(2, interpolation="bilinear", name=name)

    (one,) = odd_ones(autoencoder("circular", up))
    assert one.layers == ("up0", "up1")
    assert "'up0' finds replicate" in one.message
    assert odd_ones(autoencoder("zeros", up)) == []
    assert odd_ones(autoencoder("reflect", up)) == []


def test_padding_of_its_own_is_a_border_too():
    inputs = keras.Input((12, 1))
    x = layers.ZeroPadding1D(1, name="zeros")(inputs)
    for name in "ab":
        x = zoo.Conv1D(1, 3, 1, Padding("same", "reflect"), name=name)(x)
    (one,) = odd_ones(keras.Model(inputs, x))
    assert one.layers == ("zeros",)
    crop = layers.Cropping1D(1)(zoo.Conv1D(1, 3, 1, Padding("same", "reflect"))(inputs))
    assert odd_ones(keras.Model(inputs, crop)) == []


def test_one_that_copies_among_zeros_may_well_be_meant():
    inputs = x = keras.Input((12, 12, 1))
    for name, mode in (("a", "zeros"), ("b", "reflect"), ("c", "zeros")):
        x = zoo.Conv2D(1, 3, 1, Padding("same", mode), name=name)(x)
    (one,) = odd_ones(keras.Model(inputs, x))
    assert (one.layers, one.severity) == (("b",), "note")
    by_axis = Padding("same", ("reflect", "circular"))
    for name in "de":
        x = zoo.Conv2D(1, 3, 1, by_axis, name=name)(x)
    assert [f.message.partition(":")[0] for f in odd_ones(keras.Model(inputs, x))] == [
        "height",
        "width",
    ]


CASES = [
    (name, mode) if mode == "circular" else full(name, mode) for name in names() for mode in MODES
]


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_no_network_of_the_zoo_has_one(name, mode):
    shape = (128, 128, 3) if kind(name) == "image" else (128, 3)
    built = []
    for pools in ("neutral", "follow"):
        args = {"input_shape": shape, "num_classes": 3, "pools": pools, **tiny(name)}
        with contextlib.suppress(models.ModelError):  # no pool follows a mask
            built.append(models.build(name, padding=Padding("same", mode), **args))
    assert built or supports("same", mode, "Conv2D" if kind(name) == "image" else "Conv1D")
    assert [odd_ones(model) for model in built] == [[]] * len(built)
