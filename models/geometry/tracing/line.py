"""One axis of a network at any input size, found by arithmetic: nothing is built anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import keras

from ...padding.amounts import AxisAmount, is_causal, is_split, pad_amounts
from .fields import Field, Fields, Rational, merged, resampled, slid, spread, whole
from .graph import Step
from .kinds import kind_of
from .trace import Followed
from .windows import (
    border_of,
    cuts,
    plain_taps,
    reads_border,
    resamplings,
    shifts,
    window,
    with_split,
)

IMAGE = Field()
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
        neutral: whether its own border does not count, as that of most pools.
    """

    name: str
    amount: AxisAmount
    size: int
    before: int
    after: int
    written: bool
    span: int
    stride: int
    stride_before: Rational
    neutral: bool = False

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
    def one_sided(self) -> bool:
        """Whether a stride takes more of one side than of the other.

        A pool whose border does not count, and whose windows do not overlap, takes up the last
        pixels of its map by a pad after it: each window stays where it is.
        """
        completes = self.neutral and not self.before and not self.written
        if self.stride == 1 or self.causal or (completes and self.span <= self.stride):
            return False
        return self.before != self.after

    @property
    def even(self) -> bool:
        """Whether the stride takes the same of both sides, and reaches the end."""
        return self.stride == 1 or not (self.one_sided or self.rest)


@dataclass
class Line:
    """An axis of a network at one input size.

    Attributes:
        slides: every window, in the order of the trace.
        apart: for each merge how far its branches lie apart, in input pixels: the outermost
            centres of their first outputs, and the newest pixels that those see.
        unmet: for each merge of maps that differ in size how many pixels each has; what comes
            behind it is that of the shortest.
        fields: of the branches of each merge.
        last: pixels of the last map.
        size: pixels of the input.
    """

    size: int
    slides: list[Slide] = field(default_factory=list)
    apart: dict[str, tuple[Rational, Rational]] = field(default_factory=dict)
    unmet: dict[str, tuple[int, ...]] = field(default_factory=dict)
    fields: dict[str, Fields] = field(default_factory=dict)
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
    """A map on one axis: its pixels, its frame of zeros, and how it lies over the input.

    `again` says that its reader pads it.
    """

    size: int
    frame: tuple[int, int] = (0, 0)
    field: Field = IMAGE
    again: bool = False


def line(followed: Followed, axis: int, size: int, *, anew: bool = False) -> Line | None:
    """Return an axis of a network on an input of `size` pixels; None if it does not take it.

    Args:
        anew: whether a ZeroPadding that pads one side more is taken as SAME written down: as
            though the network had been built for this size.
    """
    found = walk(followed, axis, size, anew=anew)
    return found if found and not found.unmet else None


def walk(
    followed: Followed,
    axis: int,
    size: int,
    *,
    anew: bool = False,
    extra: Mapping[str, int] | None = None,
) -> Line | None:
    """Return an axis as `line` does, also where maps that meet differ in size.

    Args:
        extra: another `output_padding` of transposed convolutions, by their rows' names.
    """
    found, end = _walk(followed, axis, size, anew, extra or {})
    return None if end else found


def collapse(followed: Followed, axis: int, size: int) -> tuple[str, int] | None:
    """Return the layer that leaves nothing of its map on an input of `size` pixels, if one does.

    Returns:
        Its row's name, and the pixels of its map.
    """
    _, end = _walk(followed, axis, size, False, {})
    return (end.name, end.size) if end and end.shrinks else None


@dataclass(frozen=True)
class _End:
    """Where a walk ends: a layer, the pixels of its map, and whether it shrinks it to nothing."""

    name: str
    size: int
    shrinks: bool


def _walk(
    followed: Followed, axis: int, size: int, anew: bool, extra: Mapping[str, int]
) -> tuple[Line, _End | None]:
    found = Line(size)
    places: dict[int, _Place] = {}
    for step in followed.steps:
        maps = [places[i] for i in followed.maps(step)]
        if not followed.fields[step.outputs[0]]:
            continue
        place = _after(step, axis, maps, found, anew, extra) if maps else _Place(size)
        if place is None or place.size < 1:
            return found, _End(step.name, maps[0].size, place is not None)
        places.update(dict.fromkeys(step.outputs, place))
        found.last = place.size
    return found, None


def _after(
    step: Step,
    axis: int,
    maps: list[_Place],
    found: Line,
    anew: bool,
    extra: Mapping[str, int],
) -> _Place | None:
    kind, layer, place = kind_of(step.layer), step.layer, maps[0]
    shape = (None, *(place.size,) * (len(step.output_shape) - 2), None)
    if kind == "merge":
        return _merged(step.name, maps, found)
    if kind == "window":
        return _slid(step, axis, _anew(place) if anew else place, found)
    if kind == "spread":
        before, after = cuts(layer, extra.get(step.name))[axis]
        kernel_size, strides, dilation_rate = (values[axis] for values in window(layer))
        reads = plain_taps(kernel_size, dilation_rate)
        come = spread(place.field, reads, strides, before)
        return _Place((place.size - 1) * strides + reads[-1] + 1 - before - after, field=come)
    if kind == "resample":
        old, new, bilinear = resamplings(step.name, layer, shape)[axis]
        come = resampled(place.field, old, new, bilinear=bilinear)
        return _Place(place.size * new // old, field=come)
    if kind == "shift":
        if (widths := shifts(layer, shape)[axis]) is None:
            return None
        before, after = widths
        first, last = place.frame
        frame = (first + before, last + after) if isinstance(layer, ZERO_PADDING) else (0, 0)
        return _Place(place.size + before + after, frame, slid(place.field, (0,), 1, before))
    return place


def _slid(step: Step, axis: int, place: _Place, found: Line) -> _Place:
    layer, rank = step.layer, len(step.output_shape) - 2
    kernel_size, strides, dilation_rate = (values[axis] for values in window(layer))
    geometry = (place.size, kernel_size, strides, dilation_rate)
    amount = "same" if place.again else border_of(layer).amounts(rank)[axis]
    before, after = pad_amounts(amount, *geometry)
    reads = with_split(plain_taps(kernel_size, dilation_rate), is_split(amount, *geometry))
    span, (first, last) = reads[-1] + 1, place.frame
    found.slides.append(
        Slide(
            step.name,
            amount,
            size=place.size - first - last,
            before=first + before,
            after=last + after,
            written=first != last,
            span=span,
            stride=strides,
            stride_before=place.field.effective_stride,
            neutral=not reads_border(layer),
        )
    )
    size = max(0, (place.size + before + after - span) // strides + 1)
    return _Place(size, field=slid(place.field, reads, strides, before))


def _anew(place: _Place) -> _Place:
    """A map without the frame that pads one side more, to be padded by its reader."""
    before, after = place.frame
    if before == after:
        return place
    unpadded = slid(place.field, (0,), 1, -before)
    return _Place(place.size - before - after, field=unpadded, again=True)


def _merged(name: str, maps: list[_Place], found: Line) -> _Place | None:
    fields = [place.field for place in maps]
    hull = merged(fields)
    if hull is None:
        return None
    sizes = tuple(place.size for place in maps)
    found.fields[name] = tuple(fields)
    if len(set(sizes)) > 1:
        found.unmet[name] = sizes
    middles, ends = [field.middle for field in fields], [field.newest for field in fields]
    found.apart[name] = _spread_of(middles), _spread_of(ends)
    first, last = (min(place.frame[side] for place in maps) for side in (0, 1))
    return _Place(min(sizes), (first, last), hull)


def _spread_of(places: list[Fraction | None]) -> Rational:
    known = [place for place in places if place is not None]
    return whole(max(known) - min(known)) if known else 0
