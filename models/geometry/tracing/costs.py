"""What a layer computes, counted."""

from __future__ import annotations

import math
from typing import Any

from keras import layers

Shape = tuple[int | None, ...]


def count_macs(layer: Any, input_shape: Shape, output_shape: Shape) -> int | None:
    """Return the multiply-accumulates of one layer for one example; None if a size is unknown.

    A convolution does product(output size) * product(kernel size) * channels in / groups *
    channels out; a depthwise one has one channel in per channel out; a transposed one multiplies
    every pixel of its input by the whole kernel. Biases are not counted.

    Args:
        layer: of Keras or of the zoo.
        input_shape: (batch, *input, channels); () for what reads nothing.
        output_shape: (batch, *output, channels).
    """
    channels = (input_shape[-1] if input_shape else None) or 0
    if isinstance(layer, layers.Conv1DTranspose | layers.Conv2DTranspose):
        pixels = [n for n in input_shape[1:-1] if n is not None]
        work = math.prod(layer.kernel_size) * channels * layer.filters
        return math.prod(pixels) * work if len(pixels) == len(input_shape) - 2 else None
    sizes = [n for n in output_shape[1:] if n is not None]
    known, area = len(sizes) == len(output_shape) - 1, math.prod(sizes[:-1])
    if isinstance(layer, layers.Dense):
        work = channels * sizes[-1]
    elif isinstance(layer, layers.DepthwiseConv1D | layers.DepthwiseConv2D):
        work = math.prod(layer.kernel_size) * sizes[-1]
    elif isinstance(layer, layers.SeparableConv1D | layers.SeparableConv2D):
        wide = channels * layer.depth_multiplier
        work = math.prod(layer.kernel_size) * wide + wide * layer.filters
    elif isinstance(layer, layers.Conv1D | layers.Conv2D):
        work = math.prod(layer.kernel_size) * (channels // layer.groups) * layer.filters
    else:
        return 0
    return area * work if known else None
