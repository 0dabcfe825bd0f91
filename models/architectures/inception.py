"""Inception modules in a stack: four branches over one map, meeting in `align`.

Szegedy et al. 2015, "Going deeper with convolutions" (arXiv:1409.4842): the module of Figure 2(b)
with the channels of Table 1. A padding decides at which size the branches end: under `valid` the
5x5 branch is four pixels smaller than the 1x1, and all are cut to what they share.

The defaults are a small stack that survives `valid` at 28 pixels. GoogLeNet is `stem="googlenet"`,
`modules=GOOGLENET`, `width=1`, without the two auxiliary classifiers that its training added; with
`batch_norm=False` it is the published network: local response normalisation in the stem, biases,
and 6,998,552 parameters for 1000 classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import keras

from ..bind import Bound
from ..layers.normalization import BatchNormalization, LocalResponseNormalization
from ..messages import unknown
from .vgg16 import scaled

KIND = "image"
TINY = {"modules": ("3a",), "width": 0.03125, "dropout": 0.1}


class Channels(NamedTuple):
    """Filters of a module: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj."""

    one: int
    three_reduce: int
    three: int
    five_reduce: int
    five: int
    pool: int


TABLE = {
    "3a": Channels(64, 96, 128, 16, 32, 32),
    "3b": Channels(128, 128, 192, 32, 96, 64),
    "4a": Channels(192, 96, 208, 16, 48, 64),
    "4b": Channels(160, 112, 224, 24, 64, 64),
    "4c": Channels(128, 128, 256, 24, 64, 64),
    "4d": Channels(112, 144, 288, 32, 64, 64),
    "4e": Channels(256, 160, 320, 32, 128, 128),
    "5a": Channels(256, 160, 320, 32, 128, 128),
    "5b": Channels(384, 192, 384, 48, 128, 128),
}
POOL = "pool"
GOOGLENET = ("3a", "3b", POOL, "4a", "4b", "4c", "4d", "4e", POOL, "5a", "5b")


def build(
    nn: Bound,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    *,
    stem: Literal["small", "googlenet"] = "small",
    modules: Sequence[str] = ("3a", "3b", "4a"),
    width: float = 0.25,
    batch_norm: bool = True,
    dropout: float = 0.0,
) -> keras.Model:
    """Build the network: a stem, the modules, a global mean, the logits.

    Args:
        nn: the bound layers.
        input_shape: (height, width, channels).
        num_classes: of the logits.
        stem: `"small"` is a 3x3 convolution and a pool, which halve the map; `"googlenet"` is
            the published one, which divides it by eight.
        modules: names from the paper's Table 1, "3a" to "5b", or "pool" for a 3x3 maximum of
            stride 2.
        width: multiplies the paper's channels.
        batch_norm: whether to normalise after every convolution, which then has no bias, instead
            of the published local response normalisation.
        dropout: rate before the logits; 0.4 as published.

    Returns:
        A model from (batch, height, width, channels) to float32 logits (batch, num_classes).

    Raises:
        ValueError: if an option is none of the allowed.
    """
    _check(modules, width, dropout)
    block = Block(nn, width, batch_norm)
    inputs = keras.Input(input_shape, name="image")
    x = (_googlenet_stem if stem == "googlenet" else _small_stem)(block, nn.pad_input(inputs))
    for i, name in enumerate(modules, start=1):
        if name == POOL:
            x = block.pool(x, f"pool{i}")
        else:
            x = block.module(x, TABLE[name], f"module{name}_{i}")
    x = keras.layers.GlobalAveragePooling2D(name="head_pool")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, name="head_dropout")(x)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="inception")


class Block(NamedTuple):
    """The parts of the network, with what all of them share."""

    nn: Bound
    width: float
    batch_norm: bool

    def conv(self, x: Any, filters: int, kernel_size: int, name: str, strides: int = 1) -> Any:
        """Apply a convolution, batch normalisation if asked for, and ReLU."""
        conv = self.nn.Conv2D(
            scaled(filters, self.width),
            kernel_size,
            strides,
            use_bias=not self.batch_norm,
            kernel_initializer="he_normal",
            name=f"{name}_conv",
        )
        x = conv(x)
        if self.batch_norm:
            x = BatchNormalization(name=f"{name}_bn")(x)
        return keras.layers.ReLU(name=f"{name}_relu")(x)

    def pool(self, x: Any, name: str, strides: int = 2) -> Any:
        """Take the maximum of 3x3 pixels, with its published padding."""
        return self.nn.MaxPooling2D(3, strides, padding="same", name=name)(x)

    def module(self, x: Any, channels: Channels, name: str) -> Any:
        """Apply 1x1; 1x1, 3x3; 1x1, 5x5; and 3x3 maximum, 1x1; cut to size and concatenated."""
        three = self.conv(x, channels.three_reduce, 1, f"{name}_3x3_reduce")
        five = self.conv(x, channels.five_reduce, 1, f"{name}_5x5_reduce")
        pooled = self.pool(x, f"{name}_pool", strides=1)
        branches = [
            self.conv(x, channels.one, 1, f"{name}_1x1"),
            self.conv(three, channels.three, 3, f"{name}_3x3"),
            self.conv(five, channels.five, 5, f"{name}_5x5"),
            self.conv(pooled, channels.pool, 1, f"{name}_pool_proj"),
        ]
        branches = self.nn.align(branches, name=f"{name}_align")
        return keras.layers.Concatenate(name=f"{name}_concat")(branches)


def _small_stem(block: Block, x: Any) -> Any:
    return block.pool(block.conv(x, 192, 3, "stem"), "stem_pool")


def _googlenet_stem(block: Block, x: Any) -> Any:
    def normalise(x: Any, name: str) -> Any:
        return x if block.batch_norm else LocalResponseNormalization(name=name)(x)

    x = block.pool(block.conv(x, 64, 7, "stem1", strides=2), "stem1_pool")
    x = block.conv(normalise(x, "stem1_lrn"), 64, 1, "stem2_reduce")
    return block.pool(normalise(block.conv(x, 192, 3, "stem2"), "stem2_lrn"), "stem2_pool")


def _check(modules: Sequence[str], width: float, dropout: float) -> None:
    for name in modules:
        if name not in (*TABLE, POOL):
            raise ValueError(unknown("entry of `modules`", name, (*TABLE, POOL)))
    if width <= 0:
        raise ValueError(f"`width` must be positive. Received: width={width!r}")
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout!r}")
