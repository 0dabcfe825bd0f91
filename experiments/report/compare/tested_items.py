"""The predictions of a run on the test items of a metric."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conf.presets import METRICS, ON
from data.tasks import TEST, of_metric
from experiments.run.record import files

TEST_ACCURACY = METRICS[0]
MEAN_IOU = "mean_iou"  # of all test items together


@dataclass(frozen=True)
class Items:
    """The predictions of one run on the test items of the primary metric.

    Attributes:
        correct: (sources,), the number of items of each source whose predicted class was the label;
            of images the sum of their measures.
        sizes: (sources,), the number of items of each source; 1 if they have no common sources.
        key: of the test set: equal for the same items, labels and sources in the same order.
        predicted: digest of the predicted classes and probabilities: equal for equal predictions;
            None if it is not known.
        classes: number of classes that are predicted; None if it is not known, or not applicable.
        scale: from a mean of `correct` to the unit of the metric.
    """

    correct: np.ndarray
    sizes: np.ndarray
    key: int
    predicted: int | None = None
    classes: int | None = None
    scale: float = 100.0

    @property
    def points(self) -> float:
        """The metric in its unit."""
        return float(self.scale * self.correct.sum() / self.sizes.sum())


def has_items(metric: str) -> bool:
    """Whether a metric is a mean over test items."""
    return metric.startswith(ON) or (
        metric.startswith(TEST) and of_metric(metric).measure != MEAN_IOU
    )


def read_images(path: Path, metric: str, scored_steps: int | None = None) -> Items:
    """Read the measures of a run's predicted images; arguments as those of `read_items`."""
    columns = files.read_npz(path)
    values, ids, groups = columns["value"], columns["id"], columns.get("source_id")
    key = hash((ids.tobytes(), groups is None or groups.tobytes()))
    said = hash((columns["error"].tobytes(), columns["pixels"].tobytes()))
    scale = of_metric(metric).scale
    if groups is None:
        return Items(values, np.ones(len(values), int), key, said, scale=scale)
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return Items(np.bincount(place, values, len(sizes)), sizes, key, said, scale=scale)


def read_items(path: Path, metric: str, scored_steps: int | None = None) -> Items:
    """Read a run's predictions on the test items of `metric`.

    If the test split has subsets, `test_accuracy` is that of the first. Neighbouring steps of a
    series depend on each other: with `scored_steps` labels per sequence, that many successive
    moments are one source, a block as in Künsch 1989.
    """
    columns = files.read_npz(path)
    label, ids, predicted = columns["label"], columns["id"], columns["predicted"]
    right = predicted == label
    said = hash((predicted.tobytes(), columns["probability"].tobytes()))
    groups = columns.get("source_id")
    if "subset" in columns:
        subset = columns["subset"]
        wanted = subset[0] if metric == TEST_ACCURACY else metric.removeprefix(ON)
        inside = subset == wanted
        label, ids, right, predicted = (a[inside] for a in (label, ids, right, predicted))
        groups = groups[inside] if groups is not None else None
    if not right.size:
        raise ValueError(f"it holds no items for {metric}")
    if groups is not None and scored_steps:
        groups = (groups - groups.min()) // scored_steps
    if groups is None:
        correct, sizes = right.astype(int), np.ones(len(right), int)
    else:
        _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        correct = np.bincount(place, right, len(sizes)).astype(int)
    key = hash((label.tobytes(), ids.tobytes(), groups is None or groups.tobytes()))
    return Items(correct, sizes, key, said, len(np.unique(predicted)))
