import keras
import numpy as np
import pytest

import models
from models import ModelError
from models.architectures.alexnet import ALPHA, SCALE
from models.geometry.tracing.trace import final_map_size, trace
from models.layers.normalization import LocalResponseNormalization
from models.padding import NAMED, Padding


def net(size=65, classes=10, **kwargs):
    kwargs = {"width": 1 / 32, **kwargs}
    return models.build("alexnet", input_shape=(size, size, 3), num_classes=classes, **kwargs)


def convolutions(groups):
    """Kernels and biases of the paper's five convolutions, in one tower or two."""
    shapes = [(11, 3, 96), (5, 96, 256), (3, 256, 384), (3, 384, 384), (3, 384, 256)]
    seen = [1, groups, 1, groups, groups]
    return sum(k * k * n // g * m + m for (k, n, m), g in zip(shapes, seen, strict=True))


@pytest.mark.parametrize(("groups", "parameters"), [(2, 60_965_224), (1, 62_378_344)])
def test_published_parameters(groups, parameters):
    dense = 6 * 6 * 256 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    assert convolutions(groups) + dense == parameters
    model = net(227, 1000, width=1.0, groups=groups, batch_norm=False, first_amount=0)
    assert model.count_params() == convolutions(groups) + 256 * 1000 + 1000


@pytest.mark.slow
@pytest.mark.parametrize(("size", "first_amount"), [(227, 0), (224, 2), (227, 1)])
def test_the_published_network_at_full_size(size, first_amount):
    options = {"width": 1.0, "groups": 2, "head": "dense", "batch_norm": False}
    model = net(size, 1000, first_amount=first_amount, **options)
    assert model.count_params() == 60_965_224
    assert model(np.zeros((1, size, size, 3), "float32")).shape == (1, 1000)


@pytest.mark.parametrize(("size", "first_amount"), [(227, 0), (224, 2), (227, 1)])
def test_sizes_are_the_published_ones(size, first_amount):
    rows = {row.name: row for row in trace(net(size, first_amount=first_amount))}
    found = [rows[name].output_size[0] for name in ("conv1", "pool1", "pool2", "conv5", "pool5")]
    assert found == [55, 27, 13, 13, 6]
    fields = [rows[name].receptive_field[0] for name in ("conv1", "pool1", "conv2", "pool5")]
    assert fields == [11, 19, 51, 195]


@pytest.mark.parametrize("padding", ["reflect", "valid", "full"])
def test_the_first_convolution_keeps_its_amount_in_the_bound_mode(padding):
    model = net(227, padding=padding)
    assert model.get_layer("conv1").border == NAMED[padding].replace({"amount": 1})
    assert model.get_layer("conv1").output.shape[1] == 55
    assert model.get_layer("conv2").border == NAMED[padding]
    free = net(227, padding=padding, first_amount=None)
    assert free.get_layer("conv1").border == NAMED[padding]


def test_an_override_wins_over_the_first_convolutions_amount():
    model = net(227, padding="reflect", overrides={"conv1": "valid"})
    assert model.get_layer("conv1").border == Padding("valid")


@pytest.mark.parametrize(
    ("padding", "first_amount", "smallest"),
    [("same", 1, 65), ("same", 0, 67), ("same", 2, 63), ("valid", 1, 193), ("valid", None, 195)],
)
def test_a_map_that_is_too_small_is_refused_with_the_smallest_input(
    padding, first_amount, smallest
):
    options = {"padding": padding, "first_amount": first_amount}
    with pytest.raises(ModelError, match=rf"input is {smallest}x{smallest}\. Received"):
        net(smallest - 1, **options)
    assert final_map_size(trace(net(smallest, **options))) == (1, 1)


def test_local_response_normalisation_is_the_papers():
    """Section 3.3: b = a / (2 + 1e-4 * sum of a^2 over five channels) ** 0.75."""
    a = np.random.default_rng(0).normal(size=(1, 2, 2, 8)).astype("float32") * 50
    padded = np.pad(a**2, [(0, 0)] * 3 + [(2, 2)])
    energy = sum(padded[..., i : i + 8] for i in range(5))
    model = net(batch_norm=False)
    layers = [layer for layer in model.layers if layer.name.startswith("lrn")]
    assert [layer.name for layer in layers] == ["lrn1", "lrn1_scale", "lrn2", "lrn2_scale"]
    for lrn, scale in (layers[:2], layers[2:]):
        assert isinstance(lrn, LocalResponseNormalization)
        np.testing.assert_allclose(scale(lrn(a)), a / (2 + 1e-4 * energy) ** 0.75, rtol=1e-5)
    assert (ALPHA, SCALE) != (1e-4, 1.0)


def test_towers_do_not_see_each_other():
    """The second convolution's first half of the filters reads the first half of the channels."""
    model = net(67, groups=2, width=1 / 16, batch_norm=False)
    layer = model.get_layer("conv2")
    x = np.random.default_rng(0).normal(size=(1, 7, 7, 6)).astype("float32")
    other = x.copy()
    other[..., 3:] += 1.0
    before, after = np.asarray(layer(x)), np.asarray(layer(other))
    half = layer.filters // 2
    assert np.array_equal(before[..., :half], after[..., :half])
    assert not np.array_equal(before[..., half:], after[..., half:])
    assert [model.get_layer(f"conv{i}").groups for i in (1, 2, 3, 4, 5)] == [1, 2, 1, 2, 2]


@pytest.mark.parametrize("width", [1 / 96, 0.1, 0.25])
def test_filters_are_whole_towers_at_every_width(width):
    filters = [net(width=width, groups=2).get_layer(f"conv{i}").filters for i in range(1, 6)]
    assert all(n % 2 == 0 for n in filters)
    assert net(width=0.25).get_layer("conv5").filters == 64


def test_heads():
    counts = {net(size, padding=p).count_params() for size in (65, 80) for p in ("same", "full")}
    assert len(counts) == 1
    dense = net(width=1 / 64, head="dense")
    assert dense.get_layer("head_dense1").kernel.shape == (4, 64)
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    assert sum(isinstance(layer, kinds) for layer in dense.layers) == 8
    assert not any("dropout" in layer.name for layer in net(head="dense", dropout=0.0).layers)


@pytest.mark.parametrize(
    "options",
    [{"first_amount": -1}, {"first_amount": 1.5}, {"groups": 3}, {"width": 0.0}, {"head": "mean"},
     {"dropout": 1.0}, {"batch_norm": 1}],
)  # fmt: skip
def test_mistakes(options):
    with pytest.raises(ModelError, match=rf"`{next(iter(options))}`.*Received: "):
        net(**options)
