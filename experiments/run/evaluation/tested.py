"""What a trained network does on the test split, by its task: predictions, and results of them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from data import Spec, Split
from data.tasks import TASKS
from experiments.run.evaluation import classes, images

Predictions = dict[str, np.ndarray]


def predict(model: keras.Model, split: Split, spec: Spec, task: str) -> Predictions:
    """The columns of a prediction file: those of `classes.predict` or of `images.predict`.

    Raises:
        DivergedError: an output is not finite.
    """
    if TASKS[task].target == "class":
        return classes.predict(model, split)
    return images.predict(model, split, spec, task)


def results(predictions: Predictions | None, spec: Spec, task: str) -> dict[str, Any]:
    """The entries of results.json about the test split; the measure is None without predictions."""
    if TASKS[task].target == "class":
        return classes.accuracies(predictions, spec)
    if predictions is None:
        return {f"test_{TASKS[task].measure}": None}
    return images.results(predictions, spec, task)


def results_at(tested: dict[int, Predictions], spec: Spec, task: str) -> dict[str, Any]:
    """The test measure after earlier epochs: {"test_accuracy_at": {"3": 0.81}}."""
    name = f"test_{TASKS[task].measure}"
    found = {str(e): results(p, spec, task)[name] for e, p in sorted(tested.items())}
    return {f"{name}_at": found} if found else {}


def cost(model: keras.Model, layers: list[dict[str, Any]]) -> dict[str, Any]:
    """The cost of a network: parameters, MACs per example and size of the last feature map.

    A network that cannot be traced has no MACs and no map size.
    """
    maps = [layer["output_size"] for layer in layers if layer["output_size"]]
    return {
        "parameters": model.count_params(),
        "macs": sum(layer["macs"] or 0 for layer in layers) if layers else None,
        "final_map_size": list(maps[-1]) if maps else [],
    }
