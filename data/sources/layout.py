"""Position of the channels in arrays: last, as everywhere in the project, or first on request."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from data.config import LAYOUT_HINTS, DataConfig
from data.types import RawSplit, StoredSplit
from models.messages import likely_layout, looks_channels_first

# How inputs are interpreted, by their kind and the number of their axes as stored.
READ = {
    ("image", 3): "images (n, height, width)",
    ("image", 4): "images (n, height, width, channels)",
    ("sequence", 2): "sequences (n, time)",
    ("sequence", 3): "sequences (n, time, channels)",
}
RANK = {"image": 3, "sequence": 2}  # number of axes of an example, channels included


def channels_last(split: StoredSplit) -> StoredSplit:
    """Turns a split stored as (n, c, h, w) or (n, c, t) into (n, h, w, c) or (n, t, c)."""
    n, channels, *sizes = split.shape

    def pieces() -> Iterator[RawSplit]:
        for piece in split.pieces():
            yield replace(piece, x=np.moveaxis(piece.x, 1, -1))

    return StoredSplit((n, *sizes, channels), split.dtype, pieces)


def notes(cfg: DataConfig, kind: str, shape: tuple[int | None, ...]) -> tuple[str, ...]:
    """A line if training inputs of this stored shape probably have another layout."""
    example = tuple(n for n in shape[1:] if n is not None)
    if len(example) < len(shape) - 1:
        return ()
    told = f"{cfg.name}: x_train of shape {tuple(shape)} is read"
    if cfg.layout == "channels_first":
        if not looks_channels_first((example[-1], *example[:-1])):
            return ()
        return (f"{told} as data.layout=channels_first says, but its channels seem to come last",)
    likely = likely_layout((*example, 1) if len(example) < RANK[kind] else example)
    return (f"{told} as {READ[kind, len(shape)]}; {LAYOUT_HINTS[likely]}",) if likely else ()
