"""Moving a picture or a sequence by whole pixels, around the border or off it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.probes.shared.examples import classes
from experiments.probes.shared.subject import Subject

CIRCULAR, FILLED = "circular", "filled"
WAYS = (CIRCULAR, FILLED)
BACKGROUND_EXAMPLES = 1024  # a median settles long before


def background(subject: Subject) -> np.ndarray:
    """What a picture's edge usually holds, (channels,): per channel the median over edge pixels.

    Of a set of digits on black it is black, where zeros would be a grey (the set's mean).
    """
    x = np.asarray(subject.loaded.test.x[:BACKGROUND_EXAMPLES])
    sides = [np.take(x, (0, -1), axis=axis) for axis in range(1, x.ndim - 1)]
    pixels = np.concatenate([side.reshape(-1, x.shape[-1]) for side in sides])
    middle: np.ndarray = np.median(pixels, axis=0).astype(x.dtype)
    return middle


def moved(x: np.ndarray, offset: Sequence[int], way: str, fill: np.ndarray) -> np.ndarray:
    """The examples, all moved by `offset` pixels on each spatial axis, positive down and right.

    Args:
        x: (n, *spatial, channels).
        way: CIRCULAR: what leaves on one side comes in on the other. FILLED: it is lost, and
            `fill`, (channels,), comes in, as if a larger empty picture were cropped.
    """
    axes = tuple(range(1, x.ndim - 1))
    if way == CIRCULAR:
        return np.roll(x, tuple(offset), axes)
    found = np.broadcast_to(fill, x.shape).copy()
    pairs = [
        (slice(max(0, d), n + min(0, d)), slice(max(0, -d), n - max(0, d)))
        for d, n in zip(offset, x.shape[1:-1], strict=True)
    ]
    if all(abs(d) < n for d, n in zip(offset, x.shape[1:-1], strict=True)):
        found[(slice(None), *(to for to, _ in pairs))] = x[
            (slice(None), *(since for _, since in pairs))
        ]
    return found


def told(subject: Subject, x: np.ndarray, offsets: Sequence[Sequence[int]], way: str) -> np.ndarray:
    """The class of every example moved by every offset; (offsets, n)."""
    fill = background(subject)
    return np.stack([classes(subject.model, moved(x, offset, way, fill)) for offset in offsets])
