"""ESPCN: super-resolution by convolutions at the low resolution and one step of depth to space.

Shi et al. 2016, "Real-time single image and video super-resolution using an efficient sub-pixel
convolutional neural network" (arXiv:1609.05158). The last convolution has factor² channels for each
channel of the picture, and they become a square of factor x factor pixels. The defaults are the
form of Keras' example, "Image super-resolution using an efficient sub-pixel CNN": 59,657 parameters
for one channel. The paper's own, 5-3-3, is `widths=(64, 32)` with `activation="tanh"`: 22,729.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import keras

from ..bind import Bound
from ..layers import DepthToSpace

KIND = "image"
GIVES = "image"
TINY = {"widths": (3, 2), "factor": 2}


def build(
    nn: Bound,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    *,
    factor: int = 3,
    widths: Sequence[int] = (64, 64, 32),
    activation: Literal["relu", "tanh"] = "relu",
) -> keras.Model:
    """Build the network: a 5x5 convolution, 3x3 convolutions, depth to space.

    Args:
        nn: the bound layers.
        input_shape: (height, width, channels).
        num_classes: channels of the picture that is given.
        factor: by which the picture grows on each axis.
        widths: filters of each convolution but the last; the first is 5x5, all others 3x3.
        activation: of each convolution but the last.

    Returns:
        A model from (batch, height, width, channels) to float32 (batch, factor * height, factor *
        width, num_classes); under `valid` of the pixels that are left.

    Raises:
        ValueError: if an option is none of the allowed.
    """
    if factor < 2:
        raise ValueError(f"`factor` must be at least 2. Received: factor={factor!r}")
    if not widths or min(widths) < 1:
        raise ValueError(f"`widths` must be positive ints. Received: widths={list(widths)}")
    if activation not in ("relu", "tanh"):
        raise ValueError(f"`activation` must be 'relu' or 'tanh'. Received: {activation=}")
    inputs = keras.Input(input_shape, name="image")
    x = nn.pad_input(inputs)
    for i, width in enumerate(widths, start=1):
        conv = nn.Conv2D(
            width,
            5 if i == 1 else 3,
            activation=activation,
            kernel_initializer="orthogonal",
            name=f"conv{i}",
        )
        x = conv(x)
    last = nn.Conv2D(
        num_classes * factor**2, 3, kernel_initializer="orthogonal", dtype="float32", name="output"
    )
    x, _ = nn.align([last(x), inputs], name="output_align")
    outputs = DepthToSpace(factor, dtype="float32", name="depth_to_space")(x)
    return keras.Model(inputs, outputs, name="subpixel")
