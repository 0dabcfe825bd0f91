"""Shared by the probes: the choice of test examples, and the network's predictions for them."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from experiments.probes.shared.subject import NotApplicableError, Subject
from experiments.run.evaluation.diverged import DivergedError

BATCH = 256


def chosen(subject: Subject, limit: int) -> np.ndarray:
    """Indices of at most `limit` test examples, evenly spread, so that all classes occur.

    If the test split has subsets, the examples are from the first, as for the test accuracy.
    """
    test = subject.loaded.test
    inside = np.arange(len(test))
    if test.subset is not None:
        inside = inside[test.subset == test.subset[0]]
    return inside[np.unique(np.linspace(0, len(inside) - 1, limit).round().astype(int))]


def one_class(subject: Subject, probe: str) -> None:
    """Raise NotApplicableError if the data has a class for every step of a sequence."""
    if subject.loaded.spec.scored_steps is not None:
        raise NotApplicableError(
            f"the data has a class for each of the last {subject.loaded.spec.scored_steps} steps, "
            f"but {probe} shifts whole examples with one class each"
        )


def classes(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """The predicted class of each example; (n,), or (n, steps).

    Raises:
        DivergedError: if an output is not finite.
    """
    logits = outputs(model, x)
    if not np.isfinite(logits).all():
        raise DivergedError("the network's outputs are not finite")
    return logits.argmax(axis=-1)


def outputs(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """The network's outputs for each example, at inference; float32."""
    batches = range(0, len(x), BATCH)
    # `predict` sets up a data pipeline on every call, which costs more than these batches.
    found = [model.predict_on_batch(x[i : i + BATCH]) for i in batches]
    return np.concatenate([np.asarray(part, np.float32) for part in found])


def right(told: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether each scored label (not -1) was predicted; bool, one axis."""
    scored = labels >= 0
    return (told == labels)[scored]


def interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion, from independent examples."""
    from scipy.stats import binomtest

    found: Any = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def difference(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Mean of a − b, paired, and its 95 % interval under normal approximation."""
    apart = a.astype(float) - b.astype(float)
    half = 1.96 * apart.std(ddof=1) / math.sqrt(len(apart)) if len(apart) > 1 else 0.0
    return float(apart.mean()), float(apart.mean() - half), float(apart.mean() + half)
