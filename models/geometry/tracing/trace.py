"""Receptive field, stride, padding, parameters and MACs of a Keras model, layer by layer.

A functional model is walked from its inputs, models inside it taken apart. Convolutions, pools,
zero padding and cropping move the geometry by the recurrences of `models.geometry.arithmetic`;
transposed convolutions, upsampling and resizing bring it back up (`.fields`); elementwise layers
pass it on; global pooling and Flatten end the spatial part; anything else is refused. Where
branches meet, the traced field is the hull: the smallest run of input pixels that holds every
branch's field. It is exact for the outermost pixels and says nothing of holes between branches.
`meetings` says whether the branches' centres coincide.

A gate, such as that of squeeze-and-excite (Hu et al. 2018, arXiv:1709.01507), multiplies a map by
what is computed from its global pool: every output then depends on the whole image. The trace
follows the path that keeps its place, and marks the merge as `gated`. A normalisation over space,
such as GroupNormalization, does the same to a map by itself, and is marked as `whole`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras

from .costs import count_macs
from .fields import Field, Fields, merged, resampled, slid, spread
from .graph import Step, TraceError, steps_of, steps_of_model
from .kinds import kind_of, whole_axes
from .rows import Meeting, Row
from .windows import Sides, cuts, pads, resamplings, shifts, taps, window

__all__ = ["Field", "Fields", "Followed", "Meeting", "Row", "TraceError", "trace"]


@dataclass(frozen=True)
class Followed:
    """A walked graph.

    Attributes:
        steps: the calls of its layers, inputs first.
        fields: of each tensor, by number; () for what is no map.
        whole: the tensors that are no map and read all of one.
        writers: the step that writes a tensor.
        results: the tensors that were asked for.
    """

    steps: list[Step]
    fields: dict[int, Fields]
    whole: set[int]
    writers: dict[int, Step]
    results: list[int]

    def maps(self, step: Step) -> list[int]:
        """Return the inputs of a step that are maps."""
        return [i for i in step.inputs if self.fields[i]]


def trace(model: keras.Model) -> list[Row]:
    """Trace a built functional or sequential model.

    Args:
        model: its inputs have shape (batch, *spatial, channels).

    Returns:
        One row per layer, inputs before outputs.

    Raises:
        TraceError: if a layer is not followed, or branches of unequal stride meet.

    Example:
        >>> inputs = keras.Input((32, 32, 3))
        >>> row = padzoo.trace(keras.Model(inputs, padzoo.Conv2D(8, 3, 2, "half")(inputs)))[-1]
        >>> row.output_size, row.pad, row.receptive_field
        ((16, 16), ((1, 1), (1, 1)), (3, 3))
    """
    followed = follow(model)
    return [_row(step, followed) for step in followed.steps]


def meetings(model: keras.Model) -> list[Meeting]:
    """Return every merge of two or more maps, in the order of the trace; raises as `trace`."""
    followed = follow(model)
    found = []
    for step in followed.steps:
        maps = followed.maps(step)
        if kind_of(step.layer) == "merge" and len(maps) > 1:
            names = tuple(followed.writers[i].name for i in maps)
            found.append(Meeting(step.name, names, tuple(followed.fields[i] for i in maps)))
    return found


def final_map_size(rows: Iterable[Row]) -> tuple[int | None, ...]:
    """Return the spatial size of the last map, before it is pooled away or flattened."""
    return [row.output_size for row in rows if row.output_size][-1]


def fields_of(tensors: Iterable[Any]) -> list[Fields]:
    """Return how each symbolic tensor lies over the model's input, one Field per axis.

    Args:
        tensors: KerasTensors of one graph.

    Raises:
        TraceError: as `trace`.
    """
    followed = _follow_all(*steps_of(tensors))
    return [followed.fields[i] for i in followed.results]


def follow(model: keras.Model) -> Followed:
    """Walk a model from its inputs to its outputs; raises as `trace`."""
    return _follow_all(*steps_of_model(model))


def _follow_all(steps: list[Step], results: list[int]) -> Followed:
    followed = Followed(steps, {}, set(), {}, results)
    for step in steps:
        after = _fields_after(step, followed)
        if not after and any(followed.fields[i] or i in followed.whole for i in step.inputs):
            followed.whole.update(step.outputs)
        followed.fields.update(dict.fromkeys(step.outputs, after))
        followed.writers.update(dict.fromkeys(step.outputs, step))
    return followed


def _fields_after(step: Step, followed: Followed) -> Fields:
    """Return the fields of a step's outputs from those of its inputs."""
    layer, kind = step.layer, kind_of(step.layer)
    if kind == "input":
        return (Field(),) * (len(step.output_shape) - 2)
    spatial = [followed.fields[i] for i in followed.maps(step)]
    if not spatial or kind == "end" or len(step.output_shape) < 3:
        return ()
    if getattr(layer, "data_format", None) == "channels_first":
        raise TraceError(
            f"Layer '{step.name}' is channels_first, and only channels_last is followed: "
            "build the network with data_format='channels_last'."
        )
    if kind == "merge":
        hulls = tuple(_hull(step.name, axis) for axis in zip(*spatial, strict=True))
        _check_merge(step, followed)
        return hulls
    if kind == "elementwise":
        return spatial[0]
    if kind == "resample":
        resized = resamplings(step.name, layer, step.input_shapes[0])
        return tuple(
            resampled(field, axis.old, axis.new, bilinear=axis.bilinear)
            for field, axis in zip(spatial[0], resized, strict=True)
        )
    if kind in ("window", "spread", "shift"):
        return tuple(
            (spread if kind == "spread" else slid)(field, reads, stride, side and side[0])
            for field, reads, stride, side in zip(
                spatial[0], *_windows(step), _sides(step), strict=True
            )
        )
    raise TraceError(
        f"Layer '{step.name}' of type {type(layer).__name__} is not followed: its outputs have "
        "no one place over the input that the trace knows."
    )


def _check_merge(step: Step, followed: Followed) -> None:
    """Refuse a merge that joins maps end to end, or stretches one over another."""
    axis = getattr(step.layer, "axis", -1)
    if axis not in (-1, len(step.output_shape) - 1):
        raise TraceError(f"Layer '{step.name}' joins maps along axis {axis}, not by channel.")
    pairs = zip(step.inputs, step.input_shapes, strict=True)
    sizes = {shape[1:-1] for i, shape in pairs if followed.fields[i]}
    for axis_sizes in zip(*sizes, strict=True):
        if len({n for n in axis_sizes if n is not None}) > 1:
            raise TraceError(f"Maps of unequal size meet at layer '{step.name}': {sorted(sizes)}.")


def _windows(step: Step) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Return the taps and the stride of a step's window on each axis."""
    rank = len(step.output_shape) - 2
    if kind_of(step.layer) == "shift":
        return ((0,),) * rank, (1,) * rank
    return taps(step.layer, step.input_shapes[0]), window(step.layer)[1]


def _sides(step: Step) -> Sides:
    """Return what a step adds around its map, or a transposed convolution cuts from its output."""
    kind, shape = kind_of(step.layer), step.input_shapes[0]
    if kind == "spread":
        return cuts(step.layer)
    sides = (shifts if kind == "shift" else pads)(step.layer, shape)
    if kind == "shift" and any(
        side is None and n is not None for side, n in zip(sides, shape[1:-1], strict=True)
    ):
        raise TraceError(
            f"Layer '{step.name}' resizes a map that is smaller than its crop, which is not "
            "followed."
        )
    return sides


def _hull(name: str, fields: tuple[Field, ...]) -> Field:
    hull = merged(fields)
    if hull is None:
        strides = sorted({field.effective_stride for field in fields})
        raise TraceError(
            f"Branches of unequal effective stride meet at layer '{name}': "
            f"[{', '.join(map(str, strides))}]."
        )
    return hull


def _row(step: Step, followed: Followed) -> Row:
    layer, fields, kind = step.layer, followed.fields[step.outputs[0]], kind_of(step.layer)
    one = (1,) * len(fields)
    slides = (one, one, one)
    around: Sides = ((0, 0),) * len(fields)
    if fields and kind in ("window", "spread"):
        slides = window(layer)
    if fields and kind in ("window", "spread", "shift"):
        around = _sides(step)
    return Row(
        name=step.name,
        type=type(layer).__name__,
        output_size=tuple(step.output_shape[1:-1]) if fields else (),
        kernel_size=slides[0],
        strides=slides[1],
        dilation_rate=slides[2],
        pad=around,
        receptive_field=tuple(field.receptive_field for field in fields),
        effective_stride=tuple(field.effective_stride for field in fields),
        effective_padding=tuple(field.effective_padding for field in fields),
        parameters=0 if step.again or not isinstance(layer, keras.Layer) else layer.count_params(),
        macs=count_macs(layer, (*step.input_shapes, ())[0], step.output_shape),
        whole=whole_axes(layer, len(fields)),
        inputs=tuple(dict.fromkeys(followed.writers[i].name for i in step.inputs)),
        gated=bool(fields) and any(i in followed.whole for i in step.inputs),
        fields=fields,
    )
