"""A fixed set of cases that meets every pair of layer, amount, mode, window and size.

A case says only its levels; what they leave open (the other axis' kernel, how far a map is above
the smallest) is drawn from a seed of its own.
"""

import functools
import itertools
import zlib
from typing import NamedTuple

import numpy as np

from models.padding.supports import LAYER_RANK, supports
from tests.models.layers import oracle
from tests.models.layers.oracle import AMOUNTS, AXIS_MODES, MODES, PLANE_MODES

LAYERS = (
    "Conv1D",
    "Conv2D",
    "DepthwiseConv2D",
    "SeparableConv2D",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "MaxPooling1D",
    "MaxPooling2D",
    "AveragePooling1D",
    "AveragePooling2D",
)
OTHER_AMOUNTS = {
    1: (2, ((1, 3),)),
    2: (2, (0, 3), ((1, 2), (4, 0)), ("causal", "same"), ("even_split", (0, 1))),
}
PAIRED_MODES = tuple(itertools.permutations(AXIS_MODES, 2))
KERNELS = range(1, 8)
STEPS = ((1, 1), (2, 1), (3, 1), (1, 2))  # strides and dilation
BOTH = ((2, 2), (3, 2))  # Keras takes both at once in depthwise convolutions only
SIZES = {1: ("odd", "even"), 2: ("odd", "even", "odd x even", "even x odd")}
EVEN_WIDTHS = ("even", "odd x even")

REPEATS = 4


class Case(NamedTuple):
    """One level of each factor."""

    layer: str
    amount: object
    mode: object
    kernel: int
    strides: int
    dilation: int
    sizes: str

    @property
    def rng(self):
        return np.random.default_rng(zlib.crc32(repr(tuple(self)).encode()))


def widest(amount):
    """Return the pixels that an amount puts on a side, if it names them."""
    axes = amount if isinstance(amount, tuple) else (amount,)
    named = [max(a) if isinstance(a, tuple) else a for a in axes]
    return max([a for a in named if isinstance(a, int)], default=0)


@functools.cache
def settings(layer, amount, mode):
    """Return the levels of kernel, strides, dilation and sizes that a padding can meet."""
    steps = STEPS + BOTH * layer.startswith(("Depthwise", "Separable"))
    sizes = EVEN_WIDTHS if mode in PLANE_MODES else SIZES[LAYER_RANK[layer]]
    levels = itertools.product(KERNELS, steps, sizes)
    # An average that leaves out its border needs a window wider than that.
    most = widest(amount) if "Pooling" in layer and mode == "partial" else 0
    return tuple(
        (k, s, d, size)
        for k, (s, d), size in levels
        if not ("Pooling" in layer and d > 1) and not 1 < k <= most
    )


def paddings(modes):
    """Yield every supported layer, amount and mode."""
    for layer in LAYERS:
        rank = LAYER_RANK[layer]
        for amount, mode in itertools.product((*AMOUNTS, *OTHER_AMOUNTS[rank]), modes):
            fits = rank == 2 or not isinstance(mode, tuple)
            if fits and supports(amount, mode, layer) is None:
                yield layer, amount, mode


def pairs(levels):
    """Return the pairs of levels, each with the number of its factor, that a case meets."""
    return set(itertools.combinations(enumerate(levels), 2))


@functools.cache
def setting_levels(options):
    """Return the pairs within settings, and their single levels, as numbered in a case."""
    numbered = [tuple(enumerate(option, start=3)) for option in options]
    within = {pair for setting in numbered for pair in itertools.combinations(setting, 2)}
    return within, {level for setting in numbered for level in setting}


def reachable(padding):
    """Return the pairs that the cases of a padding can meet."""
    within, levels = setting_levels(settings(*padding))
    return pairs(padding) | within | set(itertools.product(enumerate(padding), levels))


def feasible():
    """Return all pairs that some case can meet."""
    return set().union(*map(reachable, paddings((*MODES, *PAIRED_MODES))))


@functools.cache
def covering():
    """Return the cases, always the same."""
    cases, missing = [], feasible()

    def add(padding):
        lacking = reachable(padding) & missing
        options = settings(*padding)
        turn = zlib.crc32(repr((padding, len(cases))).encode()) % len(options)
        turned = [(*padding, *setting) for setting in options[turn:] + options[:turn]]
        case = turned[0]
        if lacking:
            wanted = [(f, a, g, b) for (f, a), (g, b) in lacking]
            case = max(turned, key=lambda c: sum(c[f] == a and c[g] == b for f, a, g, b in wanted))
        cases.append(Case(*case))
        missing.difference_update(pairs(case))

    for padding in paddings(MODES):
        for _ in range(1 if "Pooling" in padding[0] else REPEATS):
            add(padding)
    by_levels = {}
    for layer, amount, mode in paddings(PAIRED_MODES):
        by_levels.setdefault((amount, mode), []).append(layer)
    for turn, ((amount, mode), layers) in enumerate(by_levels.items()):
        turned = layers[turn % len(layers) :] + layers[: turn % len(layers)]
        new = (one for one in turned if ((0, one), (2, mode)) in missing)
        padding = (next(new, turned[0]), amount, mode)
        add(padding)
    return cases


def window(case):
    """Return kernel size, strides and dilation for each axis of a case."""
    rank, rng = LAYER_RANK[case.layer], case.rng
    k, s, d = [case.kernel], [case.strides], [case.dilation]
    if rank == 2:
        free = rng.random() < 0.5 and "Pooling" not in case.layer
        k.append(int(rng.integers(1, 8)) if free else case.kernel)
        s.append(int(rng.integers(1, 4)) if free and case.dilation == 1 else case.strides)
        d.append(int(rng.integers(1, 3)) if free and case.dilation == 2 else case.dilation)
    return tuple(k), tuple(s), tuple(d)


def map_sizes(case, k, s, d):
    """Return the sizes of a map of the wanted parities, often smaller than its window."""
    rank, rng = LAYER_RANK[case.layer], case.rng
    parities = (case.sizes.split(" x ") * 2)[:rank]
    amounts = axis_amounts(case.amount, rank)
    sizes = []
    for parity, amount, *axis in zip(parities, amounts, k, s, d, strict=True):
        n = 1 if parity == "odd" else 2
        while not fits(case.layer, amount, n, *axis):
            n += 2
        sizes.append(n + 2 * int(rng.integers(3)))
    return (max(sizes),) * rank if case.sizes in ("odd", "even") else tuple(sizes)


def axis_amounts(amount, rank):
    """Return one amount for each axis."""
    return amount if isinstance(amount, tuple) else (amount,) * rank


def fits(layer, amount, n, k, s, d):
    """Say whether a window fits a padded axis, or whether a transposed one leaves anything."""
    span = d * (k - 1) + 1
    if amount == "even_split":
        return True
    if layer.endswith("Transpose"):
        return (n - 1) * s + span > sum(oracle.amounts(amount, n * s, k, s, d))
    return n + sum(oracle.amounts(amount, n, k, s, d)) >= span
