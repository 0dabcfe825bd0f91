"""How much the windows must overlap in which an image is predicted, and which windows work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from ..findings.meeting import nearest_that_meet, period_of, sizes_that_meet
from ..tracing.kinds import kind_of
from ..tracing.trace import Followed, follow
from .alike import Seen, seen
from .cover import Cover, Ends, Place, cover, run

AXES = {1: ("steps",), 2: ("rows", "columns")}
INNER = (True, True)


class TileError(ValueError):
    """A network, an image or a tile of which tiles cannot be made; the message is one line."""


@dataclass(frozen=True)
class Halo:
    """What must be known to predict an image in windows. Tuples have one entry per spatial axis.

    Attributes:
        overlap: pixels that neighbouring windows share; None where no overlap is enough.
        grid: the period of all strides in pixels: a tile's size is a multiple of it, and windows
            start at multiples.
        smallest: the smallest tile; None where no overlap is enough.
        reasons: why no overlap is enough, a clause; None where one is.
    """

    overlap: tuple[int | None, ...]
    grid: tuple[int, ...]
    smallest: tuple[int | None, ...]
    reasons: tuple[str | None, ...]


def halo(model: keras.Model, image_size: Sequence[int | None] | None = None) -> Halo:
    """Return by how much windows must overlap for a tiled prediction to equal the whole one.

    A window is run through the network by itself. Its outputs near an edge at which the image goes
    on have read the network's padding there instead of the image; neighbouring windows overlap by
    as much as lets all others cover the image. Nothing is computed: the network is followed pixel
    by pixel, as `padzoo.trace` follows it, borders and strides included. The overlap can be less
    than the receptive field, and it is a multiple of the strides' period, but for a remainder that
    the image's size leaves by it.

    Args:
        model: functional or built sequential, from one image to one, (batch, *spatial, channels).
        image_size: pixels of the images on each axis; None for the size that the model is built
            for, and where that is unknown for multiples of the strides' period.

    Raises:
        TileError: for a model of another kind, or a size that it is not built for.
        TraceError: as `padzoo.trace`.

    Example:
        >>> image = keras.Input((64, 64, 3))
        >>> x = padzoo.Conv2D(8, 5, padding="reflect")(image)
        >>> padzoo.halo(keras.Model(image, padzoo.Conv2D(8, 3, padding="reflect")(x)))
        Halo(overlap=(6, 6), grid=(1, 1), smallest=(7, 7), reasons=(None, None))
    """
    followed, own = followed_image(model)
    reason = sees_everything(followed)
    if reason:
        return _nowhere(followed, [reason] * len(own))
    sizes = [given or size for given, size in zip(_listed(image_size, own), own, strict=True)]
    grid = [period_of(followed, axis) for axis in range(len(own))]
    rests = [_rest(followed, axis, *pair) for axis, pair in enumerate(zip(sizes, own, strict=True))]
    reasons = _reasons(followed, grid, rests)
    found = [
        (None, None) if reason else _of_axis(followed, axis, grid[axis], rests[axis])
        for axis, reason in enumerate(reasons)
    ]
    overlap, smallest = zip(*found, strict=True)
    return Halo(overlap, tuple(grid), smallest, tuple(reasons))


def followed_image(model: Any) -> tuple[Followed, tuple[int | None, ...]]:
    """Return a network as it is followed, and the sizes that it is built for.

    Raises:
        TileError: unless it has one input and one output, and the input is a map.
        TraceError: as `padzoo.trace`.
    """
    followed = follow(model)
    inputs = [step for step in followed.steps if kind_of(step.layer) == "input"]
    if len(inputs) != 1 or len(followed.results) != 1 or len(inputs[0].output_shape) < 3:
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
            f"With {size} {names[axis]} maps of unequal size meet at layer '{there.unmet}', or "
            f"nothing is left of one.{advice} Received: {size} {names[axis]}"
        )


def cover_axis(followed: Followed, axis: int, size: int, tile: int, found: Halo) -> Cover:
    """Return the windows of at most `tile` pixels that cover an axis of an image.

    Raises:
        TileError: if the tile is none of the allowed.
    """
    if tile >= size:
        last = seen(followed, axis, size, size, (False, False)).last
        assert last is not None
        return Cover(size, size, last.size, (Place(0, (0, last.size), (0, last.size)),))
    name, period = AXES[len(found.grid)][axis], found.grid[axis]
    least, reason = found.smallest[axis], found.reasons[axis]
    if least is None:
        raise TileError(
            f"No overlap is enough for tiles of {tile} {name}: {reason}. A tile must have all "
            f"{size} {name}. Received: tile={tile}"
        )
    if tile < least:
        raise TileError(
            f"A tile must have at least {least} {name}, because neighbours overlap by "
            f"{found.overlap[axis]}. Received: tile={tile}"
        )
    if tile % period:
        raise TileError(
            f"A tile must have a multiple of {period} {name}, the period of the network's "
            f"strides: {tile - tile % period if tile - tile % period >= least else least} or "
            f"{tile - tile % period + period}. Received: tile={tile}"
        )
    window = _window(tile, period, size % period)
    places, outputs = _places(followed, axis, window, size)
    if places is None:
        raise TileError(
            f"Tiles of {tile} {name} do not cover {size} {name}: the network's borders reach "
            f"further than their edges. Take a larger tile. Received: tile={tile}"
        )
    return Cover(size, window, outputs, places)


def _places(
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
    step = _step(followed, axis)
    return cover(size, window, pieces[0].whole, period, step, ends), pieces[0].whole


def _step(followed: Followed, axis: int) -> int:
    """The outputs that lie on a period of the strides."""
    stride = followed.fields[followed.results[0]][axis].effective_stride
    return int(period_of(followed, axis) / stride)


def _window(tile: int, period: int, rest: int) -> int:
    """The largest window of at most a tile that leaves the same remainder as the image."""
    return tile - (period - rest) % period


def _of_axis(followed: Followed, axis: int, period: int, rest: int) -> tuple[int, int]:
    """Return the overlap and the smallest tile."""
    window = _ample(followed, axis, period, rest)
    there = seen(followed, axis, window, 4 * window - 3 * rest, INNER)
    assert there.last is not None
    first, stop = run(there.last.alike)
    overlap = window - period * ((stop - first) // _step(followed, axis))
    fails, works = 0, window + (period - rest) % period
    while works - fails > period:
        middle = fails + (works - fails) // (2 * period) * period
        tried = _window(middle, period, rest)
        # Windows of all three kinds, and some within.
        whole = tried + period * (4 + 4 * window // period)
        good = tried > 0 and _places(followed, axis, tried, whole)[0] is not None
        fails, works = (fails, middle) if good else (middle, works)
    return overlap, works


def _ample(followed: Followed, axis: int, period: int, rest: int) -> int:
    """A window that is wide enough for whatever the network reads."""
    field = max(fields[axis].receptive_field for fields in followed.fields.values() if fields)
    pads = [abs(n) for step in followed.steps for n in _added(step)]
    return rest + period * -(-(2 * field + 4 * period + 2 * max(pads, default=0)) // period)


def _added(step: Any) -> list[int]:
    """The numbers of pixels that a padding layer, or a padding by numbers, adds."""
    amount = getattr(getattr(step.layer, "border", None), "amount", ())
    axes = amount if isinstance(amount, tuple) else (amount,)
    pairs = [n if isinstance(n, tuple) else (n,) for n in axes]
    return [n for pair in pairs for n in pair if isinstance(n, int)]


def _reasons(followed: Followed, grid: list[int], rests: list[int]) -> list[str | None]:
    """Return for each axis why no window is enough, None where one is."""
    found: list[Seen] = []
    for axis, (period, rest) in enumerate(zip(grid, rests, strict=True)):
        window = _ample(followed, axis, period, rest)
        found.append(seen(followed, axis, window, 4 * window - 3 * rest, (False, False)))
    # What both axes of a map hold is far away on either.
    shared = [reason for one in found for reason in one.spread]
    unmet = [[f"'{one.unmet}' fits one size of the image"] * bool(one.unmet) for one in found]
    return [
        next(iter((*one.far, *shared, *other)), None)
        for one, other in zip(found, unmet, strict=True)
    ]


def _rest(followed: Followed, axis: int, size: int | None, own: int | None) -> int:
    """Return the remainder that the images' size leaves by the period of the strides."""
    if size is not None:
        check_size(followed, axis, size, own)
        return size % period_of(followed, axis)
    meeting = sizes_that_meet(followed, axis)
    return meeting.remainders[0] if meeting and meeting.remainders else 0


def _nowhere(followed: Followed, reasons: Sequence[str]) -> Halo:
    rank = len(reasons)
    nothing = (None,) * rank
    return Halo(nothing, (1,) * rank, nothing, tuple(reasons))


def _listed(given: Sequence[int | None] | None, own: Sequence[int | None]) -> list[int | None]:
    if given is None:
        return [None] * len(own)
    listed = list(given)
    if len(listed) != len(own) or not all(n is None or (type(n) is int and n > 0) for n in listed):
        raise TileError(
            f"`image_size` must be one size per axis, {len(own)} in all: an int from 1 on, or "
            f"None. Received: image_size={given!r}"
        )
    return listed


def _congruent(period: int, size: int) -> str:
    rest = size % period
    return f"{period}·a + {rest}" if rest else f"that are multiples of {period}"
