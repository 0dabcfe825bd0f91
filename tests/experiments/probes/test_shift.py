import keras
import numpy as np
import pytest

from experiments.probes import shift
from experiments.probes.shared.moving import moved
from experiments.probes.shared.subject import NotApplicableError
from tests import subjects

ONE_STAGE = {"widths": (6,), "convs_per_stage": (3,)}


def measured(shape, padding, name="small_cnn", **options):
    keras.utils.set_random_seed(1)
    loaded = subjects.noise(shape, n=96)
    of = subjects.undecided(subjects.subject(name, loaded, padding, **options))
    return shift.probe(of).values


@pytest.mark.full
@pytest.mark.parametrize("kernel_size", [3, 4])
@pytest.mark.parametrize("size", [(16, 16), (17, 15)])
def test_known_answer_circular_stride_1_and_global_pooling_are_consistent(size, kernel_size):
    options = {**ONE_STAGE, "kernel_size": kernel_size}
    found = measured((*size, 2), "circular", **options)["circular"]
    assert found["consistency"] == found["diagonal_agreement"] == found["high"] == 1.0
    assert found["pairs"] == 96


def test_it_is_so_for_sequences_too():
    found = measured((33, 1), "circular", "causal_conv1d", channels=6, levels=2)
    assert found["circular"]["consistency"] == 1.0
    assert found["filled"]["consistency"] < 1.0


def test_with_strides_it_is_consistent_on_their_lattice():
    """Two pools of stride 2: moved by multiples of 4, the picture meets them as before."""
    keras.utils.set_random_seed(1)
    options = {"widths": (4, 6, 8), "convs_per_stage": (1, 1, 1)}
    of = subjects.subject("small_cnn", subjects.noise((32, 32, 1), n=96), "circular", **options)
    found = shift.probe(subjects.undecided(of)).maps
    on = found["along"] % 4 == 0
    assert on.sum() == 5
    assert found["circular_agreement"][on].min() == 1.0
    assert found["circular_agreement"][~on].max() < 1.0


@pytest.mark.parametrize(
    ("padding", "options"),
    [
        ("same", ONE_STAGE),
        ("reflect", ONE_STAGE),
        ("circular", {"widths": (6, 6), "convs_per_stage": (1, 1)}),  # a stride of 2
    ],
)
def test_another_border_or_a_stride_is_not(padding, options):
    found = measured((16, 16, 2), padding, **options)["circular"]
    assert found["consistency"] < 1.0
    assert found["low"] < found["consistency"] < found["high"]


def test_what_is_lost_makes_a_difference_whatever_the_border():
    found = measured((16, 16, 2), "circular", **ONE_STAGE)["filled"]
    assert found["consistency"] < 1.0


def test_shifts_of_a_pair_differ_stay_in_reach_and_come_all():
    drawn = shift.pairs(np.random.default_rng(0), 4000, (1, 2))
    assert drawn.shape == (4000, 2, 2)
    assert (drawn[:, 0] != drawn[:, 1]).any(axis=1).all()
    assert {tuple(offset) for offset in drawn.reshape(-1, 2)} == {
        (i, j) for i in range(-1, 2) for j in range(-2, 3)
    }
    second = drawn[(drawn[:, 0] == (0, 0)).all(axis=1), 1]
    _, counts = np.unique(second, axis=0, return_counts=True)
    assert len(counts) == 14 and counts.min() > counts.max() / 4  # no neighbour is preferred


def test_the_seed_decides_the_shifts():
    drawn = [shift.pairs(np.random.default_rng([seed, 0]), 20, (4,)) for seed in (0, 0, 1)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_filled_is_a_crop_of_a_larger_picture():
    rng = np.random.default_rng(0)
    x, fill = rng.normal(size=(3, 5, 6, 2)).astype("float32"), np.array([7.0, -7.0], "float32")
    around = np.broadcast_to(fill, (3, 25, 26, 2)).copy()
    around[:, 10:15, 10:16] = x
    for down, right in [(0, 0), (1, -2), (-3, 4), (4, 5), (-9, 0), (0, 8)]:
        cropped = around[:, 10 - down : 15 - down, 10 - right : 16 - right]
        assert np.array_equal(moved(x, (down, right), "filled", fill), cropped)


def test_circular_moves_down_and_right():
    x = np.arange(12.0).reshape(1, 3, 4, 1)
    found = moved(x, (1, -1), "circular", np.zeros(1))
    assert found[0, 1, 0, 0] == x[0, 0, 1, 0]
    assert found[0, 0, 3, 0] == x[0, 2, 0, 0]


def test_a_class_for_every_step_is_not_moved():
    loaded = subjects.data(np.zeros((4, 20, 1)), np.zeros((4, 3), int), classes=2, scored_steps=3)
    of = subjects.subject("causal_conv1d", loaded, "causal", channels=2, levels=1, head="steps")
    with pytest.raises(NotApplicableError, match="class for each of the last 3 steps"):
        shift.probe(of)
