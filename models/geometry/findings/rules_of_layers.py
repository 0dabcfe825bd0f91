"""Rules of the lint about single layers: their kernels, and what their borders hold."""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
from keras import layers

from ...layers.base import is_of
from ...layers.convolution import BorderedConvolution
from ...layers.pad_input import PadInput
from ...padding import MODES, Padding
from ...padding.modes import ZEROS
from ..tracing.graph import Step
from ..tracing.kinds import kind_of
from ..tracing.trace import Followed
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
from .finding import Finding
from .words import others

# TensorFlow 2.21 with oneDNN on, kernels of one pixel, strides of 2 to 4, sizes 5 to 57. With fewer
# channels that come in than the processor's vectors hold, 8 on AVX2 and 16 on AVX-512, the gradient
# was wrong there and memory was overwritten here; with more all was right, and so were kernels of
# more pixels that are smaller than their stride. Depthwise it was wrong with a single channel.
FEW = 16
_CHANNELS_APART = (
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    layers.SeparableConv1D,
    layers.SeparableConv2D,
)


def wrong_kernel_gradient(followed: Followed) -> Finding | None:
    """A strided convolution of one pixel in Keras' own layer, which TensorFlow trains wrongly."""
    if keras.backend.backend() != "tensorflow":
        return None
    found = tuple(
        step.name
        for step in followed.steps
        if followed.maps(step) and _is_trained_wrongly(step.layer, step.input_shapes[0][-1] or FEW)
    )
    if not found:
        return None
    first = found[0]
    return Finding(
        "wrong_kernel_gradient",
        first,
        f"'{first}' has a kernel of one pixel, a stride and fewer than {FEW} channels: on a CPU "
        "with oneDNN, which TensorFlow takes where there is AVX-512 and train.py where there is "
        "AVX2, the gradient by such a kernel is wrong or overwrites memory"
        f"{others(found, first)}",
        "train it without strides on every s-th pixel, take the layer of that name from "
        "padzoo, which does so, or set TF_ENABLE_ONEDNN_OPTS=0",
        "warning",
        found,
    )


def _is_trained_wrongly(layer: Any, channels: int) -> bool:
    if is_of(layer, BorderedConvolution) or not getattr(layer, "trainable", False):
        return False
    if isinstance(layer, _CHANNELS_APART):
        few = channels == 1
    elif isinstance(layer, layers.Conv1D | layers.Conv2D):
        few = channels // layer.groups < FEW
    else:
        return False
    kernel_size, strides, _ = window(layer)
    return few and max(kernel_size) == 1 < max(strides)


def mixed_borders(followed: Followed, axis: int, size: int | None) -> Finding | None:
    """Some layers pad otherwise than the rest: circular convolutions beside transposed zeros."""
    modes = {
        step.name: mode
        for step in followed.steps
        if followed.maps(step) and (mode := _mode(step, axis))
    }
    if not modes:
        return None
    rest, _ = Counter(modes.values()).most_common(1)[0]
    clamped = [step.name for step in followed.steps if _is_clamped(step, followed, axis)]
    if MODES[rest].closes:
        modes |= dict.fromkeys(clamped, "replicate")
    odd = {name: mode for name, mode in modes.items() if mode != rest}
    if not odd:
        return None
    first = next(iter(odd))
    return Finding(
        "mixed_borders",
        first,
        f"{len(modes) - len(odd)} of the layers that read a border find {rest} there, but "
        f"'{first}' finds {odd[first]}{others(odd, first)}",
        f"give the odd ones mode '{rest}' too (padzoo's layers take it, the transposed ones as "
        "well), unless they are meant to differ",
        "note" if rest == ZEROS else "warning",
        tuple(odd),
    )


def _mode(step: Step, axis: int) -> str | None:
    """What a layer's border holds on an axis; None where it has none, or none that is read."""
    layer, kind, shape = step.layer, kind_of(step.layer), step.input_shapes[0]
    if kind == "window":
        width = pads(layer, shape)[axis] if reads_border(layer) else (0, 0)
    elif kind == "spread":
        (before, after), last = cuts(layer)[axis], taps(layer, shape)[axis][-1]
        width = (last - before) // layer.strides[axis], (last - after) // layer.strides[axis]
    elif kind == "shift":
        width = shifts(layer, shape)[axis]
    else:
        return None
    # What depends on an unknown size is a border at some.
    if width and max(width) < 1:
        return None
    border = border_of(layer) if kind != "shift" or is_of(layer, PadInput) else Padding("same")
    mode = border.modes(len(shape) - 2)[axis]
    return ZEROS if MODES[mode].takes_value and border.value == 0 else mode


def _is_clamped(step: Step, followed: Followed, axis: int) -> bool:
    """Whether a layer interpolates with what it repeats of its edge."""
    if kind_of(step.layer) != "resample" or not followed.maps(step):
        return False
    resized = resamplings(step.name, step.layer, step.input_shapes[0])[axis]
    return resized.bilinear and resized.old != resized.new
