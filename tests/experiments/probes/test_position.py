import keras
import numpy as np
import pytest

from experiments.probes import position
from experiments.probes.shared import examples
from experiments.probes.shared.moving import background
from experiments.run.evaluation.classes import by_margin
from tests import subjects
from tests.helpers import full


def corner_reader(shape):
    """Tells class 0 or 1 where its colour shines in the corner, and 2 where it is dark."""
    inputs = keras.Input(shape)
    size = shape[0]
    corner = keras.layers.Cropping2D(((0, size - 1), (0, size - 1)))(inputs)
    dense = keras.layers.Dense(3)
    model = keras.Model(inputs, dense(keras.layers.Flatten()(corner)))
    dense.set_weights([np.array([[1, 0, 0], [0, 1, 0]], float), np.array([0, 0, 0.5])])
    return model


def test_known_answer_what_looks_at_one_corner_is_right_only_there():
    size, at = 16, (4, 2)  # the object is 4 down and 2 right of the corner
    x, y = np.zeros((20, size, size, 2)), np.arange(20) % 2
    x[np.arange(20), at[0], at[1], y] = 1.0
    found = position.probe(
        subjects.of(corner_reader((size, size, 2)), subjects.data(x, y, classes=3))
    )
    down, right = (found.maps[f"offsets_{i}"].tolist() for i in range(2))
    assert down == right == [-4, -3, -2, -1, 0, 1, 2, 3, 4]
    expected = np.zeros((9, 9))
    expected[down.index(-4), right.index(-2)] = 1.0
    for way in ("circular", "filled"):
        assert np.array_equal(found.maps[way], expected)
        assert found.values[way]["highest_at"] == [-4, -2]
        assert found.values[way]["highest"] == 1.0
        assert found.values[way]["mean"] == pytest.approx(1 / 81)
    assert found.values["accuracy"] == 0.0


@pytest.mark.parametrize("size", [full((16, 16)), (13, 18)])
def test_circular_stride_1_and_global_pooling_give_a_flat_map(size):
    keras.utils.set_random_seed(2)
    options = {"widths": (6,), "convs_per_stage": (2,)}
    loaded = subjects.noise((*size, 1), n=60)
    flat, other = (
        position.probe(
            subjects.undecided(subjects.subject("small_cnn", loaded, padding, **options))
        )
        for padding in ("circular", "same")
    )
    assert np.ptp(flat.maps["circular"]) == 0
    assert np.ptp(flat.maps["filled"]) > 0
    assert np.ptp(other.maps["circular"]) > 0
    assert flat.picture.dtype == np.uint8 and flat.picture.shape[-1] == 3


def test_sequences_have_a_line_of_offsets():
    keras.utils.set_random_seed(0)
    loaded = subjects.noise((40, 1), n=30)
    of = subjects.subject("causal_conv1d", loaded, "circular", channels=4, levels=2)
    found = position.probe(subjects.undecided(of))
    assert found.maps["offsets_0"].tolist() == list(range(-10, 11))
    assert np.ptp(found.maps["circular"]) == 0


def test_margins_are_those_of_the_whole_test_split():
    keras.utils.set_random_seed(0)
    margin = np.linspace(-9, 9, 500).astype("float32")
    loaded = subjects.noise((12, 12, 1), n=500, margin=margin)
    of = subjects.subject("small_cnn", loaded, widths=(4,), convs_per_stage=(1,))
    hits = of.model.predict(loaded.test.x, verbose=0).argmax(axis=1) == loaded.test.y
    assert position.probe(of).values["by_margin"] == by_margin(margin, hits)


def test_only_the_first_subset_is_looked_at_evenly_and_never_more_than_allowed():
    subset = np.array(["near"] * 50 + ["far"] * 50)
    loaded = subjects.noise((8, 8, 1), n=100, subset=subset)
    of = subjects.subject("small_cnn", loaded, widths=(2,), convs_per_stage=(1,))
    assert examples.chosen(of, 1000).tolist() == list(range(50))
    few = examples.chosen(of, 8)
    assert len(few) == 8 and (few[0], few[-1]) == (0, 49) and np.diff(few).max() == 7


def test_the_background_is_what_the_edge_holds():
    x = np.full((5, 6, 7, 2), 3.0)
    x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1] = (np.array([-1.0, 2.0]) for _ in range(4))
    x[0, 0, 0] = 100.0  # one bright pixel at the edge moves no median
    of = subjects.of(corner_reader((6, 6, 2)), subjects.data(x, np.zeros(5), classes=3))
    assert background(of).tolist() == [-1.0, 2.0]
