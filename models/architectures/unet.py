"""U-Net: a way down and a way up, and between them a skip at each size.

Ronneberger, Fischer & Brox 2015, "U-Net: Convolutional networks for biomedical image segmentation"
(arXiv:1505.04597), Figure 1. With `depth=4` and `width=64` it is the paper's network, 31,030,658
parameters for one channel and two classes (the paper names no count), without its drop-out. Under
`valid`, as published, 572 pixels become 388, and each skip is cropped to the part that the way up
has left. Under `input` with mode `reflect` the picture is mirrored at its border first: the paper's
overlap tiles.

Where the paper asks for an input of which every pool halves an even size, a pool takes up the last
pixel of an odd one too, and the up-convolution that comes back to that size is cut by as much: a
picture of any size comes back at its own, under paddings that keep the size.
"""

from __future__ import annotations

from typing import Any

import keras

from ..bind import Bound
from ..layers.normalization import BatchNormalization

KIND = "image"
GIVES = "image"
TINY = {"depth": 2, "width": 2}

DEEPEST = 8  # each pool doubles the filters


def build(
    nn: Bound,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    *,
    depth: int = 2,
    width: int = 16,
    batch_norm: bool = False,
) -> keras.Model:
    """Build the network: two 3x3 convolutions at each size, `depth` pools and up-convolutions.

    Args:
        nn: the bound layers.
        input_shape: (height, width, channels).
        num_classes: channels of the map that is given: logits of each pixel's class.
        depth: pools, and as many up-convolutions, 1 to 8; 4 as published.
        width: filters at the full size, doubled with each pool; 64 as published.
        batch_norm: normalise after each 3x3 convolution, as is common today; the paper does not.

    Returns:
        A model from (batch, height, width, channels) to float32 (batch, height, width,
        num_classes); under `valid` of the pixels that are left.

    Raises:
        ValueError: if an option is none of the allowed.
    """
    if not 1 <= depth <= DEEPEST:
        raise ValueError(f"`depth` must be from 1 to {DEEPEST}. Received: depth={depth!r}")
    if width < 1:
        raise ValueError(f"`width` must be at least 1. Received: width={width!r}")
    inputs = keras.Input(input_shape, name="image")
    x = nn.pad_input(inputs)
    skips = []
    for level in range(depth):
        x = _convolutions(nn, x, width * 2**level, batch_norm, f"down{level + 1}")
        skips.append(x)
        x = nn.MaxPooling2D(2, padding="same", name=f"down{level + 1}_pool")(x)
    x = _convolutions(nn, x, width * 2**depth, batch_norm, "bottom")
    for level in reversed(range(depth)):
        filters, name, skip = width * 2**level, f"up{level + 1}", skips[level]
        # Cut as the pools pad: nothing, but for the pixel that one has taken beyond an odd size.
        up = nn.Conv2DTranspose(
            filters,
            2,
            2,
            to=skip.shape[1:-1],
            amount="same",
            kernel_initializer="he_normal",
            name=f"{name}_conv",
        )
        skip, x = nn.align([skip, up(x)], "bound", name=f"{name}_align")
        x = keras.layers.Concatenate(name=f"{name}_concat")([skip, x])
        x = _convolutions(nn, x, filters, batch_norm, name)
    x, _ = nn.align([x, inputs], "bound", name="output_align")
    outputs = nn.Conv2D(num_classes, 1, dtype="float32", name="output")(x)
    return keras.Model(inputs, outputs, name="unet")


def _convolutions(nn: Bound, x: Any, filters: int, batch_norm: bool, name: str) -> Any:
    for i in (1, 2):
        conv = nn.Conv2D(
            filters,
            3,
            activation=None if batch_norm else "relu",
            use_bias=not batch_norm,
            kernel_initializer="he_normal",
            name=f"{name}_conv{i}",
        )
        x = conv(x)
        if batch_norm:
            x = BatchNormalization(name=f"{name}_bn{i}")(x)
            x = keras.layers.ReLU(name=f"{name}_relu{i}")(x)
    return x
