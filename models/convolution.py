"""Convolutions with a padding of their own: Keras' layers, names, arguments and weights."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.geometry.arithmetic import window_size
from models.pad import check_known, check_window, pad, padded_shape
from models.padding import Padding, PaddingError, Widths, supports

register = keras.saving.register_keras_serializable("padzoo")


def check_channels_last(data_format: str) -> None:
    """Raise ValueError for channels_first, which no layer of the zoo takes."""
    if data_format != "channels_last":
        raise ValueError(
            "`data_format` must be 'channels_last', the only one that the zoo's layers take. "
            f"Received: data_format={data_format!r}"
        )


def check_supported(border: Padding, layer: str) -> None:
    """Raise PaddingError with the reason if `layer` cannot be padded with `border`."""
    reason = supports(border.amount, border.mode, layer)
    if reason is not None:
        raise PaddingError(f"{reason}. Received: padding={border.to_dict()}")


def keras_padding(border: Padding, rank: int) -> str:
    """Return the string that Keras' own layer gets: "same" where it does all of the work."""
    native = set(border.amounts(rank)) == {"same"} and set(border.modes(rank)) == {"zeros"}
    return "same" if native else "valid"


class BorderedConvolution(keras.Layer):
    """What the convolutions share: mixed in before a Keras convolution.

    `padding` is a Padding, its dict, or a string, which then means exactly what it means in
    Keras. The attribute `border` is always the Padding; `padding` is what Keras itself still
    has to pad.
    """

    RANK: int

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self_padding = padding
        if not isinstance(padding, str):
            padding = Padding.of(padding)
            check_supported(padding, type(self).__name__)
            self_padding = keras_padding(padding, self.RANK)
        super().__init__(filters, kernel_size, strides, self_padding, data_format, *args, **kwargs)
        check_channels_last(self.data_format)
        self.keeps_string = isinstance(padding, str)
        self.border = Padding(self.padding) if self.keeps_string else padding

    def pad_widths(self, input_shape: tuple[int | None, ...]) -> Widths:
        """Return the pixels (before, after) that this layer adds on each spatial axis."""
        return self.border.widths(
            input_shape[1:-1], self.kernel_size, self.strides, self.dilation_rate
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights, as Keras does; raises CollapseError if the window does not fit."""
        if self.padding != "same":
            widths = self.pad_widths(input_shape)
            check_known(input_shape, widths, self.border.modes(self.RANK))
            window = map(window_size, self.kernel_size, self.dilation_rate)
            check_window(self.name, input_shape, widths, tuple(window))
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """Pad and convolve: (batch, *spatial, channels) -> (batch, *output, filters)."""
        if self.keeps_string or self.padding == "same":
            return super().call(inputs)
        widths = self.pad_widths(inputs.shape)
        modes = self.border.modes(self.RANK)
        return super().call(pad(inputs, widths, modes, self.border.value))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (batch, *output, filters)."""
        if self.keeps_string or self.padding == "same":
            return super().compute_output_shape(input_shape)
        return super().compute_output_shape(padded_shape(input_shape, self.pad_widths(input_shape)))

    def get_config(self) -> dict[str, Any]:
        """Return Keras' config, with the padding as a plain dict unless it came as a string."""
        config = super().get_config()
        if not self.keeps_string:
            config["padding"] = self.border.to_dict()
        return config


@register
class Conv1D(BorderedConvolution, keras.layers.Conv1D):
    """`keras.layers.Conv1D` with `padding` a Padding, its dict, or a string of Keras.

    Input shape: (batch, steps, channels). Output shape: (batch, new_steps, filters).

    Raises:
        PaddingError: for a padding that does not exist or that the layer does not take.
        CollapseError: on building, if the padded map is smaller than the dilated kernel.
    """

    RANK = 1


@register
class Conv2D(BorderedConvolution, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with `padding` a Padding, its dict, or a string of Keras.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, filters).

    Raises:
        PaddingError: for a padding that does not exist or that the layer does not take.
        CollapseError: on building, if the padded map is smaller than the dilated kernel.

    Example: `Conv2D(8, 3, padding=Padding("same", "reflect"))`
    """

    RANK = 2


@register
class WeightNormConv1D(Conv1D):
    """A Conv1D whose kernel is g * v / ||v||, with one g per output channel.

    Salimans & Kingma 2016, "Weight normalization" (arXiv:1602.07868), equation 2. `v` is the
    layer's kernel weight and g starts as ||v||, so that the first effective kernel is that of a
    Conv1D from the same seed. Adds `filters` parameters. Takes no LoRA.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create v, bias and g."""
        super().build(input_shape)
        direction = ops.convert_to_numpy(self._kernel)
        self.g = self.add_weight(
            name="g",
            shape=(self.filters,),
            initializer=lambda shape, dtype: ops.cast(_norm(direction), dtype),
        )

    @property
    def kernel(self) -> Any:
        """The effective kernel, shape (kernel_size, channels, filters)."""
        scale = ops.cast(self.g, "float32") / _norm(self._kernel)
        return self._kernel * ops.cast(scale, self.compute_dtype)

    def save_own_variables(self, store: Any) -> None:
        """Write v, bias and g: Keras would write the effective kernel."""
        for i, variable in enumerate(self._own_variables()):
            store[str(i)] = variable

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote."""
        for i, variable in enumerate(self._own_variables()):
            variable.assign(store[str(i)])

    def _own_variables(self) -> list[Any]:
        if not self.built:
            return []
        return [self._kernel, *([self.bias] if self.use_bias else []), self.g]

    def enable_lora(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the two parametrisations of one kernel exclude each other."""
        raise ValueError("WeightNormConv1D takes no LoRA: both would own the kernel.")


def _norm(kernel: Any) -> Any:
    """Return ||v|| per output channel in float32, kept off zero so that it can divide."""
    axes = tuple(range(len(kernel.shape) - 1))
    total = ops.sum(ops.square(ops.cast(kernel, "float32")), axis=axes)
    return ops.sqrt(ops.maximum(total, 1e-24))
