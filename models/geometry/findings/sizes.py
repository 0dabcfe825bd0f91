"""One axis of a network at any input size, found by arithmetic: nothing is built anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras

from ...padding.amounts import AxisAmount, is_causal, is_split, pad_amounts
from .. import arithmetic
from ..tracing.graph import Step
from ..tracing.kinds import kind_of
from ..tracing.trace import Followed
from ..tracing.windows import border_of, shifts, window

LARGEST = 8192
ZERO_PADDING = (keras.layers.ZeroPadding1D, keras.layers.ZeroPadding2D)


@dataclass(frozen=True)
class Slide:
    """How a window slides over a map, on one axis; a ZeroPadding before it counts as its pad.

    Attributes:
        name: of the row.
        amount: what was asked for: an amount's name, pixels, or (before, after).
        size: pixels of the map, without padding.
        before, after: pixels of padding.
        written: whether a ZeroPadding pads one side more than the other.
        span: pixels of the dilated window.
        stride: of the window.
        stride_before: input pixels between neighbours of the map.
    """

    name: str
    amount: AxisAmount
    size: int
    before: int
    after: int
    written: bool
    span: int
    stride: int
    stride_before: int

    @property
    def rest(self) -> int:
        """Pixels at the end of the padded map to which the stride does not reach."""
        return (self.size + self.before + self.after - self.span) % self.stride

    @property
    def causal(self) -> bool:
        """Whether it was asked to look back only."""
        if is_causal(self.amount):
            return True
        given = self.amount == "valid" or not isinstance(self.amount, str)
        return given and self.after == 0 and self.before == self.span - 1 > 0

    @property
    def even(self) -> bool:
        """Whether the stride takes the same of both sides, and reaches the end."""
        return self.stride == 1 or ((self.causal or self.before == self.after) and not self.rest)


@dataclass
class Line:
    """An axis of a network at one input size.

    Attributes:
        slides: every window, in the order of the trace.
        apart: for each merge how far its branches lie apart, in input pixels: the outermost
            centres of their first outputs, and the newest pixels that those see.
        last: pixels of the last map.
    """

    slides: list[Slide] = field(default_factory=list)
    apart: dict[str, tuple[float, int]] = field(default_factory=dict)
    last: int = 0

    @property
    def even(self) -> bool:
        """Whether every stride takes the same of both sides."""
        return all(slide.even for slide in self.slides)

    @property
    def roomy(self) -> bool:
        """Whether every window finds a map that is as large as itself, and more than a pixel."""
        return self.last > 1 and all(slide.span <= slide.size for slide in self.slides)


@dataclass(frozen=True)
class _Place:
    """A map on one axis: its pixels, its frame of zeros, and where the first output looks.

    `again` says that its reader pads it.
    """

    size: int
    frame: tuple[int, int] = (0, 0)
    first: int = 0
    last: int = 0
    stride: int = 1
    again: bool = False


def line(followed: Followed, axis: int, size: int, *, anew: bool = False) -> Line | None:
    """Return an axis of a network on an input of `size` pixels; None if it does not take it.

    Args:
        anew: whether a ZeroPadding that pads one side more is taken as SAME written down: as
            though the network had been built for this size.
    """
    found = Line()
    places: dict[int, _Place] = {}
    for step in followed.steps:
        maps = [places[i] for i in followed.maps(step)]
        if not followed.fields[step.outputs[0]]:
            continue
        place = _after(step, axis, maps, found, anew) if maps else _Place(size)
        if place is None or place.size < 1:
            return None
        places.update(dict.fromkeys(step.outputs, place))
        found.last = place.size
    return found


def nearest(
    followed: Followed,
    axis: int,
    size: int,
    wanted: Callable[[Line], bool],
    period: int,
    *,
    anew: bool = False,
) -> tuple[int | None, int | None]:
    """Return the nearest sizes below and above `size` at which a network is as wanted.

    Args:
        period: how far to look: what floors and remainders do repeats with the network's stride.
        anew: as in `line`.
    """

    def good(n: int) -> bool:
        there = line(followed, axis, n, anew=anew)
        return there is not None and wanted(there)

    below = next((n for n in range(size - 1, max(0, size - period - 1), -1) if good(n)), None)
    above = next((n for n in range(size + 1, size + period + 1) if good(n)), None)
    return below, above


def smallest(
    followed: Followed, axis: int, above: int, wanted: Callable[[Line], bool]
) -> int | None:
    """Return the smallest size above `above` at which a network is as wanted; None up to LARGEST.

    What is wanted must hold for every larger size too.
    """

    def good(n: int) -> bool:
        there = line(followed, axis, n)
        return there is not None and wanted(there)

    fails, works = above, max(1, above)
    while not good(works):
        if works >= LARGEST:
            return None
        fails, works = works, min(2 * works, LARGEST)
    while works - fails > 1:
        middle = (works + fails) // 2
        fails, works = (fails, middle) if good(middle) else (middle, works)
    return works


def _after(step: Step, axis: int, maps: list[_Place], found: Line, anew: bool) -> _Place | None:
    kind = kind_of(step.layer)
    if kind == "merge":
        return _merged(step.name, maps, found)
    if kind == "window":
        place = _anew(maps[0]) if anew else maps[0]
        return _slid(step.name, step.layer, axis, len(step.output_shape) - 2, place, found)
    if kind == "shift":
        before, after = shifts(step.layer)[axis]
        place, zeros = maps[0], isinstance(step.layer, ZERO_PADDING)
        frame = (place.frame[0] + before, place.frame[1] + after) if zeros else (0, 0)
        moved = place.stride * before
        return _Place(
            place.size + before + after,
            frame,
            place.first - moved,
            place.last - moved,
            place.stride,
        )
    return maps[0]


def _slid(name: str, layer: Any, axis: int, rank: int, place: _Place, found: Line) -> _Place:
    kernel_size, strides, dilation_rate = (values[axis] for values in window(layer))
    geometry = (place.size, kernel_size, strides, dilation_rate)
    amount = "same" if place.again else border_of(layer).amounts(rank)[axis]
    before, after = pad_amounts(amount, *geometry)
    span = arithmetic.window_size(kernel_size, dilation_rate) + is_split(amount, *geometry)
    first, last = place.frame
    found.slides.append(
        Slide(
            name,
            amount,
            size=place.size - first - last,
            before=first + before,
            after=last + after,
            written=first != last,
            span=span,
            stride=strides,
            stride_before=place.stride,
        )
    )
    return _Place(
        max(0, (place.size + before + after - span) // strides + 1),
        first=place.first - place.stride * before,
        last=place.last + place.stride * (span - 1 - before),
        stride=place.stride * strides,
    )


def _anew(place: _Place) -> _Place:
    """A map without the frame that pads one side more, to be padded by its reader."""
    before, after = place.frame
    if before == after:
        return place
    moved = place.stride * before
    return _Place(
        place.size - before - after,
        first=place.first + moved,
        last=place.last + moved,
        stride=place.stride,
        again=True,
    )


def _merged(name: str, maps: list[_Place], found: Line) -> _Place | None:
    if len({place.size for place in maps}) > 1:
        return None
    centres = [(place.first + place.last) / 2 for place in maps]
    ends = [place.last for place in maps]
    found.apart[name] = (max(centres) - min(centres), max(ends) - min(ends))
    frames = tuple(min(place.frame[side] for place in maps) for side in (0, 1))
    return _Place(
        maps[0].size,
        (frames[0], frames[1]),
        min(place.first for place in maps),
        max(place.last for place in maps),
        maps[0].stride,
    )
