"""Padding of tensors, for any backend of Keras and for borders of any width.

TensorFlow's pad knows three modes, JAX's names others, and neither goes wider than the map in
the same way. Here a border is cut from the map in straight runs and joined on: no gather runs
over the whole map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from models.padding import CONSTANT_MODES, PaddingError, Widths, border_indices


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


def pad(x: Any, amounts: Widths, mode: str | Sequence[str], value: float = 0.0) -> Any:
    """Pad the spatial axes of a tensor.

    Args:
        x: floating-point tensor of shape (batch, *spatial, channels).
        amounts: (before, after) in pixels for each spatial axis.
        mode: a name from `models.padding.MODES`, or one for each spatial axis.
        value: what mode `"constant"` writes.

    Returns:
        A tensor of shape (batch, *padded, channels), dtype of `x`.

    Raises:
        PaddingError: if a mode that copies pixels meets an axis of unknown size.
    """
    modes = (mode,) * len(amounts) if isinstance(mode, str) else tuple(mode)
    check_known(x.shape, amounts, modes)
    for kind, fill in (("zeros", 0.0), ("constant", value)):
        chosen = [a if m == kind else (0, 0) for a, m in zip(amounts, modes, strict=True)]
        if any(map(any, chosen)):
            x = ops.pad(x, [(0, 0), *chosen, (0, 0)], constant_values=fill)
    for axis, (width, axis_mode) in enumerate(zip(amounts, modes, strict=True), start=1):
        if axis_mode not in CONSTANT_MODES and any(width):
            x = _pad_from_map(x, axis, *width, axis_mode)
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
    """Raise PaddingError if a mode that copies pixels pads an axis of unknown size."""
    for size, width, mode in zip(shape[1:-1], amounts, modes, strict=True):
        if size is None and mode not in CONSTANT_MODES and any(width):
            raise PaddingError(
                f"Mode '{mode}' copies pixels and needs a known size on every axis it pads. "
                f"Received: shape={tuple(shape)}"
            )


def _pad_from_map(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    size = x.shape[axis]
    source = border_indices(size, before, after, mode)
    parts = [_cut(x, axis, run) for run in straight_runs(source[:before])]
    parts.append(x)
    parts += [_cut(x, axis, run) for run in straight_runs(source[before + size :])]
    return ops.concatenate(parts, axis=axis)


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
