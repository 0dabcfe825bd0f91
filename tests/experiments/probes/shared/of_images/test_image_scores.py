"""Measures from sums over images, and their intervals."""

import keras
import numpy as np
import pytest
from scipy import stats

from data.tasks import RECONSTRUCTION, SEGMENTATION, SUPER_RESOLUTION, TASKS
from experiments.probes.shared.of_images import image_scores
from experiments.run.evaluation import tested
from tests import subjects

CASES = [
    (SEGMENTATION, "unet", {"depth": 1, "width": 2}),
    (RECONSTRUCTION, "autoencoder", {"widths": (3,)}),
    (SUPER_RESOLUTION, "subpixel", {"widths": (3,), "factor": 2}),
]


@pytest.mark.parametrize(("task", "name", "options"), CASES)
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_the_measure_of_all_images_is_that_of_a_run(task, name, options, padding):
    keras.utils.set_random_seed(0)
    loaded = subjects.images(task, (20, 20, 1), n=9, factor=options.get("factor", 1))
    of = subjects.subject(name, loaded, padding, task, **options)
    split, spec = image_scores.examples(of, 99), of.loaded.spec
    frame = split.frame or image_scores.whole(split)
    each = image_scores.sums(of.model, split, frame, frame, spec, task)
    found = image_scores.measure(each.sum(axis=0), task)
    run = tested.results(tested.predict(of.model, of.loaded.test, spec, task), spec, task)
    assert found == pytest.approx(run[f"test_{TASKS[task].measure}"])


def mean(total):
    return float(total[0] / total[1])


def test_of_a_mean_it_is_students_interval():
    values = np.random.default_rng(0).normal(2, 1, 15)
    each = np.stack([values, np.ones(15)], axis=1)
    found = image_scores.interval(each, np.arange(15), mean)
    error = stats.sem(values)
    assert found == pytest.approx(
        (values.mean(), *stats.t.interval(0.95, 14, values.mean(), error))
    )


def test_images_of_one_source_count_as_one():
    values = np.random.default_rng(0).normal(2, 1, 15)
    once, source = np.stack([values, np.ones(15)], axis=1), np.arange(15)
    twice = np.concatenate([once, once])
    assert image_scores.interval(twice, np.tile(source, 2), mean) == pytest.approx(
        image_scores.interval(once, source, mean)
    )
    value, low, high = image_scores.interval(once, np.zeros(15), mean)
    assert (value, low, high) == (pytest.approx(values.mean()), None, None)


def test_the_interval_of_mean_iou_holds_the_true_one():
    """Of 200 sets of 40 images whose pixels are right with a chance of their own."""
    rng, truth, held = np.random.default_rng(0), None, 0
    chance = rng.uniform(0.5, 1, size=(200, 40, 1))

    def overlaps(right):
        """Of two classes of 50 pixels each: those that are right, and those of either mask."""
        right = rng.binomial(50, np.broadcast_to(right, (*right.shape[:-1], 2)))
        return np.stack([right, 100 - right[..., ::-1]], axis=-2).astype(float)

    def iou(total):
        return image_scores.measure(total, SEGMENTATION)

    truth = iou(overlaps(rng.uniform(0.5, 1, size=(200_000, 1))).sum(axis=0))
    for each in overlaps(chance):
        _, low, high = image_scores.interval(each, np.arange(40), iou)
        held += low <= truth <= high
    assert 0.91 <= held / 200 <= 0.99


def test_frames_share_what_both_give():
    assert image_scores.common(((0, 9), (2, 4)), ((3, 9), (0, 4))) == ((3, 6), (2, 2))
    assert image_scores.common(((0, 3), (0, 9)), ((3, 3), (0, 9))) is None
