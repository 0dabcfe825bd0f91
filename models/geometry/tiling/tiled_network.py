"""A network of which tiles are made: what is asked of it, and where its windows lie."""

from __future__ import annotations

from typing import Any

from ..findings.meeting import nearest_that_meet, period_of
from ..tracing.kinds import kind_of
from ..tracing.trace import Followed, follow
from .alike import seen
from .cover import Ends, Place, cover, run

AXES = {1: ("steps",), 2: ("rows", "columns")}
INNER = (True, True)


class TileError(ValueError):
    """A network, an image or a tile of which tiles cannot be made; the message is one line."""


def followed_image(model: Any) -> tuple[Followed, tuple[int | None, ...]]:
    """Return a network as it is followed, and the sizes that it is built for.

    Raises:
        TileError: unless it has one input and one output, and the input is a map.
        TraceError: as `padzoo.trace`.
    """
    followed = follow(model)
    inputs = [step for step in followed.steps if kind_of(step.layer) == "input"]
    ranks = [len(step.output_shape) - 2 for step in inputs]
    if len(inputs) != 1 or len(followed.results) != 1 or ranks[0] not in AXES:
        raise TileError(
            "Tiles are made of a model from one image to one image. Received: "
            f"'{model.name}' with inputs {[tuple(step.output_shape) for step in inputs]} and "
            f"{len(followed.results)} output(s)"
        )
    return followed, tuple(inputs[0].output_shape[1:-1])


def sees_everything(followed: Followed) -> str | None:
    """Return why a network gives no image, a clause; None if it gives one."""
    if followed.fields[followed.results[0]]:
        return None
    for step in followed.steps:
        if followed.maps(step) and not followed.fields[step.outputs[0]]:
            return f"'{step.name}' reads all of its map, and the network gives no image"
    return "the network gives no image"


def check_size(followed: Followed, axis: int, size: int, own: int | None) -> None:
    """Raise TileError for an image of a size that the network's layers are not made for.

    What a network crops, and what its transposed convolutions cut, was fixed for the size that it
    was built for, and holds for all sizes that leave the same remainder.
    """
    period, names = period_of(followed, axis), AXES[len(followed.fields[followed.results[0]])]
    if own is not None and (size - own) % period:
        below = size - (size - own) % period
        near = [str(n) for n in (below, below + period) if n >= 1]
        raise TileError(
            f"The network is built for {own} {names[axis]}, and what it crops and cuts holds for "
            f"sizes {_congruent(period, own)}: crop or pad the image to {' or '.join(near)} "
            f"{names[axis]}, or build the network for {size}. Received: {size} {names[axis]}"
        )
    there = seen(followed, axis, size, size, (False, False))
    if there.unmet:
        known = [str(n) for n in nearest_that_meet(followed, axis, size) if n]
        advice = f" The nearest sizes at which all meet: {' and '.join(known)}." if known else ""
        raise TileError(
            f"With {size} {names[axis]} {there.unmet}.{advice} Received: {size} {names[axis]}"
        )


def places_of(
    followed: Followed, axis: int, window: int, size: int
) -> tuple[tuple[Place, ...] | None, int]:
    """Return where the windows lie, None if they do not cover the axis, and its outputs."""
    period = period_of(followed, axis)
    there = [
        seen(followed, axis, window, size, inner) for inner in ((False, True), INNER, (True, False))
    ]
    pieces = [one.last for one in there if one.last is not None]
    if len(pieces) < len(there):
        return None, 0
    ends = Ends(*(run(piece.alike) for piece in pieces))
    step = outputs_a_period(followed, axis)
    return cover(size, window, pieces[0].whole, period, step, ends), pieces[0].whole


def outputs_a_period(followed: Followed, axis: int) -> int:
    """Return the outputs that lie on a period of the strides."""
    stride = followed.fields[followed.results[0]][axis].effective_stride
    return int(period_of(followed, axis) / stride)


def window_of(tile: int, period: int, rest: int) -> int:
    """Return the largest window in a tile that leaves the same remainder as the image."""
    return tile - (period - rest) % period


def _congruent(period: int, size: int) -> str:
    rest = size % period
    return f"{period}·a + {rest}" if rest else f"that are multiples of {period}"
