"""What a training minimises, and the measure it shows, by its task."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from data import Spec
from data.tasks import RECONSTRUCTION, SEGMENTATION, SUPER_RESOLUTION, TASKS, UNCOUNTED


def loss(task: str, classes: int, label_smoothing: float = 0.0) -> Any:
    """The loss: cross-entropy from logits of classes; of pictures the mean absolute error, or the
    mean squared error for super-resolution, in normalised units.
    """
    if task == RECONSTRUCTION:
        return keras.losses.MeanAbsoluteError()
    if task == SUPER_RESOLUTION:
        return keras.losses.MeanSquaredError()
    if task == SEGMENTATION:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=UNCOUNTED)
    if label_smoothing == 0:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    smoothed = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=label_smoothing
    )

    def cross_entropy(labels: Any, logits: Any) -> Any:
        labels = keras.ops.reshape(labels, (-1, *logits.shape[1:-1]))
        return smoothed(keras.ops.one_hot(labels, classes), logits)

    return cross_entropy


def measures(task: str, classes: int, spec: Spec | None = None) -> list[Any]:
    """The measure of the task as a Keras metric, called as in `data.tasks.TASKS`."""
    name = TASKS[task].measure
    if task == SEGMENTATION:
        return [
            keras.metrics.MeanIoU(classes, name=name, ignore_class=UNCOUNTED, sparse_y_pred=False)
        ]
    if TASKS[task].target == "class":
        return [name]
    assert spec is not None
    of_image = _absolute(spec) if task == RECONSTRUCTION else _psnr(spec)
    return [keras.metrics.MeanMetricWrapper(of_image, name=name)]


def _absolute(spec: Spec) -> Any:
    scale = np.asarray(spec.target_std, np.float32)

    def mae(target: Any, given: Any) -> Any:
        return keras.ops.mean(keras.ops.abs(given - target) * scale, axis=(1, 2, 3))

    return mae


def _psnr(spec: Spec) -> Any:
    scale, span = np.asarray(spec.target_std, np.float32), float(spec.target_range or 1)

    def psnr(target: Any, given: Any) -> Any:
        squared = keras.ops.mean(keras.ops.square((given - target) * scale), axis=(1, 2, 3))
        return 10 * keras.ops.log10(span**2 / keras.ops.maximum(squared, (1e-5 * span) ** 2))

    return psnr
