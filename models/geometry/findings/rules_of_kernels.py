"""Rules of the lint about kernels that a back end gets wrong, whatever the sizes are."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ...layers.base import is_of
from ...layers.convolution import BorderedConvolution
from ..tracing.trace import Followed
from ..tracing.windows import window
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
