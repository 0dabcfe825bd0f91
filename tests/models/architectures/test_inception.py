import keras
import numpy as np
import pytest

import models
from models import ModelError
from models.architectures.inception import GOOGLENET, TABLE
from models.geometry.tracing.trace import final_map_size, trace
from models.layers.normalization import LocalResponseNormalization


def net(size=28, classes=10, **kwargs):
    return models.build("inception", input_shape=(size, size, 1), num_classes=classes, **kwargs)


def googlenet(size=224, classes=1000, **kwargs):
    kwargs = {"stem": "googlenet", "modules": GOOGLENET, "width": 1.0, **kwargs}
    return models.build("inception", input_shape=(size, size, 3), num_classes=classes, **kwargs)


def test_googlenet_is_the_published_network():
    model = googlenet(batch_norm=False, dropout=0.4)
    assert model.count_params() == 6_998_552
    rows = {row.name: row for row in trace(model)}
    # The output sizes of the paper's Table 1.
    sizes = {
        "stem1_conv": 112, "stem1_pool": 56, "stem2_conv": 56, "stem2_pool": 28,
        "module3b_2_concat": 28, "pool3": 14, "module4e_8_concat": 14, "pool9": 7,
        "module5b_11_concat": 7,
    }  # fmt: skip
    assert {name: rows[name].output_size for name in sizes} == {
        name: (size, size) for name, size in sizes.items()
    }
    assert sum(isinstance(layer, LocalResponseNormalization) for layer in model.layers) == 2


@pytest.mark.parametrize(
    ("name", "channels"),
    [("3a", 256), ("3b", 480), ("4a", 512), ("4d", 528), ("4e", 832), ("5a", 832), ("5b", 1024)],
)
def test_a_module_has_the_papers_channels(name, channels):
    table = TABLE[name]
    assert table.one + table.three + table.five + table.pool == channels
    model = net(16, modules=[name], width=1.0)
    assert model.get_layer(f"module{name}_1_concat").output.shape[-1] == channels


def test_survives_valid_at_28_pixels_and_the_branches_meet():
    model = net(28, padding="valid")
    assert final_map_size(trace(model)) == (1, 1)
    crops = [layer for layer in model.layers if isinstance(layer, keras.layers.Cropping2D)]
    assert len(crops) == 9  # every branch of a module but the 5x5, which is the smallest
    with pytest.raises(ModelError, match="input is 27x27"):
        net(26, padding="valid")
    assert not any(isinstance(layer, keras.layers.Cropping2D) for layer in net(28).layers)


@pytest.mark.parametrize("padding", ["valid", "full", "half"])
def test_branches_lie_pixel_over_pixel(padding):
    """An impulse seen through the 1x1 branch and through the centres of 3x3 and 5x5 stays put."""
    model = net(12, padding=padding, modules=["3a"], batch_norm=False)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = np.zeros(layer.kernel.shape, "float32")
            centre = tuple(n // 2 for n in kernel.shape[:2])
            kernel[centre] = 1.0
            layer.set_weights([kernel, *layer.get_weights()[1:]])
    rng = np.random.default_rng(0)
    x = np.zeros((1, 12, 12, 1), "float32")
    x[0, 4:8, 4:8, 0] = rng.random((4, 4))
    inside = keras.Model(model.inputs, model.get_layer("module3a_1_concat").output)
    maps = np.asarray(inside(x))[0]
    sizes = [TABLE["3a"].one, TABLE["3a"].three, TABLE["3a"].five]
    firsts = np.cumsum([0, *(n // 4 for n in sizes)])[:3]
    one, three, five = (maps[..., i] / maps[..., i].max() for i in firsts)
    assert one.max() > 0
    np.testing.assert_allclose(one, three, atol=1e-6)
    np.testing.assert_allclose(one, five, atol=1e-6)


def test_parameters_do_not_depend_on_the_map():
    assert {net(s, padding=p).count_params() for s in (28, 33) for p in ("valid", "full")} == {
        61_482
    }


@pytest.mark.parametrize(
    "options",
    [{"modules": ["3c"]}, {"modules": [3]}, {"width": -1.0}, {"stem": "big"}, {"dropout": 1.5}],
)
def test_mistakes(options):
    with pytest.raises(ModelError, match=rf"`{next(iter(options))}`.*(Received|allowed): "):
        net(**options)
