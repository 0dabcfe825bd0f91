"""Pools with a padding of their own: Keras' layers, names and arguments."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..padding import PaddingError, Widths
from ..padding.definitions import Mask
from .base import Bordered, ChannelsLast, read_given, register
from .engine.extend import check_window, pad, padded_shape


class BorderedPooling(Bordered):
    """What the pools share: mixed in before a Keras pool.

    Args:
        padding: a Padding, its dict, or a string: one of Keras', which then means exactly what it
            means there, or a name from `padzoo.padding.NAMED`.
        count_include_pad: with False the border is neutral, whatever its mode: a maximum never
            takes it and an average divides by the pixels that are there. With True the border
            is content: it holds what the mode says, and counts. Under a mask such as
            `"partial"` an average leaves it out of the count either way: that is the mode's own
            formula.
    """

    def __init__(
        self,
        pool_size: int | tuple[int, ...] = 2,
        strides: int | tuple[int, ...] | None = None,
        padding: Any = "valid",
        data_format: str | None = None,
        name: str | None = None,
        count_include_pad: bool = False,
        border_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        given = read_given(padding, type(self).__name__)
        if given.keeps_string and count_include_pad:
            raise ValueError(
                "`count_include_pad` needs `padding` to be a Padding; Keras' strings are "
                f"neutral. Received: padding={padding!r}, count_include_pad=True"
            )
        native = padding if given.keeps_string else "valid"
        super().__init__(pool_size, strides, native, data_format, name, **kwargs)
        self.set_border(given, border_seed)
        self.count_include_pad = count_include_pad

    @property
    def reads_border(self) -> bool:
        """Whether the border counts."""
        return self.count_include_pad and not isinstance(self.filling, Mask)

    def pad_widths(self, input_shape: tuple[int | None, ...]) -> Widths:
        """Return the pixels (before, after) that this layer adds on each spatial axis."""
        return self.border.widths(input_shape[1:-1], self.pool_size, self.strides, (1,) * self.RANK)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the window; raises CollapseError, or PaddingError for a window of border only."""
        if self.border.amount != "same" or not self.keeps_string:
            widths = self.pad_widths(input_shape)
            check_window(self.name, input_shape, widths, self.pool_size)
            empty = any(max(w) >= k for w, k in zip(widths, self.pool_size, strict=True))
            if self.reads_border:
                self.check_border(input_shape, widths)
                self.build_border(input_shape[-1], widths)
            elif empty:
                raise PaddingError(
                    "A neutral border must be narrower than the pool, or a window would hold "
                    f"nothing. Received: pool_size={self.pool_size}, widths={widths}"
                )
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Pad and pool: (batch, *spatial, channels) -> (batch, *output, channels)."""
        if self.keeps_string:
            return super().call(inputs)
        widths = self.pad_widths(inputs.shape)
        if self.reads_border:
            return super().call(self.padded(inputs, widths, training))
        return self.pool_neutrally(inputs, widths)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (batch, *output, channels)."""
        if not self.keeps_string:
            input_shape = padded_shape(input_shape, self.pad_widths(input_shape))
        return super().compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return Keras' config, with the padding and what counts."""
        return {**super().get_config(), "count_include_pad": self.count_include_pad}


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

    Example:
        >>> padzoo.MaxPooling1D(3, strides=1, padding="causal")(keras.Input((40, 2))).shape
        (None, 40, 2)
    """

    RANK = 1


@register
class MaxPooling2D(MaxPooling, keras.layers.MaxPooling2D):
    """`keras.layers.MaxPooling2D` with a border; see `BorderedPooling`.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, channels).

    Example:
        >>> padzoo.MaxPooling2D(3, strides=2, padding="half")(keras.Input((32, 32, 3))).shape
        (None, 16, 16, 3)
    """

    RANK = 2


@register
class AveragePooling1D(AveragePooling, keras.layers.AveragePooling1D):
    """`keras.layers.AveragePooling1D` with a border; see `BorderedPooling`.

    Input shape: (batch, steps, channels). Output shape: (batch, new_steps, channels).

    Example:
        >>> padzoo.AveragePooling1D(2, padding="same_lower")(keras.Input((41, 2))).shape
        (None, 21, 2)
    """

    RANK = 1


@register
class AveragePooling2D(AveragePooling, keras.layers.AveragePooling2D):
    """`keras.layers.AveragePooling2D` with a border; see `BorderedPooling`.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, channels).

    Example:
        >>> pool = padzoo.AveragePooling2D(3, 1, padding="reflect", count_include_pad=True)
        >>> pool(keras.Input((32, 32, 3))).shape
        (None, 32, 32, 3)
    """

    RANK = 2


@register
class LastStep(ChannelsLast):
    """The newest step: (batch, steps, channels) -> (batch, channels).

    Example:
        >>> padzoo.LastStep()(keras.Input((40, 2))).shape
        (None, 2)
    """

    def call(self, inputs: Any) -> Any:
        """Take the last step."""
        return inputs[:, -1, :]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (batch, channels)."""
        return input_shape[0], input_shape[-1]

    def get_config(self) -> dict[str, Any]:
        """Return what Keras itself wrote before the layer had a `data_format`."""
        regularizer = keras.regularizers.serialize(self.activity_regularizer)
        more = {"activity_regularizer": regularizer, "autocast": self.autocast}
        return {**super().get_config(), **more}
