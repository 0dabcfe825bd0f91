"""Padding of tensors, for any backend of Keras and for borders of any width.

TensorFlow's pad knows three modes, JAX's names others, and neither goes wider than the map in
the same way. On TensorFlow a border is gathered (`extend_tensorflow`), elsewhere it is cut from the
map in straight runs and joined on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ...padding import MODES, PaddingError, Widths
from ...padding.axes import Terms, terms
from ...padding.checks import check_name
from ...padding.definitions import IndexRule
from ...padding.modes import AXIS_MODES, plane_of
from ...padding.planes import check_sizes, plane_pixels
from .precision import exact


class CollapseError(ValueError):
    """A map that is smaller than the window which has to fit into it.

    Attributes:
        layer_name: where it happens.
        axis: the spatial axis, counted from 0.
        size: pixels on that axis, with the padding.
        needed: pixels that the window spans.
    """

    def __init__(self, layer_name: str, axis: int, size: int, needed: int) -> None:
        super().__init__(
            f"The map collapses at layer '{layer_name}': its window spans {needed} pixels on "
            f"axis {axis}, the padded map has {size}."
        )
        self.layer_name, self.axis, self.size, self.needed = layer_name, axis, size, needed


def pad(x: Any, amounts: Widths, mode: str | Sequence[str], value: Any = 0.0) -> Any:
    """Pad the spatial axes of a tensor.

    Args:
        x: floating-point tensor of shape (batch, *spatial, channels).
        amounts: (before, after) in pixels for each spatial axis.
        mode: a name from `AXIS_MODES`, or one for each spatial axis; or one that pads both axes of
            an image together. Where zeros and a constant meet in a corner, it holds the constant.
        value: what mode `"constant"` writes: a number, or a tensor of shape (1, channels) or
            (batch, channels).

    Returns:
        A tensor of shape (batch, *padded, channels), dtype of `x`.

    Raises:
        PaddingError: if a mode does not copy or write pixels, or if one that copies them meets an
            axis of unknown size, or one of a size that it cannot continue.

    Example:
        >>> row = keras.ops.reshape(keras.ops.arange(3, dtype="float32"), (1, 3, 1))
        >>> np.asarray(padzoo.pad(row, ((2, 1),), "reflect")).ravel().tolist()
        [2.0, 1.0, 0.0, 1.0, 2.0, 1.0]
    """
    modes = (mode,) * len(amounts) if isinstance(mode, str) else tuple(mode)
    if len(amounts) == 2 and len(set(modes)) == 1 and plane_of(modes):
        return _pad_plane(x, amounts, modes[0])
    for name in modes:
        check_name("mode", name, AXIS_MODES)
    check_known(x.shape, amounts, modes)
    free = [_writes(name) for name in modes]
    for takes_value, fill in ((False, 0.0), (True, value)):
        chosen = tuple(
            width if writes and MODES[name].takes_value == takes_value else (0, 0)
            for width, writes, name in zip(amounts, free, modes, strict=True)
        )
        if any(map(any, chosen)):
            x = _pad_with(x, chosen, fill)
    amounts = tuple((0, 0) if f else a for a, f in zip(amounts, free, strict=True))
    if not any(map(any, amounts)):
        return x
    known = None not in x.shape[1:-1] and not isinstance(x, keras.KerasTensor)
    if keras.backend.backend() == "tensorflow" and known:
        from . import extend_tensorflow

        return extend_tensorflow.pad(x, amounts, modes)
    for axis, (width, axis_mode) in enumerate(zip(amounts, modes, strict=True), start=1):
        if any(width):
            x = _pad_from_map(x, axis, width, axis_mode)
    return x


def pad_with_noise(x: Any, amounts: Widths, mean: Any, draw: Callable[..., Any]) -> Any:
    """Pad with a mean and, on every border pixel, a draw of its own.

    Args:
        x, amounts: as in `pad`.
        mean: (batch, channels), dtype of `precision.exact(x)`.
        draw: from a shape (batch, *spatial, channels) to noise of that shape, in that dtype.

    Returns:
        As `pad`.
    """
    level = _over_space(mean, len(amounts))
    for axis in reversed(range(1, len(amounts) + 1)):
        strips = []
        for width in amounts[axis - 1]:
            shape = [*ops.shape(x)]
            shape[axis] = width
            strips.append(ops.cast(level + draw(tuple(shape)), x.dtype) if width else None)
        before, after = strips
        parts = [part for part in (before, x, after) if part is not None]
        x = ops.concatenate(parts, axis=axis)
    return x


def padded_shape(shape: Sequence[int | None], amounts: Widths) -> tuple[int | None, ...]:
    """Return the shape (batch, *padded, channels) of what `pad` makes of `shape`."""
    spatial = (
        None if n is None else n + sum(width) for n, width in zip(shape[1:-1], amounts, strict=True)
    )
    return (shape[0], *spatial, shape[-1])


def check_window(
    layer_name: str, shape: Sequence[int | None], amounts: Widths, window: Sequence[int]
) -> None:
    """Raise CollapseError if a window does not fit the padded map; unknown sizes pass."""
    sizes = padded_shape(shape, amounts)[1:-1]
    for axis, (size, needed) in enumerate(zip(sizes, window, strict=True)):
        if size is not None and size < needed:
            raise CollapseError(layer_name, axis, size, needed)


def check_known(shape: Sequence[int | None], amounts: Widths, modes: Sequence[str]) -> None:
    """Raise PaddingError if a mode that needs its size pads an axis of unknown size.

    One that pads both axes together needs both.
    """
    if (plane := plane_of(modes)) and any(map(any, amounts)) and None in shape[1:-1]:
        check_sizes(shape[1:-1], plane, "A map")
    for size, width, mode in zip(shape[1:-1], amounts, modes, strict=True):
        if size is None and MODES[mode].needs_size and any(width):
            raise PaddingError(
                f"Mode '{mode}' needs a known size on every axis it pads. "
                f"Received: shape={tuple(shape)}"
            )


def _writes(mode: str) -> bool:
    rule = MODES[mode]
    return isinstance(rule, IndexRule) and rule.writes


def _pad_with(x: Any, amounts: Widths, fill: Any) -> Any:
    """Pad with a number, or with a value for each channel."""
    widths = [(0, 0), *amounts, (0, 0)]
    if isinstance(fill, float | int):
        return ops.pad(x, widths, constant_values=fill)
    border = 1 - ops.pad(exact(ops.ones_like(x[:1, ..., :1])), widths)
    filled = ops.cast(_over_space(fill, len(amounts)), border.dtype) * border
    return ops.pad(x, widths) + ops.cast(filled, x.dtype)


def _over_space(values: Any, rank: int) -> Any:
    """(n, channels) to (n, 1, …, 1, channels)."""
    return ops.reshape(values, (-1, *(1,) * rank, values.shape[-1]))


def _pad_from_map(x: Any, axis: int, width: tuple[int, int], mode: str) -> Any:
    """Pad one axis with what the map holds: straight runs of pixels, joined on."""
    size, dtype = x.shape[axis], x.dtype
    made = terms(size, *width, mode)
    copies = all(weight is None for _, weight in made)
    if not copies or max(width) > size:  # more than a pixel's copy, there or back
        x = exact(x)
    sides = slice(0, width[0]), slice(width[0] + size, None)
    before, after = (
        _strip(x, axis, [(i[side], w if w is None else w[side]) for i, w in made]) for side in sides
    )
    return ops.cast(ops.concatenate([*before, x, *after], axis=axis), dtype)


def _pad_plane(x: Any, amounts: Widths, mode: str) -> Any:
    """Pad an image with what both positions choose: strips left and right, then above and below."""
    if not any(map(any, amounts)):
        return x
    sizes = tuple(x.shape[1:-1])
    check_sizes(sizes, mode, "A map")
    if keras.backend.backend() == "tensorflow" and not isinstance(x, keras.KerasTensor):
        from . import extend_tensorflow

        return extend_tensorflow.pad_plane(x, amounts, mode)
    pixels, (height, width) = plane_pixels(sizes, amounts, mode), sizes
    top, left = amounts[0][0], amounts[1][0]
    many = any(max(width) > size for width, size in zip(amounts, sizes, strict=True))
    whole = exact(x) if many else x  # more than a pixel's copy, back
    line = ops.reshape(whole, (-1, height * width, x.shape[-1]))

    def joined(before: np.ndarray, middle: Any, after: np.ndarray, axis: int) -> Any:
        parts = [strip(before), middle, strip(after)]
        return ops.concatenate([part for part in parts if part is not None], axis=axis)

    def strip(shown: np.ndarray) -> Any:
        if shown.size == 0:
            return None
        return ops.reshape(ops.take(line, shown.ravel(), axis=1), (-1, *shown.shape, x.shape[-1]))

    rows = pixels[top : top + height]
    wide = joined(rows[:, :left], whole, rows[:, left + width :], 2)
    return ops.cast(joined(pixels[:top], wide, pixels[top + height :], 1), x.dtype)


def _strip(x: Any, axis: int, made: Terms) -> list[Any]:
    """Return the pixels that `terms` are, in pieces."""
    total: list[Any] = []
    for index, weight in made:
        if len(index) == 0:
            return []
        runs = straight_runs(index)
        if weight is None:
            return [_cut(x, axis, run) for run in runs]
        one = (index == index[0]).all()  # which broadcasts
        pieces = [_cut(x, axis, run) for run in ([index[:1]] if one else runs)]
        shape = [-1 if i == axis else 1 for i in range(len(x.shape))]
        part = ops.cast(weight.reshape(shape), x.dtype) * ops.concatenate(pieces, axis=axis)
        total = [total[0] + part] if total else [part]
    return total


def straight_runs(indices: np.ndarray) -> list[np.ndarray]:
    """Split indices into the longest runs with a constant step of +1, -1 or 0."""
    runs, start = [], 0
    steps = np.diff(indices)
    for end in range(1, len(indices) + 1):
        goes_on = (
            end < len(indices)
            and abs(steps[end - 1]) <= 1
            and (end - start < 2 or steps[end - 1] == steps[end - 2])
        )
        if not goes_on:
            runs.append(indices[start:end])
            start = end
    return runs


def _cut(x: Any, axis: int, run: np.ndarray) -> Any:
    low, high = int(run.min()), int(run.max())
    piece = x[(slice(None),) * axis + (slice(low, high + 1),)]
    if low == high:
        return piece if len(run) == 1 else ops.repeat(piece, len(run), axis=axis)
    return piece if run[0] == low else ops.flip(piece, axis=axis)
