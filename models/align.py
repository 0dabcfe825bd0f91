"""Where branches meet: crop them to the part of the input that all of them see alike."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import keras

from .geometry import arithmetic
from .geometry.tracing.trace import Field, TraceError, fields_of
from .layers.engine.extend import CollapseError

Anchor = Literal["centre", "end"]


class MisalignedWarning(UserWarning):
    """Branches that meet a fraction of a pixel apart, which no crop can mend."""


def align(tensors: Sequence[Any], anchor: Anchor = "centre", *, name: str) -> list[Any]:
    """Crop the maps of several branches to one size, pixel over pixel.

    Maps of equal size are left alone. Else each map's place over the input is traced, and all
    are cut to the range they share. Behind a merge the traced field is the hull of its branches
    (see `models.geometry.tracing`).

    Args:
        tensors: KerasTensors of shape (batch, *spatial, channels) from one graph.
        anchor: what of two receptive fields must coincide: their `"centre"`, or their newest
            pixel, the `"end"`, as in causal networks.
        name: of the place; the crops are called `{name}_crop{i}`.

    Returns:
        The tensors, each behind a Cropping layer, or an Identity where nothing is cut.

    Raises:
        TraceError: if the maps' strides over the input differ, or cannot be traced.
        CollapseError: if the maps have no pixel in common.

    Warns:
        MisalignedWarning: if a map stays a fraction of one of its pixels off the others.

    Example:
        >>> x = keras.Input((32, 32, 3))
        >>> branches = [padzoo.Conv2D(8, 3)(x), padzoo.Conv2D(8, 5)(x)]
        >>> [y.shape for y in padzoo.align(branches, name="merge")]
        [(None, 28, 28, 8), (None, 28, 28, 8)]
    """
    tensors = list(tensors)
    sizes = [tuple(x.shape[1:-1]) for x in tensors]
    if len(set(sizes)) <= 1:
        return tensors
    fields = fields_of(tensors)
    axes = [
        _crops(name, axis, [s[axis] for s in sizes], [f[axis] for f in fields], anchor)
        for axis in range(len(sizes[0]))
    ]
    per_tensor = zip(*axes, strict=True)
    return [
        _crop(x, widths, f"{name}_crop{i}")
        for i, (x, widths) in enumerate(zip(tensors, per_tensor, strict=True))
    ]


def align_for_stride(x: Any, coarser: Any, *, name: str) -> Any:
    """Cut from the start of a map, so that a stride from its first pixel on meets a coarser map.

    A window of one pixel and stride 2 takes the pixels 0, 2, 4, …, but on 32 pixels the centres of
    a 3x3 window under `same` are 1, 3, 5, …, and under `valid` those of two in a row 3, 5, 7, ….
    What lies before the coarser map's first centre is cut to less than a stride; `align` cuts the
    rest after the stride. Nothing is cut where that centre lies before the map, as under `causal`:
    the stride would then look ahead.

    Args:
        x: KerasTensor of shape (batch, *spatial, channels), before the stride.
        coarser: another of the same graph, whose stride over the input is a multiple of that of x.
        name: of the Cropping layer, or of the Identity where nothing is cut.

    Returns:
        The map, behind that layer.

    Raises:
        TraceError: if the maps cannot be traced, or a size that the padding depends on is unknown.

    Example:
        >>> x = keras.Input((32, 32, 3))
        >>> y = padzoo.Conv2D(8, 3, strides=2, padding="same")(x)
        >>> align_for_stride(x, y, name="place").shape
        (None, 31, 31, 3)
    """
    cuts = []
    for axis, (fine, coarse) in enumerate(zip(*fields_of([x, coarser]), strict=True)):
        if fine.effective_padding is None or coarse.effective_padding is None:
            raise TraceError(
                f"The stride at '{name}' cannot be aligned on axis {axis}, because a size is not "
                f"known. Received: shape={x.shape}"
            )
        offset = _first(coarse, "centre") - _first(fine, "centre")
        pixels = _nearest(max(0.0, offset) / fine.effective_stride)
        cuts.append((pixels % (coarse.effective_stride // fine.effective_stride), 0))
    return _crop(x, cuts, name)


def _crops(
    name: str, axis: int, sizes: list[int | None], fields: list[Field], anchor: Anchor
) -> list[tuple[int, int]]:
    """Return what to cut (before, after) from each map on one axis."""
    strides = {field.effective_stride for field in fields}
    if len(strides) > 1:
        raise TraceError(
            f"The branches at '{name}' cannot be aligned: their effective strides on axis {axis} "
            f"are {sorted(strides)} and must be equal."
        )
    if len(set(sizes)) == 1:
        return [(0, 0)] * len(sizes)
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes) or any(field.effective_padding is None for field in fields):
        raise TraceError(
            f"The branches at '{name}' cannot be aligned on axis {axis}, because a size is not "
            f"known. Received: sizes={sizes}"
        )
    stride = strides.pop()
    firsts = [_first(field, anchor) for field in fields]
    offsets = [(max(firsts) - first) / stride for first in firsts]
    before = [_nearest(offset) for offset in offsets]
    _warn_of_remainder(name, axis, max(abs(o - b) for o, b in zip(offsets, before, strict=True)))
    common = min(size - cut for size, cut in zip(known, before, strict=True))
    if common < 1:
        raise CollapseError(name, axis, max(0, common), 1)
    return [(cut, size - cut - common) for size, cut in zip(known, before, strict=True)]


def _first(field: Field, anchor: Anchor) -> float:
    place = arithmetic.last_pixel if anchor == "end" else arithmetic.centre
    return place(field.effective_padding or 0, field.receptive_field)


def _nearest(offset: float) -> int:
    """Half a pixel is cut as none: the earlier of the two places that are equally near."""
    return int(-(-(offset - 0.5) // 1))


def _warn_of_remainder(name: str, axis: int, remainder: float) -> None:
    if remainder:
        message = (
            f"The branches at '{name}' stay {remainder:g} pixels of their maps apart on axis "
            f"{axis}: no crop can mend a fraction."
        )
        warnings.warn(message, MisalignedWarning, stacklevel=4)


def _crop(x: Any, widths: Sequence[tuple[int, int]], name: str) -> Any:
    if not any(map(any, widths)):
        # Cut or not, one layer each: Keras orders layers, and so weights, by their depth.
        return keras.layers.Identity(name=name)(x)
    if len(widths) == 1:
        return keras.layers.Cropping1D(tuple(widths[0]), name=name)(x)
    return keras.layers.Cropping2D(tuple(map(tuple, widths)), name=name)(x)
