"""The measure of an image under other paddings."""

import keras
import numpy as np
import pytest

from data.tasks import RECONSTRUCTION, SEGMENTATION, SUPER_RESOLUTION, TASKS
from experiments.probes import swap
from experiments.run.evaluation import tested
from models.padding import NAMED
from tests import subjects

CASES = [
    (SEGMENTATION, "unet", {"depth": 1, "width": 2}),
    (RECONSTRUCTION, "unet", {"depth": 1, "width": 2}),
    (SUPER_RESOLUTION, "subpixel", {"widths": (3,), "factor": 2}),
]


def subject(task, name, options, padding):
    keras.utils.set_random_seed(3)
    loaded = subjects.images(task, (24, 24, 1), n=10, factor=options.get("factor", 1))
    return subjects.subject(name, loaded, padding, task, **options)


def test_known_answer_a_padding_that_computes_the_same_changes_nothing():
    """A random border is the mean at inference."""
    for task, name, options in CASES:
        found = swap.probe(subject(task, name, options, "random")).values
        assert found["own"] == ["random"]
        under = found["under"]["mean"]
        assert (under["fall"], under["low"], under["high"]) == (0, 0, 0)
        assert under["pixels"] == 1
        assert found["under"]["circular"]["fall"] != 0


@pytest.mark.parametrize(("task", "name", "options"), CASES)
def test_the_fall_is_that_of_the_runs_measure_and_positive_where_it_is_worse(task, name, options):
    of = subject(task, name, options, "same")
    probed = swap.probe(of)
    found, of_task = probed.values, TASKS[task]
    spec, key = of.loaded.spec, f"test_{of_task.measure}"

    def measure(model):
        return tested.results(tested.predict(model, of.loaded.test, spec, task), spec, task)[key]

    own = measure(of.model)
    assert found[of_task.measure] == pytest.approx(own)
    for other in ("circular", "reflect"):
        again = of.rebuild(NAMED[other])
        again.set_weights(of.model.get_weights())
        value, one = measure(again), found["under"][other]
        assert one[of_task.measure] == pytest.approx(value)
        worse = own - value if of_task.higher_is_better else value - own
        assert one["fall"] == pytest.approx(of_task.scale * worse)
        assert one["low"] <= one["fall"] <= one["high"]
    assert probed.line.startswith(f"own {of_task.label} ")
    assert probed.line.count(of_task.difference_unit) >= 1


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_networks_are_compared_on_the_pixels_that_both_give(padding):
    """Under valid the middle 8 of 24 pixels are given; of them same gives all."""
    of = subject(*CASES[1], padding)
    other = {"same": "valid", "valid": "same"}[padding]
    one = swap.probe(of).values["under"][other]
    again = of.rebuild(NAMED[other])
    again.set_weights(of.model.get_weights())
    errors = []
    for model in (of.model, again):
        given = np.asarray(model.predict_on_batch(of.loaded.test.x))
        given = given if given.shape[1] == 8 else given[:, 8:16, 8:16]
        errors.append(2 * np.abs(given - of.loaded.test.y[:, 8:16, 8:16]).mean())
    assert one["mae"] == pytest.approx(errors[1], rel=1e-5)
    assert one["fall"] == pytest.approx(errors[1] - errors[0], rel=1e-4, abs=1e-6)
    assert one["pixels"] == pytest.approx(1 if padding == "valid" else 1 / 9)
