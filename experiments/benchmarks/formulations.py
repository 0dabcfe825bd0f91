"""Ways to compute a padded convolution, tried against the one that the engine keeps.

Each is a function `(x, kernel, window, widths, mode, values) -> outputs` with the arguments of
`models.engine.convolve_zeros`; `values` are what the border holds in the modes of constant
channels, (1, channels) or (batch, channels). `used` puts one into the zoo's layers. All are exact;
some are written for what the benchmark measures only: two axes, a kernel of 3, stride 1.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from keras import ops

from models import engine
from models.bordered import PER_CHANNEL_MODES
from models.borders import axis_matrix, border_indices, partial_scale
from models.convolution import BorderedConvolution
from models.engine import Window
from models.pad import pad
from models.padding import Widths

Formulation = Callable[[Any, Any, Window, Widths, str, Any], Any]
Pad = Callable[[Any, Widths, str], Any]
NUMPY_NAMES = {"replicate": "edge", "circular": "wrap"}
NONE = ((0, 0), (0, 0))


@contextlib.contextmanager
def used(way: Formulation) -> Iterator[None]:
    """Compute every padded convolution that is traced meanwhile this way."""
    kept = BorderedConvolution.respond

    def respond(self: Any, x: Any, kernel: Any, training: bool | None) -> Any:
        widths = self.pad_widths(x.shape)
        if not any(map(any, widths)):
            return kept(self, x, kernel, training)
        window = Window(self.kernel_size, self.strides, self.dilation_rate)
        values = self.border_values(x) if self.mode in PER_CHANNEL_MODES else None
        return way(x, kernel, window, widths, self.mode, values)

    BorderedConvolution.respond = respond  # type: ignore[method-assign]
    try:
        yield
    finally:
        BorderedConvolution.respond = kept  # type: ignore[method-assign]


def offered(backend: str) -> dict[str, dict[str, Formulation]]:
    """Return what is tried for each mode on a backend, by name."""
    index: dict[str, Formulation] = {
        "slices and concatenate": padded_by(slices),
        "gather, an axis at a time": padded_by(gather_by_axis),
        "gather, both axes at once": padded_by(gather_at_once),
        "matrix product, an axis at a time": padded_by(multiply),
        "same, border strips added": strips,
    }
    own = _of_jax() if backend == "jax" else _of_tensorflow()
    by_mode = {mode: {**index, **own[mode]} for mode in ("reflect", "replicate", "circular")}
    return {
        "zeros": {"same": same, "pad, then valid": padded_by(with_value), **own["zeros"]},
        **by_mode,
        "constant": {"pad with the value": padded_with_values, "taps": taps, "shift": shift},
        "learned": {"pad with the value": padded_with_values, "taps": taps, "shift": shift},
        "mean": {"pad with the value": padded_with_values, "taps": taps, "shift": shift},
        "partial": {"scale (1, H, W, 1)": scale, "scale (1, H, W, filters)": scale_tiled},
    }


def _of_jax() -> dict[str, dict[str, Formulation]]:
    backend_pad = padded_by(pad_jax)
    return {
        "zeros": {"explicit amounts": explicit_jax},
        **{mode: {"jnp.pad": backend_pad} for mode in ("reflect", "replicate", "circular")},
    }


def _of_tensorflow() -> dict[str, dict[str, Formulation]]:
    from experiments.benchmarks import formulations_tensorflow as own

    more = {
        "gather, short gradient": padded_by(own.gather),
        "gather, gradient cut and scattered": padded_by(own.gather_scattered),
        "same, ring added": own.ring,
        "same, sides added": own.sides,
    }
    return {
        "zeros": {"explicit amounts": own.explicit},
        "reflect": {**more, "tf.pad": padded_by(own.pad_reflect)},
        "replicate": more,
        "circular": more,
    }


def valid(x: Any, kernel: Any, window: Window) -> Any:
    """Convolve what is padded."""
    return engine.convolve_zeros(x, kernel, window, ((0, 0),) * len(window.kernel_size))


def same(x: Any, kernel: Any, window: Window, widths: Widths, mode: str, values: Any) -> Any:
    """Leave zeros to the backend's own `same`."""
    return ops.conv(x, kernel, window.strides, "same", dilation_rate=window.dilation_rate)


def padded_by(pad: Pad) -> Formulation:
    """Return the formulation that pads, then convolves."""

    def way(x: Any, kernel: Any, window: Window, widths: Widths, mode: str, values: Any) -> Any:
        return valid(pad(x, widths, mode), kernel, window)

    return way


def with_value(x: Any, widths: Widths, mode: str) -> Any:
    """Pad with zeros."""
    return ops.pad(x, [(0, 0), *widths, (0, 0)])


def slices(x: Any, widths: Widths, mode: str) -> Any:
    """Join slices of a pixel to the map, an axis at a time."""
    for axis, (before, after) in enumerate(widths, start=1):
        size, place = x.shape[axis], (slice(None),) * axis
        parts = [x[(*place, slice(i, i + 1))] for i in border_indices(size, before, after, mode)]
        x = ops.concatenate([*parts[:before], x, *parts[before + size :]], axis=axis)
    return x


def gather_by_axis(x: Any, widths: Widths, mode: str) -> Any:
    """Gather rows, then columns."""
    for axis, width in enumerate(widths, start=1):
        x = ops.take(x, border_indices(x.shape[axis], *width, mode), axis=axis)
    return x


def gather_at_once(x: Any, widths: Widths, mode: str) -> Any:
    """Gather pixels from one line."""
    height, width, channels = x.shape[1:]
    rows = border_indices(height, *widths[0], mode)
    columns = border_indices(width, *widths[1], mode)
    line = ops.reshape(x, (-1, height * width, channels))
    pixels = ops.take(line, (rows[:, None] * width + columns).ravel(), axis=1)
    return ops.reshape(pixels, (-1, len(rows), len(columns), channels))


def multiply(x: Any, widths: Widths, mode: str) -> Any:
    """Multiply each axis by the matrix that pads it."""
    height, width, channels = x.shape[1:]
    rows, columns = (
        ops.convert_to_tensor(axis_matrix(n, *w, mode), dtype=x.dtype)
        for n, w in zip((height, width), widths, strict=True)
    )
    x = ops.matmul(columns, x)
    tall = ops.matmul(rows, ops.reshape(x, (-1, height, x.shape[2] * channels)))
    return ops.reshape(tall, (-1, rows.shape[0], columns.shape[0], channels))


def pad_jax(x: Any, widths: Widths, mode: str) -> Any:
    """JAX's own pad."""
    import jax.numpy as jnp

    return jnp.pad(x, [(0, 0), *widths, (0, 0)], mode=NUMPY_NAMES.get(mode, mode))


def explicit_jax(x: Any, kernel: Any, window: Window, widths: Widths, *_: Any) -> Any:
    """Give the amounts to XLA's convolution."""
    import jax

    return jax.lax.conv_general_dilated(
        x, ops.convert_to_tensor(kernel), window.strides, widths,
        rhs_dilation=window.dilation_rate, dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )  # fmt: skip


def strips(x: Any, kernel: Any, window: Window, widths: Widths, mode: str, values: Any) -> Any:
    """Convolve as `same`, then add what border rows and columns give; kernel 3, stride 1."""
    outputs = same(x, kernel, window, widths, mode, values)
    rows = border_indices(x.shape[1], 1, 1, mode)
    columns = border_indices(x.shape[2], 1, 1, mode)
    kernel, sides = ops.convert_to_tensor(kernel), []
    for tap, place in ((0, 0), (2, -1)):
        row = slices(x[:, rows[place] : rows[place] + 1], (NONE[0], widths[1]), mode)
        column = x[:, :, columns[place] : columns[place] + 1]
        sides.append(ops.conv(row, kernel[tap : tap + 1], padding="valid"))
        sides.append(ops.conv(column, kernel[:, tap : tap + 1], padding="same"))
    top, left, bottom, right = sides
    for axis, first, last in ((1, top, bottom), (2, left, right)):
        inner = (slice(None),) * axis
        parts = (
            outputs[(*inner, slice(0, 1))] + first,
            outputs[(*inner, slice(1, -1))],
            outputs[(*inner, slice(-1, None))] + last,
        )
        outputs = ops.concatenate(parts, axis=axis)
    return outputs


def padded_with_values(
    x: Any, kernel: Any, window: Window, widths: Widths, mode: str, values: Any
) -> Any:
    """Pad with the border's values."""
    return valid(pad(x, widths, "constant", values), kernel, window)


def taps(x: Any, kernel: Any, window: Window, widths: Widths, mode: str, values: Any) -> Any:
    """Add the kernel's taps that read the border, times the values: the engine's."""
    outputs = engine.convolve_zeros(x, kernel, window, widths)
    return engine.add_border(outputs, kernel, values, x.shape[1:-1], window, widths)


def shift(x: Any, kernel: Any, window: Window, widths: Widths, mode: str, values: Any) -> Any:
    """Subtract the values from the map, and add the sum of the kernel's taps times them."""
    level = ops.reshape(values, (-1, *(1,) * len(widths), values.shape[-1]))
    outputs = engine.convolve_zeros(x - level, kernel, window, widths)
    summed = ops.sum(kernel, axis=tuple(range(len(widths))))
    return outputs + ops.reshape(values @ summed, (-1, *(1,) * len(widths), summed.shape[-1]))


def scale(
    x: Any, kernel: Any, window: Window, widths: Widths, mode: str, values: Any, tiled: bool = False
) -> Any:
    """Multiply by kernel area over covered area: a map of one channel, or one for each filter."""
    outputs = engine.convolve_zeros(x, kernel, window, widths)
    ratio = partial_scale(window.reads_border(x.shape[1:-1], widths))
    if tiled:
        ratio = np.tile(ratio, outputs.shape[-1])
    return outputs * ops.convert_to_tensor(ratio, dtype=outputs.dtype)


scale_tiled = partial(scale, tiled=True)
