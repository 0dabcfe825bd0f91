"""What another padding does to the measure of a network that gives images."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np

from experiments.probes.shared.of_images import image_scores
from experiments.probes.shared.of_images.image_scores import Frame
from experiments.probes.shared.subject import Subject
from models.geometry.frame import frame
from models.geometry.tracing.graph import TraceError

EXAMPLES = 256


class ImageScores:
    """The measure of a network, and that of others on the same test images and pixels."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.split = image_scores.examples(subject, EXAMPLES)
        self.frame = self.split.frame or image_scores.whole(self.split)
        self._own: dict[Frame, np.ndarray] = {}

    def own(self) -> float:
        """The measure of the network itself."""
        return self._measure(self._of_own(self.frame).sum(axis=0))

    def under(self, swapped: keras.Model) -> dict[str, Any] | None:
        """The measure of a network with other borders, and its fall, in the task's unit.

        The two are compared on the pixels that both give; `pixels` is their share of those that the
        network itself gives.

        Returns:
            None: it gives no such pixel.
        """
        task = self.subject.of_task
        try:
            other = frame(swapped)
        except TraceError:
            return None
        part = image_scores.common(self.frame, other)
        if part is None:
            return None
        both = np.stack([self._of_own(part), self._sums(swapped, other, part)], axis=1)
        sign = task.scale if task.higher_is_better else -task.scale

        def fall(total: np.ndarray) -> float:
            return sign * (self._measure(total[0]) - self._measure(total[1]))

        value, low, high = image_scores.interval(both, image_scores.sources(self.split), fall)
        share = np.prod([n for _, n in part]) / np.prod([n for _, n in self.frame])
        return {
            task.measure: self._measure(both[:, 1].sum(axis=0)),
            "fall": value,
            "low": low,
            "high": high,
            "pixels": float(share),
        }

    def _of_own(self, part: Frame) -> np.ndarray:
        if part not in self._own:
            self._own[part] = self._sums(self.subject.model, self.frame, part)
        return self._own[part]

    def _sums(self, model: keras.Model, given: Frame, part: Frame) -> np.ndarray:
        spec, task = self.subject.loaded.spec, self.subject.task
        return image_scores.sums(model, self.split, given, part, spec, task)

    @functools.cached_property
    def _measure(self) -> Any:
        return functools.partial(image_scores.measure, task=self.subject.task)
