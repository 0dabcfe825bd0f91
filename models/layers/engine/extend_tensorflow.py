"""Borders cut from the map, on TensorFlow: one gather forwards, one and a sum backwards.

Both axes are padded at once, on pixels in one line. TensorFlow's own gradient of a gather, a
slice or a concatenation goes over the whole map several times; a border is read from a ring of
pixels near it, so only the ring's gradient needs a sum.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ...padding import Widths
from ...padding.axes import axis_matrix
from ...padding.planes import plane_pixels
from .precision import exact


class Sums(NamedTuple):
    """Weighted sums of pixels, for those sums that have the same number of terms.

    Attributes:
        pixels: (sums, terms), which pixels are added.
        weights: (sums, terms, 1), with what; None where all are 1.
    """

    pixels: np.ndarray
    weights: np.ndarray | None

    def of(self, line: Any) -> Any:
        """Return the sums over a line of pixels: (batch, pixels, channels) -> (…, sums, …)."""
        terms = exact(tf.gather(line, self.pixels, axis=1))
        if self.weights is not None:
            terms *= tf.cast(self.weights, terms.dtype)
        sums = tf.reduce_sum(terms, axis=2) if self.pixels.shape[1] > 1 else terms[:, :, 0]
        return tf.cast(sums, line.dtype)


class Plan(NamedTuple):
    """How a padded map is taken from a map, and its gradient from the padded one.

    Each is a gather from the line of pixels with the sums behind it.
    """

    sums: tuple[Sums, ...]
    order: np.ndarray
    gradient_sums: tuple[Sums, ...]
    gradient_order: np.ndarray


@functools.lru_cache(maxsize=256)
def plan(sizes: tuple[int, ...], widths: Widths, modes: tuple[str, ...]) -> Plan:
    """Return the plan of one geometry; a 1-D map is an image of one row."""
    axes = [axis_matrix(n, *w, m) for n, w, m in zip(sizes, widths, modes, strict=True)]
    rows, columns = axes if len(axes) == 2 else (np.ones((1, 1)), *axes)
    entries = _product(_entries(rows), _entries(columns), rows.shape, columns.shape)
    return _plan(entries, rows.shape[1] * columns.shape[1], rows.shape[0] * columns.shape[0])


@functools.lru_cache(maxsize=256)
def plane_plan(sizes: tuple[int, int], widths: Widths, mode: str) -> Plan:
    """Return the plan of a mode that pads both axes together."""
    shown = plane_pixels(sizes, widths, mode).ravel()
    entries = np.stack([np.arange(len(shown)), shown, np.ones(len(shown))])
    return _plan(entries, sizes[0] * sizes[1], len(shown))


def pad(x: Any, widths: Widths, modes: tuple[str, ...]) -> Any:
    """Pad a map of known size with linear modes; arguments and result are `extend.pad`'s."""
    return _pad(x, widths, plan(tuple(x.shape[1:-1]), widths, modes))


def pad_plane(x: Any, widths: Widths, mode: str) -> Any:
    """Pad an image of known size with a mode that pads both axes together; as `pad`."""
    return _pad(x, widths, plane_plan(tuple(x.shape[1:-1]), widths, mode))


def _pad(x: Any, widths: Widths, made: Plan) -> Any:
    sizes = tuple(x.shape[1:-1])
    padded = [n + sum(w) for n, w in zip(sizes, widths, strict=True)]

    @tf.custom_gradient
    def forward(x: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            return _apply(upstream, made.gradient_sums, made.gradient_order, [*sizes])

        return _apply(x, made.sums, made.order, padded), gradient

    return forward(x)


def _plan(entries: np.ndarray, pixels: int, padded: int) -> Plan:
    return Plan(*_gathers(entries, padded, pixels), *_gathers(entries[[1, 0, 2]], pixels, padded))


def _apply(x: Any, sums: tuple[Sums, ...], order: np.ndarray, sizes: list[int]) -> Any:
    channels = x.shape[-1]
    line = tf.reshape(x, [-1, int(np.prod(x.shape[1:-1])), channels])
    if sums:
        line = tf.concat([line, *(part.of(line) for part in sums)], axis=1)
    return tf.reshape(tf.gather(line, order, axis=1), [-1, *sizes, channels])


def _entries(matrix: np.ndarray) -> np.ndarray:
    """(row, column, value) of what is not zero, as the rows of one array."""
    where = np.nonzero(matrix)
    return np.stack([*where, matrix[where]])


def _product(
    rows: np.ndarray, columns: np.ndarray, row_shape: tuple, column_shape: tuple
) -> np.ndarray:
    """The entries of the Kronecker product of two matrices."""
    to = rows[0][:, None] * column_shape[0] + columns[0]
    source = rows[1][:, None] * column_shape[1] + columns[1]
    value = rows[2][:, None] * columns[2]
    return np.stack([to.ravel(), source.ravel(), value.ravel()])


def _gathers(entries: np.ndarray, outputs: int, inputs: int) -> tuple[tuple[Sums, ...], np.ndarray]:
    """Write outputs = matrix @ inputs as sums and a gather; plain copies need no sum."""
    entries = entries[:, np.argsort(entries[0], kind="stable")]
    to, source, value = entries[0].astype(int), entries[1].astype("int32"), entries[2]
    counts = np.bincount(to, minlength=outputs)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    order, sums, behind = np.zeros(outputs, "int32"), [], inputs
    copied = (counts == 1) & (value[np.minimum(starts, len(value) - 1)] == 1)
    order[copied] = source[starts[copied]]
    for count in np.unique(counts[~copied]):
        chosen = np.flatnonzero((counts == count) & ~copied)
        terms = starts[chosen][:, None] + np.arange(count)
        weights = value[terms][..., None]
        sums.append(Sums(source[terms], None if (weights == 1).all() else weights))
        order[chosen] = behind + np.arange(len(chosen))
        behind += len(chosen)
    return tuple(sums), order
