"""Swap: the trained weights under every other padding that fits the architecture.

A padding has no weights, so a network's weights fit every other padding; the fall in accuracy, or
in the measure of another task, shows how much the network depends on its border values. Nothing is
adapted: batch normalisation keeps the statistics of training, as when a network is moved to a
framework with other borders. Networks that give images are compared on the pixels that both give.

The paddings are those of `models.padding.NAMED` that compute something different in this network
(`models.geometry.tracing.signature`). Two are left out unless they are the network's own padding:
`learned`, because an untrained border is zeros, and `random`, which equals `mean` at inference.
Overrides for single layers are kept.

Known answer: an alias, such as `symmetric` for `replicate` at one pixel, changes no prediction.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from matplotlib.axes import Axes

import models
from data.tasks import Task
from experiments.probes.shared.drawing import pixels
from experiments.probes.shared.examples import chosen, classes, difference
from experiments.probes.shared.of_images.image_swap import ImageScores
from experiments.probes.shared.subject import Measured, NotApplicableError, Subject
from experiments.report.pages.pictures import canvas
from models.geometry.tracing.signature import signature
from models.padding import MODES, NAMED, Padding, PaddingError
from models.padding.definitions import Weight
from models.sizing import random_state_kept

MEASURES = "accuracy, or the task's measure, of the trained weights under every other padding"
EXAMPLES = 1024  # with about 15 paddings; half an interval of a fall is at most 4 points


def probe(subject: Subject) -> Measured:
    """The measure of the task under each padding, and the fall from the network's own.

    Returns:
        values: `examples`; `own`, the names of the network's own padding; the measure, such as
            `accuracy` (from 0 to 1); `under`, for each other padding that measure, `fall`, in the
            task's unit and positive where it is worse, with `low` and `high`, `also`, its aliases,
            and of images `pixels`, the fraction of the pixels that were compared; `unfit`, the
            paddings that the network does not take.

    Raises:
        NotApplicableError: it is unknown how to build the network, or only one padding fits.
    """
    if subject.rebuild is None:
        raise NotApplicableError("it is unknown how to build the network with another padding")
    scores: Any = (ImageScores if subject.gives_images else ClassScores)(subject)
    mine, task = signature(subject.model), subject.of_task
    names: dict[str, list[str]] = {mine: []}
    under: dict[str, dict[str, Any]] = {}
    unfit = []
    for name in NAMED:
        swapped = carried(subject, name)
        computes = None if swapped is None else signature(swapped)
        if computes in names:
            names[computes].append(name)
        elif computes is None:
            unfit.append(name)
        elif not _is_untrained(NAMED[name]):
            found = scores.under(swapped)
            if found is None:
                unfit.append(name)
                continue
            names[computes] = []
            under[name] = {**found, "also": names[computes]}
    if not under:
        raise NotApplicableError("no other padding computes anything different in this network")
    values = {
        "examples": len(scores.split),
        "own": names[mine],
        task.measure: scores.own(),
        "under": under,
        "unfit": unfit,
    }
    return Measured(values, pixels(_figure(values, task)), line=_line(values, task))


class ClassScores:
    """The accuracy of a network on test examples, and that of others on the same."""

    def __init__(self, subject: Subject) -> None:
        self.split = chosen(subject, EXAMPLES)
        test = subject.loaded.test
        self._x, self._labels = test.x[self.split], test.y[self.split]
        self._own = _hits(subject.model, self._x, self._labels)

    def own(self) -> float:
        """The accuracy of the network itself."""
        return float(self._own.mean())

    def under(self, swapped: keras.Model) -> dict[str, Any]:
        """The accuracy of a network with other borders, and its fall, in points."""
        hits = _hits(swapped, self._x, self._labels)
        fall, low, high = (100 * part for part in difference(self._own, hits))
        return {"accuracy": float(hits.mean()), "fall": fall, "low": low, "high": high}


def _is_untrained(padding: Padding) -> bool:
    """Whether a border has values that training would change, or random values."""
    return padding.draws or any(isinstance(MODES[name], Weight) for name in padding.mode_names)


def carried(subject: Subject, name: str) -> keras.Model | None:
    """The network with a padding of `NAMED` and the trained weights; None if it does not fit.

    Raises:
        NotApplicableError: a weight has no counterpart of the same name.
    """
    assert subject.rebuild is not None
    try:
        with random_state_kept():
            model = subject.rebuild(NAMED[name])
    except (models.ModelError, PaddingError):
        return None
    trained = {variable.path: variable for variable in subject.model.weights}
    for variable in model.weights:
        source = trained.get(variable.path)
        if source is None and variable.name == "border":
            continue  # a learned border, which starts at zero
        if source is None:
            raise NotApplicableError(f"the trained network has no weight {variable.path}")
        if source.shape != variable.shape:
            return None  # a head whose size depends on the last feature map
        variable.assign(source)
    return model


def _hits(model: keras.Model, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The accuracy on each example, (n,): 1 or 0, or a fraction if every step has a class."""
    right = (classes(model, x) == labels) & (labels >= 0)
    if labels.ndim == 1:
        return right.astype(float)
    return right.sum(axis=1) * len(labels) / (labels >= 0).sum()


def _line(values: dict[str, Any], task: Task) -> str:
    """The network's own measure, and by how much it changes under the best and the worst other."""
    falls = {name: one["fall"] for name, one in values["under"].items()}
    best, worst = min(falls, key=falls.__getitem__), max(falls, key=falls.__getitem__)
    sign = -1 if task.higher_is_better else 1
    gain, loss = (_number(sign * falls[name], task, "+") for name in (best, worst))
    label = "" if task.target == "class" else f"{task.label} "
    parts = [
        f"own {label}{_number(task.scale * values[task.measure], task)} {task.unit}".rstrip(),
        f"best other {best} {gain} {task.difference_unit}".rstrip(),
        f"worst {worst} {loss}",
        f"n = {values['examples']:,}, {len(falls)} other paddings",
    ]
    return "   ".join(parts)


def _number(value: float, task: Task, sign: str = "") -> str:
    """In the task's unit; no zero has a minus."""
    digits = {"%": 1, "": None}.get(task.unit, 2)
    if digits is None:
        return f"{0.0 + value:{sign}.{3 if sign else 4}g}"
    return f"{0.0 + round(value, digits):{sign}.{digits}f}"


def _figure(values: dict[str, Any], task: Task) -> Any:
    def draw(axis: Axes, found: dict[str, Any]) -> None:
        _draw(axis, found, task)

    return canvas.panels([values], draw, (6.4, 1.2 + 0.27 * (len(values["under"]) + 1)))


def _draw(axis: Axes, values: dict[str, Any], task: Task) -> None:
    own = task.scale * values[task.measure]
    rows = [(_called(name, one), one) for name, one in values["under"].items()]
    first, *others = values["own"] or ["none of the named"]
    mine = _called(first, {"also": others}) + ", its own"
    rows.append((mine, {task.measure: values[task.measure], "fall": 0.0, "low": None}))
    rows.sort(key=lambda row: -row[1]["fall"])
    for i, (name, one) in enumerate(rows):
        value = task.scale * one[task.measure]
        axis.barh(i, value, color=canvas.MEAN if name == mine else canvas.DOT, height=0.7)
        if one["low"] is not None:
            spread = [[one["high"] - one["fall"]], [one["fall"] - one["low"]]]
            spread = spread if task.higher_is_better else spread[::-1]
            axis.errorbar(value, i, xerr=spread, color=canvas.INK, lw=1, capsize=2)
        beside = axis.get_yaxis_transform()
        axis.text(1.01, i, _number(value, task), transform=beside, va="center", fontsize=8)
    axis.axvline(own, color=canvas.MEAN, lw=0.8, ls="--")
    axis.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=8)
    if task.unit == "%":
        axis.set_xlim(0, 100)
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.set_title("the trained weights under other paddings")
    unit = f", {task.unit}" if task.unit else ""
    axis.set_xlabel(f"{task.label}{unit}\n(and the 95 % interval of the difference from its own)")


def _called(name: str, one: dict[str, Any]) -> str:
    """A padding with its first aliases, and on how many pixels it was compared if not on all."""
    also, share = one["also"], one.get("pixels", 1.0)
    part = f" (on {100 * share:.0f} % of the pixels)" if share < 1 else ""
    return " = ".join([name, *also[:2]]) + ", …" * (len(also) > 2) + part
