"""Random small networks, and their twins: the same pixels read, linear, with weights of one."""

import math
import warnings
from dataclasses import dataclass

import keras
import numpy as np
from hypothesis import strategies as st

import models.layers as zoo
from models.align import MisalignedWarning, align
from models.layers.engine.extend import CollapseError
from models.padding import Padding, PaddingError
from models.padding.supports import supports
from tests.models.layers.oracle import AMOUNTS, MODES

CONVOLUTIONS = ("Conv", "DepthwiseConv", "keras.Conv", "keras.SeparableConv")
POOLS = ("MaxPooling", "AveragePooling", "keras.MaxPooling", "keras.AveragePooling")
SHIFTS = ("ZeroPadding", "Cropping", "PadInput")
MERGES = ("Add", "Concatenate", "Maximum")
MOST_STRIDE = 4


@dataclass(frozen=True)
class Layer:
    kind: str
    kernel: tuple = ()
    strides: tuple = ()
    dilation: tuple = ()
    padding: object = "valid"
    counts: bool = False


@dataclass(frozen=True)
class Branches:
    first: tuple
    second: tuple
    merge: str
    anchor: str


@dataclass(frozen=True)
class Network:
    rank: int
    blocks: tuple


@st.composite
def networks(draw, most=3):
    """Draw layers and branches; a network strides by at most `MOST_STRIDE` on an axis."""
    rank = draw(st.sampled_from((1, 1, 2)))
    room = [MOST_STRIDE] * rank
    blocks = []
    for _ in range(draw(st.integers(1, most))):
        if draw(st.booleans()):
            blocks.append(draw(layers(rank, room)))
            continue
        first = tuple(draw(layers(rank, room)) for _ in range(draw(st.integers(1, 2))))
        each = [layer.strides or (1,) * rank for layer in first]
        strides = tuple(map(math.prod, zip(*each, strict=True)))
        blocks.append(
            Branches(
                first,
                draw(opposite(rank, strides)),
                draw(st.sampled_from(MERGES)),
                draw(st.sampled_from(("centre", "end"))),
            )
        )
    return Network(rank, tuple(blocks))


@st.composite
def layers(draw, rank, room):
    """Draw a layer; what it strides is taken from `room`."""
    kind = draw(st.sampled_from(2 * CONVOLUTIONS + POOLS + SHIFTS))
    small = st.tuples(*[st.tuples(*[st.integers(0, 3)] * 2)] * rank)
    if kind == "DepthwiseConv" and rank == 1:
        kind = "keras.DepthwiseConv"
    if kind == "PadInput":
        mode = draw(st.sampled_from([m for m in MODES if m != "partial"]))
        return Layer(kind, padding=Padding(draw(small), mode))
    if kind in SHIFTS:
        return Layer(kind, padding=draw(small))
    kernel = tuple(draw(st.integers(1, 4)) for _ in range(rank))
    strides = tuple(draw(st.integers(1, min(3, most))) for most in room)
    if "Depthwise" in kind or "Separable" in kind:  # TensorFlow's strides are square
        strides = (min(strides),) * rank
    dilation = (1,) * rank
    if "Pooling" not in kind and max(strides) == 1:
        dilation = (draw(st.integers(1, 2)),) * rank
    room[:] = [most // s for most, s in zip(room, strides, strict=True)]
    padding, counts = draw(borders(kind, rank))
    return Layer(kind, kernel, strides, dilation, padding, counts)


@st.composite
def borders(draw, kind, rank):
    """Draw what a layer takes as padding, and whether a pool counts it."""
    if kind.startswith("keras."):
        causal = ("causal",) if kind in ("keras.Conv",) and rank == 1 else ()
        return draw(st.sampled_from(("valid", "same", *causal))), False
    axis = st.sampled_from(AMOUNTS) | st.integers(0, 3) | st.tuples(*[st.integers(0, 3)] * 2)
    amount = draw(st.sampled_from(AMOUNTS) | st.tuples(*[axis] * rank))
    mode = draw(st.sampled_from(("zeros", *MODES)))
    name = class_name(kind, rank)
    if kind == "DepthwiseConv" and "even_split" in repr(amount):
        amount = "same"  # its channels would not be mixed before the next layer
    counts = "Pooling" in kind and draw(st.booleans())
    if supports(amount, mode, name) is not None:
        mode = "zeros"
    if supports(amount, mode, name) is not None:
        amount = "same"
    return Padding(amount, mode, 2.0 if mode == "constant" else 0.0), counts


@st.composite
def opposite(draw, rank, strides):
    """Draw the other branch: nothing, or one layer with the strides of the first."""
    if max(strides) == 1 and draw(st.booleans()):
        return ()
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    padding = draw(st.sampled_from([Padding(a) for a in AMOUNTS if a != "causal"]))
    return (Layer("Conv", kernel, strides, (1,) * rank, padding),)


def class_name(kind, rank):
    """Return the name of a layer; depthwise sequences are Keras' own."""
    return f"{kind.removeprefix('keras.')}{rank}D"


def build(network, sizes, channels, twin=False):
    """Return the network on a map of `sizes`, None where a map collapses or a border is refused.

    Convolutions take the mean over the channels and the sum over the taps. The twin's max pools
    are sums of what they could take, and its merges sums.
    """
    inputs = x = keras.Input((*sizes, channels), name="image")
    try:
        for i, block in enumerate(network.blocks):
            if isinstance(block, Layer):
                x = _call(block, x, f"l{i}", channels, twin)
                continue
            ends = []
            for j, branch in enumerate((block.first, block.second)):
                y = x
                for k, layer in enumerate(branch):
                    y = _call(layer, y, f"l{i}_{j}_{k}", channels, twin)
                ends.append(y)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MisalignedWarning)
                ends = align(ends, block.anchor, name=f"meet{i}")
            x = _merge(block.merge, ends, f"merge{i}", channels, twin)
    except (CollapseError, PaddingError):
        return None
    model = keras.Model(inputs, x)
    for layer in model.layers:
        if layer.get_weights():
            _set_ones(layer)
    return model


def _set_ones(layer):
    depthwise = "Depthwise" in type(layer).__name__
    weights = []
    for weight in layer.weights:
        reads = weight.shape[-2] if len(weight.shape) > 1 else 0
        spread = reads and not depthwise and weight.path.split("/")[-1] != "depthwise_kernel"
        value = 1 / layer.input.shape[-1] * _merged(layer) if spread else float(bool(reads))
        weights.append(np.full(weight.shape, value))
    layer.set_weights(weights)


def _merged(layer):
    """A convolution behind a concatenation sums the branches."""
    return 2 if layer.name.endswith("_mix") else 1


def _merge(kind, ends, name, channels, twin):
    if kind == "Concatenate":
        x = keras.layers.Concatenate(name=name)(ends)
        conv = keras.layers.Conv1D if len(x.shape) == 3 else keras.layers.Conv2D
        return conv(channels, 1, use_bias=False, name=f"{name}_mix")(x)
    return getattr(keras.layers, "Add" if twin else kind)(name=name)(ends)


def _call(layer, x, name, channels, twin):
    rank, kind = len(x.shape) - 2, layer.kind
    made = class_name(kind, rank)
    if kind in ("ZeroPadding", "Cropping"):
        sides = zip(x.shape[1:-1], layer.padding, strict=True)
        if kind == "Cropping" and any(n <= sum(width) for n, width in sides):
            raise CollapseError(name, 0, 0, 1)
        widths = layer.padding if rank == 2 else layer.padding[0]
        return getattr(keras.layers, made)(widths, name=name)(x)
    if kind == "PadInput":
        return getattr(zoo, made)(layer.padding, name=name)(x)
    room, padding = keras.layers if kind.startswith("keras.") else zoo, layer.padding
    if room is keras.layers and padding == "valid":
        spans = [d * (k - 1) + 1 for d, k in zip(layer.dilation, layer.kernel, strict=True)]
        for n, span in zip(x.shape[1:-1], spans, strict=True):
            if n < span:
                raise CollapseError(name, 0, n, span)
    if "Pooling" in kind:
        return _pool(layer, x, name, room, padding, twin)
    args = {"strides": layer.strides, "padding": padding, "use_bias": False, "name": name}
    args["dilation_rate"] = layer.dilation
    if rank == 1:
        args |= {"strides": layer.strides[0], "dilation_rate": layer.dilation[0]}
    kernel = layer.kernel if rank == 2 else layer.kernel[0]
    filters = () if "Depthwise" in kind else (channels,)
    return getattr(room, made)(*filters, kernel, **args)(x)


def _pool(layer, x, name, room, padding, twin):
    rank = len(x.shape) - 2
    pool, strides = (
        (layer.kernel, layer.strides) if rank == 2 else (layer.kernel[0], layer.strides[0])
    )
    made = class_name(layer.kind, rank)
    if not (twin and "Max" in made):
        counts = {} if room is keras.layers else {"count_include_pad": layer.counts}
        return getattr(room, made)(pool, strides, padding, name=name, **counts)(x)
    border = Padding.of(padding)
    if not layer.counts:
        border = Padding(border.amount)
    sums = getattr(zoo, made.replace("Max", "Average"))
    x = sums(pool, strides, border, name=name, count_include_pad=True)(x)
    return keras.layers.Rescaling(float(math.prod(layer.kernel)), name=f"{name}_sum")(x)
