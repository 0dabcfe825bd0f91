import keras
import numpy as np
import pytest

import models
from models import ModelError
from models.geometry.tracing.trace import trace


def net(height=17, width=20, channels=1, **kwargs):
    shape = (height, width, channels)
    return models.build("subpixel", input_shape=shape, num_classes=channels, **kwargs)


def test_published_parameters():
    """The form of Keras' example, and the paper's own (5-3-3 of section 3.2), by hand."""
    kerass = 25 * 64 + 64 + 9 * 64 * 64 + 64 + 9 * 64 * 32 + 32 + 9 * 32 * 9 + 9
    assert net().count_params() == kerass == 59_657
    own = 25 * 64 + 64 + 9 * 64 * 32 + 32 + 9 * 32 * 9 + 9
    assert net(widths=(64, 32), activation="tanh").count_params() == own == 22_729


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("padding", ["same", "full", "input", "circular"])
def test_the_picture_is_factor_times_the_input(factor, padding):
    model = net(7, 12, 3, factor=factor, widths=(2,), padding=padding)
    assert model.output_shape == (None, 7 * factor, 12 * factor, 3)
    assert model(np.zeros((1, 7, 12, 3))).shape == (1, 7 * factor, 12 * factor, 3)


def test_under_valid_what_is_left_is_enlarged():
    assert net(17, 20, padding="valid").output_shape == (None, 3 * 7, 3 * 10, 1)  # less 4 + 3 * 2


def test_the_output_lies_over_the_input():
    """A square of pixels has the middle of the pixel that it was, also where full is cropped."""
    for padding in ("same", "full"):
        rows = {row.name: row for row in trace(net(padding=padding))}
        last = rows["depth_to_space"]
        assert last.effective_stride == (pytest.approx(1 / 3),) * 2
        assert last.centre == pytest.approx((-1 / 3, -1 / 3))


def test_a_pixel_becomes_a_square():
    model = net(widths=(1,), factor=2)
    model.set_weights([0 * w for w in model.get_weights()])
    model.get_layer("output").bias.assign([1.0, 2.0, 3.0, 4.0])
    assert np.asarray(model(np.zeros((1, 17, 20, 1))))[0, :2, :4, 0].tolist() == [
        [1.0, 2.0, 1.0, 2.0],
        [3.0, 4.0, 3.0, 4.0],
    ]


def test_options_shape_the_network():
    layers = [x for x in net(activation="tanh").layers if isinstance(x, keras.layers.Conv2D)]
    assert [x.kernel_size[0] for x in layers] == [5, 3, 3, 3]
    assert [x.activation.__name__ for x in layers] == ["tanh", "tanh", "tanh", "linear"]


@pytest.mark.parametrize(
    "options", [{"factor": 1}, {"widths": ()}, {"widths": (0,)}, {"activation": "gelu"}]
)
def test_mistakes(options):
    with pytest.raises(ModelError, match=rf"`{next(iter(options))}`.*Received: "):
        net(**options)
