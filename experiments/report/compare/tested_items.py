"""The predictions of a run on the test items of a metric."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conf.presets import METRICS, ON
from data.tasks import TEST, of_metric
from experiments.run.record import files

TEST_ACCURACY = METRICS[0]


@dataclass(frozen=True)
class Items:
    """The predictions of one run on the test items of the primary metric.

    Attributes:
        correct: (sources,), the number of items of each source whose predicted class was the label;
            of images the sum of their measures, or the part that a source has in mean IoU.
        sizes: (sources,), the number of items of each source; 1 if they have no common sources, and
            under mean IoU.
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
    """Whether a metric is measured on the items of the test split."""
    return metric.startswith((ON, TEST))


def read_images(path: Path, metric: str, scored_steps: int | None = None) -> Items:
    """Read the measures of a run's predicted images; arguments as those of `read_items`."""
    columns = files.read_npz(path)
    ids, groups = columns["id"], columns.get("source_id")
    key = hash((ids.tobytes(), groups is None or groups.tobytes()))
    said = hash((columns["error"].tobytes(), columns["pixels"].tobytes()))
    scale = of_metric(metric).scale
    _, place, sizes = np.unique(
        ids if groups is None else groups, return_inverse=True, return_counts=True
    )
    if of_metric(metric).target == "mask":
        both, either = (_summed(columns[name], place, len(sizes)) for name in ("both", "either"))
        return Items(_of_masks(both, either), np.ones(len(sizes), int), key, said, scale=scale)
    return Items(_summed(columns["value"], place, len(sizes)), sizes, key, said, scale=scale)


def _summed(values: np.ndarray, place: np.ndarray, sources: int) -> np.ndarray:
    """(n, …) -> (sources, …)."""
    found = np.zeros((sources, *values.shape[1:]))
    np.add.at(found, place, values)
    return found


def _of_masks(both: np.ndarray, either: np.ndarray) -> np.ndarray:
    """(sources,) a number for each source, whose mean is the mean IoU of all sources together.

    The IoU of a class is a ratio of sums over the sources, so a source counts with the linearised
    ratio (Cochran 1977, "Sampling techniques", section 6.3), the mean over the classes that are
    there or predicted.

    Args:
        both, either: (sources, classes), pixels as in `images.predict`.
    """
    known = either.sum(axis=0) > 0
    both, either = both[:, known], either[:, known]
    iou = both.sum(axis=0) / either.sum(axis=0)
    apart: np.ndarray = ((both - iou * either) / either.mean(axis=0)).mean(axis=1)
    return iou.mean() + apart


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
