"""Amount `"input"`: how much border a picture needs for a whole network to go without.

Ronneberger et al. 2015, "U-Net" (arXiv:1505.04597), section 2, pads the picture by what its
unpadded convolutions will eat (the overlap tiles); Long et al. 2015, "Fully convolutional
networks" (arXiv:1411.4038), by 100 pixels for the same end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from models.geometry.tracing import trace
from models.padding import PaddingError, Widths

MOST_TRIALS = 4

Make = Callable[[str, tuple[int, ...]], Any]


def input_widths(make: Make, sizes: tuple[int | None, ...]) -> Widths:
    """Return the pixels (before, after) around the picture, for each axis.

    With them the unpadded network has a last map as large as under `same`, and its first output
    looks at the pixels that it looks at there: before is the traced effective padding.

    Args:
        make: builds the network for an amount ("same" or "valid") and a spatial size.
        sizes: of the picture.

    Raises:
        PaddingError: for an unknown size, or if no border gives the size of `same`.
    """
    known = tuple(n for n in sizes if n is not None)
    if len(known) < len(sizes):
        raise PaddingError(f"Amount 'input' needs a known size on every axis. Received: {sizes=}")
    same = _places(make("same", known))
    widths = [
        (place.padding, max(0, place.span - n - place.padding))
        for place, n in zip(same, known, strict=True)
    ]
    for _ in range(MOST_TRIALS):
        padded = tuple(n + sum(width) for n, width in zip(known, widths, strict=True))
        valid = _places(make("valid", padded))
        wanted = [
            _corrected(width, goal, place)
            for width, goal, place in zip(widths, same, valid, strict=True)
        ]
        if wanted == widths:
            return tuple(widths)
        widths = [(max(0, before), max(0, after)) for before, after in wanted]
    raise PaddingError(
        "Amount 'input' finds no border that gives the last map the size it has under 'same': "
        f"{[place.size for place in same]}."
    )


class _Place(NamedTuple):
    """How the last map lies over the network's input, on one axis."""

    size: int
    stride: int
    padding: int
    span: int


def _places(model: Any) -> list[_Place]:
    row = [row for row in trace(model) if row.output_size][-1]
    axes = zip(
        row.output_size,
        row.effective_stride,
        row.effective_padding,
        row.receptive_field,
        strict=True,
    )
    return [
        _Place(size or 0, stride, padding or 0, ((size or 0) - 1) * stride + field)
        for size, stride, padding, field in axes
    ]


def _corrected(width: tuple[int, int], goal: _Place, place: _Place) -> tuple[int, int]:
    """The padding of the pools stays inside the network, so the border is less by that."""
    before = goal.padding - place.padding
    return before, sum(width) + (goal.size - place.size) * goal.stride - before
