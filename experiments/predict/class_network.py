"""Classes from images and sequences as they are stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from conf.schema import Config
from experiments.predict.trained_network import TrainedNetwork
from experiments.run.record import files
from experiments.run.record.directory import Run

BATCH = 256  # as in the run's own test, because another batch size rounds differently


class Network(TrainedNetwork):
    """The trained network of a run, with its preprocessing: from stored values to classes.

    Attributes:
        class_names: in the order of the probabilities.
        stored_shape, stored_dtype, takes_pixels: as in `TrainedNetwork`.
    """

    def __init__(self, run: Run, trained: Config, learned: dict[str, Any], model: Any) -> None:
        """Arguments as in `TrainedNetwork`; DamagedError for a data.json without its classes."""
        super().__init__(trained, learned, model)
        self.class_names = class_names(run, learned, model.output_shape[-1])

    def probabilities(self, x: Any) -> np.ndarray:
        """The probability of every class.

        Args:
            x: examples as the data set stores them, neither resized nor normalised: images
                (n, height, width, channels) or sequences (n, time, channels), any real dtype;
                the last axis may be missing if there is one channel. The channels come first if
                the run was trained with data.layout=channels_first.

        Returns:
            float64 (n, classes), or (n, steps, classes) for a network with a class at each step.

        Raises:
            DataError: the examples do not fit the network.

        Example:
            >>> load("runs/default/<cell>/seed=0").probabilities(x_test).shape  # doctest: +SKIP
            (3000, 10)
        """
        return self.of_stored(self._stored(x), np.shape(x))

    def of_stored(self, stored: np.ndarray, told: tuple[int, ...] | None = None) -> np.ndarray:
        """As `probabilities`, for examples with the channels last, whatever the run's layout.

        Args:
            stored: (n, …, channels).
            told: the shape to name in an error message, if it is another.
        """
        from experiments.run.evaluation.classes import softmax

        used = self._normalised(stored, told)
        logits = self._model.predict(used, batch_size=BATCH, verbose=0)
        return softmax(np.asarray(logits, np.float64))

    def predict(self, x: Any) -> np.ndarray:
        """The name of the most probable class of every example: (n,) or (n, steps) strings.

        Arguments and errors as in `probabilities`.
        """
        return np.asarray(self.class_names)[self.probabilities(x).argmax(axis=-1)]


def class_names(run: Run, learned: dict[str, Any], classes: int) -> tuple[str, ...]:
    """The names of as many classes as a network tells apart.

    Raises:
        DamagedError: data.json has others.
    """
    names = learned.get("class_names")
    if not isinstance(names, list) or len(names) != classes:
        told = f"it does not contain names for the {classes} classes of the network"
        raise files.DamagedError(run.directory / "data.json", told)
    return tuple(map(str, names))
