"""Pools with a padding of their own: Keras' layers, names and arguments."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.convolution import check_channels_last, check_supported, register
from models.pad import check_known, check_window, pad, padded_shape
from models.padding import Padding, PaddingError, Widths


class BorderedPooling(keras.Layer):
    """What the pools share: mixed in before a Keras pool.

    Args:
        padding: a Padding, its dict, or a string, which then means exactly what it means in
            Keras.
        count_include_pad: with False the border is neutral, whatever its mode: a maximum never
            takes it and an average divides by the pixels that are there. With True the border
            is content: it holds what the mode says, and counts.
    """

    RANK: int

    def __init__(
        self,
        pool_size: int | tuple[int, ...] = 2,
        strides: int | tuple[int, ...] | None = None,
        padding: Any = "valid",
        data_format: str | None = None,
        name: str | None = None,
        count_include_pad: bool = False,
        **kwargs: Any,
    ) -> None:
        self_padding = padding
        if not isinstance(padding, str):
            padding = Padding.of(padding)
            check_supported(padding, type(self).__name__)
            self_padding = "valid"
        elif padding.lower() not in ("valid", "same"):
            raise ValueError(
                "`padding` as a string must be 'valid' or 'same'; other amounts are written as "
                f"a Padding. Received: padding={padding!r}"
            )
        elif count_include_pad:
            raise ValueError(
                "`count_include_pad` needs `padding` to be a Padding; Keras' strings are "
                f"neutral. Received: padding={padding!r}, count_include_pad=True"
            )
        super().__init__(pool_size, strides, self_padding, data_format, name, **kwargs)
        check_channels_last(self.data_format)
        self.keeps_string = isinstance(padding, str)
        self.border = Padding(padding.lower()) if self.keeps_string else padding
        self.count_include_pad = count_include_pad

    def pad_widths(self, input_shape: tuple[int | None, ...]) -> Widths:
        """Return the pixels (before, after) that this layer adds on each spatial axis."""
        return self.border.widths(input_shape[1:-1], self.pool_size, self.strides, (1,) * self.RANK)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the window; raises CollapseError, or PaddingError for a window of border only."""
        if self.border.amount != "same" or not self.keeps_string:
            widths = self.pad_widths(input_shape)
            check_window(self.name, input_shape, widths, self.pool_size)
            empty = any(max(w) >= k for w, k in zip(widths, self.pool_size, strict=True))
            if self.count_include_pad:
                check_known(input_shape, widths, self.border.modes(self.RANK))
            elif empty:
                raise PaddingError(
                    "A neutral border must be narrower than the pool, or a window would hold "
                    f"nothing. Received: pool_size={self.pool_size}, widths={widths}"
                )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """Pad and pool: (batch, *spatial, channels) -> (batch, *output, channels)."""
        if self.keeps_string:
            return super().call(inputs)
        widths = self.pad_widths(inputs.shape)
        if self.count_include_pad:
            modes = self.border.modes(self.RANK)
            return super().call(pad(inputs, widths, modes, self.border.value))
        return self.pool_neutrally(inputs, widths)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (batch, *output, channels)."""
        if not self.keeps_string:
            input_shape = padded_shape(input_shape, self.pad_widths(input_shape))
        return super().compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return Keras' config with the padding as a plain dict unless it came as a string."""
        config = super().get_config()
        config["count_include_pad"] = self.count_include_pad
        if not self.keeps_string:
            config["padding"] = self.border.to_dict()
        return config


class MaxPooling(BorderedPooling):
    """The neutral border of a maximum: minus infinity."""

    def pool_neutrally(self, inputs: Any, widths: Widths) -> Any:
        """Pool over what is there."""
        return super(BorderedPooling, self).call(pad(inputs, widths, "constant", -float("inf")))


class AveragePooling(BorderedPooling):
    """The neutral border of an average: left out of the count."""

    def pool_neutrally(self, inputs: Any, widths: Widths) -> Any:
        """Pool over what is there."""
        mean = super(BorderedPooling, self).call
        share = mean(pad(ops.ones_like(inputs[:1, ..., :1]), widths, "zeros"))
        return mean(pad(inputs, widths, "zeros")) / share


@register
class MaxPooling1D(MaxPooling, keras.layers.MaxPooling1D):
    """`keras.layers.MaxPooling1D` with a border; see `BorderedPooling`.

    Input shape: (batch, steps, channels). Output shape: (batch, new_steps, channels).
    """

    RANK = 1


@register
class MaxPooling2D(MaxPooling, keras.layers.MaxPooling2D):
    """`keras.layers.MaxPooling2D` with a border; see `BorderedPooling`.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, channels).
    """

    RANK = 2


@register
class AveragePooling1D(AveragePooling, keras.layers.AveragePooling1D):
    """`keras.layers.AveragePooling1D` with a border; see `BorderedPooling`.

    Input shape: (batch, steps, channels). Output shape: (batch, new_steps, channels).
    """

    RANK = 1


@register
class AveragePooling2D(AveragePooling, keras.layers.AveragePooling2D):
    """`keras.layers.AveragePooling2D` with a border; see `BorderedPooling`.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, channels).
    """

    RANK = 2


@register
class LastStep(keras.layers.Layer):
    """The newest step: (batch, steps, channels) -> (batch, channels)."""

    def call(self, inputs: Any) -> Any:
        """Take the last step."""
        return inputs[:, -1, :]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (batch, channels)."""
        return input_shape[0], input_shape[-1]
