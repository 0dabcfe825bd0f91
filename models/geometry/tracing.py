"""Receptive field, stride, padding, parameters and MACs of a Keras model, layer by layer.

A functional model is walked from its inputs. Convolutions, pools, zero padding and cropping move
the geometry by the recurrences of `models.geometry.arithmetic`; elementwise layers pass it on;
global pooling and Flatten end the spatial part; anything else is refused. Where branches meet,
the traced field is the hull: the smallest run of input pixels that holds every branch's field. It
is exact for the outermost pixels and says nothing of holes between branches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import keras

from models.geometry import arithmetic
from models.geometry.kinds import Kind, kind_of
from models.pad_input import PadInput
from models.padding import Padding, PaddingError, Widths, pad_amounts


class TraceError(ValueError):
    """A layer or a meeting of branches that cannot be traced."""


@dataclass(frozen=True)
class Field:
    """How the pixels of a map lie over the input, on one axis.

    Args:
        receptive_field: input pixels one output sees.
        effective_stride: input pixels between neighbouring outputs.
        effective_padding: input pixels by which the first field hangs over the start; None
            where it depends on an unknown size.
    """

    receptive_field: int = 1
    effective_stride: int = 1
    effective_padding: int | None = 0


Fields = tuple[Field, ...]


@dataclass(frozen=True)
class Row:
    """One layer of a trace. Tuples have one entry per spatial axis, none after the last map.

    `macs` are multiply-accumulates for one example, biases not counted; None where a size is
    unknown. `pad` is in pixels of the layer's own input, (before, after); None if unknown.
    """

    name: str
    type: str
    output_size: tuple[int | None, ...]
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]
    pad: tuple[tuple[int, int] | None, ...]
    receptive_field: tuple[int, ...]
    effective_stride: tuple[int, ...]
    effective_padding: tuple[int | None, ...]
    parameters: int
    macs: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def trace(model: keras.Model) -> list[Row]:
    """Trace a built functional or sequential model.

    Args:
        model: its inputs have shape (batch, *spatial, channels).

    Returns:
        One row per layer, inputs before outputs.

    Raises:
        TraceError: if a layer is not followed, or branches of unequal stride meet.
    """
    rows: list[Row] = []
    fields_of(model.outputs, rows)
    return rows


def final_map_size(rows: Iterable[Row]) -> tuple[int | None, ...]:
    """Return the spatial size of the last map, before it is pooled away or flattened."""
    return [row.output_size for row in rows if row.output_size][-1]


def fields_of(tensors: Iterable[Any], rows: list[Row] | None = None) -> list[Fields]:
    """Return how each symbolic tensor lies over the model's input, one Field per axis.

    Args:
        tensors: KerasTensors of one graph.
        rows: if given, gets one Row per layer on the way.

    Raises:
        TraceError: as `trace`.
    """
    tensors = list(tensors)
    known: dict[int, Fields] = {}
    for node in _nodes_before(tensors):
        outputs = list(node.outputs)
        before = [known[id(x)] for x in node.input_tensors]
        kind = kind_of(node.operation)
        after = _follow(node.operation, kind, list(node.input_tensors), before, outputs[0])
        known.update({id(x): after for x in outputs})
        if rows is not None:
            rows.append(_row(node, kind, after))
    return [known[id(x)] for x in tensors]


def _nodes_before(tensors: list[Any]) -> list[Any]:
    """Return the graph's nodes in an order in which inputs come first."""
    order: list[Any] = []
    done: set[int] = set()
    stack = [(_node(x), False) for x in reversed(tensors)]
    while stack:
        node, inputs_done = stack.pop()
        if id(node) in done:
            continue
        if inputs_done:
            done.add(id(node))
            order.append(node)
        else:
            stack.append((node, True))
            stack += [(_node(x), False) for x in reversed(list(node.input_tensors))]
    return order


def _node(tensor: Any) -> Any:
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def _follow(layer: Any, kind: Kind, inputs: list, before: list[Fields], output: Any) -> Fields:
    """Return the fields of a layer's output from those of its inputs."""
    if kind == "input":
        return (Field(),) * (len(output.shape) - 2)
    spatial = [fields for fields in before if fields]
    if not spatial or kind == "end" or len(output.shape) < 3:
        return ()
    if kind == "merge":
        return tuple(_hull(layer.name, axis) for axis in zip(*spatial, strict=True))
    if kind == "elementwise":
        return spatial[0]
    if kind == "window":
        spans, (_, strides, _) = _spans(layer, inputs[0]), _window(layer)
        steps = zip(spatial[0], spans, strides, _pads(layer, inputs[0]), strict=True)
        return tuple(_slide(*step) for step in steps)
    if kind == "shift":
        return tuple(
            _slide(field, 1, 1, pad) for field, pad in zip(spatial[0], _shifts(layer), strict=True)
        )
    raise TraceError(
        f"Layer '{layer.name}' of type {type(layer).__name__} is not followed: its outputs have "
        "no one place over the input that the trace knows."
    )


def _slide(field: Field, span: int, strides: int, pad: tuple[int, int] | None) -> Field:
    r, s, p = field.receptive_field, field.effective_stride, field.effective_padding
    return Field(
        arithmetic.receptive_field(r, s, span, 1),
        arithmetic.effective_stride(s, strides),
        None if p is None or pad is None else arithmetic.effective_padding(p, s, pad[0]),
    )


def _hull(name: str, fields: tuple[Field, ...]) -> Field:
    strides = {field.effective_stride for field in fields}
    if len(strides) > 1:
        raise TraceError(
            f"Branches of unequal effective stride meet at layer '{name}': {sorted(strides)}."
        )
    stride = strides.pop()
    known = [
        (field.effective_padding, field.receptive_field)
        for field in fields
        if field.effective_padding is not None
    ]
    if len(known) < len(fields):
        return Field(max(field.receptive_field for field in fields), stride, None)
    first = min(arithmetic.first_pixel(padding) for padding, _ in known)
    last = max(arithmetic.last_pixel(*place) for place in known)
    return Field(last - first + 1, stride, -first)


def _window(layer: Any) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return kernel size, strides and dilation rate of a convolution or a pool."""
    kernel_size = tuple(getattr(layer, "kernel_size", None) or layer.pool_size)
    dilation_rate = getattr(layer, "dilation_rate", 1)
    if isinstance(dilation_rate, int):
        dilation_rate = (dilation_rate,) * len(kernel_size)
    return kernel_size, tuple(layer.strides), tuple(dilation_rate)


def _spans(layer: Any, x: Any) -> tuple[int, ...]:
    """Return the pixels a window spans on each axis: the hull of the channels' windows."""
    kernel_size, _, dilation_rate = _window(layer)
    spans = tuple(map(arithmetic.window_size, kernel_size, dilation_rate))
    return layer.window_sizes(tuple(x.shape)) if hasattr(layer, "window_sizes") else spans


def _pads(layer: Any, x: Any) -> tuple[tuple[int, int] | None, ...]:
    """Return (before, after) per axis, None for what an unknown size leaves open."""
    border = getattr(layer, "border", None) or Padding(layer.padding.lower())
    axes = zip(border.amounts(len(x.shape) - 2), x.shape[1:-1], *_window(layer), strict=True)
    return tuple(_pad_or_none(*axis) for axis in axes)


def _pad_or_none(amount: Any, size: int | None, *window: int) -> tuple[int, int] | None:
    try:
        return pad_amounts(amount, size, *window)
    except PaddingError:
        return None


def _shifts(layer: Any) -> Widths:
    """Return what a padding adds on each side of each axis; Cropping adds less than nothing."""
    if isinstance(layer, PadInput):
        return layer.widths
    widths = layer.padding if hasattr(layer, "padding") else layer.cropping
    sign = 1 if hasattr(layer, "padding") else -1
    pairs = widths if isinstance(widths[0], (tuple, list)) else (widths,)
    return tuple((sign * before, sign * after) for before, after in pairs)


def _row(node: Any, kind: Kind, fields: Fields) -> Row:
    layer, inputs, output = node.operation, list(node.input_tensors), node.outputs[0]
    rank = len(fields)
    one = (1,) * rank
    pads: tuple[tuple[int, int] | None, ...] = ((0, 0),) * rank
    window = (one, one, one)
    if fields and kind == "window":
        window, pads = _window(layer), _pads(layer, inputs[0])
    if fields and kind == "shift":
        pads = _shifts(layer)
    return Row(
        name=layer.name,
        type=type(layer).__name__,
        output_size=tuple(output.shape[1:-1]) if fields else (),
        kernel_size=window[0],
        strides=window[1],
        dilation_rate=window[2],
        pad=pads,
        receptive_field=tuple(field.receptive_field for field in fields),
        effective_stride=tuple(field.effective_stride for field in fields),
        effective_padding=tuple(field.effective_padding for field in fields),
        parameters=layer.count_params() if isinstance(layer, keras.Layer) else 0,
        macs=count_macs(layer, inputs, output),
    )


def count_macs(layer: Any, inputs: list[Any], output: Any) -> int | None:
    """Return the multiply-accumulates of one layer for one example; None if a size is unknown.

    A convolution does product(output size) * product(kernel size) * channels in / groups *
    channels out; a depthwise one has one channel in per channel out.
    """
    layers = keras.layers
    if isinstance(layer, layers.Dense):
        work = inputs[0].shape[-1]
    elif isinstance(layer, layers.DepthwiseConv1D | layers.DepthwiseConv2D):
        work = math.prod(layer.kernel_size)
    elif isinstance(layer, layers.SeparableConv1D | layers.SeparableConv2D):
        wide = inputs[0].shape[-1] * layer.depth_multiplier
        outputs = output.shape[1:-1]
        each = math.prod(layer.kernel_size) * wide + wide * layer.filters
        return None if None in outputs else math.prod(outputs) * each
    elif isinstance(layer, layers.Conv1D | layers.Conv2D):
        work = math.prod(layer.kernel_size) * inputs[0].shape[-1] // layer.groups
    else:
        return 0
    outputs = output.shape[1:]
    return None if None in outputs else math.prod(outputs) * work
