"""Keras' convolutions, with what TensorFlow's kernels refuse or get wrong computed another way.

Seen with TensorFlow 2.21:

    one pixel, strided          where channels are few, oneDNN's gradient by the kernel is wrong on
                                AVX2, and on AVX-512 it writes past the end of its memory
    transposed and dilated      a CPU without oneDNN refuses it
    depthwise, unlike strides   so does it here
    transposed, same, even      where the output padding is 0, every CPU refuses it

Every other convolution, and all of them on JAX, is the call of `keras.ops` that it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ...padding.amounts import same_total, window_size

Sizes = tuple[int, ...]


def goes_round(kernel_size: Sizes, strides: Sizes, depthwise: bool) -> bool:
    """Say whether `convolve` is more than the call of `keras.ops`."""
    return _is_one_pixel(kernel_size, strides) or (depthwise and _is_unlike(strides))


def convolve(
    x: Any, kernel: Any, padding: str, strides: Sizes, dilation_rate: Sizes, depthwise: bool
) -> Any:
    """Convolve as `ops.conv` or `ops.depthwise_conv` does.

    Args:
        x: (batch, *spatial, channels).
        kernel: (*kernel_size, channels / groups, filters), or depthwise
            (*kernel_size, channels, multiplier).
        padding: "valid" or "same"; a kernel of one pixel also takes "causal".
        strides, dilation_rate: one for each axis.

    Returns:
        (batch, *outputs, filters).
    """
    one_pixel = _is_one_pixel(tuple(kernel.shape[:-2]), strides)
    padding = "valid" if one_pixel else padding
    if depthwise and _is_unlike(strides):
        return _convolve_unlike(x, kernel, padding, strides, dilation_rate)
    call = ops.depthwise_conv if depthwise else ops.conv
    if one_pixel:
        return _stride_one_pixel(call, x, kernel, strides, transposed=False)
    return call(x, kernel, strides=strides, padding=padding, dilation_rate=dilation_rate)


def conv_transpose(
    x: Any,
    kernel: Any,
    padding: str,
    strides: Sizes,
    dilation_rate: Sizes,
    output_padding: Sizes | None = None,
) -> Any:
    """Spread each pixel over its window as `ops.conv_transpose` does.

    Args:
        x: (batch, *spatial, channels).
        kernel: (*kernel_size, filters, channels).
        padding: "valid" or "same".
        strides, dilation_rate, output_padding: one for each axis.

    Returns:
        (batch, *outputs, filters).
    """
    more: dict[str, Any] = {"padding": padding, "output_padding": output_padding}
    if output_padding and padding == "same" and _is_refused(kernel, dilation_rate, output_padding):
        return _cut_to_same(x, kernel, strides, output_padding)
    if _on_tensorflow() and max(dilation_rate) > 1:
        return _convolve_turned(x, kernel, padding, dilation_rate, output_padding is not None)
    if _is_one_pixel(tuple(kernel.shape[:-2]), strides):
        return _stride_one_pixel(ops.conv_transpose, x, kernel, strides, transposed=True, **more)
    return ops.conv_transpose(x, kernel, strides=strides, dilation_rate=dilation_rate, **more)


def _on_tensorflow() -> bool:
    return keras.backend.backend() == "tensorflow"


def _is_one_pixel(kernel_size: Sizes, strides: Sizes) -> bool:
    return _on_tensorflow() and max(kernel_size) == 1 < max(strides)


def _is_unlike(strides: Sizes) -> bool:
    return _on_tensorflow() and len(set(strides)) > 1


def _stride_one_pixel(
    call: Callable[..., Any], x: Any, kernel: Any, strides: Sizes, transposed: bool, **more: Any
) -> Any:
    """Call it as it is, with the gradients that it has without strides: of every s-th pixel."""
    import tensorflow as tf

    every = (slice(None), *(slice(None, None, s) for s in strides))

    @tf.custom_gradient
    def forward(x: Any, kernel: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch([x, kernel])
                y = call(x if transposed else x[every], kernel)
            return tape.gradient(y, [x, kernel], upstream[every] if transposed else upstream)

        return call(x, kernel, strides=strides, **more), gradient

    return forward(tf.convert_to_tensor(x), tf.convert_to_tensor(kernel))


def _is_refused(kernel: Any, dilation_rate: Sizes, output_padding: Sizes) -> bool:
    """Say whether TensorFlow finds that the output's size does not give the input's back."""
    even = zip(kernel.shape[:-2], output_padding, strict=True)
    return (
        _on_tensorflow()
        and max(dilation_rate) == 1
        and any(size % 2 == 0 and extra == 0 for size, extra in even)
    )


def _cut_to_same(x: Any, kernel: Any, strides: Sizes, output_padding: Sizes) -> Any:
    """Spread whole, and keep what SAME would: (n - 1) s + k - 2 (k // 2) + output_padding."""
    outputs = ops.conv_transpose(x, kernel, strides=strides, padding="valid")
    for axis, (size, stride, extra) in enumerate(
        zip(kernel.shape[:-2], strides, output_padding, strict=True), start=1
    ):
        total = size // 2 * 2 - extra
        before = max(0, total // 2)
        end = before + size - total - max(size, stride)  # from the whole output's end
        outputs = outputs[(slice(None),) * axis + (slice(before, end or None),)]
    return outputs


def _convolve_turned(
    x: Any, kernel: Any, padding: str, dilation_rate: Sizes, output_padding_is_given: bool
) -> Any:
    """Spread without strides: the convolution of a wider map with the kernel turned round.

    Dumoulin & Visin (arXiv:1603.07285), relationships 8 to 11. With the kernel's holes written out
    as zeros TensorFlow could spread as well, in up to fifteen times the time.
    """
    space = tuple(range(len(dilation_rate)))
    widths = []
    for size, rate in zip(kernel.shape[:-2], dilation_rate, strict=True):
        window = window_size(size, rate)
        total = 2 * (window - 1)
        if padding == "same":  # of which Keras keeps n pixels, or n - 1 + window % 2
            total = window - 1 - (output_padding_is_given and window % 2 == 0)
        widths.append((math.ceil(total / 2), total // 2))
    turned = ops.swapaxes(ops.flip(ops.convert_to_tensor(kernel), space), -1, -2)
    wider = ops.pad(x, [(0, 0), *widths, (0, 0)])
    return ops.conv(wider, turned, padding="valid", dilation_rate=dilation_rate)


def _convolve_unlike(
    x: Any, kernel: Any, padding: str, strides: Sizes, dilation_rate: Sizes
) -> Any:
    """Convolve channels apart with the stride that the axes share, and leave out the rest."""
    shared = math.gcd(*strides)
    sizes = x.shape[1:-1]
    if padding == "same":
        windows = map(window_size, kernel.shape[:-2], dilation_rate)
        x = _pad_same(x, [size - 1 for size in windows], strides)
    each = (shared,) * len(strides)
    outputs = convolve(x, kernel, "valid", each, dilation_rate, depthwise=True)
    outputs = outputs[(slice(None), *(slice(None, None, s // shared) for s in strides))]
    if padding == "same" and None in sizes:  # what is known has been lost on the way
        ends = (n if n is None else -(-n // s) for n, s in zip(sizes, strides, strict=True))
        outputs.set_shape((x.shape[0], *ends, outputs.shape[-1]))
    return outputs


def _pad_same(x: Any, reaches: list[int], strides: Sizes) -> Any:
    """Pad a map by SAME on TensorFlow; a size that is not known yet is asked for in the graph."""
    import tensorflow as tf

    widths, axes = [], zip(x.shape[1:-1], tf.unstack(tf.shape(x))[1:-1], strict=True)
    for (size, later), reach, step in zip(axes, reaches, strides, strict=True):
        if size is None and step > 1 and reach > 0:
            total = tf.maximum(0, reach - (later - 1) % step)
        else:
            total = same_total(size, reach, step)
        widths.append((total // 2, total - total // 2))
    return tf.pad(x, [(0, 0), *widths, (0, 0)])
