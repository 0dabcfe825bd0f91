"""The predictions of a run on the test items of a metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.tasks import SEGMENTATION, SUPER_RESOLUTION
from data.tasks.metrics import (
    BALANCED,
    BY_MARGIN,
    ERROR_AT,
    OF,
    ON,
    TEST_LOSS,
    measured,
    split_part,
)
from experiments.run.record import files


@dataclass(frozen=True)
class Items:
    """The predictions of one run on the test items of the primary metric.

    Attributes:
        correct: (sources,), the number of items of each source whose predicted class was the label;
            of images, and of losses, the sum of their measures. Of a metric that is made of ratios,
            such as mean IoU or balanced accuracy, the part that the source has in it.
        sizes: (sources,), the number of items of each source; 1 if they have no common sources, and
            of a metric that is made of ratios.
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


def read_images(path: Path, metric: str, task: str) -> Items:
    """Read the measures of a run's predicted images, or their errors at a distance to the border.

    Raises:
        ValueError: nothing is predicted at that distance.
    """
    columns = files.read_npz(path)
    ids, groups = columns["id"], columns.get("source_id")
    key = hash((ids.tobytes(), groups is None or groups.tobytes()))
    said = hash((columns["error"].tobytes(), columns["pixels"].tobytes()))
    scale, (start, part) = measured(metric).scale, split_part(metric)
    _, place, sizes = np.unique(
        ids if groups is None else groups, return_inverse=True, return_counts=True
    )
    if start == ERROR_AT:
        ring = columns["distance"] == int(part)
        error, pixels = (
            _summed(columns[name][:, ring], place, len(sizes)) for name in ("error", "pixels")
        )
        if not pixels.any():
            raise ValueError(f"it holds no items for {metric}")
        parts = _of_ratios(error, pixels)
        if task == SUPER_RESOLUTION:  # the root of a mean is linear near it
            root = np.sqrt(parts.mean())
            parts = root + (parts - parts.mean()) / (2 * root or 1)
        parts = 100 * parts if task == SEGMENTATION else parts
        return Items(parts, np.ones(len(sizes), int), key, said, scale=scale)
    if measured(metric).target == "mask":
        both, either = (_summed(columns[name], place, len(sizes)) for name in ("both", "either"))
        return Items(_of_ratios(both, either), np.ones(len(sizes), int), key, said, scale=scale)
    return Items(_summed(columns["value"], place, len(sizes)), sizes, key, said, scale=scale)


def _summed(values: np.ndarray, place: np.ndarray, sources: int) -> np.ndarray:
    """(n, …) -> (sources, …)."""
    found = np.zeros((sources, *values.shape[1:]))
    np.add.at(found, place, values)
    return found


def _of_ratios(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """(sources,) a number for each source, whose mean is the mean ratio of all sources together.

    The IoU of a class, or the accuracy on it, is a ratio of sums over the sources, so a source
    counts with the linearised ratio (Cochran 1977, "Sampling techniques", section 6.3), the mean
    over the classes that are there or predicted.

    Args:
        part, whole: (sources, classes), such as the pixels both and either of `images.predict`, or
            the right items and all items of each class.
    """
    known = whole.sum(axis=0) > 0
    part, whole = part[:, known], whole[:, known]
    ratio = part.sum(axis=0) / whole.sum(axis=0)
    apart: np.ndarray = ((part - ratio * whole) / whole.mean(axis=0)).mean(axis=1)
    return ratio.mean() + apart


def read_items(
    path: Path, metric: str, scored_steps: int | None = None, classes: Sequence[str] = ()
) -> Items:
    """Read a run's predictions on the test items of `metric`.

    If the test split has subsets, all metrics but the accuracy on another are those of the first.
    Neighbouring steps of a series depend on each other: with `scored_steps` labels per sequence,
    that many successive moments are one source, a block as in Künsch 1989. The loss is the cross
    entropy.

    Args:
        classes: the names of the labels, for the accuracy on one of them.

    Raises:
        ValueError: there are no such items.
    """
    columns = files.read_npz(path)
    label, ids, predicted = columns["label"], columns["id"], columns["predicted"]
    said = hash((predicted.tobytes(), columns["probability"].tobytes()))
    start, part = split_part(metric)
    groups = columns.get("source_id")
    inside = np.ones(len(label), bool)
    if "subset" in columns:
        inside = columns["subset"] == (part if start == ON else columns["subset"][0])
    if groups is not None and scored_steps and inside.any():
        groups = (groups - groups[inside].min()) // scored_steps
    different = len(np.unique(predicted[inside]))
    if start == BY_MARGIN:
        inside &= _within(columns["margin"], part)
    elif start == OF:
        inside &= label == classes.index(part)
    if not inside.any():
        raise ValueError(f"it holds no items for {metric}")
    label, ids, predicted = label[inside], ids[inside], predicted[inside]
    groups = None if groups is None else groups[inside]
    _, place, sizes = np.unique(
        np.arange(len(ids)) if groups is None else groups, return_inverse=True, return_counts=True
    )
    key = hash((label.tobytes(), ids.tobytes(), groups is None or groups.tobytes()))
    right = predicted == label
    if start == TEST_LOSS:
        chance = np.maximum(columns["probability"][inside], np.finfo(float).tiny)
        return Items(_summed(-np.log(chance), place, len(sizes)), sizes, key, said, different, 1.0)
    if start == BALANCED:
        each = label[:, None] == np.unique(label)
        parts = (_summed(of, place, len(sizes)) for of in (each & right[:, None], each))
        return Items(_of_ratios(*parts), np.ones(len(sizes), int), key, said, different)
    correct = np.bincount(place, right, len(sizes)).astype(int)
    return Items(correct, sizes, key, said, different)


def _within(margin: np.ndarray, name: str) -> np.ndarray:
    """Which margins are in a bin, by its name: below -4, -4 to 0 or from 6."""
    first, *_, last = name.split()
    low = -np.inf if first == "below" else float(last if first == "from" else first)
    high = np.inf if first == "from" else float(last)
    inside: np.ndarray = (margin >= low) & (margin < high)
    return inside
