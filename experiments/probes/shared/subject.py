"""The input and the result of a probe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from data import Data
from data.tasks import CLASSIFICATION, TASKS, Task
from models.geometry.tracing.trace import Row
from models.padding import Padding


class NotApplicableError(Exception):
    """A probe that makes no sense for a network or its data; the message says why."""


@dataclass(frozen=True)
class Subject:
    """A trained network and its data; a probe leaves both as they were.

    Attributes:
        model: logits, or images, from (batch, *input_shape), built and trained, not compiled.
        layers: its trace.
        loaded: its data, normalised as in training; of images the frame that the network gives.
        seed: for random choices of a probe.
        rebuild: builds the same architecture, untrained, with another padding, and raises the
            errors of `models.build`; None if it is unknown how the network was built.
        task: the name of the task that it was trained for.
    """

    model: keras.Model
    layers: list[Row]
    loaded: Data
    seed: int = 0
    rebuild: Callable[[Padding], keras.Model] | None = None
    task: str = CLASSIFICATION

    @property
    def of_task(self) -> Task:
        """The task: its measure, and what the network gives."""
        return TASKS[self.task]

    @property
    def gives_images(self) -> bool:
        """Whether the network gives masks or pictures, and no classes."""
        return self.of_task.target != "class"


@dataclass(frozen=True)
class Measured:
    """A probe's result.

    Attributes:
        values: a few plain values for results.json, to be compared.
        picture: uint8 (height, width, 3), or None.
        maps: larger arrays behind the picture, by name; they go into the run's probes.npz.
        line: the main figures in one line for the terminal; if it is empty, the plain values at
            the top level of `values` are shown.
    """

    values: dict[str, Any]
    picture: np.ndarray | None = None
    maps: dict[str, np.ndarray] | None = None
    line: str = ""


Probe = Callable[[Subject], Measured]
