"""The measure of a network that gives images, on test images, and its interval over new images.

Mean IoU is no mean over images: it is computed from the pixels of all of them. So every measure is
a function of sums over images, and its interval is that of the jackknife (Efron & Stein 1981, "The
jackknife estimate of variance"), which leaves one image out at a time; or all images of one source,
such as the crops of a photograph, because these are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from data import Spec, Split
from data.tasks import SUPER_RESOLUTION, TASKS
from experiments.probes.shared.examples import chosen
from experiments.probes.shared.subject import Subject
from experiments.run.evaluation.diverged import DivergedError
from experiments.run.evaluation.images import BATCH, iou, overlaps, psnr

Frame = tuple[tuple[int, int], ...]  # of the rows and of the columns: the first, and how many


def examples(subject: Subject, limit: int) -> Split:
    """At most `limit` test images, evenly spread over the test split."""
    test, index = subject.loaded.test, chosen(subject, limit)
    x = np.asarray(test.x[index])
    source = None if test.source_ids is None else test.source_ids[index]
    y = x if test.y is test.x else test.y[index]
    return Split(x, y, test.ids[index], source_ids=source, frame=test.frame)


def sources(split: Split) -> np.ndarray:
    """(n,) what each image was made from; the image itself where that is unknown."""
    return split.ids if split.source_ids is None else split.source_ids


def whole(split: Split) -> Frame:
    """The frame of whole target images."""
    return tuple((0, n) for n in split.y.shape[1:3])


def common(one: Frame, other: Frame) -> Frame | None:
    """The part that two frames share; None if there is none."""
    starts = [max(a, b) for (a, _), (b, _) in zip(one, other, strict=True)]
    ends = [min(a + n, b + m) for (a, n), (b, m) in zip(one, other, strict=True)]
    found = tuple((start, end - start) for start, end in zip(starts, ends, strict=True))
    return found if all(n > 0 for _, n in found) else None


def predicted(model: keras.Model, x: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Batch by batch: which examples, and float64 (b, height, width, channels) given for them.

    Raises:
        DivergedError: an output is not finite.
    """
    for start in range(0, len(x), BATCH):
        here = slice(start, start + BATCH)
        given = np.asarray(model.predict_on_batch(x[here]), np.float64)
        if not np.isfinite(given).all():
            raise DivergedError("the network's outputs are not finite")
        yield here, given


def sums(
    model: keras.Model, split: Split, frame: Frame, part: Frame, spec: Spec, task: str
) -> np.ndarray:
    """What the measure of a task is computed from, for each image; to be added up.

    Args:
        frame: the pixels that the network gives.
        part: the pixels to be measured, all of them in the frame.

    Returns:
        Of masks (n, 2, classes), the pixels of `overlaps`; of pictures
        (n, 2), the measure of each and 1.

    Raises:
        DivergedError: an output is not finite.
    """
    inside = tuple(slice(a - b, a - b + n) for (a, n), (b, _) in zip(part, frame, strict=True))
    rows, columns = (slice(a, a + n) for a, n in part)
    measured = _overlaps if TASKS[task].target == "mask" else _values
    found = [
        measured(given[:, *inside], split.y[here][:, rows, columns], spec, task)
        for here, given in predicted(model, np.asarray(split.x))
    ]
    return np.concatenate(found)


def measure(total: np.ndarray, task: str) -> float:
    """The measure of a task, from sums over images."""
    if TASKS[task].target == "mask":
        return float(np.nanmean(iou(*total)))
    return float(total[0] / total[1])


def interval(
    each: np.ndarray, source: np.ndarray, statistic: Callable[[np.ndarray], float]
) -> tuple[float, float | None, float | None]:
    """A statistic of sums over images, and its 95 % interval by the jackknife over sources.

    Args:
        each: (n, …), to be added up over the images.
        source: (n,), what each image was made from.
        statistic: from a sum (…) to a number.

    Returns:
        The statistic, and the ends of Student's interval; None and None for a single source.
    """
    from scipy.stats import t

    names, place = np.unique(source, return_inverse=True)
    of_source = np.zeros((len(names), *each.shape[1:]))
    np.add.at(of_source, place, each)
    total = of_source.sum(axis=0)
    value, count = statistic(total), len(names)
    if count < 2:
        return value, None, None
    without = np.array([statistic(total - one) for one in of_source])
    error = np.sqrt((count - 1) * without.var())
    half = float(t.ppf(0.975, count - 1) * error)
    return value, value - half, value + half


def _overlaps(given: np.ndarray, target: np.ndarray, _spec: Spec, _task: str) -> np.ndarray:
    return np.stack(overlaps(given, target), axis=1)


def _values(given: np.ndarray, target: np.ndarray, spec: Spec, task: str) -> np.ndarray:
    error: Any = np.abs(given - target) * np.asarray(spec.target_std)
    if task == SUPER_RESOLUTION:
        value = psnr((error**2).mean(axis=(1, 2, 3)), float(spec.target_range or 1))
    else:
        value = error.mean(axis=(1, 2, 3))
    return np.stack([value, np.ones(len(value))], axis=1)
