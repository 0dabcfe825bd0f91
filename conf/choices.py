"""The task and the probes of a run: how they are chosen, and what contradicts them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import models
from conf.reader import ConfigError, DoesNotFitError, unknown
from data.tasks import (
    CLASSIFICATION,
    RECONSTRUCTION,
    SUPER_RESOLUTION,
    TASKS,
    TEST,
    VALIDATION,
)
from data.tasks.metrics import (
    ERROR,
    LOSSES,
    SPEED,
    TEST_LOSS,
    is_tested,
    measured,
    split_epoch,
)
from models import registry
from models.registry import constants, why_not

FOLDER = Path(__file__).resolve().parents[1] / "experiments" / "probes"
# What each probe measures: the `MEASURES` that its file sets.
PROBES: dict[str, str] = constants(FOLDER, "MEASURES")
AUTO = "auto"
FACTOR = "factor"  # the option of networks whose image is larger than their input


def task_of(asked: str, model: str, of_data: str | None) -> str:
    """The name of a run's task.

    Args:
        asked: the setting `task`; "auto" leaves it to the others.
        model: the network's name: of classes, of images, or of larger images.
        of_data: the task that the data set was made for.

    Raises:
        ConfigError: there is no such task.
    """
    if asked != AUTO:
        if asked not in TASKS:
            raise unknown("task", asked, (AUTO, *TASKS))
        return asked
    made_for = [name for name in TASKS if name == of_data]
    if model not in models.names() or models.gives(model) == "logits":
        return next((name for name in made_for if TASKS[name].target == "class"), CLASSIFICATION)
    if FACTOR in _options(model):
        return SUPER_RESOLUTION
    return next((name for name in made_for if TASKS[name].target != "class"), RECONSTRUCTION)


def _options(model: str) -> dict[str, Any]:
    """A network's options, read without importing a framework, whose back end is not yet chosen."""
    return registry.literal_options(registry.FOLDER / f"{model}.py")


def factor(task: str, model: str, options: dict[str, Any]) -> int:
    """By which a network's image is larger than its input: 1 but for super-resolution."""
    if task != SUPER_RESOLUTION or model not in models.names():
        return 1
    value = options.get(FACTOR, _options(model).get(FACTOR, 1))
    return value if isinstance(value, int) and value > 0 else 1  # else the network refuses it


def check_task(task: str, model: str, label_smoothing: float = 0.0) -> None:
    """Raise an error for a network, or a training, that does not fit the task.

    What a run does besides training, such as tracing the geometry, does not call this.

    Raises:
        DoesNotFitError: the network is for other tasks.
        ConfigError: a setting of the training is for other tasks.
    """
    takes = _fitting(task)
    if model not in takes:
        others = [m for m in takes if models.kind(m) == models.kind(model)] or takes
        gives = "classes" if models.gives(model) == "logits" else "an image"
        raise DoesNotFitError(
            f"model={model} gives {gives}: task={task} takes model={', '.join(others)}; {model} is "
            f"for task={', '.join(tasks_of(model))}"
        )
    if label_smoothing and TASKS[task].target != "class":
        raise ConfigError(
            f"trainer.label_smoothing is for classes; task={task} takes trainer.label_smoothing=0"
        )


def tasks_of(model: str) -> list[str]:
    """The tasks for which a network can be trained."""
    return [task for task in TASKS if model in _fitting(task)]


def _fitting(task: str) -> list[str]:
    """The networks that can be trained for a task."""
    if TASKS[task].target == "class":
        return [m for m in models.names() if models.gives(m) == "logits"]
    larger = task == SUPER_RESOLUTION
    images = [m for m in models.names() if models.gives(m) == "image"]
    return [m for m in images if (FACTOR in _options(m)) == larger]


def check_tests(trainer: Any, metric: str, probes: Iterable[str], task: str) -> None:
    """Raise an error for what is asked of the test split by a run that cannot give it.

    Args:
        trainer: the `TrainerConfig`.
        metric: the declared one.

    Raises:
        ConfigError, DoesNotFitError: in one line.
    """
    epochs = trainer.test_epochs
    whole = isinstance(epochs, list | tuple) and all(type(n) is int and n > 0 for n in epochs)
    if not whole or len({*epochs}) < len(epochs):
        raise ConfigError(
            f"trainer.test_epochs must be different epochs from 1 on, as [3]; got {epochs!r}"
        )
    if max(epochs, default=0) > (trainer.epochs or 0):
        raise ConfigError(
            f"trainer.test_epochs must be at most trainer.epochs={trainer.epochs}; got {epochs!r}"
        )
    for asked, what in ((epochs, "trainer.test_epochs"), (probes, "probes")):
        if asked and not trainer.test:
            raise ConfigError(f"{what} needs the test split: trainer.test=true")
    own = TASKS[task].measure
    # The default is left alone: a run that is tuned computes no test split.
    if not trainer.test and is_tested(metric) and metric != f"{TEST}{own}":
        raise ConfigError(f"sweep.metric={metric} needs the test split: trainer.test=true")
    name, epoch = split_epoch(metric)
    if epoch and is_tested(metric) and epoch not in map(str, epochs):
        raise ConfigError(f"sweep.metric={metric} needs trainer.test_epochs=[{epoch}]")
    if epoch and int(epoch) not in range(1, (trainer.epochs or 0) + 1):
        raise ConfigError(
            f"sweep.metric={metric} needs an epoch from 1 to trainer.epochs={trainer.epochs}"
        )
    of_images = TASKS[task].target != "class"
    others = {*LOSSES, *SPEED} - ({TEST_LOSS} if of_images else set())
    if measured(metric).measure not in (own, *[ERROR.measure] * of_images) and name not in others:
        raise DoesNotFitError(
            f"sweep.metric={metric} is not measured by task={task}: it has {TEST}{own} and "
            f"{VALIDATION}{own}"
        )


def probes_of(value: Any) -> tuple[str, ...]:
    """The probes that `probes=…` names, in the order of `PROBES`, without repetition.

    Args:
        value: None for none, "all", a name or a list of names.

    Raises:
        ConfigError: for anything else.
    """
    if value is None:
        return ()
    if value == "all":
        return tuple(PROBES)
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, (list, tuple)) or not all(isinstance(name, str) for name in given):
        raise ConfigError(
            f"probes takes all, a name or a list of names of {', '.join(PROBES)}; got {value!r}"
        )
    for name in given:
        if name not in PROBES:
            raise missing_probe(name)
    return tuple(name for name in PROBES if name in given)


def missing_probe(name: str) -> ConfigError:
    """The error for a probe that there is not, or whose file is not complete."""
    file = FOLDER / f"{name}.py"
    if name.isidentifier() and file.is_file() and (reason := why_not(file, "MEASURES")):
        return ConfigError(f"{reason}: one line for the help page")
    return unknown("probe", name, (*PROBES, "all"))
