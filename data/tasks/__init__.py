"""What a network is asked for. Importing this loads nothing.

A task says what a target is and by which measure a network is judged; how it is trained and tested
follows from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Target = Literal["class", "mask", "picture"]


@dataclass(frozen=True)
class Task:
    """What is predicted from an input, and the measure of how well.

    Attributes:
        target: "class", one for each example or for each of its last steps; "mask", the class of
            each pixel; or "picture", the values of each pixel.
        measure: name of the measure in the history of a training; of the test split it is
            "test_" and this name.
        label: the measure's name for people.
        unit: of the measure times `scale`.
        scale: from the stored measure to its unit: 100 for a fraction that is told in per cent.
        higher_is_better: the direction of the measure.
        error: what a pixel's error is called, by distance to the border; None for classes.
    """

    target: Target
    measure: str
    label: str
    unit: str
    scale: float = 1.0
    higher_is_better: bool = True
    error: str | None = None

    @property
    def difference_unit(self) -> str:
        """The unit of a difference: points of per cent."""
        return "points" if self.unit == "%" else self.unit

    def told(self, value: float | None, width: int = 0) -> str:
        """A value of the measure for people: "81.73 %"; that there is none, for None.

        Example:
            >>> TASKS["classification"].told(0.8173)
            '81.73 %'
        """
        if value is None:
            return "not tested"
        form = f"{width}.2f" if self.unit else f"{width}.4g"
        return f"{self.scale * value:{form}} {self.unit}".rstrip()


CLASSIFICATION = "classification"
FORECASTING = "forecasting"
RECONSTRUCTION = "reconstruction"
SEGMENTATION = "segmentation"
SUPER_RESOLUTION = "super_resolution"
UNCOUNTED = -1  # the class of a pixel that does not count
TEST, VALIDATION = "test_", "validation_"  # before the name of a measure, that of a metric
TASKS = {
    CLASSIFICATION: Task("class", "accuracy", "accuracy", "%", 100.0),
    FORECASTING: Task("class", "accuracy", "accuracy", "%", 100.0),
    RECONSTRUCTION: Task("picture", "mae", "MAE", "", 1.0, False, "mean absolute error"),
    SEGMENTATION: Task("mask", "mean_iou", "mean IoU", "%", 100.0, True, "wrong pixels, %"),
    SUPER_RESOLUTION: Task("picture", "psnr", "PSNR", "dB", 1.0, True, "root mean squared error"),
}
LOSS = Task("class", "loss", "loss", "", 1.0, False)  # of any task
TESTED = tuple(dict.fromkeys(f"{TEST}{task.measure}" for task in TASKS.values()))


def without_labels(made_for: str | None) -> str | None:
    """The task by which a set is read that has no labels, by what it was made for; else None."""
    pictures = made_for is not None and TASKS[made_for].target == "picture"
    return made_for if pictures else None


def of_metric(metric: str) -> Task:
    """The first task whose measure a metric is; classification for those of classes alone.

    Args:
        metric: a measure of a split, as test_mae or validation_accuracy, perhaps @ an epoch.

    Example:
        >>> of_metric("test_psnr@3").unit
        'dB'
    """
    measure = metric.partition("@")[0].removeprefix(TEST).removeprefix(VALIDATION)
    found = [task for task in (*TASKS.values(), LOSS) if task.measure == measure]
    return found[0] if found else TASKS[CLASSIFICATION]
