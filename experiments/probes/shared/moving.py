"""Shifting an image or a sequence by whole pixels, circularly or filled with background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.probes.shared.examples import classes
from experiments.probes.shared.subject import Subject

CIRCULAR, FILLED = "circular", "filled"
WAYS = (CIRCULAR, FILLED)
BACKGROUND_EXAMPLES = 1024  # more than enough for a median


def background(subject: Subject) -> np.ndarray:
    """The usual value at an image's edge, (channels,): per channel the median over edge pixels.

    For digits on black it is black, while zeros would be a grey (the mean of the set).
    """
    x = np.asarray(subject.loaded.test.x[:BACKGROUND_EXAMPLES])
    sides = [np.take(x, (0, -1), axis=axis) for axis in range(1, x.ndim - 1)]
    pixels = np.concatenate([side.reshape(-1, x.shape[-1]) for side in sides])
    middle: np.ndarray = np.median(pixels, axis=0).astype(x.dtype)
    return middle


def moved(x: np.ndarray, offset: Sequence[int], way: str, fill: np.ndarray) -> np.ndarray:
    """The examples, all shifted by `offset` pixels on each spatial axis, positive down and right.

    Args:
        x: (n, *spatial, channels).
        way: CIRCULAR: pixels that leave on one side enter on the other. FILLED: they are lost, and
            `fill`, (channels,), enters, as if a larger empty image were cropped.
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
    """The predicted class of every example shifted by every offset; (offsets, n)."""
    fill = background(subject)
    return np.stack([classes(subject.model, moved(x, offset, way, fill)) for offset in offsets])
