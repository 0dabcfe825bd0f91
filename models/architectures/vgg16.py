"""VGG: stages of 3x3 convolutions, each halved by a 2x2 pool (11, 13, 16 or 19 weighted layers).

Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition"
(arXiv:1409.1556), Table 1, configurations A, B, D and E. With `head="dense"` and
`batch_norm=False` it is the paper's network, 138,357,544 parameters for 16 layers, 1000 classes
and 224 pixels. The defaults are its usual form for small images: batch normalisation, and logits
straight from the pooled last map, so that the parameter count does not depend on the map's size.
"""

from __future__ import annotations

from typing import Any, Literal

import keras

from ..bind import Bound
from ..layers.normalization import BatchNormalization

KIND = "image"
TINY = {"depth": 11, "width": 0.015625}

# Convolutions in each of the five stages, by the number of weighted layers (three are dense).
CONVS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
FILTERS = (64, 128, 256, 512, 512)
UNITS = 4096


def build(
    nn: Bound,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    *,
    depth: Literal[11, 13, 16, 19] = 16,
    width: float = 1.0,
    batch_norm: bool = True,
    head: Literal["pooled", "dense"] = "pooled",
    dropout: float = 0.5,
) -> keras.Model:
    """Build the network.

    Args:
        nn: the bound layers.
        input_shape: (height, width, channels); five pools need 32 pixels under `same`.
        num_classes: of the logits.
        depth: weighted layers of the paper's network.
        width: multiplies the filters and the dense units.
        batch_norm: whether to normalise after every convolution, which then has no bias.
        head: `"pooled"`: the mean of the last map; `"dense"`: two hidden layers of 4096 units on
            the flattened map, as published.
        dropout: rate before the logits, and after each hidden layer.

    Returns:
        A model from (batch, height, width, channels) to float32 logits (batch, num_classes).

    Raises:
        ValueError: if an option is none of the allowed.
    """
    if depth not in CONVS:
        raise ValueError(f"`depth` must be one of {list(CONVS)}. Received: depth={depth!r}")
    if width <= 0:
        raise ValueError(f"`width` must be positive. Received: width={width!r}")
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout!r}")
    inputs = keras.Input(input_shape, name="image")
    x = nn.pad_input(inputs)
    for stage, (convs, filters) in enumerate(zip(CONVS[depth], FILTERS, strict=True), start=1):
        for i in range(1, convs + 1):
            conv = nn.Conv2D(
                scaled(filters, width),
                3,
                use_bias=not batch_norm,
                kernel_initializer="he_normal",
                name=f"stage{stage}_conv{i}",
            )
            x = conv(x)
            if batch_norm:
                x = BatchNormalization(name=f"stage{stage}_bn{i}")(x)
            x = keras.layers.ReLU(name=f"stage{stage}_relu{i}")(x)
        x = nn.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
    x = features(x, head, width, dropout)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="vgg16")


def scaled(channels: int, width: float) -> int:
    """Return a channel count times a width multiplier, at least 1."""
    return max(1, round(channels * width))


def features(x: Any, head: str, width: float, dropout: float) -> Any:
    """Return what the logits read: the mean of a map, or two hidden layers on it flattened."""
    if head == "pooled":
        x = keras.layers.GlobalAveragePooling2D(name="head_pool")(x)
        return keras.layers.Dropout(dropout, name="head_dropout")(x) if dropout else x
    x = keras.layers.Flatten(name="head_flatten")(x)
    for i in (1, 2):
        x = keras.layers.Dense(
            scaled(UNITS, width),
            activation="relu",
            kernel_initializer="he_normal",
            name=f"head_dense{i}",
        )(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"head_dropout{i}")(x)
    return x
