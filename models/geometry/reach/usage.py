"""What the layers of a network read: how much of it is padding, and what nobody reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from scipy import sparse

from ...padding import MODES
from ...padding.definitions import IndexRule, LinearRule, PlaneRule
from ..tracing.graph import Step
from ..tracing.kinds import kind_of, whole_axes
from ..tracing.trace import Followed, Row, final_map_size, follow
from .responses import MOVES, Axis, Response, border_matrix, response_of
from .upward import Resized, Spread

Sides = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Usage:
    """What a layer reads. Tuples have one entry per spatial axis, (before, after) pixels.

    Padding is what the layer itself adds, and what a ZeroPadding or PadInput has put around its
    map before. Tuples are empty for layers that neither slide, pad nor crop, and where a size is
    unknown.

    Attributes:
        name: of the row.
        padding_share: the share of all taps of all windows that lie in padding; None for what
            has no window.
        unread: rows or columns at the sides of its own input, padding left out, that no output
            reads.
        unread_pad: pixels of the padding that it adds itself that no layer reads.
        wrapped: for each axis whether its pad is wider than what its map has to copy, so that
            content repeats.
        skipped: rows or columns between those that it reads that no output reads, as with a
            stride larger than the window.
    """

    name: str
    padding_share: float | None = None
    unread: Sides = ()
    unread_pad: Sides = ()
    wrapped: tuple[bool, ...] = ()
    skipped: tuple[int, ...] = ()


def usage(model: keras.Model) -> list[Usage]:
    """Return what each layer reads, in the order of `models.geometry.trace`; raises as it does."""
    followed = follow(model)
    responses = {
        step.name: response_of(step)
        for step in followed.steps
        if kind_of(step.layer) in MOVES
        and followed.maps(step)
        and None not in step.input_shapes[0][1:-1]
    }
    frames = _frames(followed, responses)
    unread = _unread(followed, responses)
    return [
        _used(step, responses[step.name], frames[step.inputs[0]], unread[step.outputs[0]])
        if step.name in responses
        else Usage(step.name)
        for step in followed.steps
    ]


def lost_share(rows: Sequence[Row], input_size: Sequence[int]) -> float:
    """Return the share of the image that the last map has no output for.

    1 - the product over the axes of min(1, output_size * effective_stride / input_size).

    Args:
        rows: a trace.
        input_size: pixels of the network's input on each axis.
    """
    last = [row for row in rows if row.output_size][-1]
    axes = zip(final_map_size(rows), last.effective_stride, input_size, strict=True)
    return 1 - math.prod(min(1.0, float((size or 0) * stride / n)) for size, stride, n in axes)


def _used(step: Step, response: Response, frame: Sides, unread: Sides) -> Usage:
    """Describe one step: `frame` lies around its input, `unread` is what others leave of it."""
    kind = kind_of(step.layer)
    slides = kind in ("window", "spread")
    read = _reads(response)
    ends = [(r.before, r.after) for r in read]
    own = unread if kind == "shift" else [(r.pad_before, r.pad_after) for r in read]
    pads = [(max(0, axis.before), max(0, axis.after)) for axis in response.axes]
    return Usage(
        step.name,
        _padding_share(response, frame) if slides else None,
        tuple(_less(end, around) for end, around in zip(ends, frame, strict=True)),
        tuple(
            (min(a, before), min(b, after))
            for (a, b), (before, after) in zip(own, pads, strict=True)
        ),
        _wraps(response),
        tuple(r.between for r in read),
    )


def _padding_share(response: Response, frame: Sides) -> float:
    content = 0.0
    for share, sides in response.corners:
        axes = zip(response.axes, sides, frame, strict=True)
        content += share * math.prod(axis.content(at, around) for axis, at, around in axes)
    return float(1 - content)


@dataclass(frozen=True)
class _Read:
    """Pixels of a map, and of the padding around it, that no output of a window reads."""

    before: int
    between: int
    after: int
    pad_before: int
    pad_after: int


def _reads(response: Response) -> list[_Read]:
    """What is not read on each axis, also through what the border is made of."""
    touched = [_touched(axis) for axis in response.axes]
    if response.plane is None:
        made = [border_matrix(a.size, a.before, a.after, a.mode) for a in response.axes]
        seen = [_columns(border[found]) for border, found in zip(made, touched, strict=True)]
    else:
        pixels = np.zeros(response.sizes, bool)
        pixels.ravel()[response.shown[np.ix_(*touched)]] = True
        seen = [np.flatnonzero(pixels.any(axis=1 - i)) for i in range(pixels.ndim)]
    return [_ends(*axis) for axis in zip(response.axes, touched, seen, strict=True)]


def _touched(axis: Axis | Spread | Resized) -> np.ndarray:
    """Which pixels of the padded axis some output reads: their places, in order."""
    if not isinstance(axis, Axis):
        return _columns(axis.matrix())
    return np.unique([axis.taps(side) for side in range(1 + axis.splits)])


def _ends(axis: Axis | Spread | Resized, touched: np.ndarray, seen: np.ndarray) -> _Read:
    if not len(seen):
        return _Read(axis.size, 0, 0, max(0, axis.before), max(0, axis.after))
    return _Read(
        before=int(seen[0]),
        between=int(seen[-1] - seen[0] + 1 - len(seen)),
        after=int(axis.size - 1 - seen[-1]),
        pad_before=int(touched[0]),
        pad_after=int(axis.before + axis.size + axis.after - 1 - touched[-1]),
    )


def _columns(matrix: sparse.csr_array) -> np.ndarray:
    """The columns that are not empty."""
    return np.flatnonzero(np.diff(sparse.csc_array(matrix).indptr))


def _wraps(response: Response) -> tuple[bool, ...]:
    """Return for each axis whether its border is wider than what the map has to copy."""
    plane = MODES[response.plane] if response.plane else None
    most = [_copies(axis) for axis in response.axes]
    if isinstance(plane, PlaneRule) and plane.copies:
        height, width = response.sizes
        most = list(plane.copies((height, width)))
    return tuple(
        copies is not None and max(axis.before, axis.after) > copies
        for axis, copies in zip(response.axes, most, strict=True)
    )


def _copies(axis: Axis | Spread | Resized) -> int | None:
    rule = MODES[axis.mode]
    if not isinstance(rule, (IndexRule, LinearRule)) or rule.copies is None:
        return None
    return rule.copies(axis.size)


def _frames(followed: Followed, responses: dict[str, Response]) -> dict[int, Sides]:
    """Return for each tensor how many of its outermost pixels a padding layer has put there."""
    frames: dict[int, Sides] = {}
    for step in followed.steps:
        maps, fields = followed.maps(step), followed.fields[step.outputs[0]]
        frame: Sides = ((0, 0),) * len(fields)
        kind = kind_of(step.layer)
        if fields and kind in ("merge", "elementwise"):
            branches = zip(*(frames[i] for i in maps), strict=True)
            frame = tuple(_least(sides) for sides in branches)
        elif kind == "shift" and step.name in responses:
            axes = zip(frames[maps[0]], responses[step.name].axes, strict=True)
            frame = tuple((max(0, a + x.before), max(0, b + x.after)) for (a, b), x in axes)
        frames.update(dict.fromkeys(step.outputs, frame))
    return frames


def _unread(followed: Followed, responses: dict[str, Response]) -> dict[int, Sides]:
    """Return for each tensor how many of its outermost pixels no layer reads."""
    found: dict[int, Sides] = {}
    for step in reversed(followed.steps):
        kind = kind_of(step.layer)
        for i in step.outputs:  # what nobody reads at all is an output of the network
            found.setdefault(i, ((0, 0),) * len(followed.fields[i]))
        after = found[step.outputs[0]]
        for i in followed.maps(step):
            left: Sides = ((0, 0),) * len(followed.fields[i])
            if kind in ("merge", "elementwise"):
                whole = whole_axes(step.layer, len(after))
                left = tuple((0, 0) if w else a for w, a in zip(whole, after, strict=True))
            elif step.name in responses and kind != "shift":
                read = _reads(responses[step.name])
                left = tuple((r.before, r.after) for r in read)
            elif step.name in responses:
                axes = zip(after, responses[step.name].axes, strict=True)
                left = tuple(_less(sides, (x.before, x.after)) for sides, x in axes)
            sides = zip(found.get(i, left), left, strict=True)
            found[i] = tuple(_least(pair) for pair in sides)
    return found


def _less(sides: tuple[int, int], by: tuple[int, int]) -> tuple[int, int]:
    return max(0, sides[0] - by[0]), max(0, sides[1] - by[1])


def _least(sides: Sequence[tuple[int, int]]) -> tuple[int, int]:
    before, after = zip(*sides, strict=True)
    return min(before), min(after)
