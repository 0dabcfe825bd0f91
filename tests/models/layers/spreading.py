"""The oracle of transposed convolutions: a continued map is spread, and a window cut from it."""

import itertools

import numpy as np

from tests.models.layers import oracle
from tests.models.layers.covering import axis_amounts


def taps(kernel_size, sizes, strides, dilation):
    """Yield each tap with where the whole output has what it gives, pixel by pixel."""
    for tap in itertools.product(*map(range, kernel_size)):
        axes = zip(tap, sizes, strides, dilation, strict=True)
        yield (
            tap,
            (slice(None), *(slice(d * t, d * t + (n - 1) * s + 1, s) for t, n, s, d in axes)),
        )


def spread(x, kernel, strides, dilation):
    """Spread (batch, *spatial, channels) over (*kernel_size, filters, channels): all that it gives.

    Pixel 0 begins at 0.
    """
    sizes, k = x.shape[1:-1], kernel.shape[:-2]
    axes = zip(sizes, k, strides, dilation, strict=True)
    whole = np.zeros(
        (len(x), *((n - 1) * s + d * (k - 1) + 1 for n, k, s, d in axes), kernel.shape[-2])
    )
    for tap, at in taps(k, sizes, strides, dilation):
        whole[at] += x @ kernel[tap].T
    return whole


def spread_adjoint(x, kernel, by_whole, strides, dilation):
    """Return the gradients of sum(spread(x, kernel) * by_whole) by x and by kernel."""
    by_x, by_kernel = np.zeros(x.shape), np.zeros(kernel.shape)
    for tap, at in taps(kernel.shape[:-2], x.shape[1:-1], strides, dilation):
        by_x += by_whole[at] @ kernel[tap]
        by_kernel[tap] = np.tensordot(by_whole[at], x, (range(x.ndim - 1), range(x.ndim - 1)))
    return by_x, by_kernel


def cut(whole, window):
    """Take (first, end) of each axis, zeros where the whole has ended."""
    found = np.zeros((len(whole), *(end - first for first, end in window), whole.shape[-1]))
    there = whole[(slice(None), *(slice(*ends) for ends in window))]
    found[tuple(map(slice, there.shape))] = there
    return found


def cut_adjoint(by_found, window, shape):
    """Put (first, end) of each axis back into zeros of a whole shape."""
    whole = np.zeros((len(by_found), *shape[1:-1], by_found.shape[-1]))
    place = (slice(None), *(slice(*ends) for ends in window))
    room = whole[place].shape
    whole[place] = by_found[tuple(map(slice, room))]
    return whole


def output_window(p):
    """Return which part of the whole output a `reference.Problem` keeps: (first, end) by axis."""
    kept = []
    amounts = axis_amounts(p.case.amount, p.rank)
    for i, (amount, n, k, s, d) in enumerate(zip(amounts, p.sizes, *p.window, strict=True)):
        extra = p.output_padding[i] if p.output_padding else None
        span, most = d * (k - 1) + 1, s - 1 if extra is None else extra
        size = (n - 1) * s + 1 + most
        before, after = oracle.amounts(amount, size, k, s, d)
        if amount not in ("same", "same_lower"):
            size = (n - 1) * s + span - before - after + (extra or 0)
        if p.case.amount == "valid":
            size = n * s + max(span - s, 0)  # Keras' own rule
        kept.append((before, before + size))
    return kept
