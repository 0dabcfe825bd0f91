"""Predictions as test items: means, and means of ratios in parts of the images or sources."""

import numpy as np
import pytest

from experiments.report.compare.tested_items import read_images, read_items
from experiments.run.evaluation.images import by_distance, iou

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
    return read_images(tmp_path / "predictions.npz", "test_mean_iou", "segmentation")


def mean_iou(columns, chosen=slice(None)):
    return np.nanmean(iou(*(columns[name][chosen].sum(axis=0) for name in ("both", "either"))))


@pytest.mark.parametrize("sources", [None, 50])
def test_the_mean_of_the_parts_is_the_measure(tmp_path, sources):
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


def classes(tmp_path, items=400, sources=None, seed=0, **more):
    """A prediction file of three classes of unequal size; its columns are returned too."""
    random = np.random.default_rng(seed)
    label = np.repeat([0, 1, 2], [items // 2, items // 3, items - items // 2 - items // 3])
    right = random.random(items) < np.array([0.9, 0.6, 0.4])[label]
    columns = {
        "id": np.arange(items),
        "label": label,
        "predicted": np.where(right, label, (label + 1) % 3),
        "probability": random.random(items),
        **more,
    }
    if sources is not None:
        columns["source_id"] = random.integers(0, sources, items)
    np.savez(tmp_path / "predictions.npz", **columns)
    return tmp_path / "predictions.npz", columns


def balanced(columns, chosen=slice(None)):
    label, right = columns["label"][chosen], (columns["predicted"] == columns["label"])[chosen]
    return np.mean([right[label == c].mean() for c in np.unique(label)])


@pytest.mark.parametrize("sources", [None, 40])
def test_balanced_accuracy_is_the_mean_of_parts_that_vary_as_it_does(tmp_path, sources):
    path, columns = classes(tmp_path, sources=sources)
    items = read_items(path, "balanced_accuracy")
    assert items.points == pytest.approx(100 * balanced(columns), rel=1e-12)
    assert (items.sizes == 1).all() and len(items.correct) == (sources or 400)
    random = np.random.default_rng(1)
    of = columns.get("source_id", columns["id"])
    members = [np.flatnonzero(of == s) for s in range(sources or 400)]
    drawn = [
        balanced(columns, np.concatenate([members[i] for i in random.integers(0, n, n)]))
        for n in [len(members)] * 2000
    ]
    expected = items.correct.std(ddof=1) / np.sqrt(len(items.correct))
    assert expected == pytest.approx(np.std(drawn), rel=0.08)


def test_the_loss_is_the_cross_entropy_and_never_infinite(tmp_path):
    path, columns = classes(tmp_path, sources=40)
    items = read_items(path, "test_loss")
    assert items.points == pytest.approx(-np.log(columns["probability"]).mean())
    assert items.sizes.sum() == 400 and len(items.sizes) == 40
    path, _ = classes(tmp_path, probability=np.zeros(400))
    assert np.isfinite(read_items(path, "test_loss").points)


def test_a_part_of_the_items_is_that_of_its_class_or_margin(tmp_path):
    margin = np.linspace(-8, 9, 400)
    path, columns = classes(tmp_path, margin=margin)
    right = columns["predicted"] == columns["label"]
    items = read_items(path, "accuracy_of/bird", None, ["cat", "bird", "dog"])
    assert items.correct.tolist() == right[columns["label"] == 1].tolist()
    assert items.classes == 3, "of all items"
    for name, inside in (
        ("below -4", margin < -4),
        ("-4 to 0", (margin >= -4) & (margin < 0)),
        ("from 6", margin >= 6),
    ):
        items = read_items(path, f"accuracy_by_margin/{name}")
        assert items.correct.tolist() == right[inside].tolist()
    with pytest.raises(ValueError, match="holds no items for accuracy_by_margin/40 to 50"):
        read_items(path, "accuracy_by_margin/40 to 50")


@pytest.mark.parametrize("task", ["reconstruction", "segmentation", "super_resolution"])
@pytest.mark.parametrize("sources", [None, 50])
def test_the_error_at_a_distance_is_the_mean_of_parts_that_vary_as_it_does(tmp_path, task, sources):
    columns = {**masks(sources=sources), "distance": np.array([0, 1])}
    random = np.random.default_rng(2)
    columns["pixels"] = random.integers(5, 9, (400, 2)).astype(float)
    np.savez(tmp_path / "predictions.npz", **columns)
    items = read_images(tmp_path / "predictions.npz", "error_at/1", task)

    def error(chosen=slice(None)):
        return by_distance(columns["error"][chosen], columns["pixels"][chosen], task)[1]

    assert items.points == pytest.approx(error(), rel=1e-12)
    members = [np.flatnonzero(columns["id"] % (sources or 400) == s) for s in range(sources or 400)]
    drawn = [
        error(np.concatenate([members[i] for i in random.integers(0, n, n)]))
        for n in [len(members)] * 2000
    ]
    expected = items.correct.std(ddof=1) / np.sqrt(len(items.correct))
    assert expected == pytest.approx(np.std(drawn), rel=0.08)
