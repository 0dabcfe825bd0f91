"""What the layers must compute, in NumPy loops that share no code with the models."""

from __future__ import annotations

import itertools
import math

import keras
import numpy as np

# What has an oracle here, written apart from the models; formula.py serves whatever is added there.
AXIS_MODES = ("zeros", "constant", "reflect", "symmetric", "replicate", "circular", "odd_reflect")
PLANE_MODES = ("spherical",)
MODES = (*AXIS_MODES, *PLANE_MODES, "mean", "partial", "random", "learned")
AMOUNTS = ("valid", "same", "same_lower", "half", "full", "causal", "even_split")

NUMPY_MODE = {"reflect": "reflect", "symmetric": "symmetric", "replicate": "edge"}
NUMPY_MODE["circular"] = "wrap"


def operator(size, before, after, mode):
    """Return the matrix by which np.pad pads an axis; rows of zeros for a constant."""
    widths = ((before, after), (0, 0))
    if mode == "odd_reflect":
        return np.pad(np.eye(size), widths, mode="reflect", reflect_type="odd")
    return np.pad(np.eye(size), widths, mode=NUMPY_MODE.get(mode, "constant"))


def sources(size, before, after, mode):
    """Return where each pixel of a padded axis comes from, by np.pad; -1 for a constant."""
    if mode in NUMPY_MODE:
        return np.pad(np.arange(size), (before, after), mode=NUMPY_MODE[mode])
    return np.pad(np.arange(size), (before, after), constant_values=-1)


def amounts(amount, size, k, s, d, side=None):
    """Return (before, after) on one axis by the definition of the amount, in words.

    `side` is the one that a channel of `even_split` is padded towards, 0 or 1; without it both
    sides get what some channel needs.
    """
    window = d * (k - 1) + 1
    if amount in ("same", "same_lower", "even_split"):
        outputs = math.ceil(size / s)
        total = 0
        while (size + total - window) // s + 1 < outputs:
            total += 1
        halves = (total // 2, math.ceil(total / 2))
        if amount == "even_split":
            return (halves[1],) * 2 if side is None else halves[:: 1 if side else -1]
        return halves if amount == "same" else halves[::-1]
    if k == 1:
        return 0, 0
    pixels = {"valid": 0, "half": d * (k // 2), "full": window - 1}
    if amount == "causal":
        return window - 1, 0
    if isinstance(amount, tuple):
        return amount
    each = pixels.get(amount, amount)
    return each, each


def globe(x, widths):
    """Go on beyond the poles of (batch, height, width, channels), then round the equator.

    Over both poles and back is one way round: each row, and each as its opposite meridian has it.
    """
    (top, bottom), around = widths
    height, width = x.shape[1:3]
    back = np.roll(x[:, ::-1], width // 2, axis=2)
    way = np.concatenate([x, back], axis=1)
    rows = np.take(way, np.arange(-top, height + bottom), axis=1, mode="wrap")
    return np.pad(rows, ((0, 0), (0, 0), around, (0, 0)), mode="wrap")


def pad(x, widths, modes, value=0.0):
    """Pad the spatial axes of (batch, *spatial, channels); a constant covers the corners."""
    if "spherical" in modes:
        return globe(x, widths)
    axes = list(enumerate(zip(widths, modes, strict=True), start=1))
    for axis, (width, mode) in axes:
        matrix = operator(x.shape[axis], *width, mode)
        x = np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
    for axis, ((before, after), mode) in axes:
        if mode == "constant":
            outside = sources(x.shape[axis] - before - after, before, after, mode) < 0
            x = np.where(outside.reshape([-1 if i == axis else 1 for i in range(x.ndim)]), value, x)
    return x


def pad_adjoint(grad, sizes, widths, modes):
    """Send the gradient of a padded map back to the map."""
    if "spherical" in modes:
        pixels = np.eye(math.prod(sizes)).reshape(-1, *sizes, 1)
        shown = globe(pixels, widths)[..., 0]  # where each pixel of the map is shown
        by_pixel = np.tensordot(shown, grad, ((1, 2), (1, 2)))
        return np.moveaxis(by_pixel, 0, 1).reshape(len(grad), *sizes, grad.shape[-1])
    for axis, (size, width, mode) in enumerate(zip(sizes, widths, modes, strict=True), start=1):
        matrix = operator(size, *width, mode)
        grad = np.moveaxis(np.tensordot(matrix.T, grad, (1, axis)), 0, axis)
    return grad


def windows(sizes, kernel_size, strides, dilation_rate):
    """Yield each output position with the index of its window in the padded map."""
    axes = list(zip(sizes, kernel_size, strides, dilation_rate, strict=True))
    outputs = [(n - (d * (k - 1) + 1)) // s + 1 for n, k, s, d in axes]
    for position in itertools.product(*map(range, outputs)):
        index = [p * s + d * np.arange(k) for p, (_, k, s, d) in zip(position, axes, strict=True)]
        yield position, (slice(None), *np.ix_(*index))


def output_shape(sizes, kernel_size, strides, dilation_rate):
    """Return the output's spatial shape by its last window."""
    last = list(windows(sizes, kernel_size, strides, dilation_rate))[-1][0]
    return tuple(p + 1 for p in last)


def convolve(x, kernel, strides, dilation_rate):
    """Cross-correlate (batch, *spatial, channels) with (*kernel_size, channels, filters)."""
    size = kernel.shape[:-2]
    geometry = (x.shape[1:-1], size, strides, dilation_rate)
    out = np.zeros((x.shape[0], *output_shape(*geometry), kernel.shape[-1]))
    for position, window in windows(*geometry):
        patch = x[window].reshape(x.shape[0], -1)
        out[(slice(None), *position)] = patch @ kernel.reshape(-1, kernel.shape[-1])
    return out


def convolve_adjoint(x, kernel, cotangent, strides, dilation_rate):
    """Return the gradients of sum(convolve(x, kernel) * cotangent) by x and by kernel."""
    grad_x, grad_kernel = (
        np.zeros(x.shape),
        np.zeros((math.prod(kernel.shape[:-1]), kernel.shape[-1])),
    )
    flat = kernel.reshape(-1, kernel.shape[-1])
    for position, window in windows(x.shape[1:-1], kernel.shape[:-2], strides, dilation_rate):
        signal = cotangent[(slice(None), *position)]
        grad_kernel += x[window].reshape(x.shape[0], -1).T @ signal
        grad_x[window] += (signal @ flat.T).reshape(x[window].shape)
    return grad_x, grad_kernel.reshape(kernel.shape)


def pool(x, pool_size, strides, widths, reduce):
    """Reduce each window over the pixels that are there; the border is left out."""
    padded = pad(x, widths, ["constant"] * len(widths), np.nan)
    geometry = (padded.shape[1:-1], pool_size, strides, (1,) * len(pool_size))
    out = np.zeros((x.shape[0], *output_shape(*geometry), x.shape[-1]))
    axes = tuple(range(1, 1 + len(pool_size)))
    for position, window in windows(*geometry):
        out[(slice(None), *position)] = reduce(padded[window], axis=axes)
    return out


def value_and_gradients(layer, x, cotangent):
    """Return layer(x) and the gradients of sum(layer(x) * cotangent) by x and each weight."""
    if not layer.built:
        layer.build(x.shape)
    x = keras.ops.convert_to_tensor(x)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        weights = [w.value for w in layer.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(y * cotangent)
        grads = tape.gradient(total, [x, *weights])
    else:
        import jax

        state = [v.value for v in layer.non_trainable_variables]

        def total(x, weights):
            y, _ = layer.stateless_call(weights, state, x)
            return (y * cotangent).sum(), y

        weights = [w.value for w in layer.trainable_variables]
        (by_x, by_weights), y = jax.jit(jax.grad(total, (0, 1), has_aux=True))(x, weights)
        grads = [by_x, *by_weights]
    return np.asarray(y), [np.asarray(g) for g in grads]
