"""What a layer of a case must give, by the oracle: outputs and all gradients."""

import math
from typing import NamedTuple

import numpy as np

from models import layers
from models.padding import Padding
from tests.models.layers import covering, oracle, spreading
from tests.models.layers.covering import axis_amounts

CHANNELS = 4  # one for each corner of even_split


class Problem(NamedTuple):
    """A case with its numbers. `kernels`: one, or depthwise and pointwise."""

    case: object
    sizes: tuple
    kernel_size: tuple
    strides: tuple
    dilation: tuple
    groups: int
    output_padding: tuple | None
    value: object
    x: np.ndarray
    kernels: tuple
    bias: np.ndarray | None
    learned: np.ndarray | None

    @property
    def rank(self):
        return len(self.sizes)

    @property
    def modes(self):
        mode = self.case.mode
        return mode if isinstance(mode, tuple) else (mode,) * self.rank

    @property
    def window(self):
        return self.kernel_size, self.strides, self.dilation


def numbers(rng, *shape):
    return rng.normal(size=shape).astype("float32")


def problem(case, groups=1, window=None, sizes=None):
    """Draw the numbers of a case, and its window and sizes where they are not given."""
    k, s, d = window or covering.window(case)
    sizes, rng = sizes or covering.map_sizes(case, k, s, d), case.rng
    name, multiplier, filters = case.layer, int(rng.integers(1, 3)), 3 if groups == 1 else 4
    kernels = {
        "Conv": [(*k, CHANNELS // groups, filters)],
        "Dept": [(*k, CHANNELS, multiplier)],
        "Sepa": [(*k, CHANNELS, multiplier), (*(1,) * len(k), CHANNELS * multiplier, filters)],
    }.get(name[:4], [])
    if name.endswith("Transpose"):
        kernels = [(*k, filters, CHANNELS)]
    modes = case.mode if isinstance(case.mode, tuple) else (case.mode,)
    values = (0.7, tuple(rng.normal(size=CHANNELS).tolist()))
    outputs = CHANNELS * multiplier if name.startswith("Depth") else filters
    extra = tuple(int(rng.integers(n)) for n in s)
    native = case.amount in ("same", "valid")
    return Problem(
        case,
        sizes,
        k,
        s,
        d,
        groups,
        extra if name.endswith("Transpose") and not native and rng.random() < 0.5 else None,
        values[int(rng.integers(2))] if "constant" in modes else 0.0,
        numbers(rng, 2, *sizes, CHANNELS),
        tuple(numbers(rng, *shape) for shape in kernels),
        numbers(rng, outputs) if kernels else None,
        numbers(rng, CHANNELS) if case.mode == "learned" else None,
    )


def build(p):
    """Return the layer of a problem, with its weights."""
    kind, border = getattr(layers, p.case.layer), Padding(p.case.amount, p.case.mode, p.value)
    args = {"strides": p.strides, "padding": border}
    if "Pooling" in p.case.layer:
        layer = kind(p.kernel_size, **args, count_include_pad=True)
        layer.build(p.x.shape)
        layer.set_weights([p.learned] * len(layer.weights))
        return layer
    depthwise = p.case.layer in ("DepthwiseConv2D", "SeparableConv2D")
    start = ("depthwise", "pointwise")[: len(p.kernels)] if depthwise else ("kernel",)
    args |= {"kernel_size": p.kernel_size, "dilation_rate": p.dilation}
    args |= {f"{name}_initializer": "zeros" for name in start}  # which JAX need not compile
    if depthwise:
        args["depth_multiplier"] = p.kernels[0].shape[-1]
    if not p.case.layer.startswith("Depthwise"):
        args["filters"] = len(p.bias)
    if p.output_padding:
        args["output_padding"] = p.output_padding
    if p.groups > 1:
        args["groups"] = p.groups
    layer = kind(**args)
    layer.build(p.x.shape)
    borders = len(layer.weights) - len(p.kernels) - 1
    layer.set_weights([*p.kernels, p.bias, *[p.learned] * borders])
    return layer


def expected(p, cotangent):
    """Return the outputs, and the gradients of sum(outputs * cotangent(outputs.shape))."""
    if p.case.layer.endswith("Transpose"):
        return _transposed(p, cotangent)
    border = Border(p)
    padded = border.pad(p.x)
    if "Pooling" in p.case.layer:
        y, (by_padded,) = _pooled(p, padded, cotangent)
        return y, border.back(by_padded)
    kernel = _dense(p)
    y = oracle.convolve(padded, kernel, p.strides, p.dilation)
    scale = _partial(p, border) if p.case.mode == "partial" else np.ones(())
    pointwise = p.kernels[1] if len(p.kernels) == 2 else np.eye(y.shape[-1])
    pointwise = pointwise.reshape(y.shape[-1], -1)
    outputs = (y * scale) @ pointwise + p.bias
    signal = cotangent(outputs.shape).astype("float64")
    by_bias = signal.sum(tuple(range(p.rank + 1)))
    scaled, flat = (y * scale).reshape(-1, y.shape[-1]), signal.reshape(-1, signal.shape[-1])
    by_pointwise = (scaled.T @ flat).reshape(*[1] * p.rank, -1, signal.shape[-1])
    by_padded, by_kernel = oracle.convolve_adjoint(
        padded, kernel, scale * (signal @ pointwise.T), p.strides, p.dilation
    )
    gradients = [_sparse(p, by_kernel), by_pointwise]
    by_x, *by_border = border.back(by_padded)
    return outputs, [by_x, *gradients[: len(p.kernels)], by_bias, *by_border]


class Border:
    """The border of a problem, channel by channel, there and back.

    `wide`: (before, after) on each axis, where it is not those of the amount.
    """

    def __init__(self, p, wide=None):
        self.p, self.wide = p, wide
        self.modes = [
            {"mean": "constant", "random": "constant", "learned": "constant"}.get(m, m)
            for m in p.modes
        ]

    def widths(self, channel):
        """Return what a channel gets on each axis; only even_split asks which channel it is."""
        if self.wide:
            return self.wide
        sides = (channel % 2,) if self.p.rank == 1 else (channel % 4 // 2, channel % 2)
        axes = zip(
            axis_amounts(self.p.case.amount, self.p.rank), self.p.sizes, *self.p.window, strict=True
        )
        return [
            oracle.amounts(*axis, side if axis[0] == "even_split" else None)
            for axis, side in zip(axes, sides, strict=True)
        ]

    def values(self, x):
        """Return what each channel's border holds, (examples or 1, channels)."""
        if self.p.case.mode in ("mean", "random"):
            return x.mean(tuple(range(1, x.ndim - 1)))
        value = self.p.value if self.p.learned is None else self.p.learned
        return np.broadcast_to(value, (1, x.shape[-1]))

    def pad(self, x):
        values, made = self.values(x.astype("float64")), []
        for c in range(x.shape[-1]):
            value = values[:, c].reshape(-1, *[1] * (x.ndim - 1))
            made.append(oracle.pad(x[..., [c]], self.widths(c), self.modes, value))
        return np.concatenate(made, axis=-1)

    def back(self, by_padded):
        """Return the gradient by the map, and by the learned value if there is one."""
        p, by_x, by_value = self.p, [], []
        modes = ["zeros" if m == "partial" else m for m in self.modes]
        for c in range(p.x.shape[-1]):
            part, widths = by_padded[..., [c]], self.widths(c)
            inside = oracle.pad_adjoint(part, p.sizes, widths, modes)
            space = tuple(range(1, part.ndim))
            border = (part.sum(space) - inside.sum(space)).reshape(-1, *[1] * (part.ndim - 1))
            if p.case.mode in ("mean", "random"):
                inside = inside + border / math.prod(p.sizes)
            by_x.append(inside)
            by_value.append(border.sum())
        whole = [np.concatenate(by_x, axis=-1)]
        has_border = p.learned is not None and any(map(any, self.widths(0) + self.widths(3)))
        return [*whole, np.array(by_value)] if has_border else whole


def _partial(p, border):
    """Kernel area over covered area, by sliding the kernel over a mask."""
    mask = oracle.pad(np.ones((1, *p.sizes, 1)), border.widths(0), ["zeros"] * p.rank)
    covered = oracle.convolve(mask, np.ones((*p.kernel_size, 1, 1)), p.strides, p.dilation)
    return np.where(covered > 0, math.prod(p.kernel_size) / np.maximum(covered, 1), 0.0)


def _places(p):
    """Yield (channel in, channel out) of a dense kernel for each entry of the layer's own."""
    read, filters = p.kernels[0].shape[-2:]
    for i in range(read):
        for o in range(filters):
            if p.case.layer.startswith(("Depth", "Separ")):
                yield i, o, i, i * filters + o
            else:
                yield i, o, i + read * (o // (filters // p.groups)), o


def _dense(p):
    """Write a depthwise or grouped kernel as one from all channels to all filters."""
    depthwise = p.case.layer.startswith(("Depth", "Separ"))
    outputs = math.prod(p.kernels[0].shape[-2:]) if depthwise else p.kernels[0].shape[-1]
    dense = np.zeros((*p.kernel_size, CHANNELS, outputs))
    for i, o, channel, filter_ in _places(p):
        dense[..., channel, filter_] = p.kernels[0][..., i, o]
    return dense


def _sparse(p, dense):
    own = np.zeros(p.kernels[0].shape)
    for i, o, channel, filter_ in _places(p):
        own[..., i, o] = dense[..., channel, filter_]
    return own


def _pooled(p, padded, cotangent):
    """Pool and send a gradient back; an average of mode partial counts what is there."""
    geometry = (padded.shape[1:-1], p.kernel_size, p.strides, p.dilation)
    counts = np.ones(padded.shape)
    if p.case.mode == "partial":
        counts = oracle.pad(np.ones(p.x.shape), Border(p).widths(0), ["zeros"] * p.rank)
    y = np.zeros((2, *oracle.output_shape(*geometry), CHANNELS))
    signal, by_padded = cotangent(y.shape), np.zeros(padded.shape)
    space = tuple(range(1, p.rank + 1))
    for position, window in oracle.windows(*geometry):
        at, patch = (slice(None), *position), padded[window]
        if p.case.layer.startswith("Max"):
            y[at] = patch.max(space)
            flat = patch.reshape(2, -1, CHANNELS)
            chosen = np.arange(flat.shape[1])[:, None] == flat.argmax(1)[:, None]
            share = chosen.reshape(patch.shape)
        else:
            share = counts[window] / counts[window].sum(space, keepdims=True)
            y[at] = (patch * share).sum(space)
        by_padded[window] += share * signal[at].reshape(2, *[1] * p.rank, CHANNELS)
    return y, (by_padded,)


def _transposed(p, cotangent):
    """Spread the map and what it goes on by, wider than reaches the output; then cut that."""
    kernel, steps = p.kernels[0].astype("float64"), (p.strides, p.dilation)
    spans = [d * (k - 1) + 1 for k, _, d in zip(*p.window, strict=True)]
    kept = spreading.output_window(p)
    wide = [
        (span // s + 1, max(0, end // s + 1 - n))
        for span, n, s, (_, end) in zip(spans, p.sizes, p.strides, kept, strict=True)
    ]
    moved = [
        (first + s * before, end + s * before)
        for (first, end), s, (before, _) in zip(kept, p.strides, wide, strict=True)
    ]
    border = Border(p, wide)
    padded, scale = border.pad(p.x), np.ones(())
    if p.case.mode == "partial":
        scale = _partial_transposed(p, wide, moved, kernel.shape[:-2])
    whole = spreading.spread(padded, kernel, *steps)
    y = spreading.cut(whole, moved) * scale + p.bias
    signal = cotangent(y.shape)
    by_whole = spreading.cut_adjoint(signal * scale, moved, whole.shape)
    by_padded, by_kernel = spreading.spread_adjoint(padded, kernel, by_whole, *steps)
    by_bias = signal.sum(tuple(range(p.rank + 1)))
    by_x, *by_border = border.back(by_padded)
    # A layer keeps a learned border where some pixel of it has an output within its window.
    reached = spreading.spread(
        1 - oracle.pad(np.ones((1, *p.sizes, 1)), wide, ["zeros"] * p.rank),
        np.ones((*spans, 1, 1)), p.strides, (1,) * p.rank,
    )  # fmt: skip
    by_border = by_border if spreading.cut(reached, moved).any() else []
    return y, [by_x, by_kernel, by_bias, *by_border]


def _partial_transposed(p, wide, moved, kernel_size):
    """Taps that read the continued map over taps that read the map, for each output."""
    ones, taps = np.ones((1, *p.sizes, 1)), np.ones((*kernel_size, 1, 1))
    on_map = oracle.pad(ones, wide, ["zeros"] * p.rank)
    covered, read = (
        spreading.cut(spreading.spread(x, taps, p.strides, p.dilation), moved)
        for x in (on_map, np.ones(on_map.shape))
    )
    return np.where(covered > 0, read / np.maximum(covered, 1), 0.0)
