"""Formulations that need TensorFlow's own functions: see `experiments.benchmarks.formulations`."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from models import tensorflow_pad
from models.borders import border_indices
from models.engine import Window
from models.padding import Widths


def explicit(x: Any, kernel: Any, window: Window, widths: Widths, *_: Any) -> Any:
    """Give the amounts to TensorFlow's convolution."""
    amounts = [[0, 0], *map(list, widths), [0, 0]]
    return tf.nn.conv2d(x, kernel, window.strides, amounts, dilations=window.dilation_rate)


def pad_reflect(x: Any, widths: Widths, mode: str) -> Any:
    """TensorFlow's own pad."""
    return tf.pad(x, [[0, 0], *map(list, widths), [0, 0]], "REFLECT")


def gather(x: Any, widths: Widths, mode: str) -> Any:
    """One gather, and a gradient that sums near the border only: the engine's."""
    return tensorflow_pad.pad(x, widths, (mode,) * len(widths))


def gather_scattered(x: Any, widths: Widths, mode: str) -> Any:
    """One gather; the gradient is cut out in one slice, and the border's scattered onto it."""
    height, width, channels = x.shape[1:]
    rows, columns = (
        border_indices(n, *w, mode) for n, w in zip((height, width), widths, strict=True)
    )
    order = (rows[:, None] * width + columns).ravel().astype("int32")
    (top, _), (left, _) = widths
    inside = np.zeros((len(rows), len(columns)), bool)
    inside[top : top + height, left : left + width] = True
    ring = np.flatnonzero(~inside).astype("int32")

    @tf.custom_gradient
    def forward(x: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            kept = upstream[:, top : top + height, left : left + width]
            line = tf.reshape(upstream, [-1, len(order), channels])
            return _scatter(kept, order[ring], tf.gather(line, ring, axis=1))

        line = tf.reshape(x, [-1, height * width, channels])
        padded = tf.gather(line, order, axis=1)
        return tf.reshape(padded, [-1, len(rows), len(columns), channels]), gradient

    return forward(x)


class Ring(NamedTuple):
    """Which products of `same` are missing at the border: output += kernel[tap] * x[pixel].

    Sorted by tap; `runs` are the taps' (tap, begin, end).
    """

    pixels: np.ndarray
    outputs: np.ndarray
    runs: tuple[tuple[int, int, int], ...]


@functools.lru_cache(maxsize=64)
def ring_of(sizes: tuple[int, ...], window: Window, widths: Widths, mode: str) -> Ring:
    """Return the products with pixels of the border, where the border is copied."""
    rows, columns = (border_indices(n, *w, mode) for n, w in zip(sizes, widths, strict=True))
    outside = window.reads_border(sizes, widths)
    taps, pixels, outputs = [], [], []
    for i in range(window.kernel_size[0]):
        for j in range(window.kernel_size[1]):
            reads = outside[0][:, None, i] | outside[1][None, :, j]
            at = np.nonzero(reads)
            sources = rows[at[0] + i] * sizes[1] + columns[at[1] + j]
            taps.append((i * window.kernel_size[1] + j, len(sources)))
            pixels.append(sources)
            outputs.append(at[0] * reads.shape[1] + at[1])
    ends = np.cumsum([count for _, count in taps])
    runs = tuple((tap, int(e - n), int(e)) for (tap, n), e in zip(taps, ends, strict=True) if n)
    return Ring(
        np.concatenate(pixels).astype("int32"), np.concatenate(outputs).astype("int32"), runs
    )


def ring(x: Any, kernel: Any, window: Window, widths: Widths, mode: str, values: Any) -> Any:
    """Convolve as `same`, then add the taps that read the border; stride 1.

    Gradients are those of `same`, and the same few products backwards.
    """
    made = ring_of(tuple(x.shape[1:-1]), window, widths, mode)
    steps: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "SAME"}

    @tf.custom_gradient
    def forward(x: Any, kernel: Any) -> Any:
        read = tf.gather(_line(x), made.pixels, axis=1)
        taps = tf.reshape(kernel, [-1, *kernel.shape[2:]])
        parts = [read[:, begin:end] @ taps[tap] for tap, begin, end in made.runs]
        outputs = tf.nn.conv2d(x, kernel, **steps)

        def gradient(upstream: Any) -> tuple[Any, Any]:
            written = tf.gather(_line(upstream), made.outputs, axis=1)
            of_x = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(x), filter=kernel, out_backprop=upstream, **steps
            )
            of_kernel = tf.raw_ops.Conv2DBackpropFilter(
                input=x, filter_sizes=kernel.shape, out_backprop=upstream, **steps
            )
            back, of_taps = [], [tf.zeros_like(taps[0])] * taps.shape[0]
            for tap, begin, end in made.runs:
                arrived = written[:, begin:end]
                back.append(tf.matmul(arrived, taps[tap], transpose_b=True))
                of_taps[tap] = tf.tensordot(read[:, begin:end], arrived, [[0, 1], [0, 1]])
            of_x = _scatter(of_x, made.pixels, tf.concat(back, axis=1))
            return of_x, of_kernel + tf.reshape(tf.stack(of_taps), kernel.shape)

        return _scatter(outputs, made.outputs, tf.concat(parts, axis=1)), gradient

    return forward(x, tf.convert_to_tensor(kernel))


@functools.lru_cache(maxsize=64)
def sides_of(size: int, mode: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the border adds on each side of a square map, kernel 3, stride 1.

    Returns:
        pixels (4, size, 3) that are read at the top, bottom, left and right, outputs (4, size)
        that they are added to, and whether a tap counts, (4, size, 3): a corner counts once.
    """
    source, along = border_indices(size, 1, 1, mode), np.arange(size)
    reach = along[:, None] + np.arange(3)  # on the padded axis
    at_top, at_bottom = source[0] * size + source[reach], source[-1] * size + source[reach]
    at_left, at_right = source[reach] * size + source[0], source[reach] * size + source[-1]
    outputs = np.stack(
        [along, (size - 1) * size + along, along * size, along * size + size - 1], dtype="int32"
    )
    inside = (reach > 0) & (reach <= size)
    counts = np.stack([np.ones_like(inside)] * 2 + [inside] * 2)[..., None]
    return np.stack([at_top, at_bottom, at_left, at_right]).astype("int32"), outputs, counts


def sides(x: Any, kernel: Any, window: Window, widths: Widths, mode: str, values: Any) -> Any:
    """Convolve as `same`, then add what each side reads in one product; `ring` in fewer steps."""
    size, channels = x.shape[1], x.shape[-1]
    if x.shape[1] != x.shape[2]:
        return ring(x, kernel, window, widths, mode, values)
    pixels, outputs, counts = sides_of(size, mode)
    steps: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "SAME"}
    counts = tf.cast(counts, x.dtype)

    @tf.custom_gradient
    def forward(x: Any, kernel: Any) -> Any:
        read = tf.gather(_line(x), pixels, axis=1) * counts
        read = tf.reshape(read, [-1, 4, size, 3 * channels])
        taps = tf.stack([kernel[0], kernel[2], kernel[:, 0], kernel[:, 2]])
        taps = tf.reshape(taps, [4, 3 * channels, -1])
        added = _scatter(tf.nn.conv2d(x, kernel, **steps), outputs.ravel(), _joined(read @ taps))

        def gradient(upstream: Any) -> tuple[Any, Any]:
            written = tf.gather(_line(upstream), outputs, axis=1)
            of_x = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(x), filter=kernel, out_backprop=upstream, **steps
            )
            of_kernel = tf.raw_ops.Conv2DBackpropFilter(
                input=x, filter_sizes=kernel.shape, out_backprop=upstream, **steps
            )
            back = tf.matmul(written, taps, transpose_b=True)
            back = tf.reshape(back, [-1, 4, size, 3, channels]) * counts
            of_x = _scatter(of_x, pixels.ravel(), tf.reshape(back, [-1, pixels.size, channels]))
            top, bottom, left, right = tf.unstack(
                tf.reshape(
                    tf.reduce_sum(tf.matmul(read, written, transpose_a=True), axis=0),
                    [4, 3, channels, -1],
                )
            )
            none = tf.zeros_like(top)
            of_kernel += tf.stack([top, none, bottom]) + tf.stack([left, none, right], axis=1)
            return of_x, of_kernel

        return added, gradient

    return forward(x, tf.convert_to_tensor(kernel))


def _joined(sides: Any) -> Any:
    """(batch, sides, size, filters) -> (batch, sides * size, filters)."""
    return tf.reshape(sides, [-1, sides.shape[1] * sides.shape[2], sides.shape[3]])


def _line(x: Any) -> Any:
    return tf.reshape(x, [-1, x.shape[1] * x.shape[2], x.shape[3]])


def _scatter(onto: Any, places: np.ndarray, updates: Any) -> Any:
    """Add (batch, places, channels) to a map at places on its line; may write in place."""
    height, width, channels = onto.shape[1:]
    batch = tf.shape(onto)[0]
    index = (tf.range(batch) * (height * width))[:, None] + places
    flat = tf.reshape(onto, [-1, channels])
    added = tf.tensor_scatter_nd_add(
        flat, tf.reshape(index, [-1, 1]), tf.reshape(updates, [-1, channels])
    )
    return tf.reshape(added, [-1, height, width, channels])
