"""Accuracy by position: how accuracy changes when the image is shifted.

Two maps over a grid of offsets, on the same examples. `circular`: pixels that leave on one side
enter on the other, so nothing is lost. `filled`: pixels that leave are lost and background enters,
as in a crop of a larger image; large offsets cost any network accuracy, because they cut the
object. If the data has margins, also accuracy by the distance from the object to the border.

Known answers: circular padding, stride 1 and global pooling give a flat circular map, because a
circular convolution commutes with a circular shift; a network that reads one corner is right only
if the object is shifted into it. After Kayhan & van Gemert 2020 (arXiv:2003.07064), who ask
whether a network knows where in the image an object is.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from experiments.probes.shared.drawing import pixels
from experiments.probes.shared.examples import chosen, classes, one_class
from experiments.probes.shared.moving import WAYS, told
from experiments.probes.shared.subject import Measured, NotApplicableError, Subject
from experiments.report.pages.pictures import canvas
from experiments.run.evaluation.classes import by_margin

MEASURES = "accuracy by margin (distance to the border) and by position, on shifted images"
EXAMPLES = 256  # 81 offsets of two kinds give 41,472 images; sd of a grid cell <= 3.1 points
MARGIN_EXAMPLES = 4096  # each is evaluated once
STEPS = {1: 10, 2: 4}  # number of offsets on either side of 0, by the number of axes
REACH = 4  # the largest offset is the size divided by this
SIZE = 4.1, 3.4


def probe(subject: Subject) -> Measured:
    """Accuracy (from 0 to 1) over a grid of offsets, for images and for sequences.

    Raises:
        NotApplicableError: if every step of a sequence has a class, or the network gives images.
    """
    if subject.gives_images:
        raise NotApplicableError(
            "an image that is given must move along with its input, which shift measures; what the "
            "border costs is the error by distance to the border, of every run"
        )
    one_class(subject, "position")
    index = chosen(subject, EXAMPLES)
    x, labels = subject.loaded.test.x[index], subject.loaded.test.y[index]
    axes = [offsets(size, STEPS[x.ndim - 2]) for size in x.shape[1:-1]]
    grid = list(itertools.product(*axes))
    maps = {}
    for way in WAYS:
        accuracy = (told(subject, x, grid, way) == labels).mean(axis=1)
        maps[way] = accuracy.reshape([len(axis) for axis in axes])
    values: dict[str, Any] = {
        "examples": len(index),
        "accuracy": float(maps[WAYS[0]][tuple(len(axis) // 2 for axis in axes)]),
        **{way: _summary(maps[way].ravel(), grid) for way in WAYS},
    }
    if subject.loaded.test.margin is not None:
        values["by_margin"] = _margins(subject)
    figure = canvas.panels(WAYS, lambda axis, way: _draw(axis, way, maps, axes), SIZE)
    stored = {**maps, **{f"offsets_{i}": axis for i, axis in enumerate(axes)}}
    return Measured(values, pixels(figure), stored, _line(values))


def offsets(size: int, steps: int) -> np.ndarray:
    """At most 2 · `steps` + 1 whole pixels, −size // REACH to size // REACH, 0 in the middle."""
    farthest = max(1, size // REACH)
    side = np.unique(np.linspace(0, farthest, steps + 1).round().astype(int))
    return np.concatenate([-side[:0:-1], side])


def _summary(accuracy: np.ndarray, grid: list[tuple[int, ...]]) -> dict[str, Any]:
    low, high = int(accuracy.argmin()), int(accuracy.argmax())
    return {
        "mean": float(accuracy.mean()),
        "lowest": float(accuracy[low]),
        "lowest_at": [int(d) for d in grid[low]],
        "highest": float(accuracy[high]),
        "highest_at": [int(d) for d in grid[high]],
    }


def _margins(subject: Subject) -> dict[str, dict[str, float]]:
    test, index = subject.loaded.test, chosen(subject, MARGIN_EXAMPLES)
    assert test.margin is not None
    hits = classes(subject.model, test.x[index]) == test.y[index]
    return by_margin(test.margin[index], hits)


def _line(values: dict[str, Any]) -> str:
    parts = [f"unshifted {100 * values['accuracy']:.1f} %"]
    for way in WAYS:
        found = values[way]
        parts.append(f"{way} {100 * found['lowest']:.1f} to {100 * found['highest']:.1f} %")
    return "   ".join(parts)


def _draw(axis: Axes, way: str, maps: dict[str, np.ndarray], axes: list[np.ndarray]) -> None:
    accuracy = 100 * maps[way]
    low = 100 * min(m.min() for m in maps.values())
    high = 100 * max(m.max() for m in maps.values())
    axis.set_title(f"shifted, {way}: accuracy, %")
    if accuracy.ndim == 1:
        axis.plot(axes[0], accuracy, color=canvas.DOT, marker="o", ms=3)
        axis.set_ylim(low - 2, high + 2)
        axis.axvline(0, color=canvas.INK, lw=0.6, ls=":")
        axis.set_xlabel("shifted by, steps (positive: later)")
        axis.set_xticks(axes[0][::2])
        axis.grid(True)
        return
    image = axis.imshow(accuracy, cmap="viridis", vmin=low, vmax=high)
    for (row, column), value in np.ndenumerate(accuracy):
        dark = value < (low + high) / 2
        colour = "white" if dark else "black"
        axis.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=6, color=colour)
    for ticks, labels, there in zip(
        (axis.set_yticks, axis.set_xticks), ("down, px", "right, px"), axes, strict=True
    ):
        ticks(range(len(there)), [str(d) for d in there])
        (axis.set_ylabel if labels.startswith("down") else axis.set_xlabel)(labels)
    axis.figure.colorbar(image, ax=axis, fraction=0.046)
