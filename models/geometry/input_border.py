"""The border of amount `input`: what replaces all padding of a network, around its image."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..layers.engine.extend import CollapseError
from ..padding import PaddingError, Widths
from .tracing.fields import Rational
from .tracing.kinds import kind_of
from .tracing.line import line
from .tracing.trace import Followed, follow, trace

MOST_TRIALS = 4
MOST_STEPS = 20

Make = Callable[[str, tuple[int, ...]], Any]


def input_widths(make: Make, sizes: tuple[int | None, ...]) -> Widths:
    """Return the border around an image that replaces all padding of a network: amount "input".

    Ronneberger et al. 2015, "U-Net" (arXiv:1505.04597), section 2, pads the image by what its
    unpadded convolutions will remove (the overlap tiles); Long et al. 2015, "Fully convolutional
    networks" (arXiv:1411.4038), by 100 pixels for the same end.

    With them the unpadded network has a last map as large as under `same`, and its first output
    looks at the pixels that it looks at there: before is the traced effective padding.

    Args:
        make: builds the network for an amount ("same" or "valid") and a spatial size.
        sizes: of the image.

    Raises:
        PaddingError: for an unknown size, or if no border gives the size of `same`.
    """
    known = _known(sizes)
    same = _places(make("same", known))
    widths = _guess(same, known)
    for _ in range(MOST_TRIALS):
        unpadded = make("valid", _around(known, widths))
        wanted = [
            _corrected(width, goal, place)
            for width, goal, place in zip(widths, same, _places(unpadded), strict=True)
        ]
        if wanted == widths:
            return _without_rest(follow(unpadded), known, widths)
        widths = [(max(0, before), max(0, after)) for before, after in wanted]
    raise _no_border(same)


def covering_widths(make: Make, sizes: tuple[int | None, ...]) -> Widths:
    """Return the border around an image that replaces all padding of a network giving an image.

    Under `valid` such a network may not give every size: those of a U-Net with d pools are 2 ** d
    apart. With this border the output of the unpadded network has no pixel less than under `same`,
    and lies over the image; the builder crops what is more with `align`. It is at least as wide
    after as before, so that the last pixel of the image sees as far as the first.

    Args, errors: as `input_widths`.
    """
    known = _known(sizes)
    same = _places(make("same", known))
    widths = _guess(same, known)
    for trial in range(MOST_STEPS):
        further = 2 ** max(0, trial - 1)
        try:
            valid = _places(make("valid", _around(known, widths)))
        except CollapseError:
            if not trial:
                raise
            widths = [(before, after + further) for before, after in widths]
            continue
        wanted = []
        for width, goal, place in zip(widths, same, valid, strict=True):
            # As `align` does: to the nearest pixel of the image, of which `goal` has a stride.
            before = max(0, math.ceil(place.centre - (goal.stride - 1) / 2 - 0.5))
            missing = math.ceil((goal.size - place.size) * place.stride)
            # The first guess may be too wide; from then on the border grows until it serves.
            more = missing * further if missing > 0 else min(0, missing) * (not trial)
            wanted.append((before, max(before, sum(width) + more - before)))
        if wanted == widths:
            return tuple(widths)
        widths = wanted
    raise _no_border(same)


def _known(sizes: tuple[int | None, ...]) -> tuple[int, ...]:
    known = tuple(n for n in sizes if n is not None)
    if len(known) < len(sizes):
        raise PaddingError(f"Amount 'input' needs a known size on every axis. Received: {sizes=}")
    return known


def _around(sizes: tuple[int, ...], widths: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    return tuple(n + sum(width) for n, width in zip(sizes, widths, strict=True))


def _guess(same: list[_Place], sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    """The border that the fields of the last map under `same` hang over."""
    return [
        (max(0, place.padding), max(0, place.span - n - place.padding))
        for place, n in zip(same, sizes, strict=True)
    ]


def _no_border(same: list[_Place]) -> PaddingError:
    return PaddingError(
        "Amount 'input' finds no border that gives the last map the size it has under 'same': "
        f"{[place.size for place in same]}."
    )


class _Place(NamedTuple):
    """How the last map lies over the network's input, on one axis."""

    size: int
    stride: Rational
    padding: int
    span: int
    centre: float


def _places(model: Any) -> list[_Place]:
    row = [row for row in trace(model) if row.output_size][-1]
    axes = zip(
        row.output_size,
        row.effective_stride,
        row.effective_padding,
        row.receptive_field,
        row.centre,
        strict=True,
    )
    return [
        _Place(
            size or 0,
            stride,
            math.ceil(padding or 0),
            math.ceil(((size or 0) - 1) * stride) + field,
            centre or 0.0,
        )
        for size, stride, padding, field, centre in axes
    ]


def _corrected(width: tuple[int, int], goal: _Place, place: _Place) -> tuple[int, int]:
    """The padding of the pools stays inside the network, so the border is less by that."""
    before = goal.padding - place.padding
    missing = math.ceil((goal.size - place.size) * goal.stride)
    return before, sum(width) + missing - before


def _without_rest(
    followed: Followed, sizes: tuple[int, ...], widths: Sequence[tuple[int, int]]
) -> Widths:
    """Leave out pixels at the end that change no size: maps that come back up grow in steps."""
    if not any(kind_of(step.layer) in ("spread", "resample") for step in followed.steps):
        return tuple(widths)
    found = []
    for axis, (size, (before, after)) in enumerate(zip(sizes, widths, strict=True)):
        here = line(followed, axis, size + before + after)
        while here and after:
            fewer = line(followed, axis, size + before + after - 1)
            if fewer is None or fewer.last < here.last:
                break
            after -= 1
        found.append((before, after))
    return tuple(found)
