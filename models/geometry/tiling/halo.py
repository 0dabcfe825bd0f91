"""How much the windows must overlap in which an image is predicted, and which windows work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ..findings.meeting import period_of, sizes_that_meet
from ..tracing.trace import Followed
from .alike import Seen, seen
from .cover import Cover, Place, run
from .tiled_network import (
    AXES,
    INNER,
    TileError,
    check_size,
    followed_image,
    outputs_a_period,
    places_of,
    sees_everything,
    window_of,
)


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


def cover_image(model: keras.Model, sizes: Sequence[int], tile: int | Sequence[int]) -> list[Cover]:
    """Return the windows of each axis of an image.

    Args:
        model: as in `halo`.
        sizes: pixels of the image on each axis.
        tile: the most pixels of a window on an axis, one number or one per axis.

    Raises:
        TileError: for a network that has no halo, an image or a tile that does not fit it.
        TraceError: as `padzoo.trace`.
    """
    followed, own = followed_image(model)
    if reason := sees_everything(followed):
        raise TileError(f"Nothing can be tiled: {reason}. Received: '{model.name}'")
    tiles = _read_tile(tile, len(own))
    found = halo(model, sizes)
    axes = enumerate(zip(sizes, tiles, strict=True))
    return [_cover_axis(followed, axis, *numbers, found) for axis, numbers in axes]


def _cover_axis(followed: Followed, axis: int, size: int, tile: int, found: Halo) -> Cover:
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
        near = tile - tile % period
        allowed = [str(n) for n in (near, near + period) if n >= least]
        raise TileError(
            f"A tile must have a multiple of {period} {name}, the period of the network's strides: "
            f"{' or '.join(allowed)}. Received: tile={tile}"
        )
    window = window_of(tile, period, size % period)
    places, outputs = places_of(followed, axis, window, size)
    if places is None:
        raise TileError(
            f"Tiles of {tile} {name} do not cover {size} {name}: the network's borders reach "
            f"further than their edges. Take a larger tile. Received: tile={tile}"
        )
    return Cover(size, window, outputs, places)


def _read_tile(tile: Any, rank: int) -> tuple[int, ...]:
    """Return one number per axis; raises TileError for anything but positive ints."""
    tiles = tuple(tile) if isinstance(tile, (tuple, list)) else (tile,) * rank
    whole = [isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in tiles]
    if len(tiles) != rank or not all(whole) or min(tiles) < 1:
        raise TileError(
            f"`tile` must be a number of pixels from 1 on, or one for each of {rank} axes. "
            f"Received: tile={tile!r}"
        )
    return tuple(map(int, tiles))


def _of_axis(followed: Followed, axis: int, period: int, rest: int) -> tuple[int, int]:
    """Return the overlap and the smallest tile."""
    window = _ample(followed, axis, period, rest)
    there = seen(followed, axis, window, 4 * window - 3 * rest, INNER)
    assert there.last is not None
    first, stop = run(there.last.alike)
    overlap = window - period * ((stop - first) // outputs_a_period(followed, axis))
    fails, works = 0, window + (period - rest) % period
    while works - fails > period:
        middle = fails + (works - fails) // (2 * period) * period
        tried = window_of(middle, period, rest)
        # Windows of all three kinds, and some within.
        whole = tried + period * (4 + 4 * window // period)
        good = tried > 0 and places_of(followed, axis, tried, whole)[0] is not None
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
    unmet = [[f"at other sizes {one.unmet}"] * bool(one.unmet) for one in found]
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
