"""Predictions and accuracies of a network that gives classes."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np

from data import Spec, Split
from experiments.run.evaluation.diverged import DivergedError
from experiments.run.loop.batches import ordered_batches

# Margin: pixels from the object's bounding box to the nearest border; negative if cut by it.
MARGIN_EDGES = (-4, 0, 3, 6)


def predict(model: keras.Model, split: Split, *, batch_size: int = 256) -> dict[str, np.ndarray]:
    """For each label: id, label, predicted class, probability of the true class (float64 softmax).

    An example has one label, or one for each scored step; all its rows have the same id.
    """
    batches = ordered_batches(split, batch_size=batch_size)
    logits = np.asarray(model.predict(batches, verbose=0), np.float64)
    if not np.isfinite(logits).all():
        raise DivergedError("the network's outputs on the test split are not finite")
    scored = split.y >= 0
    example, label, logits = np.nonzero(scored)[0], split.y[scored], logits[scored]
    probabilities = softmax(logits)
    predictions = {
        "id": split.ids[example],
        "label": label,
        "predicted": logits.argmax(axis=1).astype(np.int32),
        "probability": probabilities[np.arange(len(logits)), label],
    }
    if split.source_ids is not None:
        predictions["source_id"] = split.source_ids[scored]
    if split.margin is not None:
        predictions["margin"] = split.margin[example]
    if split.subset is not None:
        predictions["subset"] = split.subset[example]
    return predictions


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of float64 logits (…, classes)."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def accuracies(predictions: dict[str, np.ndarray] | None, spec: Spec) -> dict[str, Any]:
    """Accuracy overall, by class and, if the data has margins, by margin (between 0 and 1).

    If the test split has several subsets, these accuracies are those of the first, and the accuracy
    of every subset is added. Without predictions the test accuracy is None.
    """
    if predictions is None:
        return {"test_accuracy": None}
    subset = predictions.get("subset")
    if subset is not None:
        first = predictions["subset"] == subset[0]
        everything, predictions = predictions, {k: v[first] for k, v in predictions.items()}
    label = predictions["label"]
    right = predictions["predicted"] == label
    per_class = {
        name: float(right[label == i].mean())
        for i, name in enumerate(spec.class_names)
        if (label == i).any()
    }
    found: dict[str, Any] = {"test_accuracy": float(right.mean()), "per_class_accuracy": per_class}
    if "margin" in predictions:
        found["accuracy_by_margin"] = by_margin(predictions["margin"], right)
    if subset is not None:
        found["accuracy_by_subset"] = by_subset(
            subset, everything["predicted"] == everything["label"]
        )
    return found


def by_subset(subset: np.ndarray, right: np.ndarray) -> dict[str, dict[str, float]]:
    """Accuracy and count of each subset, in the order of the subsets in the data."""
    found = {}
    for name in dict.fromkeys(subset.tolist()):
        inside = subset == name
        found[name] = {"accuracy": float(right[inside].mean()), "n": int(inside.sum())}
    return found


def by_margin(margin: np.ndarray, right: np.ndarray) -> dict[str, dict[str, float]]:
    """Accuracy and count in bins of margin, named by their bounds in pixels (lower included)."""
    bounds = [-np.inf, *MARGIN_EDGES, np.inf]
    names = [f"below {MARGIN_EDGES[0]}"]
    names += [f"{low} to {high}" for low, high in itertools.pairwise(MARGIN_EDGES)]
    names += [f"from {MARGIN_EDGES[-1]}"]
    bins = {}
    for name, low, high in zip(names, bounds, bounds[1:], strict=False):
        inside = (margin >= low) & (margin < high)
        if inside.any():
            bins[name] = {"accuracy": float(right[inside].mean()), "n": int(inside.sum())}
    return bins
