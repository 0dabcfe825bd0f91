"""Predictions and errors of a network that gives images, by their distance to the border.

The pixels of an image are in rings, one pixel wide: ring 0 is the border, ring i all pixels with i
others between them and the nearest border.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from data import DataError, Spec, Split
from data.tasks import SEGMENTATION, SUPER_RESOLUTION, TASKS
from experiments.run.evaluation.diverged import DivergedError
from experiments.run.loop.batches import ordered_batches

BATCH = 64
SHOWN = 6  # examples of which the images themselves are kept


def rings(height: int, width: int) -> np.ndarray:
    """int (height, width), for each pixel the number of pixels between it and the nearest border.

    Example:
        >>> rings(3, 4)
        array([[0, 0, 0, 0],
               [0, 1, 1, 0],
               [0, 0, 0, 0]])
    """
    rows, columns = np.arange(height), np.arange(width)
    down, across = np.minimum(rows, rows[::-1]), np.minimum(columns, columns[::-1])
    return np.minimum(down[:, None], across[None, :])


def predict(model: keras.Model, split: Split, spec: Spec, task: str) -> dict[str, np.ndarray]:
    """What is kept of the predicted images.

    Returns:
        id: int64 (n,). distance: (r,), of each ring that is predicted, in pixels of the target.
        error, pixels: float64 (n, r), the sum of the pixels' errors in each ring of an image, and
        how many pixels count there. An error is the absolute difference in stored units, or its
        square under super-resolution, the mean over channels; or 1 for a wrong class. value:
        float64 (n,), the measure of each image; or for masks both, either: int32 (n, classes),
        the pixels of an image that have a class and are predicted to have it, and those with one
        of the two. shown_*: input, target and predicted images of the
        examples `shown`, in stored units, and the frame that is predicted. source_id as in
        `data.Split`.

    Raises:
        DivergedError: an output is not finite.
    """
    height, width = _whole(split)
    (top, tall), (left, wide) = split.frame or ((0, height), (0, width))
    place = rings(height, width)[top : top + tall, left : left + wide]
    distance, ring = np.unique(place, return_inverse=True)
    ring = ring.reshape(-1)
    of_examples = []
    shown = np.unique(np.linspace(0, len(split) - 1, SHOWN).round().astype(int))
    pictures = []
    batches = ordered_batches(split, batch_size=BATCH)
    for start in range(0, len(split), BATCH):
        x, target = batches[start // BATCH]
        given = np.asarray(model.predict_on_batch(x), np.float64)
        if not np.isfinite(given).all():
            raise DivergedError("the network's outputs on the test split are not finite")
        measured = (
            _masks(given, target) if task == SEGMENTATION else _pictures(given, target, spec, task)
        )
        error, counted = measured.pop("error"), measured.pop("counted")
        if task == SUPER_RESOLUTION:
            squared = error.mean(axis=(1, 2))
            measured["value"] = psnr(squared, float(spec.target_range or 1))
        elif task != SEGMENTATION:
            measured["value"] = error.mean(axis=(1, 2))
        measured["error"] = _by_ring(error * counted, ring, len(distance))
        measured["pixels"] = _by_ring(counted, ring, len(distance))
        own = shown[(shown >= start) & (shown < start + len(x))] - start
        pictures.append({"input": x[own], "target": target[own], "predicted": given[own]})
        of_examples.append(measured)
    columns = {name: np.concatenate([m[name] for m in of_examples]) for name in of_examples[0]}
    columns |= {"id": split.ids, "distance": distance, "shown": split.ids[shown]}
    columns["shown_frame"] = np.array([top, left, height, width])
    columns |= _stored(
        {name: np.concatenate([p[name] for p in pictures]) for name in pictures[0]}, spec, task
    )
    if split.source_ids is not None:
        columns["source_id"] = split.source_ids
    return columns


def results(predictions: dict[str, np.ndarray], spec: Spec, task: str) -> dict[str, Any]:
    """The entries of results.json.

    Returns:
        test_<measure>; error_by_distance, a list of the distance to the border in pixels, the mean
        error of all pixels there and their number; for masks per_class_iou.

    Raises:
        DataError: no pixel counts.
    """
    found: dict[str, Any] = {}
    if not predictions["pixels"].any():
        raise DataError("no pixel of the test split's masks counts where the network predicts")
    if task == SEGMENTATION:
        of_class = iou(predictions["both"].sum(axis=0), predictions["either"].sum(axis=0))
        found["test_mean_iou"] = float(np.nanmean(of_class))
        found["per_class_iou"] = {
            name: float(value)
            for name, value in zip(spec.class_names, of_class, strict=True)
            if not np.isnan(value)
        }
    else:
        found[f"test_{TASKS[task].measure}"] = float(predictions["value"].mean())
    errors = by_distance(predictions["error"], predictions["pixels"], task)
    pixels = predictions["pixels"].sum(axis=0)
    found["error_by_distance"] = [
        {"distance": int(d), "error": float(e), "pixels": int(p)}
        for d, e, p in zip(predictions["distance"], errors, pixels, strict=True)
        if p
    ]
    return found


def by_distance(error: np.ndarray, pixels: np.ndarray, task: str) -> np.ndarray:
    """(r,) the mean error of the pixels of each ring, over all images, as it is told: the root of
    the mean square under super-resolution, per cent of the pixels for masks; NaN without pixels.
    """
    with np.errstate(invalid="ignore"):
        mean = error.sum(axis=0) / pixels.sum(axis=0)
    if task == SUPER_RESOLUTION:
        return np.sqrt(mean)
    return 100 * mean if task == SEGMENTATION else mean


def iou(both: np.ndarray, either: np.ndarray) -> np.ndarray:
    """(classes,) intersection over union of each class; NaN for one neither there nor predicted.

    Everingham et al. 2010, "The Pascal visual object classes (VOC) challenge", section 4.4.

    Args:
        both: (classes,) pixels that have a class and are predicted to have it.
        either: (classes,) pixels that have a class, are predicted to have it, or both.
    """
    with np.errstate(invalid="ignore"):
        return both / np.where(either == 0, np.nan, either)


def overlaps(given: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What `iou` is computed from, for each image: int32 (n, classes) both and either.

    Args:
        given: (n, height, width, classes) logits.
        target: (n, height, width) classes, -1 for a pixel that does not count.
    """
    classes, counted = np.arange(given.shape[-1]), (target >= 0)[..., None]
    there = target[..., None] == classes
    found = (given.argmax(axis=-1)[..., None] == classes) & counted
    both, either = (
        pixels.sum(axis=(1, 2), dtype=np.int32) for pixels in (there & found, there | found)
    )
    return both, either


def psnr(squared: np.ndarray, span: float) -> np.ndarray:
    """Peak signal to noise ratio in dB, of mean squared errors; `span` is the peak.

    An image without any error counts as one whose error is a hundred-thousandth of the span.
    """
    return 10 * np.log10(span**2 / np.maximum(squared, (1e-5 * span) ** 2))


def _whole(split: Split) -> tuple[int, int]:
    return split.y.shape[1], split.y.shape[2]


def _masks(given: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
    both, either = overlaps(given, target)
    return {
        "error": (given.argmax(axis=-1) != target).astype(np.float64),
        "counted": (target >= 0).astype(np.float64),
        "both": both,
        "either": either,
    }


def _pictures(
    given: np.ndarray, target: np.ndarray, spec: Spec, task: str
) -> dict[str, np.ndarray]:
    error = np.abs(given - target) * np.asarray(spec.target_std)
    if task == SUPER_RESOLUTION:
        error = error**2
    return {"error": error.mean(axis=-1), "counted": np.ones(error.shape[:-1])}


def _by_ring(values: np.ndarray, ring: np.ndarray, count: int) -> np.ndarray:
    """(n, height, width) -> (n, r), the sums over the pixels of each ring."""
    inside = np.zeros((len(ring), count))
    inside[np.arange(len(ring)), ring] = 1.0
    return values.reshape(len(values), -1) @ inside


def _stored(shown: dict[str, np.ndarray], spec: Spec, task: str) -> dict[str, np.ndarray]:
    """The images that are kept, in stored units; classes for masks."""
    found = {"shown_input": shown["input"] * np.asarray(spec.std) + np.asarray(spec.mean)}
    for name in ("target", "predicted"):
        images = shown[name]
        if task == SEGMENTATION:
            images = images.argmax(axis=-1) if name == "predicted" else images
            found[f"shown_{name}"] = images.astype(np.int16)
        else:
            images = images * np.asarray(spec.target_std) + np.asarray(spec.target_mean)
            found[f"shown_{name}"] = images.astype(np.float32)
    found["shown_input"] = found["shown_input"].astype(np.float32)
    return found
