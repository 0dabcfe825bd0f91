"""Which Keras layers do what to geometry."""

from __future__ import annotations

from typing import Any, Literal

from keras import layers

from ...layers.base import is_of
from ...layers.channels import DepthToSpace, PadChannels
from ...layers.normalization import LocalResponseNormalization
from ...layers.pad_input import PadInput

Kind = Literal[
    "input", "window", "spread", "resample", "shift", "elementwise", "merge", "end", "unknown"
]

_WINDOW = (
    layers.Conv1D,
    layers.Conv2D,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    layers.SeparableConv1D,
    layers.SeparableConv2D,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
)
_SPREAD = (layers.Conv1DTranspose, layers.Conv2DTranspose)
_RESAMPLE = (layers.Resizing, layers.UpSampling1D, layers.UpSampling2D)
_SHIFT = (
    layers.CenterCrop,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.Cropping1D,
    layers.Cropping2D,
)
_MERGE = (
    layers.Add,
    layers.Average,
    layers.Concatenate,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.Subtract,
)
_ELEMENTWISE = (
    layers.Activation,
    layers.ActivityRegularization,
    layers.AlphaDropout,
    layers.BatchNormalization,
    layers.Dense,
    layers.Dropout,
    layers.ELU,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.GroupNormalization,
    layers.Identity,
    layers.LayerNormalization,
    layers.LeakyReLU,
    layers.Normalization,
    layers.PReLU,
    layers.RMSNormalization,
    layers.ReLU,
    layers.Rescaling,
    layers.Softmax,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.UnitNormalization,
)
# Of these it is the argument `axis` that says over which pixels they sum.
_SUMS_OVER_AXES = (
    layers.LayerNormalization,
    layers.RMSNormalization,
    layers.Softmax,
    layers.UnitNormalization,
)
_END = (
    layers.Flatten,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
)

_OF_THE_ZOO: dict[type, Kind] = {
    PadInput: "shift",
    DepthToSpace: "resample",
    LocalResponseNormalization: "elementwise",
    PadChannels: "elementwise",
}

# Of Keras, and without a public name: layers inside keras.applications, and what `x + y` or
# `keras.ops.relu(x)` leave in a graph.
_OF_KERAS: dict[str, Kind] = {
    **dict.fromkeys(("CustomScaleLayer", "Add", "Subtract", "Multiply", "Divide"), "merge"),
    **dict.fromkeys(("TrueDivide", "Maximum", "Minimum", "Concatenate"), "merge"),
    **dict.fromkeys(("DepthToSpace", "Resize"), "resample"),
    "SpaceToDepth": "window",
    **dict.fromkeys(("LayerScale", "StochasticDepth", "Cast", "Clip", "Negative"), "elementwise"),
    **dict.fromkeys(("Absolute", "Square", "Sqrt", "Exp", "Log"), "elementwise"),
    **dict.fromkeys(("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Gelu"), "elementwise"),
    **dict.fromkeys(("Silu", "HardSilu", "Sigmoid", "HardSigmoid", "Tanh"), "elementwise"),
}


def kind_of(operation: Any) -> Kind:
    """Return what an operation of a Keras graph does to where its outputs lie.

    `"window"` slides, `"spread"` is the transpose of one that does, `"resample"` repeats pixels or
    interpolates between them, `"shift"` adds or cuts pixels, `"end"` leaves no map; `"unknown"` is
    not followed by the trace.
    """
    table: tuple[tuple[Kind, tuple[type, ...]], ...] = (
        ("input", (layers.InputLayer,)),
        # Keras builds transposed convolutions on another base, so none of them is a Conv here.
        ("window", _WINDOW),
        ("spread", _SPREAD),
        ("resample", _RESAMPLE),
        ("shift", _SHIFT),
        ("merge", _MERGE),
        ("elementwise", _ELEMENTWISE),
        ("end", _END),
    )
    for kind, types in table:
        if isinstance(operation, types):
            return kind
    for own, kind in _OF_THE_ZOO.items():
        if is_of(operation, own):
            return kind
    if type(operation).__module__.startswith("keras."):
        return _OF_KERAS.get(type(operation).__name__, "unknown")
    return "unknown"


def whole_axes(operation: Any, rank: int) -> tuple[bool, ...]:
    """Return for each spatial axis whether an output of an elementwise layer reads all of it.

    BatchNormalization does not: what it sums over in training is a constant at inference.

    Args:
        operation: as in `kind_of`.
        rank: number of spatial axes, between the batch and the channels.
    """
    if isinstance(operation, layers.GroupNormalization):
        return (True,) * rank
    if not isinstance(operation, _SUMS_OVER_AXES):
        return (False,) * rank
    axis = operation.axis
    axes = {i % (rank + 2) for i in ([axis] if isinstance(axis, int) else axis)}
    return tuple(i + 1 in axes for i in range(rank))
