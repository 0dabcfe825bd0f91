"""Layers that move values between channels and space, or add channels; none has a border."""

from __future__ import annotations

from typing import Any

from keras import ops

from .base import ChannelsLast, register

Shape = tuple[int | None, ...]


@register
class DepthToSpace(ChannelsLast):
    """Writes the channels of each pixel as a square of pixels: sub-pixel convolution's last step.

    Shi et al. 2016, "Real-time single image and video super-resolution using an efficient sub-pixel
    convolutional neural network" (arXiv:1609.05158), equation 4: output pixel (y, x) of channel c
    is channel C * (block_size * (y mod block_size) + x mod block_size) + c of input pixel
    (y // block_size, x // block_size), with C channels in the output.

    Input shape: (batch, height, width, block_size ** 2 * channels).
    Output shape: (batch, block_size * height, block_size * width, channels).

    Args:
        block_size: pixels of the square on each axis.
        data_format: as in `ChannelsLast`.

    Raises:
        ValueError: for a block that is no integer from 2 on, channels that it does not divide, and
            channels_first.

    Example:
        >>> padzoo.DepthToSpace(2)(keras.Input((16, 16, 12))).shape
        (None, 32, 32, 3)
    """

    def __init__(self, block_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if type(block_size) is not int or block_size < 2:
            raise ValueError(
                f"`block_size` must be an integer from 2 on. Received: block_size={block_size!r}"
            )
        self.block_size = block_size

    def build(self, input_shape: Shape) -> None:
        """Check the channels."""
        if (input_shape[-1] or 0) % self.block_size**2:
            raise ValueError(
                f"Layer '{self.name}' needs a multiple of {self.block_size**2} channels, "
                f"block_size ** 2. Received: inputs.shape={tuple(input_shape)}"
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Rearrange: (batch, height, width, b * b * channels) -> (batch, b * height, …)."""
        return ops.depth_to_space(inputs, self.block_size, data_format="channels_last")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (batch, block_size * height, block_size * width, channels)."""
        batch, *sizes, channels = input_shape
        longer = (n if n is None else n * self.block_size for n in sizes)
        return (batch, *longer, (channels or 0) // self.block_size**2)

    def get_config(self) -> dict[str, Any]:
        """Return Keras' config and the block size."""
        return {**super().get_config(), "block_size": self.block_size}


@register
class PadChannels(ChannelsLast):
    """Adds channels of zeros: the shortcut without parameters of residual networks.

    He et al. 2016, "Deep residual learning for image recognition" (arXiv:1512.03385), section 3.3,
    option A: the shortcut keeps its values, and "extra zero entries" make up the channels.

    Input shape: (batch, *spatial, channels).
    Output shape: (batch, *spatial, before + channels + after).

    Args:
        before, after: channels of zeros.
        data_format: as in `ChannelsLast`.

    Raises:
        ValueError: for a number that is no integer from 0 on, and for channels_first.

    Example:
        >>> padzoo.PadChannels(4, 4)(keras.Input((16, 16, 8))).shape
        (None, 16, 16, 16)
    """

    def __init__(self, before: int, after: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if any(type(n) is not int or n < 0 for n in (before, after)):
            raise ValueError(
                "`before` and `after` must be integers from 0 on. "
                f"Received: before={before!r}, after={after!r}"
            )
        self.before, self.after = before, after

    def call(self, inputs: Any) -> Any:
        """Pad: (batch, *spatial, channels) -> (batch, *spatial, before + channels + after)."""
        widths = [(0, 0)] * (len(inputs.shape) - 1)
        return ops.pad(inputs, [*widths, (self.before, self.after)])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (batch, *spatial, before + channels + after)."""
        channels = input_shape[-1]
        return (
            *input_shape[:-1],
            None if channels is None else self.before + channels + self.after,
        )

    def get_config(self) -> dict[str, Any]:
        """Return Keras' config and the widths."""
        return {**super().get_config(), "before": self.before, "after": self.after}
