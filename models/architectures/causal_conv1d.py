"""A temporal convolutional network: residual blocks of two dilated convolutions.

Bai, Kolter & Koltun 2018, "An empirical evaluation of generic convolutional and recurrent
networks for sequence modeling" (arXiv:1803.01271), after WaveNet (van den Oord et al. 2016,
arXiv:1609.03499). With `causal` padding no output sees a later step. The skip meets its branch by
the newest step seen, so that under `full` the network is the causal one, and the last output is
that of the last step under every padding.
"""

from __future__ import annotations

from typing import Literal

import keras

from ..bind import Bound
from ..layers import LastStep

KIND = "sequence"
TINY = {"channels": 4, "levels": 2, "dropout": 0.1}


def build(
    nn: Bound,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    *,
    channels: int = 32,
    kernel_size: int = 3,
    levels: int = 3,
    dilation_base: int = 2,
    dropout: float = 0.0,
    weight_norm: bool = False,
    head: Literal["last", "average", "steps"] = "average",
) -> keras.Model:
    """Build the network.

    Args:
        nn: the bound layers.
        input_shape: (steps, channels).
        num_classes: of the logits.
        channels: filters of every convolution.
        kernel_size: in steps.
        levels: residual blocks; block i has dilation dilation_base ** i, from i = 0.
        dilation_base: growth of the dilation.
        dropout: rate after every activation in a block.
        weight_norm: whether the blocks' convolutions are weight-normalised.
        head: what the logits read: the last step or the mean over the steps; or "steps", logits
            at every step.

    Returns:
        A model from (batch, steps, channels) to float32 logits (batch, num_classes); with head
        "steps" (batch, steps, num_classes), of which `valid` leaves the last ones.

    Raises:
        ValueError: if an option is none of the allowed.
    """
    if head not in ("last", "average", "steps"):
        raise ValueError(f"`head` must be 'last', 'average' or 'steps'. Received: head={head!r}")
    if min(channels, kernel_size, levels, dilation_base) < 1:
        raise ValueError(
            "`channels`, `kernel_size`, `levels` and `dilation_base` must be positive. Received: "
            f"channels={channels}, kernel_size={kernel_size}, levels={levels}, "
            f"dilation_base={dilation_base}"
        )
    convolution = nn.WeightNormConv1D if weight_norm else nn.Conv1D
    inputs = keras.Input(input_shape, name="sequence")
    x = nn.pad_input(inputs)
    for level in range(levels):
        block, skip = f"level{level + 1}", x
        for i in (1, 2):
            conv = convolution(
                channels,
                kernel_size,
                dilation_rate=dilation_base**level,
                kernel_initializer="he_normal",
                name=f"{block}_conv{i}",
            )
            x = keras.layers.ReLU(name=f"{block}_relu{i}")(conv(x))
            if dropout:
                x = keras.layers.Dropout(dropout, name=f"{block}_dropout{i}")(x)
        if skip.shape[-1] != channels:
            skip = nn.Conv1D(channels, 1, name=f"{block}_skip")(skip)
        branches = nn.align([x, skip], anchor="end", name=f"{block}_align")
        x = keras.layers.Add(name=f"{block}_add")(branches)
        x = keras.layers.ReLU(name=f"{block}_relu")(x)
    if head != "steps":
        reader = LastStep if head == "last" else keras.layers.GlobalAveragePooling1D
        x = reader(name=f"head_{head}")(x)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="causal_conv1d")
