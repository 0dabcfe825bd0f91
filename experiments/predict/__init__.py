"""Prediction with a finished run, from images and sequences in their stored form.

from experiments.predict import load
network = load("runs/<study>/<cell>/seed=0")
network.predict(pixels), network.probabilities(pixels)
"""

from __future__ import annotations

from pathlib import Path

from data.tasks import TASKS
from experiments.predict.class_network import Network
from experiments.predict.image_network import ImageNetwork
from experiments.run import finished


def load(directory: str | Path) -> Network | ImageNetwork:
    """The trained network of a finished run.

    Args:
        directory: of the run, as printed by its training.

    Returns:
        A `Network` if it gives classes, an `ImageNetwork` if it gives images.

    Raises:
        ConfigError: it is not a finished run, or one of its files is damaged; one plain line.

    Example:
        >>> load("runs/default/<cell>/seed=0").predict(pixels)  # doctest: +SKIP
    """
    run = finished.find(Path(directory))
    trained, learned = finished.trained(run)
    kind = Network if TASKS[trained.task].target == "class" else ImageNetwork
    return kind(run, trained, learned, finished.network(run, trained))
