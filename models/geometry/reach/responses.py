"""Which of its input's pixels each output of a layer reads, and how often: a matrix for each axis.

A layer with a kernel of ones is linear, and so is every border that copies pixels. On one axis of
n pixels, let B be the border's map to the padded axis (n + before + after, n), as in
`models.padding.axes`, and C the window's to the outputs (m, n + before + after), a one for every
tap. Then A = C B, shape (m, n), and in two dimensions an output map is A_h x A_w^T, its gradient
A_h^T g A_w. Where a border goes on by rows and columns together, B is one matrix for the image,
(padded pixels, pixels), and the gradient is B^T of C_h^T g C_w.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from keras import layers
from scipy import sparse

from ...layers.base import Bordered, is_of
from ...padding import MODES
from ...padding.axes import axis_entries
from ...padding.definitions import Mask, Statistic
from ...padding.modes import ZEROS, plane_of
from ...padding.planes import plane_pixels
from .. import arithmetic
from ..tracing.graph import Step, known_sizes
from ..tracing.kinds import kind_of
from ..tracing.windows import (
    border_of,
    cuts,
    pads,
    reads_border,
    resamplings,
    shifts,
    taps,
    window,
)
from .upward import Resized, Spread

MOVES = ("window", "spread", "resample", "shift")
AVERAGES = (layers.AveragePooling1D, layers.AveragePooling2D)


@dataclass(frozen=True)
class Axis:
    """A window on one axis of a map of `size` pixels, padded by `before` and `after`.

    Attributes:
        mode: one of `AXIS_MODES`; zeros for all that copy no pixel.
        kernel_size, strides, dilation_rate: of the window.
        splits: whether `even_split` leaves out a pixel, at one side or at the other.
    """

    size: int
    before: int
    after: int
    mode: str = ZEROS
    kernel_size: int = 1
    strides: int = 1
    dilation_rate: int = 1
    splits: bool = False

    @property
    def outputs(self) -> int:
        """How many outputs there are."""
        after = self.after - self.splits
        geometry = (self.kernel_size, self.strides, self.dilation_rate)
        return arithmetic.output_size(self.size, *geometry, self.before, after)

    def taps(self, side: int = 0) -> np.ndarray:
        """Where each output reads: positions on the padded axis, (outputs, kernel_size).

        `side` is 1 for the channels whose window is a pixel further on.
        """
        first = side + self.strides * np.arange(self.outputs)
        return first[:, None] + self.dilation_rate * np.arange(self.kernel_size)

    def outside(self, side: int = 0, frame: tuple[int, int] = (0, 0)) -> np.ndarray:
        """Which taps read the border, or a `frame` within the map: (outputs, kernel_size)."""
        taps = self.taps(side) - self.before
        return (taps < frame[0]) | (taps >= self.size - frame[1])

    def counts(self) -> np.ndarray:
        """Return how many taps each output has, (outputs,)."""
        return np.full(self.outputs, self.kernel_size)

    def content(self, side: int, frame: tuple[int, int]) -> float:
        """Return the share of the taps that lie on the map, and within a `frame` on it."""
        return float(1 - self.outside(side, frame).mean())


@dataclass(frozen=True)
class Response:
    """A layer with a kernel of ones.

    Attributes:
        axes: of its window, or of what it brings back up.
        corners: for each corner of `even_split`, the share of the channels whose window is
            there; one corner without it.
        scaling: what an output is divided by: "none"; "size", the taps; "covered", the taps on
            the map; or the name of a mask, by whose scale it is multiplied.
        spreads: whether the border holds the map's mean, or draws around it.
        plane: the mode by which the border goes on by rows and columns together; None for the
            modes of the axes.
    """

    axes: tuple[Axis | Spread | Resized, ...]
    corners: tuple[tuple[float, tuple[int, ...]], ...]
    scaling: str = "none"
    spreads: bool = False
    plane: str | None = None

    @property
    def sizes(self) -> tuple[int, ...]:
        """Pixels of the map on each axis."""
        return tuple(axis.size for axis in self.axes)

    @property
    def shown(self) -> np.ndarray:
        """Which pixel of the map each pixel of the padded one shows, under a `plane`."""
        assert self.plane is not None
        widths = tuple((axis.before, axis.after) for axis in self.axes)
        return plane_pixels(self.sizes, widths, self.plane)

    def backward(self, gradient: np.ndarray) -> np.ndarray:
        """Return how often each pixel is read: (*outputs,) weights to (*sizes,) sums."""
        total = np.zeros(())
        for share, sides in self.corners:
            read = gradient
            for i, (axis, side) in enumerate(zip(self.axes, sides, strict=True)):
                matrix = _matrix(axis, side, self.scaling, self.plane is None)
                read = np.moveaxis(_times(matrix, np.moveaxis(read, i, 0)), 0, i)
            total = total + share * read
        if self.plane:
            back = np.bincount(self.shown.ravel(), total.ravel(), math.prod(self.sizes))
            return back.reshape(self.sizes)
        if self.spreads:
            # Whatever the window does not read of the map it reads of the border: the mean.
            total += (self._taken(gradient) - total.sum()) / total.size
        return total

    def _taken(self, gradient: np.ndarray) -> float:
        """How many taps there are, each with its output's weight."""
        if self.scaling == "size":
            return float(gradient.sum())
        for axis in self.axes:
            gradient = np.tensordot(axis.counts(), gradient, 1)
        return float(gradient)


def response_of(step: Step) -> Response:
    """Return the response of a layer that moves pixels: of kind `MOVES`.

    Raises:
        TraceError: if a size is unknown.
    """
    shape = step.input_shapes[0]
    sizes = known_sizes(step.name, shape)
    kind = kind_of(step.layer)
    if kind == "spread":
        return _of_a_spread(step, sizes)
    if kind == "resample":
        axes = zip(sizes, resamplings(step.name, step.layer, shape), strict=True)
        resized = tuple(Resized(n, *axis) for n, axis in axes)
        return Response(resized, _corners((False,) * len(sizes), 1))
    return (_of_a_shift if kind == "shift" else _of_a_window)(step.layer, sizes, shape[-1] or 1)


def _of_a_spread(step: Step, sizes: tuple[int, ...]) -> Response:
    layer, rank = step.layer, len(sizes)
    outputs = known_sizes(step.name, step.output_shape)
    around = layer.input_widths(sizes) if is_of(layer, Bordered) else ((0, 0),) * rank
    modes = border_of(layer).modes(rank)
    axes = tuple(
        Spread(n, m, own, s, before, width[0], width[1], _by_axis(mode))
        for n, m, own, s, (before, _), width, mode in zip(
            sizes,
            outputs,
            taps(layer, step.input_shapes[0]),
            layer.strides,
            cuts(layer),
            around,
            modes,
            strict=True,
        )
    )
    once = _corners((False,) * rank, 1)
    return Response(axes, once, _mask(modes), _spreads(modes), _plane(modes, around))


def _of_a_shift(layer: Any, sizes: tuple[int, ...], channels: int) -> Response:
    rank, around = len(sizes), shifts(layer, (None, *sizes, channels))
    modes = layer.border.modes(rank) if is_of(layer, Bordered) else (ZEROS,) * rank
    axes = tuple(
        Axis(size, *(pad or (0, 0)), _by_axis(mode))
        for size, pad, mode in zip(sizes, around, modes, strict=True)
    )
    once = _corners((False,) * rank, 1)
    return Response(axes, once, spreads=_spreads(modes), plane=_plane(modes, around))


def _of_a_window(layer: Any, sizes: tuple[int, ...], channels: int) -> Response:
    rank, shape = len(sizes), (None, *sizes, channels)
    modes = border_of(layer).modes(rank) if reads_border(layer) else (ZEROS,) * rank
    splits = layer.splits(shape) if hasattr(layer, "splits") else (False,) * rank
    around = [pad or (0, 0) for pad in pads(layer, shape)]
    axes = tuple(
        Axis(size, before, after, _by_axis(mode), k, s, d, split)
        for size, (before, after), mode, k, s, d, split in zip(
            sizes, around, modes, *window(layer), splits, strict=True
        )
    )
    scaling = _mask(modes)
    if isinstance(layer, AVERAGES):
        scaling = "size" if reads_border(layer) else "covered"
    corners = _corners(splits, channels)
    return Response(axes, corners, scaling, _spreads(modes), _plane(modes, around))


def _plane(modes: Sequence[str], around: Sequence[tuple[int, int] | None]) -> str | None:
    """The mode that pads both axes together, where anything is padded."""
    return plane_of(modes) if any(pad and any(pad) for pad in around) else None


def _mask(modes: tuple[str, ...]) -> str:
    return next((mode for mode in modes if isinstance(MODES[mode], Mask)), "none")


def _by_axis(mode: str) -> str:
    return mode if MODES[mode].by_axis else ZEROS


def _spreads(modes: tuple[str, ...]) -> bool:
    return any(isinstance(MODES[mode], Statistic) for mode in modes)


def _corners(splits: tuple[bool, ...], channels: int) -> tuple[tuple[float, tuple[int, ...]], ...]:
    """Return the share of the channels in each corner; see `engine.convolve.split_kernel`."""
    if not any(splits):
        return ((1.0, (0,) * len(splits)),)
    halves = (2, 1) if len(splits) == 2 else (1,)
    counted = Counter(
        tuple(i // half % 2 * split for half, split in zip(halves, splits, strict=True))
        for i in range(channels)
    )
    return tuple((count / channels, corner) for corner, count in counted.items())


@lru_cache(maxsize=256)
def _matrix(
    axis: Axis | Spread | Resized, side: int, scaling: str, with_border: bool = True
) -> sparse.csr_array:
    """Return A^T, (size, outputs), or C^T, (before + size + after, outputs)."""
    if isinstance(axis, Resized):
        return sparse.csr_array(axis.matrix().T)
    border = sparse.eye_array(axis.before + axis.size + axis.after, format="csr")
    if with_border:
        border = border_matrix(axis.size, axis.before, axis.after, axis.mode)
    if isinstance(axis, Spread):
        reads = axis.matrix() @ border
        if scaling != "none":
            reads = sparse.diags_array(axis.scale(scaling)) @ reads
        return sparse.csr_array(reads.T)
    taps = axis.taps(side)
    none = sparse.csr_array((len(taps), border.shape[1]))
    reads = sum((border[column] for column in taps.T), none)
    if scaling != "none":
        reads = sparse.diags_array(_scale(axis, side, scaling)) @ reads
    return sparse.csr_array(reads.T)


def _scale(axis: Axis, side: int, scaling: str) -> np.ndarray:
    if scaling == "size":
        return np.full(axis.outputs, 1 / axis.kernel_size)
    covered = (~axis.outside(side)).sum(axis=1)
    mask = MODES.get(scaling)
    if isinstance(mask, Mask):
        return mask.scale(covered, axis.kernel_size, np)
    return np.where(covered > 0, 1 / np.maximum(covered, 1), 0.0)


def border_matrix(size: int, before: int, after: int, mode: str) -> sparse.csr_array:
    """Return `models.padding.axes.axis_matrix`, sparse; a negative side cuts pixels off."""
    cut_before, cut_after = max(0, -before), max(0, -after)
    before, after = max(0, before), max(0, after)
    entries = np.stack(axis_entries(size, before, after, mode))
    rows, columns, values = entries[:, entries[2] != 0]
    shape = (before + size + after, size)
    matrix = sparse.csr_array(
        sparse.coo_array((values, (rows.astype(int), columns.astype(int))), shape=shape)
    )
    return matrix[cut_before : shape[0] - cut_after]


def _times(matrix: sparse.csr_array, x: np.ndarray) -> np.ndarray:
    return matrix @ np.ascontiguousarray(x)
