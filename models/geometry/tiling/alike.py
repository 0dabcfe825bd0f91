"""Which outputs of a window of the image are those of the whole image, on one axis.

A network runs on the pixels [a, a + n) of an image of N. Where n and N leave the same remainder by
the period of all strides, and a is a multiple of it, each map of the window is a piece of the
whole's: its layers pad, stride and crop alike. Its pixels are alike, too, but for those that have
read beyond an edge of the window that is not an edge of the image: there the network's padding lies
where the image goes on. This module follows them from layer to layer, pixel by pixel.

It also finds what no window can know: a border whose pixels come from the far end of a map, and a
layer that reads all of its map. The windows are the overlap tiles of Ronneberger et al. 2015,
"U-Net" (arXiv:1505.04597), Figure 2, for any network that can be traced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from keras import layers

from ...layers.base import Bordered, is_of
from ...padding import MODES
from ...padding.amounts import is_split, pad_amounts
from ...padding.axes import terms
from ...padding.definitions import PlaneRule, Statistic
from ...padding.modes import ZEROS
from ..reach.responses import Axis
from ..reach.upward import Spread
from ..tracing.graph import Step
from ..tracing.kinds import kind_of, whole_axes
from ..tracing.trace import Followed
from ..tracing.windows import (
    border_of,
    cuts,
    plain_taps,
    reads_border,
    resamplings,
    shifts,
    window,
)

Sides = tuple[bool, bool]
WRITTEN = 1  # a place beyond the end of a map, for pixels of a border that show none of it


@dataclass(frozen=True)
class Piece:
    """A map of the window on one axis.

    Attributes:
        alike: for each pixel whether it is that of the whole image's map, (size,).
        whole: pixels of the whole image's map.
    """

    alike: np.ndarray
    whole: int

    @property
    def size(self) -> int:
        """Pixels of the window's map."""
        return len(self.alike)


@dataclass
class Seen:
    """What a walk through a network finds on one axis.

    Attributes:
        last: the map that the network gives; None where it gives none.
        far: why no window is enough, a clause for each layer that reads all of a map on this axis,
            or pads it from its far end.
        spread: the same for layers that pad with what both axes of the map hold.
        unmet: where the walk ends before its end, a clause: maps of unequal size meet, or one
            shrinks to nothing.
    """

    last: Piece | None = None
    far: list[str] = field(default_factory=list)
    spread: list[str] = field(default_factory=list)
    unmet: str | None = None


def seen(followed: Followed, axis: int, size: int, whole: int, inner: Sides) -> Seen:
    """Follow a window through a network.

    Args:
        followed: a network with one input and one output that are maps.
        axis: which of its spatial axes.
        size: pixels of the window.
        whole: pixels of the image, which leave the same remainder by the network's period.
        inner: for the start and the end of the window whether the image goes on there.
    """
    found = Seen()
    pieces: dict[int, Piece] = {}
    for step in followed.steps:
        if not followed.fields[step.outputs[0]]:
            continue
        maps = [pieces[i] for i in followed.maps(step)]
        piece = (
            _after(step, axis, maps, inner, found) if maps else Piece(np.ones(size, bool), whole)
        )
        if piece is None or piece.size < 1:
            what = "maps of unequal size meet" if len(maps) > 1 else "nothing is left of the map"
            found.unmet = f"{what} at layer '{step.name}'"
            return found
        if any(i in followed.whole for i in step.inputs):
            found.far.append(f"'{step.name}' joins in what was computed from a whole map")
        stride = followed.fields[step.outputs[0]][axis].effective_stride
        if (piece.whole - piece.size) * stride != whole - size:
            found.far.append(f"'{step.name}' gives a map of a size that does not follow the image")
        pieces.update(dict.fromkeys(step.outputs, piece))
    found.last = pieces.get(followed.results[0])
    return found


def _after(step: Step, axis: int, maps: list[Piece], inner: Sides, found: Seen) -> Piece | None:
    kind, piece = kind_of(step.layer), maps[0]
    if kind == "merge":
        if len({(one.size, one.whole) for one in maps}) > 1:
            return None
        return Piece(np.all([one.alike for one in maps], axis=0), piece.whole)
    if kind == "window":
        return _slid(step, axis, piece, inner, found)
    if kind == "spread":
        return _spread(step, axis, piece, inner, found)
    if kind == "resample":
        return _resampled(step, axis, piece, inner, found)
    if kind == "shift":
        return _shifted(step, axis, piece, inner, found)
    if whole_axes(step.layer, len(step.output_shape) - 2)[axis]:
        found.far.append(f"'{step.name}' normalises over the whole map")
    if _weighs_pixels(step.layer, axis, len(step.output_shape) - 2):
        found.far.append(f"'{step.name}' has weights for each pixel of its map")
    return piece


def _weighs_pixels(layer: Any, axis: int, rank: int) -> bool:
    """Whether an elementwise layer does something else at each place of an axis."""
    if isinstance(layer, layers.PReLU):
        return axis + 1 not in (layer.shared_axes or ())
    if isinstance(layer, layers.Normalization):
        given = (layer.axis,) if isinstance(layer.axis, int) else tuple(layer.axis or ())
        return axis + 1 in {i % (rank + 2) for i in given}
    return False


def _slid(step: Step, axis: int, piece: Piece, inner: Sides, found: Seen) -> Piece | None:
    layer, rank = step.layer, len(step.output_shape) - 2
    k, s, d = (values[axis] for values in window(layer))
    amount = border_of(layer).amounts(rank)[axis]
    here, there = (pad_amounts(amount, n, k, s, d) for n in (piece.size, piece.whole))
    split = is_split(amount, piece.size, k, s, d)
    if here != there:
        found.far.append(f"'{step.name}' pads other numbers of pixels at other sizes")
    mode = border_of(layer).modes(rank)[axis] if reads_border(layer) else ZEROS
    padded = _padded(step.name, piece, here, mode, inner, found)
    axes = [Axis(n, *here, ZEROS, k, s, d, split) for n in (piece.size, piece.whole)]
    if axes[0].outputs < 1:
        return None
    reads = [padded[axes[0].taps(side)].all(axis=1) for side in range(1 + split)]
    return Piece(np.all(reads, axis=0), axes[1].outputs)


def _spread(step: Step, axis: int, piece: Piece, inner: Sides, found: Seen) -> Piece | None:
    layer, rank = step.layer, len(step.output_shape) - 2
    kernel_size, strides, dilation_rate = (values[axis] for values in window(layer))
    taps, (cut, cut_after) = plain_taps(kernel_size, dilation_rate), cuts(layer)[axis]
    beyond = taps[-1] + 1 - cut - cut_after
    outputs, whole = ((n - 1) * strides + beyond for n in (piece.size, piece.whole))
    if outputs < 1:
        return None
    around = (0, 0)
    if is_of(layer, Bordered):
        around = layer.input_widths((piece.size,) * rank)[axis]
    padded = _padded(step.name, piece, around, border_of(layer).modes(rank)[axis], inner, found)
    pixels, reads = Spread(piece.size, outputs, taps, strides, cut).taps()
    alike = ~reads | _looked_up(padded, pixels + around[0], inner)
    return Piece(alike.all(axis=1), whole)


def _resampled(step: Step, axis: int, piece: Piece, inner: Sides, found: Seen) -> Piece:
    rank = len(step.output_shape) - 2
    here, there = (
        resamplings(step.name, step.layer, (None, *(n,) * rank, None))[axis]
        for n in (piece.size, piece.whole)
    )
    if here.new * there.old != there.new * here.old:
        found.far.append(f"'{step.name}' resizes to a fixed size")
    outputs, whole = piece.size * here.new // here.old, piece.whole * there.new // there.old
    twice = (2 * np.arange(outputs) + 1) * here.old - here.bilinear * here.new
    low = twice // (2 * here.new)
    high = -(-twice // (2 * here.new)) if here.bilinear else low
    # At an edge of the image the pixel beyond it is that of the edge.
    alike = [
        piece.alike[np.clip(read, 0, piece.size - 1)]
        & ~((read < 0) & inner[0])
        & ~((read >= piece.size) & inner[1])
        for read in (low, high)
    ]
    return Piece(alike[0] & alike[1], whole)


def _shifted(step: Step, axis: int, piece: Piece, inner: Sides, found: Seen) -> Piece | None:
    layer, rank = step.layer, len(step.output_shape) - 2
    here, there = (
        shifts(layer, (None, *(n,) * rank, None))[axis] for n in (piece.size, piece.whole)
    )
    if here != there:
        found.far.append(f"'{step.name}' crops to a fixed size")
    if here is None or there is None:
        return None
    before, after = here
    mode = layer.border.modes(rank)[axis] if is_of(layer, Bordered) else ZEROS
    added = (max(0, before), max(0, after))
    padded = _padded(step.name, piece, added, mode, inner, found)
    kept = padded[max(0, -before) : len(padded) - max(0, -after)]
    return Piece(kept, piece.whole + before + after)


def _padded(
    name: str, piece: Piece, widths: tuple[int, int], mode: str, inner: Sides, found: Seen
) -> np.ndarray:
    """Return which pixels of the padded map are alike, (before + size + after,)."""
    sides = []
    rule = MODES[mode]
    spreads = isinstance(rule, (Statistic, PlaneRule)) and any(widths)
    if spreads:
        found.spread.append(f"mode '{mode}' pads '{name}' with what the whole map holds")
    for side, width in enumerate(widths):
        alike = np.full(width, not inner[side] and not spreads)
        if rule.by_axis and not inner[side] and width:
            alike, near = _shown(piece, widths, mode, side)
            if not near.all():
                found.far.append(f"mode '{mode}' pads '{name}' from the far end of its map")
        sides.append(alike)
    return np.concatenate([sides[0], piece.alike, sides[1]])


def _shown(
    piece: Piece, widths: tuple[int, int], mode: str, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return of a border's pixels which are alike, and which show the same places at both sizes.

    A place is counted from the edge that the border lies at.
    """
    here, there = (_places(n, widths, mode, side) for n in (piece.size, piece.whole))
    alike, near = np.ones(widths[side], bool), np.ones(widths[side], bool)
    if len(here) != len(there):
        return ~alike, ~near
    for (place, index, weight), (other, _, its) in zip(here, there, strict=True):
        near &= (place == other) & (weight == its)
        alike &= piece.alike[np.maximum(index, 0)] | (place == WRITTEN)
    return alike & near, near


def _places(
    size: int, widths: tuple[int, int], mode: str, side: int
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return (place from the edge, index, weight) of each pixel that a border is made of."""
    before, after = widths
    own = slice(0, before) if side == 0 else slice(before + size, None)
    found = []
    for index, weight in terms(size, before, after, mode):
        shown = index[own]
        weights = np.ones(len(shown), int) if weight is None else np.asarray(weight)[own]
        nothing = (shown < 0) | (weights == 0)
        # Less than nothing at either side: from the first pixel to the left, from the last one on.
        place = -1 - shown if side == 0 else shown - size
        found.append((np.where(nothing, WRITTEN, place), shown, np.where(nothing, 0, weights)))
    return found


def _looked_up(alike: np.ndarray, places: np.ndarray, inner: Sides) -> np.ndarray:
    """Return which places are alike; beyond an edge of the image there is nothing to differ."""
    inside = alike[np.clip(places, 0, len(alike) - 1)]
    beyond: Sequence[Any] = (places < 0, places >= len(alike))
    return np.where(beyond[0], not inner[0], np.where(beyond[1], not inner[1], inside))
