"""Whether the image that a network gives moves along with its input: equivariance to shifts.

The input is shifted circularly, the prediction shifted back, and compared with the prediction for
the unshifted input: for masks the fraction of pixels that keep their class, `agreement`; for
pictures the mean absolute difference in the data's units, `change`. Where the network makes its
input larger by a factor, its image moves by as many times the shift.

A network of total stride s, the least common multiple of the strides of all of its maps, can only
be equivariant to shifts by multiples of s (Azulay & Weiss 2019, arXiv:1805.12177), so these are
measured, and whatever changes is due to the borders. By distance to the border: that of a pixel is
the smaller one of its two places, before and after the shift. A pixel whose receptive field touches
no border at either place keeps its value exactly, under any padding.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from data import Split
from experiments.probes.shared.of_images import image_scores
from experiments.probes.shared.subject import NotApplicableError, Subject
from experiments.report.pages.pictures import canvas
from experiments.run.evaluation.images import rings

EXAMPLES, CURVE_EXAMPLES = 256, 32
PART = 8  # a shift is at most the size divided by this, or the stride
FARTHEST = 32  # pixels, of the curves
TOLD = 4  # number of distances in the values
AXES = ("down", "right")
SIZE = 4.2, 3.2


def measured(subject: Subject) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The values and the maps of the probe.

    Raises:
        NotApplicableError: the image is not larger than its input by a whole factor, or too few of
            its pixels are given.
    """
    moves = Moves(subject)
    split = image_scores.examples(subject, EXAMPLES)
    reach = [min(n // PART, most) for n, most in zip(split.x.shape[1:3], moves.most, strict=True)]
    offsets = drawn(subject.seed, len(split), moves.steps, reach)
    each, error, over = moves.by_ring(split, offsets)
    ring_sums = each.sum(axis=0)

    def mean(sums: np.ndarray) -> float:
        return float(sums[0].sum() / sums[1].sum())

    def told(value: float | None) -> float | None:
        return value if value is None or not moves.masks else 1.0 - value

    value, low, high = image_scores.interval(each, image_scores.sources(split), mean)
    ends = [told(high), told(low)] if moves.masks else [low, high]
    begins = max(1, min(moves.size) // 4)
    with np.errstate(invalid="ignore"):
        by_distance = ring_sums[0] / ring_sums[1]
    first = [None if np.isnan(v) else told(float(v)) for v in by_distance[:TOLD]]
    inner = ring_sums[:, begins:].sum(axis=1)
    values: dict[str, Any] = {
        "images": len(split),
        "stride": list(moves.stride),
        "multiples_of": list(moves.steps),
        "largest_shift": [int(n) for n in np.abs(offsets).max(axis=0)],
        "circular": {
            moves.what: told(value),
            "low": ends[0],
            "high": ends[1],
            "distances": first,
            "inside": told(float(inner[0] / inner[1])) if inner[1] else None,
        },
    }
    if moves.masks:
        values["wrong"] = error
    else:
        values |= {"error": error, "relative": value / error if error else None}
    maps = {"by_distance": by_distance, "change_map": over}
    curves = image_scores.examples(subject, CURVE_EXAMPLES)
    for axis, name in enumerate(AXES):
        farthest = min(curves.x.shape[1 + axis] // 4, FARTHEST, moves.most[axis])
        along = np.arange(-farthest, farthest + 1)
        offsets_along = np.zeros((len(along), 2), int)
        offsets_along[:, axis] = along
        curve = moves.along(curves, offsets_along)
        values["circular"][name] = told(float(np.delete(curve, farthest).mean()))
        maps |= {f"along_{name}": along, f"circular_{name}": 1 - curve if moves.masks else curve}
    return values, maps


def total_stride(subject: Subject) -> tuple[int, int]:
    """For each axis the least common multiple of the strides of all maps, in input pixels."""
    jumps = [row.effective_stride for row in subject.layers if len(row.output_size) == 2]
    down, right = (math.lcm(*(Fraction(j[i]).numerator for j in jumps)) for i in (0, 1))
    return down, right


def drawn(seed: int, n: int, steps: tuple[int, int], reach: Sequence[int]) -> np.ndarray:
    """Random shifts (n, 2) in pixels, multiples of `steps` up to `reach`, but at least one step.

    None of them is zero on both axes.
    """
    rng = np.random.default_rng([seed, zlib.crc32(b"shift")])
    most = [max(1, far // step) for far, step in zip(reach, steps, strict=True)]
    sides = [2 * m + 1 for m in most]
    count = sides[0] * sides[1]
    found = (count // 2 + rng.integers(1, count, size=n)) % count  # the middle is no shift
    return (np.stack(np.unravel_index(found, sides), axis=-1) - most) * np.asarray(steps)


class Moves:
    """Compares what a network gives for shifted images with what it gives for the images."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        test = subject.loaded.test
        self.masks = subject.of_task.target == "mask"
        self.what = "agreement" if self.masks else "change"
        self.size = (int(test.y.shape[1]), int(test.y.shape[2]))
        taken = test.x.shape[1:3]
        if any(whole % n for whole, n in zip(self.size, taken, strict=True)):
            raise NotApplicableError(
                f"the image of {self.size} pixels is not larger than its input of {taken} by a "
                "whole factor"
            )
        self.factors = [whole // n for whole, n in zip(self.size, taken, strict=True)]
        self.frame = test.frame or image_scores.whole(test)
        self.stride = total_stride(subject)
        # A stride of more than half of the image leaves no shift by a multiple of it.
        down, right = (s if 2 * s <= n else 1 for s, n in zip(self.stride, taken, strict=True))
        self.steps = (down, right)
        # A larger shift moves all that is given out of the frame.
        given = [n // f for (_, n), f in zip(self.frame, self.factors, strict=True)]
        self.most = [n - 1 for n in given]
        if any(most < step for most, step in zip(self.most, self.steps, strict=True)):
            raise NotApplicableError(
                f"the network gives {' × '.join(str(n) for _, n in self.frame)} pixels of the "
                f"image, too few to be compared after a shift of {max(self.steps)}"
            )
        self.rings = rings(*self.size)

    def by_ring(self, split: Split, offsets: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        """Changes by distance, each image shifted by its own offset (n, 2).

        Returns:
            (n, 2, rings), for each image the sum of the changes of the pixels at each distance, and
            their number; the network's own error, of the same kind; and (height, width), the mean
            change of each pixel, NaN where none was compared.
        """
        x = np.asarray(split.x)
        shifted = np.stack([np.roll(a, by, (0, 1)) for a, by in zip(x, offsets, strict=True)])
        found = np.zeros((len(x), 2, self.rings.max() + 1))
        sums, counts, errors = np.zeros(self.size), np.zeros(self.size), np.zeros(2)
        pairs = zip(self._given(x), self._given(shifted), strict=True)
        for (here, base), (_, other) in pairs:
            errors += self._error(base, split, here)
            for i, offset in enumerate(offsets[here]):
                change, distance = self._compared(base[i], other[i], offset)
                known = ~np.isnan(change)
                sums += np.where(known, change, 0)
                counts += known
                for row, weights in enumerate((change[known], None)):
                    found[here.start + i, row] = np.bincount(
                        distance[known], weights, minlength=found.shape[-1]
                    )
        with np.errstate(invalid="ignore"):
            return found, float(errors[0] / errors[1]), sums / counts

    def along(self, split: Split, offsets: np.ndarray) -> np.ndarray:
        """(offsets,), the mean change when all images are shifted by each offset (offsets, 2)."""
        x = np.asarray(split.x)
        base = np.concatenate([given for _, given in self._given(x)])
        changes = []
        for offset in offsets:
            other = np.concatenate([given for _, given in self._given(np.roll(x, offset, (1, 2)))])
            pairs = zip(base, other, strict=True)
            changes.append(np.nanmean([self._compared(a, b, offset)[0] for a, b in pairs]))
        return np.array(changes)

    def _given(self, x: np.ndarray) -> Any:
        """What is compared of the images that are given: classes, or pictures in stored units."""
        for here, given in image_scores.predicted(self.subject.model, x):
            if self.masks:
                yield here, given.argmax(axis=-1)[..., None]
            else:
                yield here, given * np.asarray(self.subject.loaded.spec.target_std)

    def _compared(
        self, base: np.ndarray, other: np.ndarray, offset: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The change of each pixel of the whole image, NaN where it is not given, and distances."""
        back = tuple(-f * int(d) for f, d in zip(self.factors, offset, strict=True))
        moved = np.roll(self._placed(other), back, (0, 1))
        change = np.abs(self._placed(base) - moved)
        change = np.where(change > 0, 1.0, change) if self.masks else change
        return change.mean(axis=-1), np.minimum(self.rings, np.roll(self.rings, back, (0, 1)))

    def _placed(self, given: np.ndarray) -> np.ndarray:
        whole = np.full((*self.size, given.shape[-1]), np.nan)
        whole[tuple(slice(start, start + n) for start, n in self.frame)] = given
        return whole

    def _error(self, base: np.ndarray, split: Split, here: slice) -> np.ndarray:
        """The sum of the network's errors on the pixels that count, and their number."""
        target = split.framed(split.y[here])
        if self.masks:
            counted = target >= 0
            return np.array([(base[..., 0] != target)[counted].sum(), counted.sum()], float)
        wanted = target * np.asarray(self.subject.loaded.spec.target_std)
        error: np.ndarray = np.abs(base - wanted).mean(axis=-1)
        return np.array([error.sum(), error.size])


def line(values: dict[str, Any]) -> str:
    """The main figures in one line."""
    found, masks = values["circular"], "agreement" in values["circular"]

    def number(value: float | None) -> str:
        if value is None:
            return "–"
        return f"{100 * value:.1f}" if masks else f"{value:.3g}"

    keys = ("agreement" if masks else "change", "low", "high")
    middle, low, high = (number(found[key]) for key in keys)
    first, inside = number(found["distances"][0]), number(found["inside"])
    parts = [
        f"same class {middle} % [{low}, {high}]" if masks else f"change {middle} [{low}, {high}]",
        f"outermost pixels {first}   inside {inside}",
        "" if masks else f"the network's own error {number(values['error'])}",
        f"shifts by multiples of {_steps(values)}, n = {values['images']:,}",
    ]
    return "   ".join(part for part in parts if part)


def _steps(values: dict[str, Any]) -> str:
    down, right = values["multiples_of"]
    return f"{down} px" if down == right else f"{down} and {right} px"


def figure(values: dict[str, Any], maps: dict[str, np.ndarray]) -> Figure:
    """Along each axis, by distance to the border, and where in the image."""
    masks = "agreement" in values["circular"]
    label = "pixels that change class, %" if masks else "mean absolute change"
    scale = 100 if masks else 1

    def draw(axis: Axes, what: str) -> None:
        if what == "along":
            for i, name in enumerate(AXES):
                curve = maps[f"circular_{name}"]
                curve = 100 * (1 - curve) if masks else curve
                axis.plot(maps[f"along_{name}"], curve, label=name, **canvas.line(i))
            axis.set(xlabel="shift, px of the input", ylabel=label, title="by shift")
            axis.legend()
        elif what == "distance":
            axis.plot(scale * maps["by_distance"], **canvas.line(0))
            axis.set(xlabel="distance to the border, px of the image", ylabel=label)
            axis.set_title(f"shifts by multiples of {_steps(values)}")
        else:
            change = scale * maps["change_map"]
            most = float(np.nanmax(change)) or 1.0  # nothing changes: the colour of 0
            image = axis.imshow(change, cmap="viridis", vmin=0, vmax=most)
            axis.figure.colorbar(image, ax=axis, fraction=0.046)
            axis.set_title("the same shifts: where")
            return
        axis.set_ylim(bottom=0)
        axis.grid(True)

    return canvas.panels(["along", "distance", "where"], draw, SIZE)
