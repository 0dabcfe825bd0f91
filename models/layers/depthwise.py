"""Depthwise and separable convolutions with a padding of their own."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .base import read_given, register
from .convolution import BorderedConvolution, keras_padding


@register
class DepthwiseConv2D(BorderedConvolution, keras.layers.DepthwiseConv2D):
    """`keras.layers.DepthwiseConv2D` with `padding` a Padding, its dict, its name or Keras' string.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, channels * depth_multiplier).

    Raises:
        PaddingError: for a padding that does not exist or that the layer does not take.
        CollapseError: on building, if the padded map is smaller than the dilated kernel.
        ValueError: for channels_first.

    Example:
        >>> padzoo.DepthwiseConv2D(3, padding="circular")(keras.Input((32, 32, 3))).shape
        (None, 32, 32, 3)
    """

    RANK = 2
    DEPTHWISE = True

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = 1,
        padding: Any = "valid",
        *args: Any,
        border_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        given = read_given(padding, type(self).__name__)
        native = padding if given.keeps_string else keras_padding(given.border, self.RANK)
        keras.layers.DepthwiseConv2D.__init__(self, kernel_size, strides, native, *args, **kwargs)
        self.set_border(given, border_seed)

    def kernels(self) -> list[Any]:
        """Return the kernel."""
        return [self.kernel]


@register
class SeparableConv2D(BorderedConvolution, keras.layers.SeparableConv2D):
    """`keras.layers.SeparableConv2D` with `padding` a Padding, its dict, its name or Keras' string.

    The border is the depthwise kernel's; the pointwise one reads no border.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, filters).

    Raises:
        PaddingError: for a padding that does not exist or that the layer does not take.
        CollapseError: on building, if the padded map is smaller than the dilated kernel.
        ValueError: for channels_first.

    Example:
        >>> padzoo.SeparableConv2D(8, 3, padding="replicate")(keras.Input((32, 32, 3))).shape
        (None, 32, 32, 8)
    """

    RANK = 2
    DEPTHWISE = True

    def kernels(self) -> list[Any]:
        """Return the depthwise and the pointwise kernel."""
        return [self.depthwise_kernel, self.pointwise_kernel]

    @property
    def kernel(self) -> Any:
        """The depthwise kernel, shape (*kernel_size, channels, depth_multiplier)."""
        return self.depthwise_kernel

    def respond(self, x: Any, kernel: Any, training: bool | None) -> Any:
        """Return both convolutions of the padded map, without bias and activation."""
        return ops.conv(super().respond(x, kernel, training), self.pointwise_kernel)
