"""By how much the tiles of a large image must overlap, as lines in the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from conf.reader import ConfigError
from experiments import terminal
from models.geometry.tiling.cover import Cover, repeated, work
from models.geometry.tiling.halo import Halo, cover_image, halo
from models.geometry.tiling.tiled_network import AXES, TileError


@dataclass(frozen=True)
class Tiling:
    """A network's halo, the tile that was asked for, and the windows of each axis."""

    halo: Halo
    tile: tuple[int, ...]
    covers: tuple[Cover, ...]


def tiling(model: Any, tile: tuple[int, ...]) -> Tiling:
    """Return how an image of the size that a network is built for is tiled.

    Args:
        model: a Keras model.
        tile: pixels, one number for all axes or one per axis.

    Raises:
        ConfigError: if no overlap is enough, or the tile is none of the allowed.
    """
    try:
        found = halo(model)
        if all(found.reasons):
            raise ConfigError(f"no overlap of tiles is enough: {found.reasons[0]}")
        own = tuple(model.inputs[0].shape[1:-1])
        tiles = tile * len(own) if len(tile) == 1 else tile
        if len(tiles) != len(own):
            raise ConfigError(f"--tiles has {len(tile)} sizes but the image has {len(own)} axes")
        return Tiling(found, tiles, tuple(cover_image(model, own, tiles)))
    except TileError as error:
        what, _, _ = str(error).partition(" Received: ")
        raise ConfigError(f"{what} --tiles {'x'.join(map(str, tile))} was asked for") from None


def as_json(found: Tiling) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        **asdict(found.halo),
        "tile": found.tile,
        "window": [cover.window for cover in found.covers],
        "windows": [len(cover.places) for cover in found.covers],
        "repeated_share": repeated(found.covers),
        "work": work(found.covers),
    }


def show(found: Tiling) -> None:
    """Print the overlap, the tiles that work, and what is computed twice."""
    names, covers = AXES[len(found.tile)], found.covers
    overlaps = [
        f"none is enough: {reason}" if overlap is None else f"{overlap} pixels"
        for overlap, reason in zip(found.halo.overlap, found.halo.reasons, strict=True)
    ]
    sizes = [
        "all of the image" if least is None else _sizes(least, grid)
        for least, grid in zip(found.halo.smallest, found.halo.grid, strict=True)
    ]
    terminal.say(f"{'overlap':<14} {_by_axis(names, overlaps)}")
    terminal.say(f"{'tile sizes':<14} {_by_axis(names, sizes)}")
    image = "×".join(str(cover.size) for cover in covers)
    count = "×".join(str(len(cover.places)) for cover in covers)
    window = "×".join(str(cover.window) for cover in covers)
    if all(len(cover.places) == 1 for cover in covers):
        terminal.say(f"{'tiles':<14} one: the image has {image} pixels; --input takes a larger one")
        return
    terminal.say(f"{'tiles':<14} {count} windows of {window} pixels cover {image}")
    terminal.say(
        f"{'twice':<14} {100 * repeated(covers):.1f} % of the image's pixels lie in more than one "
        f"window; all windows together have {work(covers):.2f} times its pixels"
    )


def _sizes(least: int, grid: int) -> str:
    return f"multiples of {grid} pixels from {least} on" if grid > 1 else f"from {least} pixels on"


def _by_axis(names: Sequence[str], said: Sequence[str]) -> str:
    """One clause if all axes have the same."""
    if len(set(said)) == 1:
        return said[0]
    return "; ".join(f"{name}: {text}" for name, text in zip(names, said, strict=True))
