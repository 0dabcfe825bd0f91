"""Convolutions with a padding of their own: Keras' layers, names, arguments and weights."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..padding import Padding, Widths
from ..padding.amounts import is_split, window_size
from ..padding.definitions import Mask, Weight
from ..padding.modes import ZEROS
from .base import Bordered, read_given, register
from .engine.convolve import (
    Window,
    add_border,
    convolve_closed,
    convolve_zeros,
    is_closed,
    is_native,
    scale_masked,
    split_kernel,
)
from .engine.extend import check_window, padded_shape
from .engine.precision import exact

Shape = tuple[int | None, ...]


def keras_padding(border: Padding, rank: int) -> str:
    """Return the string that Keras' own layer gets: "same" where it does all of the work."""
    native = set(border.amounts(rank)) == {"same"} and set(border.modes(rank)) == {ZEROS}
    return "same" if native else "valid"


class BorderedConvolution(Bordered):
    """What the convolutions share: mixed in before a Keras convolution.

    `padding` is a Padding, its dict, or a string: one of Keras', which then means exactly what it
    means there, or a name from `padzoo.padding.NAMED`. The attribute `border` is always the
    Padding; `padding` is what Keras itself still has to pad.
    """

    DEPTHWISE = False

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        *args: Any,
        border_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        given = read_given(padding, type(self).__name__)
        native = padding if given.keeps_string else keras_padding(given.border, self.RANK)
        super().__init__(filters, kernel_size, strides, native, data_format, *args, **kwargs)
        self.set_border(given, border_seed)

    @property
    def left_to_keras(self) -> bool:
        """Whether Keras' own layer does all of the work."""
        return self.keeps_string or self.padding == "same"

    @property
    def window(self) -> Window:
        """The window that slides."""
        return Window(self.kernel_size, self.strides, self.dilation_rate, self.DEPTHWISE)

    def pad_widths(self, input_shape: Shape) -> Widths:
        """Return the pixels (before, after) that this layer adds on each spatial axis."""
        return self.border.widths(
            input_shape[1:-1], self.kernel_size, self.strides, self.dilation_rate
        )

    def splits(self, input_shape: Shape) -> tuple[bool, ...]:
        """Return for each axis whether `even_split` shifts the channels on it."""
        window = (self.kernel_size, self.strides, self.dilation_rate)
        axes = zip(self.border.amounts(self.RANK), input_shape[1:-1], *window, strict=True)
        return tuple(is_split(*axis) for axis in axes)

    def window_sizes(self, input_shape: Shape) -> tuple[int, ...]:
        """Return the pixels that a window spans on each axis, over all channels."""
        spans = map(window_size, self.kernel_size, self.dilation_rate)
        return tuple(a + b for a, b in zip(spans, self.splits(input_shape), strict=True))

    def build(self, input_shape: Shape) -> None:
        """Create the weights: Keras' own, then the border's.

        Raises:
            CollapseError: if the window does not fit.
            PaddingError: if the border needs a size that is not known.
        """
        if self.padding == "same":
            super().build(input_shape)
            return
        widths = self.pad_widths(input_shape)
        self.check_border(input_shape, widths)
        check_window(self.name, input_shape, widths, self.window_sizes(input_shape))
        super().build(input_shape)
        self.build_border(input_shape[-1], widths)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Pad and convolve: (batch, *spatial, channels) -> (batch, *output, filters)."""
        if self.left_to_keras and not self.window.goes_round:
            return super().call(inputs)
        return self.finish(self.respond(inputs, self.kernel, training))

    def respond(self, x: Any, kernel: Any, training: bool | None) -> Any:
        """Return the convolution of the padded map, without bias and activation."""
        window = self.window
        if self.left_to_keras:
            return window.convolve(x, kernel, self.padding)
        sizes, widths, filling = x.shape[1:-1], self.pad_widths(x.shape), self.filling
        if any(self.splits(x.shape)):
            kernel, window = split_kernel(kernel, window, self.splits(x.shape), x.shape[-1])
        if self.mode == ZEROS or not any(map(any, widths)):
            return convolve_zeros(x, kernel, window, widths)
        if isinstance(filling, Mask):
            outputs = convolve_zeros(x, kernel, window, widths)
            return scale_masked(outputs, str(self.mode), sizes, window, widths)
        drawn = self.border.draws and training
        # In float16 the part of zeros alone may overflow where the whole does not.
        half = keras.backend.standardize_dtype(x.dtype) == "float16"
        by_pattern = None not in sizes and not half and not drawn
        if filling is not None and filling.takes_value:
            # A given value is cheaper to join on where the map is copied anyway.
            by_pattern = by_pattern and is_native(sizes, window, widths)
        if filling is not None and filling.per_channel and by_pattern:
            outputs = convolve_zeros(x, kernel, window, widths)
            return add_border(outputs, kernel, self.border_values(x), sizes, window, widths)
        padded = self.padded(x, widths, training)
        if is_closed(x.shape[-1], kernel, window, widths, self.border.modes(self.RANK)):
            return convolve_closed(x, padded, kernel, window, widths)
        return convolve_zeros(padded, kernel, window, ((0, 0),) * self.RANK)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (batch, *output, filters)."""
        if self.left_to_keras:
            return super().compute_output_shape(input_shape)
        batch, *sizes, channels = padded_shape(input_shape, self.pad_widths(input_shape))
        splits = self.splits(input_shape)
        sizes = [n if n is None else n - split for n, split in zip(sizes, splits, strict=True)]
        return super().compute_output_shape((batch, *sizes, channels))

    def enable_lora(self, *args: Any, **kwargs: Any) -> None:
        """Add an adapter, as Keras does; refused beside a learned border."""
        if isinstance(self.filling, Weight):
            raise ValueError(
                f"Layer '{self.name}' takes no LoRA: its border is learned, and Keras merges an "
                "adapter into the kernel without the weights behind it."
            )
        super().enable_lora(*args, **kwargs)

    def own_variables(self) -> list[Any]:
        """Return the weights in the order in which they are saved."""
        if not self.built:
            return []
        bias = [self.bias] if self.use_bias else []
        border: list[Any] = [] if self.border_value is None else [self.border_value]
        return [*self.kernels(), *bias, *border]

    def kernels(self) -> list[Any]:
        """Return the weights before the bias."""
        return [self._kernel]

    @property
    def has_more(self) -> bool:
        """Whether the layer has weights that Keras' own does not know."""
        return self.border_value is not None

    def save_own_variables(self, store: Any) -> None:
        """Write the weights; those of the border come last."""
        if not self.has_more:
            super().save_own_variables(store)
            return
        for i, variable in enumerate(self.own_variables()):
            store[str(i)] = variable

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote."""
        if not self.has_more:
            super().load_own_variables(store)
            return
        for i, variable in enumerate(self.own_variables()):
            variable.assign(store[str(i)])


@register
class Conv1D(BorderedConvolution, keras.layers.Conv1D):
    """`keras.layers.Conv1D` with `padding` a Padding, its dict, its name or Keras' string.

    Input shape: (batch, steps, channels). Output shape: (batch, new_steps, filters).

    Raises:
        PaddingError: for a padding that does not exist or that the layer does not take.
        CollapseError: on building, if the padded map is smaller than the dilated kernel.
        ValueError: for channels_first.

    Example:
        >>> steps = keras.Input((40, 2))
        >>> padding = padzoo.Padding("causal", "replicate")
        >>> padzoo.Conv1D(8, 3, dilation_rate=4, padding=padding)(steps).shape
        (None, 40, 8)
    """

    RANK = 1


@register
class Conv2D(BorderedConvolution, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with `padding` a Padding, its dict, its name or Keras' string.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, filters).

    Raises:
        PaddingError: for a padding that does not exist or that the layer does not take.
        CollapseError: on building, if the padded map is smaller than the dilated kernel.
        ValueError: for channels_first.

    Example:
        >>> image = keras.Input((32, 32, 3))
        >>> padzoo.Conv2D(8, 3, padding=padzoo.Padding("same", "reflect"))(image).shape
        (None, 32, 32, 8)
        >>> padzoo.Conv2D(8, 3, padding="full")(image).shape
        (None, 34, 34, 8)
    """

    RANK = 2


@register
class WeightNormConv1D(Conv1D):
    """A Conv1D whose kernel is g * v / ||v||, with one g per output channel.

    Salimans & Kingma 2016, "Weight normalization" (arXiv:1602.07868), equation 2. `v` is the
    layer's kernel weight and g starts as ||v||, so that the first effective kernel is that of a
    Conv1D from the same seed. Adds `filters` parameters. Takes no LoRA. Arguments, shapes and
    errors are those of `Conv1D`.

    Example:
        >>> layer = padzoo.WeightNormConv1D(8, 3, padding="causal")
        >>> layer(keras.Input((40, 2))).shape
        (None, 40, 8)
        >>> [tuple(weight.shape) for weight in layer.weights]
        [(3, 2, 8), (8,), (8,)]
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
        scale = exact(self.g) / _norm(self._kernel)
        return self._kernel * ops.cast(scale, self.compute_dtype)

    def own_variables(self) -> list[Any]:
        """Return v, bias, the border's and g; Keras would write the effective kernel for v."""
        return [*super().own_variables(), self.g] if self.built else []

    @property
    def has_more(self) -> bool:
        """True: g."""
        return True

    def enable_lora(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the two parametrisations of one kernel exclude each other."""
        raise ValueError("WeightNormConv1D takes no LoRA: both would own the kernel.")


def _norm(kernel: Any) -> Any:
    """Return ||v|| per output channel, at least in float32, kept off zero so that it can divide."""
    axes = tuple(range(len(kernel.shape) - 1))
    total = ops.sum(ops.square(exact(kernel)), axis=axes)
    return ops.sqrt(ops.maximum(total, 1e-24))
