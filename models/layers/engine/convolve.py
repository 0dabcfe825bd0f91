"""How a padded convolution is computed: for each kind of mode the formulation that was fastest.

    zeros                   the backend's own `same` where the amounts are those; JAX takes any
                            explicit amounts without a copy, TensorFlow pads first, because its
                            kernels for explicit amounts take twice the time on a CPU
    a mask                  zeros, times a constant map
    one value per channel   zeros, plus what the border adds: the taps that read it, times the value
    all others              the border is joined on, then `valid`; on TensorFlow's CPU the gradient
                            of `circular` by the map is computed that way too, at stride 1

`experiments/results/padding/README.md` has the measurements, and what was tried besides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from ...padding import Widths
from ...padding.amounts import same_total, window_size
from ...padding.axes import mask_scale, outside
from .extend import pad
from .kernels import convolve, goes_round


@dataclass(frozen=True)
class Window:
    """A window that slides: one entry per spatial axis. `depthwise`: channels stay apart."""

    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]
    depthwise: bool = False

    @property
    def goes_round(self) -> bool:
        """Whether `convolve` is more than Keras' own call."""
        return goes_round(self.kernel_size, self.strides, self.depthwise)

    def convolve(self, x: Any, kernel: Any, padding: str) -> Any:
        """Return `kernels.convolve`: (batch, *spatial, channels) -> (batch, *outputs, filters)."""
        return convolve(x, kernel, padding, self.strides, self.dilation_rate, self.depthwise)

    def reads_border(self, sizes: tuple[int, ...], widths: Widths) -> tuple[np.ndarray, ...]:
        """Return `borders.outside` for each axis."""
        axes = zip(sizes, widths, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        return tuple(outside(n, *width, *window) for n, width, *window in axes)

    def is_same(self, sizes: tuple[int | None, ...], widths: Widths) -> bool:
        """Say whether the widths are those of the backends' `same` on every axis."""
        for n, width, k, s, d in zip(
            sizes, widths, self.kernel_size, self.strides, self.dilation_rate, strict=True
        ):
            if n is None and s > 1:
                return False
            total = same_total(n, d * (k - 1), s)
            if width != (total // 2, total - total // 2):
                return False
        return True


def convolve_zeros(x: Any, kernel: Any, window: Window, widths: Widths) -> Any:
    """Convolve with zeros around the map, without copying it where the backend allows that.

    Args:
        x: (batch, *spatial, channels).
        kernel: (*kernel_size, channels / groups, filters), or depthwise
            (*kernel_size, channels, multiplier).
        window: of the kernel.
        widths: zeros (before, after) each axis.

    Returns:
        (batch, *outputs, filters).
    """
    if not any(map(any, widths)):
        return window.convolve(x, kernel, "valid")
    if window.is_same(x.shape[1:-1], widths):
        return window.convolve(x, kernel, "same")
    if keras.backend.backend() == "jax":
        return _convolve_jax(x, kernel, window, widths)
    return window.convolve(ops.pad(x, [(0, 0), *widths, (0, 0)]), kernel, "valid")


def is_native(sizes: tuple[int | None, ...], window: Window, widths: Widths) -> bool:
    """Say whether `convolve_zeros` leaves the map where it is."""
    return keras.backend.backend() == "jax" or window.is_same(sizes, widths)


def _convolve_jax(x: Any, kernel: Any, window: Window, widths: Widths) -> Any:
    """Call XLA's convolution, which takes explicit amounts; Keras hands on strings only.

    An amount beyond the window would be a negative one in the gradient by the map, where XLA reads
    past the end of a row (JAX 0.10 and 0.11 on a CPU, openxla/xla#48713): it is joined on.
    """
    import jax

    kernel = ops.convert_to_tensor(kernel)
    spans = map(window_size, window.kernel_size, window.dilation_rate)
    kept = [min(before, span - 1) for (before, _), span in zip(widths, spans, strict=True)]
    beyond = [(before - n, 0) for (before, _), n in zip(widths, kept, strict=True)]
    if any(map(any, beyond)):
        x = ops.pad(x, [(0, 0), *beyond, (0, 0)])
        widths = tuple((n, after) for n, (_, after) in zip(kept, widths, strict=True))
    space = "HW"[2 - len(widths) :]
    if window.depthwise:
        kernel = ops.reshape(kernel, (*window.kernel_size, 1, -1))
    return jax.lax.conv_general_dilated(
        ops.convert_to_tensor(x, dtype=kernel.dtype),
        kernel,
        window.strides,
        widths,
        rhs_dilation=window.dilation_rate,
        dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
        feature_group_count=x.shape[-1] // kernel.shape[-2],
    )


def is_closed(
    channels: int, kernel: Any, window: Window, widths: Widths, modes: tuple[str, ...]
) -> bool:
    """Say whether `convolve_closed` takes it: in TensorFlow's graphs on a CPU, where it is quicker.

    Outside of a graph TensorFlow also computes the gradient that nobody asks for.
    """
    if keras.backend.backend() != "tensorflow" or set(modes) != {"circular"}:
        return False
    import tensorflow as tf

    spans = map(window_size, window.kernel_size, window.dilation_rate)
    return (
        not tf.executing_eagerly()
        and not tf.config.list_physical_devices("GPU")
        and max(window.strides) == 1
        and not window.depthwise
        and channels == kernel.shape[-2]
        and all(sum(width) == span - 1 for width, span in zip(widths, spans, strict=True))
    )


def convolve_closed(x: Any, padded: Any, kernel: Any, window: Window, widths: Widths) -> Any:
    """Convolve a map that goes on around on every axis, with as many outputs as pixels.

    Output p reads pixel p - before + dilation * tap, modulo the size, so pixel q is read by output
    q + before - dilation * tap: the gradient by the map is a convolution of the same kind, with the
    kernel turned and the amounts exchanged. TensorFlow's own gradient is one by the padded map:
    that is larger, which takes oneDNN longer, and its border has to be added to the map's pixels.

    Args:
        x: the map, (batch, *spatial, channels), to which the gradient goes.
        padded: the map with its border, which is read; no gradient goes there.
        kernel, window: as in `convolve_zeros`; strides are 1, and there are no groups.
        widths: of the border.
    """
    import tensorflow as tf

    space = tuple(range(len(widths)))
    exchanged = tuple((after, before) for before, after in widths)

    @tf.custom_gradient
    def forward(_: Any, padded: Any, kernel: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(kernel)
                y = window.convolve(padded, kernel, "valid")
            around = pad(upstream, exchanged, "circular")
            turned = ops.swapaxes(ops.flip(kernel, space), -1, -2)
            by_map = convolve_closed(upstream, around, turned, window, exchanged)
            return by_map, None, tape.gradient(y, kernel, upstream)

        return window.convolve(padded, kernel, "valid"), gradient

    return forward(*map(tf.convert_to_tensor, (x, padded, kernel)))


def scale_masked(
    outputs: Any, mode: str, sizes: tuple[int, ...], window: Window, widths: Widths
) -> Any:
    """Multiply outputs (batch, *outputs, filters) by the mode's scale of what each covers."""
    scale = mask_scale(mode, window.reads_border(sizes, widths))
    return outputs * ops.convert_to_tensor(scale, dtype=outputs.dtype)


def add_border(
    outputs: Any, kernel: Any, values: Any, sizes: tuple[int, ...], window: Window, widths: Widths
) -> Any:
    """Add what a border of constant channels gives to a convolution that saw zeros there.

    That is the kernel times the values, summed over the taps that read the border; an output
    that has none gets exactly zero. A tap is inside if it is on every axis.

    Args:
        outputs: (batch, *outputs, filters) of `convolve_zeros`.
        kernel, window, widths: as there.
        values: what the border holds, (1, channels) or (batch, channels).
        sizes: of the map without its border.
    """
    values = ops.cast(values, outputs.dtype)
    inside = [~axis for axis in window.reads_border(sizes, widths)]
    if len(inside) == 2:
        inside = [inside[0][:, None, :, None] & inside[1][None, :, None, :]]
    taps = math.prod(window.kernel_size)
    reads = ops.convert_to_tensor(~inside[0].reshape(-1, taps), dtype=outputs.dtype)
    response = ops.matmul(
        reads, _times(ops.reshape(kernel, (taps, *kernel.shape[-2:])), values, window.depthwise)
    )
    return outputs + ops.reshape(response, (-1, *outputs.shape[1:]))


def _times(kernel: Any, values: Any, depthwise: bool) -> Any:
    """(taps, channels / groups, filters) and (n, channels) to (n, taps, filters)."""
    taps, channels, filters = kernel.shape
    if depthwise:
        return ops.reshape(
            ops.einsum("tcm,nc->ntcm", kernel, values), (-1, taps, channels * filters)
        )
    groups = values.shape[-1] // channels
    if groups == 1:
        by_channel = ops.reshape(ops.transpose(kernel, (1, 0, 2)), (channels, taps * filters))
        return ops.reshape(ops.matmul(values, by_channel), (-1, taps, filters))
    kernel = ops.reshape(kernel, (taps, channels, groups, filters // groups))
    values = ops.reshape(values, (-1, groups, channels))
    return ops.reshape(ops.einsum("tcgf,ngc->ntgf", kernel, values), (-1, taps, filters))


def split_kernel(
    kernel: Any, window: Window, splits: tuple[bool, ...], channels: int
) -> tuple[Any, Window]:
    """Return the kernel of `even_split`: a pixel larger, each channel's in its own corner.

    Wu et al. 2019, "Convolution with even-sized kernels and symmetric padding"
    (arXiv:1903.08385), C2sp and C4sp, with the shift in the kernel instead of the map: channel
    i is padded towards corner i mod 4 (top left, top right, bottom left, bottom right), on a
    sequence towards side i mod 2 (before, after).

    Args:
        kernel: as in `convolve_zeros`.
        window: of the kernel.
        splits: for each axis whether a pixel is left over.
        channels: of the map, each of which has its corner.
    """
    rank = len(window.kernel_size)
    read, filters = kernel.shape[-2:]
    groups = channels // read
    channel = np.arange(read)[:, None] + read * (np.arange(filters) // max(1, filters // groups))
    for axis in range(rank):
        if splits[axis]:
            kernel = _dilated(kernel, axis, window.dilation_rate[axis])
            side = channel // 2 if rank == 2 and axis == 0 else channel
            after = ops.convert_to_tensor(side % 2, dtype=kernel.dtype)
            first, last = _grown(kernel, axis, (0, 1)), _grown(kernel, axis, (1, 0))
            kernel = first * (1 - after) + last * after
    dilation = zip(splits, window.dilation_rate, strict=True)
    return kernel, Window(
        tuple(kernel.shape[:rank]),
        window.strides,
        tuple(1 if split else rate for split, rate in dilation),
        window.depthwise,
    )


def _grown(kernel: Any, axis: int, width: tuple[int, int]) -> Any:
    widths = [(0, 0)] * len(kernel.shape)
    widths[axis] = width
    return ops.pad(kernel, widths)


def _dilated(kernel: Any, axis: int, rate: int) -> Any:
    """Write a kernel's holes out as zeros on one axis."""
    if rate == 1:
        return kernel
    size = kernel.shape[axis]
    spread = np.zeros((rate * (size - 1) + 1, size))
    spread[rate * np.arange(size), np.arange(size)] = 1
    moved = ops.tensordot(
        ops.convert_to_tensor(spread, dtype=kernel.dtype), kernel, ((1,), (axis,))
    )
    return ops.moveaxis(moved, 0, axis)
