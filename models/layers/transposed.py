"""Transposed convolutions with a padding of their own: the gradients of their convolutions.

A convolution that pads by (before, after) has a gradient that drops as many pixels from its
output: here an amount says what is cut off (Dumoulin & Visin, arXiv:1603.07285, section 4,
relationships 8 to 14). A mode says how the map goes on beyond its border: what the continued map
spreads into the same output is added. Under zeros that is nothing.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..padding import Widths
from ..padding.amounts import restores_size, window_size
from ..padding.axes import transposed_scale
from ..padding.definitions import Mask
from ..padding.modes import ZEROS
from .base import Bordered, read_given, register
from .engine.extend import CollapseError
from .engine.kernels import conv_transpose

Shape = tuple[int | None, ...]


class BorderedTranspose(Bordered):
    """Mixed in before a transposed convolution of Keras.

    The output on an axis is the map whose convolution gives the input back:
    (size - 1) * strides + window - before - after + output_padding. `same_lower` gives
    size * strides, or (size - 1) * strides + 1 + output_padding where that is given; `same` and
    `valid` give what Keras gives.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] = 1,
        padding: Any = "valid",
        output_padding: int | tuple[int, ...] | None = None,
        *args: Any,
        border_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        given = read_given(padding, type(self).__name__)
        amount = given.border.amount
        native = amount if amount in ("same", "valid") else "valid"
        native = padding if given.keeps_string else native
        super().__init__(filters, kernel_size, strides, native, output_padding, *args, **kwargs)
        self.set_border(given, border_seed)
        self.left_to_keras = given.keeps_string or native == amount

    @property
    def left_over(self) -> tuple[int, ...]:
        """The pixels after its last window that a strided map has on each axis.

        They are `output_padding`; where that is not given, as many as there can be.
        """
        return self.output_padding or tuple(s - 1 for s in self.strides)

    def cut_widths(self) -> Widths:
        """Return the pixels (before, after) that are cut from each axis of the whole output.

        No amount depends on the number of strides in the output, so one window stands for all.
        """
        outputs = tuple(1 + extra for extra in self.left_over)
        return self.border.widths(outputs, self.kernel_size, self.strides, self.dilation_rate)

    def input_widths(self, sizes: tuple[int | None, ...]) -> Widths:
        """Return the pixels (before, after) by which the map goes on where that reaches an output.

        With `before` cut from the whole output these are floor((window - 1 - before) / strides) and
        floor((before + outputs - 1) / strides) - (size - 1) on each axis, and none where that is
        negative. They are those of any mode, zeros too, and the same at every size.

        Args:
            sizes: pixels of the input on each spatial axis, None where unknown.

        Example:
            >>> padzoo.Conv1DTranspose(8, 4, 2, padding="circular").input_widths((16,))
            ((1, 1),)
        """
        known = [1 if n is None else n for n in sizes]
        windows = map(window_size, self.kernel_size, self.dilation_rate)
        axes = zip(known, self.ends(), self.cut_widths(), windows, self.strides, strict=True)
        return tuple(
            (
                max(0, (window - 1 - before) // s),
                max(0, (before + (n - 1) * s + end - 1) // s - (n - 1)),
            )
            for n, end, (before, _), window, s in axes
        )

    def output_sizes(self, sizes: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the size of the output on each axis."""
        ends = zip(sizes, self.strides, self.ends(), strict=True)
        return tuple(None if n is None else (n - 1) * s + end for n, s, end in ends)

    def ends(self) -> tuple[int, ...]:
        """Return the size of the output of a single pixel on each axis, as if it could be < 1."""
        if self.left_to_keras:
            return tuple(super().compute_output_shape((None, *(1,) * self.RANK, 1))[1:-1])
        amounts = self.border.amounts(self.RANK)
        extra = self.output_padding or (0,) * self.RANK
        windows = map(window_size, self.kernel_size, self.dilation_rate)
        axes = zip(amounts, windows, self.cut_widths(), extra, self.left_over, strict=True)
        return tuple(
            1 + left if restores_size(amount) else window - sum(width) + more
            for amount, window, width, more, left in axes
        )

    def build(self, input_shape: Shape) -> None:
        """Create the weights: Keras' own, then the border's.

        Raises:
            CollapseError: if nothing is left.
            PaddingError: if the border needs a size that is not known.
        """
        for axis, size in enumerate(self.output_sizes(input_shape[1:-1])):
            if size is not None and size < 1:
                raise CollapseError(self.name, axis, max(size, 0), 1)
        widths = self.input_widths(input_shape[1:-1])
        self.check_border(input_shape, widths)
        super().build(input_shape)
        self.build_border(input_shape[-1], widths)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Spread and cut: (batch, *spatial, channels) -> (batch, *output, filters)."""
        sizes = inputs.shape[1:-1]
        widths = self.input_widths(sizes)
        if self.mode == ZEROS or not any(map(any, widths)):
            return self.finish(self.spread(inputs))
        if isinstance(self.filling, Mask):
            outputs = self.spread(inputs)
            return self.finish(outputs * ops.convert_to_tensor(self.scale(sizes), outputs.dtype))
        continued = self.padded(inputs, widths, training)
        return self.finish(self.cut(self.whole(continued), widths))

    def spread(self, inputs: Any) -> Any:
        """Return what the map alone gives: (batch, *spatial, channels) -> (batch, *output, …)."""
        if self.left_to_keras:
            steps, extra = (self.strides, self.dilation_rate), self.output_padding
            return conv_transpose(inputs, self.kernel, self.padding, *steps, extra)
        return self.cut(self.whole(inputs), ((0, 0),) * self.RANK)

    def whole(self, inputs: Any) -> Any:
        """Spread each pixel over its window, and cut nothing."""
        return conv_transpose(inputs, self.kernel, "valid", self.strides, self.dilation_rate)

    def cut(self, outputs: Any, widths: Widths) -> Any:
        """Cut the output from the whole one: (batch, *whole, filters) -> (batch, *output, …).

        Args:
            outputs: of a map that goes on by `widths`.
            widths: (before, after) on each axis.
        """
        keeps, adds = [slice(None)], [(0, 0)]
        windows = map(window_size, self.kernel_size, self.dilation_rate)
        axes = zip(self.cut_widths(), self.ends(), windows, self.strides, widths, strict=True)
        for (before, _), end, window, stride, (first, last) in axes:
            # Keras' own ends at the longer of the two.
            more = before + end - max(window, stride) - stride * last
            keeps.append(slice(before + stride * first, more if more < 0 else None))
            adds.append((0, max(0, more)))
        return ops.pad(outputs[tuple(keeps)], [*adds, (0, 0)])

    def scale(self, sizes: tuple[int, ...]) -> Any:
        """Return by what a `Mask` multiplies every output: floats of shape (1, *output, 1)."""
        firsts = [before for before, _ in self.cut_widths()]
        axes = zip(sizes, self.strides, self.ends(), strict=True)
        outputs = [(n - 1) * s + end for n, s, end in axes]
        window = (self.kernel_size, self.strides, self.dilation_rate)
        return transposed_scale(str(self.mode), sizes, firsts, outputs, *window)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (batch, *output, filters)."""
        if self.left_to_keras:
            return super().compute_output_shape(input_shape)
        return (input_shape[0], *self.output_sizes(input_shape[1:-1]), self.filters)


@register
class Conv1DTranspose(BorderedTranspose, keras.layers.Conv1DTranspose):
    """`keras.layers.Conv1DTranspose` with `padding` a Padding, its dict, its name or Keras' string.

    Input shape: (batch, steps, channels). Output shape: (batch, new_steps, filters).

    Raises:
        PaddingError: for a padding that does not exist or that the layer does not take.
        CollapseError: on building, if the amounts cut everything off.
        ValueError: for channels_first.

    Example:
        >>> padzoo.Conv1DTranspose(8, 4, 2, padding="same_lower")(keras.Input((20, 2))).shape
        (None, 40, 8)
    """

    RANK = 1


@register
class Conv2DTranspose(BorderedTranspose, keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose` with `padding` a Padding, its dict, its name or Keras' string.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, filters).

    Raises:
        PaddingError: for a padding that does not exist or that the layer does not take.
        CollapseError: on building, if the amounts cut everything off.
        ValueError: for channels_first.

    Example:
        >>> padzoo.Conv2DTranspose(8, 3, strides=2, padding="half")(keras.Input((16, 16, 3))).shape
        (None, 31, 31, 8)
    """

    RANK = 2
