"""Shift consistency: how often a network predicts the same class for two shifts of one image.

Zhang 2019, "Making convolutional networks shift-invariant again" (ICML, arXiv:1904.11486): the
fraction of pairs of random shifts with the same predicted class, right or wrong. Kayhan & van
Gemert 2020 (arXiv:2003.07064) add accuracy along the diagonal. Both crop a larger image; here the
image has the network's size, so it is shifted `filled` with background, and `circular`. The two
shifts of a pair differ, each up to 1/8 of the size on every axis (theirs: 32 of 256 pixels).

A network that gives an image has no one class that could stay the same: its image must move along
(`experiments.probes.shared.of_images.image_shift`), and only under circular shifts. Where content
is lost and background enters, the right answer is another one.

Known answer: exactly 100 % under circular shifts for circular padding, stride 1 and global
pooling, trained or not, because the feature maps shift with the image and pooling ignores position.
For the same reason a circular network's image moves along with shifts by multiples of its stride.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from experiments.probes.shared.drawing import pixels
from experiments.probes.shared.examples import chosen, classes, interval, one_class
from experiments.probes.shared.moving import WAYS, background, moved, told
from experiments.probes.shared.of_images import image_shift
from experiments.probes.shared.subject import Measured, Subject
from experiments.report.pages.pictures import canvas

MEASURES = "shift consistency: whether classes stay the same, and images move along, on shifts"
PAIRS = 1024  # one pair per image, so they are independent; half an interval <= 3.1 points
DIAGONAL_EXAMPLES = 512
PART = 8  # a shift is at most the size divided by this
SIZE = 4.2, 3.0


def probe(subject: Subject) -> Measured:
    """Consistency with its 95 % interval, and accuracy along the diagonal (from 0 to 1).

    Of images: `agreement` (from 0 to 1) or `change` (in the data's units) under circular shifts,
    with its interval, by distance to the border, and along each axis; beside the network's error.

    Raises:
        NotApplicableError: if every step of a sequence has a class.
    """
    if subject.gives_images:
        found, maps = image_shift.measured(subject)
        return Measured(
            found, pixels(image_shift.figure(found, maps)), maps, image_shift.line(found)
        )
    one_class(subject, "shift")
    sizes = subject.loaded.spec.input_shape[:-1]
    values: dict[str, Any] = {"largest_shift": [largest(n) for n in sizes]}
    for way in WAYS:
        values[way] = _consistency(subject, way)
    along, curves = _diagonal(subject)
    for way in WAYS:
        values[way] |= {
            "diagonal_accuracy": float(curves[f"{way}_accuracy"].mean()),
            "diagonal_agreement": float(
                np.delete(curves[f"{way}_agreement"], len(along) // 2).mean()
            ),
        }
    figure = canvas.panels(WAYS, lambda axis, way: _draw(axis, way, along, curves, values), SIZE)
    return Measured(values, pixels(figure), {"along": along, **curves}, _line(values))


def largest(size: int) -> int:
    """The largest shift on an axis, in pixels."""
    return max(1, size // PART)


def pairs(rng: np.random.Generator, n: int, most: tuple[int, ...]) -> np.ndarray:
    """Random shifts (n, 2, axes), each within ±`most`; the two of a pair differ."""
    sides = [2 * m + 1 for m in most]
    count = int(np.prod(sides))
    first = rng.integers(count, size=n)
    second = (first + rng.integers(1, count, size=n)) % count
    found = np.stack(np.unravel_index(np.stack([first, second], axis=1), sides), axis=-1)
    return found - np.array(most)


def _consistency(subject: Subject, way: str) -> dict[str, Any]:
    index, fill = chosen(subject, PAIRS), background(subject)
    rng = np.random.default_rng([subject.seed, zlib.crc32(b"shift")])
    most = tuple(largest(n) for n in subject.loaded.spec.input_shape[:-1])
    drawn = pairs(rng, len(index), most)
    x = subject.loaded.test.x[index]
    first, second = (
        classes(
            subject.model,
            np.concatenate(
                [
                    moved(x[i : i + 1], offset, way, fill)
                    for i, offset in enumerate(drawn[:, member])
                ]
            ),
        )
        for member in (0, 1)
    )
    same = int((first == second).sum())
    low, high = interval(same, len(index))
    return {"consistency": same / len(index), "low": low, "high": high, "pairs": len(index)}


def _diagonal(subject: Subject) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Offsets along the diagonal; at each, accuracy and agreement with the unshifted image."""
    index = chosen(subject, DIAGONAL_EXAMPLES)
    x, labels = subject.loaded.test.x[index], subject.loaded.test.y[index]
    farthest = min(2 * largest(n) for n in x.shape[1:-1])
    along = np.arange(-farthest, farthest + 1)
    curves = {}
    for way in WAYS:
        found = told(subject, x, [(int(d),) * (x.ndim - 2) for d in along], way)
        curves[f"{way}_accuracy"] = (found == labels).mean(axis=1)
        curves[f"{way}_agreement"] = (found == found[farthest]).mean(axis=1)
    return along, curves


def _line(values: dict[str, Any]) -> str:
    parts = []
    for way in WAYS:
        found = values[way]
        share, low, high = (100 * found[key] for key in ("consistency", "low", "high"))
        parts.append(f"{way} {share:.1f} % [{low:.1f}, {high:.1f}]")
    return f"consistency {'   '.join(parts)}   n = {found['pairs']:,} pairs"


def _draw(
    axis: Axes, way: str, along: np.ndarray, curves: dict[str, np.ndarray], values: dict[str, Any]
) -> None:
    lowest = 100 * min(curve.min() for curve in curves.values())
    for i, what in enumerate(("agreement", "accuracy")):
        label = {"agreement": "same as unshifted", "accuracy": "right"}[what]
        axis.plot(along, 100 * curves[f"{way}_{what}"], label=label, **canvas.line(i))
    axis.set_ylim(lowest - 3, 101.5)
    axis.set_title(f"{way}: consistency {100 * values[way]['consistency']:.1f} %")
    axis.set_xlabel("shift along the diagonal, px")
    axis.set_ylabel("%")
    axis.grid(True)
    axis.legend(loc="lower center")
