import keras
import numpy as np
import pytest

from experiments.probes import leak
from experiments.probes.shared.subject import NotApplicableError
from models.padding import Padding
from tests import subjects

LEVELS = {"channels": 6, "levels": 3}


def measured(padding, steps=40, **options):
    keras.utils.set_random_seed(0)
    loaded = subjects.noise((steps, 2), n=16)
    return leak.probe(
        subjects.subject("causal_conv1d", loaded, padding, **{**LEVELS, **options})
    ).values


@pytest.mark.parametrize(
    "padding",
    ["causal", "full", "valid", Padding("causal", "replicate"), Padding("causal", "partial")],
)
def test_known_answer_what_is_causal_leaks_exactly_nothing(padding):
    found = measured(padding)
    assert found["largest_change"] == 0.0
    assert found["steps_back"] == 0
    assert set(found["by_t"].values()) == {0.0}


@pytest.mark.parametrize(("kernel_size", "ahead"), [(3, 14), (5, 28)])
def test_same_looks_half_its_receptive_field_ahead(kernel_size, ahead):
    """Two convolutions a level, dilated 1, 2, 4: (kernel_size - 1) / 2 * 2 * 7 steps."""
    found = measured("same", steps=64, kernel_size=kernel_size)
    assert found["steps_back"] == ahead
    assert found["largest_change"] > 0
    assert found["layer"] == "level3_relu"


def test_circular_brings_the_end_to_the_start():
    assert measured("circular")["steps_back"] == 33  # t = 33 is seen by step 0


def test_a_class_for_every_step_is_watched_at_the_logits():
    x = np.random.default_rng(0).normal(size=(8, 30, 1))
    loaded = subjects.data(x, np.zeros((8, 12), int), classes=3, scored_steps=12)
    options = {**LEVELS, "head": "steps", "levels": 2}
    keras.utils.set_random_seed(0)
    for padding, leaks in (("causal", False), ("valid", False), ("same", True)):
        found = leak.probe(subjects.subject("causal_conv1d", loaded, padding, **options)).values
        assert found["layer"] == "scored"
        assert (found["largest_change"] > 0) is leaks


def test_changes_are_inside_a_sequence_however_short():
    assert leak.changed_from(40).tolist() == [7, 13, 20, 27, 33]
    assert leak.changed_from(3).tolist() == [0, 1, 2]


def test_outputs_are_counted_from_the_last_step():
    assert leak.times(4, 10, 1).tolist() == [6, 7, 8, 9]
    assert leak.times(3, 10, 2).tolist() == [5, 7, 9]


def test_images_have_no_time():
    of = subjects.subject(
        "small_cnn", subjects.noise((12, 12, 1)), widths=(2,), convs_per_stage=(1,)
    )
    with pytest.raises(NotApplicableError, match="no time axis"):
        leak.probe(of)
