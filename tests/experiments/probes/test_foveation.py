import keras
import numpy as np
import pytest

import models
from data import Data, Spec, Split
from experiments.probes.foveation import probe
from experiments.probes.shared.subject import NotApplicableError, Subject
from models.geometry.tracing.trace import trace
from models.layers import Conv1D
from models.padding import Padding
from tests.models.geometry.reach.test_paths import ONE_LAYER


def subject(model):
    shape = model.input_shape[1:]
    split = Split(np.zeros((2, *shape), "float32"), np.zeros(2, "int32"), np.arange(2))
    kind = "sequence" if len(shape) == 2 else "image"
    spec = Spec(kind, shape, 2, ("a", "b"), "", (0.0,), (1.0,), "none", "none", "official")
    return Subject(model, trace(model), Data(spec, split, None, split))


def line(padding, k, size=10, layers=1, strides=1):
    inputs = x = keras.Input((size, 1))
    for _ in range(layers):
        x = Conv1D(1, k, strides, padding=Padding.of(padding))(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return subject(keras.Model(inputs, keras.layers.Dense(2)(x)))


@pytest.mark.parametrize("padding", ONE_LAYER)
def test_known_answer_table_of_one_layer(padding):
    for k, half in zip((3, 5), ONE_LAYER[padding], strict=True):
        found = probe(line(padding, k))
        assert found.maps["paths"] == pytest.approx(half + half[::-1], rel=1e-6)
        centre = np.mean(half[2:])
        assert found.values["border"] == pytest.approx(half[0] / centre, abs=1e-3)
        assert found.values["corner"] == found.values["border"]


def test_asymmetry_of_five_strides_and_what_is_never_read():
    for size, expected in ((33, 0.0), (225, 0.0), (32, 0.393), (224, 0.352)):
        values = probe(line("same", 3, size, 5, 2)).values
        assert round(values["asymmetry"]["steps"], 3) == expected
        assert values["lost_share"] == 0
    assert probe(line("valid", 2, 9, 1, 2)).values["unread_share"] == 1 / 9


def test_an_image_and_the_model_is_left_as_it_was():
    model = models.build(
        "small_cnn", input_shape=(32, 24, 1), num_classes=2, widths=[4, 4], convs_per_stage=[1, 1]
    )
    before, layers = [w.copy() for w in model.get_weights()], list(model.layers)
    found = probe(subject(model))
    assert found.maps["paths"].shape == (32, 24)
    assert set(found.values["asymmetry"]) == {"rows", "columns"}
    assert 0 < found.values["corner"] < found.values["border"] < 1
    assert found.picture.dtype == np.uint8
    assert found.picture.shape[2] == 3
    assert np.ptp(found.picture) > 100
    assert model.layers == layers
    assert all(map(np.array_equal, before, model.get_weights()))


def test_a_head_that_reads_the_last_step_sees_its_field_alone():
    net = {"input_shape": (20, 1), "num_classes": 2, "padding": "causal", "levels": 1}
    found = probe(subject(models.build("causal_conv1d", head="last", **net)))
    assert np.flatnonzero(found.maps["paths"]).tolist() == [15, 16, 17, 18, 19]
    assert found.values["border"] is None


def test_a_network_that_cannot_be_followed_says_so():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Permute((2, 1, 3), name="turned")(keras.layers.Conv2D(1, 3)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
    unknown = Subject(model, [], subject(keras.Model(inputs, inputs)).loaded)
    with pytest.raises(NotApplicableError, match=r"'turned' of type Permute"):
        probe(unknown)


@pytest.mark.parametrize(
    ("name", "options"), [("subpixel", {"widths": [3], "factor": 3}), ("unet", {"depth": 1})]
)
def test_of_an_image_the_paths_to_all_of_its_pixels_are_counted(name, options):
    """Under circular no pixel is nearer to the border than another; under zeros it is read less."""
    shape, found = {"input_shape": (24, 24, 1), "num_classes": 1}, {}
    for padding in ("circular", "same", "valid"):
        model = models.build(name, padding=padding, **shape, **options)
        found[padding] = probe(subject(model)).values
    assert found["circular"]["border"] == pytest.approx(1)
    assert found["circular"]["corner"] == pytest.approx(1)
    assert found["circular"]["lost_share"] == 0
    assert 0 < found["same"]["corner"] < found["same"]["border"] < 0.8
    sizes = models.build(name, padding="valid", **shape, **options).output_shape[1:3]
    whole = 24 * options.get("factor", 1)
    assert found["valid"]["lost_share"] == pytest.approx(1 - (sizes[0] / whole) ** 2)
