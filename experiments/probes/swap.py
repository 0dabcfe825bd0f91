"""Swap: the trained weights under every other padding that fits the architecture.

A padding has no weights, so a network's weights fit every other padding; the fall in accuracy shows
how much the network depends on its border values. Nothing is adapted: batch normalisation keeps the
statistics of training, as when a network is moved to a framework with other borders.

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
from experiments.probes.shared.drawing import pixels
from experiments.probes.shared.examples import chosen, classes, difference
from experiments.probes.shared.subject import Measured, NotApplicableError, Subject
from experiments.report.pages.pictures import canvas
from models.geometry.tracing.signature import signature
from models.padding import MODES, NAMED, Padding, PaddingError
from models.padding.definitions import Weight
from models.sizing import random_state_kept

MEASURES = "accuracy of the trained weights under every other padding"
EXAMPLES = 1024  # with about 15 paddings; half an interval of a fall is at most 4 points


def probe(subject: Subject) -> Measured:
    """Accuracy (from 0 to 1) under each padding, and the fall from the network's own, in points.

    Raises:
        NotApplicableError: it is unknown how to build the network, or only one padding fits.
    """
    if subject.rebuild is None:
        raise NotApplicableError("it is unknown how to build the network with another padding")
    index = chosen(subject, EXAMPLES)
    x, labels = subject.loaded.test.x[index], subject.loaded.test.y[index]
    own, mine = _hits(subject.model, x, labels), signature(subject.model)
    names: dict[str, list[str]] = {mine: []}
    under: dict[str, dict[str, Any]] = {}
    unfit = []
    for name in NAMED:
        swapped = carried(subject, name)
        if swapped is None:
            unfit.append(name)
            continue
        computes = signature(swapped)
        if computes not in names and not _is_untrained(NAMED[name]):
            names[computes] = []
            under[name] = _fall(own, _hits(swapped, x, labels))
            under[name]["also"] = names[computes]
        elif computes in names:
            names[computes].append(name)
    if not under:
        raise NotApplicableError("no other padding computes anything different in this network")
    values = {
        "examples": len(index),
        "own": names[mine],
        "accuracy": float(own.mean()),
        "under": under,
        "unfit": unfit,
    }
    return Measured(values, pixels(_figure(values)), line=_line(values))


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


def _fall(own: np.ndarray, hits: np.ndarray) -> dict[str, Any]:
    fall, low, high = (100 * part for part in difference(own, hits))
    return {"accuracy": float(hits.mean()), "fall": fall, "low": low, "high": high}


def _line(values: dict[str, Any]) -> str:
    # 0.0 − x gives no negative zero.
    gains = sorted((0.0 - round(one["fall"], 1), name) for name, one in values["under"].items())
    (least, worst), (most, best) = gains[0], gains[-1]
    return (
        f"own {100 * values['accuracy']:.1f} %   best other {best} {most:+.1f} points   "
        f"worst {worst} {least:+.1f}   n = {values['examples']:,}, {len(gains)} other paddings"
    )


def _figure(values: dict[str, Any]) -> Any:
    return canvas.panels([values], _draw, (6.4, 1.2 + 0.27 * (len(values["under"]) + 1)))


def _draw(axis: Axes, values: dict[str, Any]) -> None:
    own = 100 * values["accuracy"]
    rows = [(_called(name, one["also"]), one) for name, one in values["under"].items()]
    mine = _called(*_split(values["own"])) + ", its own"
    rows.append((mine, {"accuracy": values["accuracy"], "fall": 0.0, "low": 0.0, "high": 0.0}))
    rows.sort(key=lambda row: -row[1]["fall"])
    for i, (name, one) in enumerate(rows):
        accuracy = 100 * one["accuracy"]
        spread = [[one["high"] - one["fall"]], [one["fall"] - one["low"]]]
        axis.barh(i, accuracy, color=canvas.MEAN if name == mine else canvas.DOT, height=0.7)
        if name != mine:
            axis.errorbar(accuracy, i, xerr=spread, color=canvas.INK, lw=1, capsize=2)
        axis.text(1, i, f"{accuracy:.1f}", va="center", color="white", fontsize=8)
    axis.axvline(own, color=canvas.MEAN, lw=0.8, ls="--")
    axis.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=8)
    axis.set_xlim(0, 100)
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.set_title("the trained weights under other paddings")
    axis.set_xlabel("accuracy, %\n(and the 95 % interval of the difference from its own)")


def _split(names: list[str]) -> tuple[str, list[str]]:
    return (names[0], names[1:]) if names else ("none of the named", [])


def _called(name: str, also: list[str]) -> str:
    return " = ".join([name, *also[:2]]) + ", …" * (len(also) > 2)
