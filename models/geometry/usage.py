"""What the layers of a network read: how much of it is padding, and what nobody reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from models.borders import border_indices
from models.geometry.graph import Step
from models.geometry.kinds import kind_of
from models.geometry.responses import Axis, response_of
from models.geometry.tracing import Row, final_map_size, follow

Sides = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Usage:
    """What a layer reads. Tuples have one entry per spatial axis, none where nothing slides.

    Attributes:
        name: of the row.
        padding_share: the share of all taps of all windows that lie in padding.
        unread: rows or columns (before, after) of its own input that no output reads.
        unread_pad: pixels (before, after) of its padding that no output reads.
        wrapped: whether a pad is wider than what its map has to copy, so that content repeats.
    """

    name: str
    padding_share: float | None = None
    unread: Sides = ()
    unread_pad: Sides = ()
    wrapped: tuple[bool, ...] = ()


def usage(model: keras.Model) -> list[Usage]:
    """Return what each layer reads, in the order of `models.geometry.trace`; raises as it does."""
    followed = follow(model)
    return [_used(step) if followed.maps(step) else Usage(step.name) for step in followed.steps]


def lost_share(rows: Sequence[Row], input_size: Sequence[int]) -> float:
    """Return the share of the picture that the last map has no output for.

    1 - the product over the axes of min(1, output_size * effective_stride / input_size).

    Args:
        rows: a trace.
        input_size: pixels of the network's input on each axis.
    """
    last = [row for row in rows if row.output_size][-1]
    axes = zip(final_map_size(rows), last.effective_stride, input_size, strict=True)
    return 1 - math.prod(min(1.0, (size or 0) * stride / n) for size, stride, n in axes)


def _used(step: Step) -> Usage:
    if kind_of(step.layer) not in ("window", "shift") or None in step.input_shapes[0][1:-1]:
        return Usage(step.name)
    response = response_of(step)
    inside = sum(
        share
        * math.prod(
            1 - axis.outside(side).mean() for axis, side in zip(response.axes, sides, strict=True)
        )
        for share, sides in response.corners
    )
    read = [_read(axis) for axis in response.axes]
    return Usage(
        step.name,
        float(1 - inside) if kind_of(step.layer) == "window" else None,
        tuple(r[0] for r in read),
        tuple(r[1] for r in read),
        tuple(_wraps(axis) for axis in response.axes),
    )


def _read(axis: Axis) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return what no output reads (before, after): of the input, and of its padding."""
    padded = axis.before + axis.size + axis.after
    touched = np.zeros(padded, bool)
    for side in range(1 + axis.splits):
        touched[axis.taps(side)] = True
    pad_before, pad_after = max(0, axis.before), max(0, axis.after)
    index = border_indices(axis.size, pad_before, pad_after, _pattern(axis.mode))
    index = index[max(0, -axis.before) : len(index) - max(0, -axis.after)]
    seen = np.zeros(axis.size, bool)
    seen[index[touched & (index >= 0)]] = True
    first, last = np.flatnonzero(touched)[[0, -1]]
    unread_pad = min(first, pad_before), min(padded - 1 - last, pad_after)
    return _ends(seen), (int(unread_pad[0]), int(unread_pad[1]))


def _pattern(mode: str) -> str:
    """The mode that copies the same pixels, but for the edge's own."""
    return "reflect" if mode == "odd_reflect" else mode


def _ends(seen: np.ndarray) -> tuple[int, int]:
    places = np.flatnonzero(seen)
    return int(places[0]), int(len(seen) - 1 - places[-1])


def _wraps(axis: Axis) -> bool:
    room = {"circular": axis.size, "symmetric": axis.size}.get(axis.mode, axis.size - 1)
    copies = axis.mode in ("circular", "symmetric", "reflect", "odd_reflect")
    return copies and max(axis.before, axis.after) > room
