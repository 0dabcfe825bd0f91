"""Whether an image moves along with its input, where that is known."""

import keras
import numpy as np
import pytest

from data.tasks import RECONSTRUCTION, SEGMENTATION, SUPER_RESOLUTION
from experiments.probes import position, shift
from experiments.probes.shared.of_images import image_shift
from experiments.probes.shared.subject import NotApplicableError
from models.padding import Padding
from tests import subjects
from tests.helpers import full

UNET = {"depth": 1, "width": 3}
CASES = [
    ("unet", SEGMENTATION, UNET, 2),
    ("autoencoder", RECONSTRUCTION, {"widths": (3, 4)}, 4),
    ("subpixel", SUPER_RESOLUTION, {"widths": (3,), "factor": 2}, 1),
    full("unet", RECONSTRUCTION, {"depth": 2, "width": 2}, 4),
]


def measured(name, task, padding, options, size=16, n=12):
    keras.utils.set_random_seed(1)
    loaded = subjects.images(task, (size, size, 2), n=n, factor=options.get("factor", 1))
    return shift.probe(subjects.subject(name, loaded, padding, task, **options))


@pytest.mark.parametrize(("name", "task", "options", "stride"), CASES)
def test_known_answer_a_circular_network_moves_its_image_by_multiples_of_its_stride(
    name, task, options, stride
):
    """By the factor times the shift where the image is larger; trained or not."""
    found = measured(name, task, "circular", options)
    values, circular = found.values, found.values["circular"]
    assert values["stride"] == values["multiples_of"] == [stride, stride]
    on = found.maps["along_right"] % stride == 0
    for axis in ("down", "right"):
        curve = found.maps[f"circular_{axis}"]
        if task == SEGMENTATION:
            assert circular["agreement"] == circular["low"] == circular["inside"] == 1.0
            assert (curve[on] == 1.0).all() and (curve[~on] < 1.0).all()
        else:
            assert circular["change"] < 1e-6 and circular["inside"] < 1e-6
            assert (curve[on] < 1e-6).all() and (curve[~on] > 1e-3).all()


@pytest.mark.parametrize(("task", "exact"), [(RECONSTRUCTION, 0.0), (SEGMENTATION, 1.0)])
def test_a_pixel_that_sees_no_border_moves_exactly_and_the_first_ones_do_not(task, exact):
    """Two convolutions, a pool, two more and two again: at most 8 pixels away."""
    found = measured("unet", task, "same", UNET, size=32)
    circular = found.values["circular"]
    assert circular["inside"] == pytest.approx(exact, abs=1e-6)
    assert abs(circular["distances"][0] - exact) > 1e-2
    assert found.maps["by_distance"][8:-1] == pytest.approx(0, abs=1e-6)


def test_each_axis_has_its_own_border():
    padding = Padding("same", ("zeros", "circular"))
    found = measured("unet", RECONSTRUCTION, padding, UNET)
    on = found.maps["along_right"] % 2 == 0
    assert (found.maps["circular_right"][on] < 1e-6).all()
    assert (found.maps["circular_down"][on & (found.maps["along_down"] != 0)] > 1e-3).all()


def test_without_a_border_everything_that_is_given_moves_along():
    found = measured("unet", RECONSTRUCTION, "valid", UNET, size=32)
    circular = found.values["circular"]
    assert circular["distances"] == [None] * 4  # these pixels are not given
    assert circular["change"] < 1e-6
    assert "outermost pixels –" in found.line
    assert np.isnan(found.maps["change_map"][:8]).all()


def test_where_little_is_given_shifts_stay_within_it():
    """Of 20 pixels 4 are given, of 18 pixels 2: a shift of 2 leaves none of them to compare."""
    found = measured("unet", RECONSTRUCTION, "valid", UNET, size=20)
    assert found.values["largest_shift"] == [2, 2]
    assert list(found.maps["along_down"]) == list(range(-3, 4))
    assert found.values["circular"]["change"] < 1e-6
    with pytest.raises(NotApplicableError, match="gives 2 × 2 pixels of the image, too few"):
        measured("unet", RECONSTRUCTION, "valid", UNET, size=18)


def marked(task):
    """A network that adds 3 to the pixels at the border, or tells class 1 of them."""
    inputs = keras.Input((8, 8, 1))
    amount = np.full((8, 8, 1), 3.0, np.float32)
    amount[1:-1, 1:-1] = 0
    outputs = inputs + amount
    if task == SEGMENTATION:
        outputs = 0 * keras.layers.Concatenate()([inputs, inputs]) + np.concatenate(
            [0.5 + 0 * amount, amount], axis=-1
        )
    loaded = subjects.images(task, (8, 8, 1), n=6, classes=2)
    if task == RECONSTRUCTION:
        loaded = subjects.images(task, (8, 8, 1), n=6, y=loaded.test.x)
    return subjects.of(keras.Model(inputs, outputs), loaded, task=task)


def test_a_change_is_counted_where_it_is():
    """Moved by one to the right, columns 1 and 7 of the six inner rows differ: 12 of 64 pixels."""
    pictures, masks = (image_shift.measured(marked(t)) for t in (RECONSTRUCTION, SEGMENTATION))
    by_one = pictures[1]["along_right"] == 1
    assert pictures[1]["circular_right"][by_one] == pytest.approx(3 * 2 * 12 / 64)
    assert masks[1]["circular_right"][by_one] == pytest.approx(1 - 12 / 64)
    values = pictures[0]
    assert values["error"] == pytest.approx(3 * 2 * 28 / 64)  # in the data's units of 2
    assert values["relative"] == pytest.approx(values["circular"]["change"] / values["error"])
    assert pictures[1]["by_distance"][1:].max() == pytest.approx(0, abs=1e-6)


def test_shifts_are_multiples_in_reach_and_follow_from_the_seed():
    found = image_shift.drawn(0, 4000, (2, 4), (5, 2))
    assert set(found[:, 0]) == {-4, -2, 0, 2, 4} and set(found[:, 1]) == {-4, 0, 4}
    assert (found != 0).any(axis=1).all()
    assert len({tuple(one) for one in found}) == 14
    assert np.array_equal(found, image_shift.drawn(0, 4000, (2, 4), (5, 2)))
    assert not np.array_equal(found, image_shift.drawn(1, 4000, (2, 4), (5, 2)))


def test_a_stride_that_the_image_does_not_hold_twice_is_left_out():
    values = measured("autoencoder", RECONSTRUCTION, "circular", {"widths": (2, 2, 2)}, size=12)
    assert values.values["stride"] == [8, 8] and values.values["multiples_of"] == [1, 1]


def test_position_is_for_classes():
    with pytest.raises(NotApplicableError, match="which shift measures"):
        position.probe(marked(RECONSTRUCTION))
