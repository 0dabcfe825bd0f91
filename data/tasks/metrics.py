"""The metrics that a study can declare: their names, units and directions. Loads nothing.

A metric is a measure of a split, such as `test_accuracy`, `validation_loss` or `training_mae`; one
of a part of the test split, such as `accuracy_on/far`; or the speed of a run. All but the speed may
be those after an epoch, as `test_accuracy@3`; else they are those at the tested epoch.
"""

from __future__ import annotations

from data.tasks import CLASSIFICATION, LOSS, TASKS, TEST, TESTED, VALIDATION, Task, of_metric

TRAINING, AT = "training_", "@"
BALANCED = "balanced_accuracy"
TEST_LOSS = f"{TEST}{LOSS.measure}"
VALIDATED = tuple(f"{VALIDATION}{name.removeprefix(TEST)}" for name in TESTED)
LOSSES = tuple(f"{split}{LOSS.measure}" for split in (TEST, VALIDATION, TRAINING))
# Of a run, by its name in results.json.
SPEED = {
    "images_per_second": Task("class", "images_per_second", "speed", "images/s"),
    "step_ms": Task("class", "step_ms", "time of a step", "ms", 1.0, False),
    "train_seconds": Task("class", "train_seconds", "time of the training", "s", 1.0, False),
}
METRICS = (
    *TESTED,
    *VALIDATED,
    *(f"{TRAINING}{name.removeprefix(TEST)}" for name in TESTED),
    BALANCED,
    *LOSSES,
    *SPEED,
)
ON, OF, BY_MARGIN = "accuracy_on/", "accuracy_of/", "accuracy_by_margin/"
ERROR_AT = "error_at/"
# The start of a name that goes on with a part of the test split -> what results.json calls all.
PARTS = {
    ON: "accuracy_by_subset",
    OF: "per_class_accuracy",
    BY_MARGIN: "accuracy_by_margin",
    ERROR_AT: "error_by_distance",
}
ERROR = Task("picture", "error", "error", "", 1.0, False)  # of pixels, as the task tells it
NAMES = (*METRICS, f"{ON}<subset>", f"{OF}<class>", f"{BY_MARGIN}<margin>", f"{ERROR_AT}<distance>")


def split_epoch(metric: str) -> tuple[str, str]:
    """A metric without its epoch, and the epoch; empty without one.

    Example:
        >>> split_epoch("test_accuracy@3"), split_epoch("accuracy_on/far")
        (('test_accuracy', '3'), ('accuracy_on/far', ''))
    """
    name, _, epoch = metric.rpartition(AT)
    return (name, epoch) if name and epoch.isdigit() else (metric, "")


def split_part(metric: str) -> tuple[str, str]:
    """The start of a metric of a part of the test split, and the part; the metric alone for others.

    Example:
        >>> split_part("accuracy_on/far@3"), split_part("test_loss")
        (('accuracy_on/', 'far'), ('test_loss', ''))
    """
    name, _ = split_epoch(metric)
    start = next((start for start in PARTS if name.startswith(start)), name)
    return start, name.removeprefix(start)


def is_metric(metric: str) -> bool:
    """Whether there is a metric of this name, for some task and some data."""
    name, epoch = split_epoch(metric)
    start, part = split_part(metric)
    known = bool(part) if start in PARTS else name in METRICS
    return known and not (epoch and name in SPEED)


def is_tested(metric: str) -> bool:
    """Whether it is measured on the items of the test split."""
    start, _ = split_part(metric)
    return start.startswith(TEST) or start == BALANCED or start in PARTS


def measured(metric: str) -> Task:
    """The unit and the direction of a metric, and what it is called.

    Example:
        >>> measured("training_loss").higher_is_better, measured("accuracy_on/far").unit
        (False, '%')
    """
    start, _ = split_part(metric)
    if start in SPEED:
        return SPEED[start]
    if start in PARTS:
        return ERROR if start == ERROR_AT else TASKS[CLASSIFICATION]
    return of_metric(start.removeprefix(TRAINING))
