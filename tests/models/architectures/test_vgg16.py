import keras
import numpy as np
import pytest

import models
from models import ModelError
from models.geometry.tracing.trace import final_map_size, trace
from tests.helpers import full


def net(size=32, classes=10, **kwargs):
    kwargs = {"width": 1 / 32, **kwargs}
    return models.build("vgg16", input_shape=(size, size, 3), num_classes=classes, **kwargs)


@pytest.mark.parametrize(
    ("depth", "parameters"),
    [(11, 132_863_336), (13, 133_047_848), (16, 138_357_544), (19, 143_667_240)],
)
def test_published_parameters(depth, parameters):
    """At full width only the count is wanted: it is the sum of what the paper's layers hold."""
    small = {"width": 1.0, "head": "pooled", "batch_norm": False, "depth": depth}
    convolutions = net(224, 1000, **small).count_params() - 512 * 1000 - 1000
    dense = 7 * 7 * 512 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    assert convolutions + dense == parameters


@pytest.mark.slow
def test_the_published_network_at_full_size():
    model = net(224, 1000, width=1.0, head="dense", batch_norm=False)
    assert model.count_params() == 138_357_544
    assert model(np.zeros((1, 224, 224, 3), "float32")).shape == (1, 1000)


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_depth_counts_the_weighted_layers(depth):
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    model = net(depth=depth, head="dense")
    assert sum(isinstance(layer, kinds) for layer in model.layers) == depth


def test_dense_head_is_the_published_one_to_scale():
    model = net(64, width=1 / 16, head="dense")
    assert model.get_layer("head_dense1").kernel.shape == (2 * 2 * 32, 256)
    assert model.get_layer("head_dense2").kernel.shape == (256, 256)
    names = [layer.name for layer in net(head="dense", dropout=0.0).layers]
    assert not any("dropout" in name for name in names)


def test_receptive_fields_are_the_published_ones():
    rows = [
        row
        for row in trace(net(224))
        if row.output_size and ("conv" in row.name or "pool" in row.name)
    ]
    found = [(r.receptive_field[0], r.effective_stride[0], r.effective_padding[0]) for r in rows]
    assert found == [
        (3, 1, 1), (5, 1, 2), (6, 2, 2),
        (10, 2, 4), (14, 2, 6), (16, 4, 6),
        (24, 4, 10), (32, 4, 14), (40, 4, 18), (44, 8, 18),
        (60, 8, 26), (76, 8, 34), (92, 8, 42), (100, 16, 42),
        (132, 16, 58), (164, 16, 74), (196, 16, 90), (212, 32, 90),
    ]  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("head", ["pooled", full("dense")])
def test_valid_needs_212_pixels(head):
    with pytest.raises(ModelError, match=r"collapses.*input is 212x212\. Received"):
        net(32, padding="valid", head=head)
    assert final_map_size(trace(net(212, padding="valid"))) == (1, 1)
    model = net(224, padding="valid", head=head)
    assert model(np.ones((1, 224, 224, 3), "float32")).shape == (1, 10)


def test_same_needs_32_pixels():
    assert final_map_size(trace(net(32))) == (1, 1)
    with pytest.raises(ModelError, match="input is 32x32"):
        net(28)


def test_parameters_do_not_depend_on_the_map_when_pooled():
    counts = {net(s, padding=p).count_params() for s in (32, 48) for p in ("same", "full")}
    assert len(counts) == 1


def test_width_scales_every_layer():
    model = net(width=0.25)
    filters = [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert filters == [16, 16, 32, 32, 64, 64, 64] + [128] * 6


@pytest.mark.parametrize(
    "options",
    [{"depth": 12}, {"width": 0.0}, {"head": "mean"}, {"dropout": 1.0}, {"batch_norm": 1}],
)
def test_mistakes(options):
    with pytest.raises(ModelError, match=rf"`{next(iter(options))}`.*Received: "):
        net(**options)
