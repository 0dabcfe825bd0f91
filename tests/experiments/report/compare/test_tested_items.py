"""Predicted masks as test items: mean IoU in parts of the images or their sources."""

import numpy as np
import pytest

from experiments.report.compare.tested_items import has_items, read_images
from experiments.run.evaluation.images import iou

CLASSES = 3


def masks(images=400, sources=None, seed=0):
    """A prediction file's columns, of images that differ in how well they are predicted."""
    random = np.random.default_rng(seed)
    pixels = random.integers(5, 60, (images, CLASSES))
    both = random.binomial(pixels, random.beta(4, 2, (images, 1)))
    either = both + random.binomial(pixels - both, 0.9)
    columns = {
        "id": np.arange(images),
        "both": both.astype(np.int32),
        "either": either.astype(np.int32),
        "error": random.random((images, 2)),
        "pixels": np.ones((images, 2)),
    }
    return columns if sources is None else {**columns, "source_id": np.arange(images) % sources}


def stored(tmp_path, columns):
    np.savez(tmp_path / "predictions.npz", **columns)
    return read_images(tmp_path / "predictions.npz", "test_mean_iou")


def mean_iou(columns, chosen=slice(None)):
    return np.nanmean(iou(*(columns[name][chosen].sum(axis=0) for name in ("both", "either"))))


@pytest.mark.parametrize("sources", [None, 50])
def test_the_mean_of_the_parts_is_the_measure(tmp_path, sources):
    assert has_items("test_mean_iou")
    columns = masks(sources=sources)
    items = stored(tmp_path, columns)
    assert items.points == pytest.approx(100 * mean_iou(columns), rel=1e-12)
    assert len(items.correct) == (sources or 400)
    assert (items.sizes == 1).all()


@pytest.mark.parametrize("sources", [None, 50])
def test_the_parts_vary_as_the_measure_does_over_redrawn_sources(tmp_path, sources):
    columns = masks(sources=sources)
    items = stored(tmp_path, columns)
    random = np.random.default_rng(1)
    members = [
        np.flatnonzero(np.arange(400) % (sources or 400) == s) for s in range(sources or 400)
    ]
    drawn = [
        mean_iou(columns, np.concatenate([members[i] for i in random.integers(0, n, n)]))
        for n in [len(members)] * 2000
    ]
    expected = items.correct.std(ddof=1) / np.sqrt(len(items.correct))
    assert expected == pytest.approx(np.std(drawn), rel=0.08)


def test_a_class_that_is_nowhere_does_not_count(tmp_path):
    columns = masks()
    columns["both"][:, 1] = columns["either"][:, 1] = 0
    assert stored(tmp_path, columns).points == pytest.approx(100 * mean_iou(columns), rel=1e-12)
