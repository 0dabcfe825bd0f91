"""A small plain CNN for images: stages of convolutions, halved in between, pooled globally.

Its head sees the last map's mean or maximum, so that the parameter count does not depend on the
map's size, and so not on the padding. With the default widths it survives `valid` at 28 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras

from ..bind import Bound
from ..layers.normalization import BatchNormalization

KIND = "image"
TINY = {"widths": (3, 4), "convs_per_stage": (2, 1)}


def build(
    nn: Bound,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    *,
    widths: Sequence[int] = (16, 32, 64),
    convs_per_stage: Sequence[int] = (2, 2, 1),
    kernel_size: int = 3,
    downsample: Literal["max_pool", "average_pool", "stride"] = "max_pool",
    batch_norm: bool = True,
    use_bias: bool | None = None,
    head: Literal["average", "max"] = "average",
    dropout: float = 0.0,
) -> keras.Model:
    """Build the network.

    Args:
        nn: the bound layers.
        input_shape: (height, width, channels).
        num_classes: of the logits.
        widths: filters of each stage.
        convs_per_stage: convolutions in each stage, one entry per stage.
        kernel_size: of every convolution.
        downsample: how the map is halved between stages; `"stride"` gives the first convolution
            of each later stage stride 2.
        batch_norm: whether to normalise after every convolution.
        use_bias: of the convolutions; None means where there is no batch normalisation.
        head: the global pool.
        dropout: rate before the logits.

    Returns:
        A model from (batch, height, width, channels) to float32 logits (batch, num_classes).

    Raises:
        ValueError: if an option is none of the allowed.
    """
    _check(widths, convs_per_stage, downsample, head)
    bias = not batch_norm if use_bias is None else use_bias
    inputs = keras.Input(input_shape, name="image")
    x = nn.pad_input(inputs)
    for stage, (width, convs) in enumerate(zip(widths, convs_per_stage, strict=True), start=1):
        halves = stage > 1
        if halves and downsample != "stride":
            pool = nn.MaxPooling2D if downsample == "max_pool" else nn.AveragePooling2D
            x = pool(2, name=f"stage{stage - 1}_pool")(x)
        for i in range(1, convs + 1):
            strides = 2 if halves and i == 1 and downsample == "stride" else 1
            conv = nn.Conv2D(
                width, kernel_size, strides, use_bias=bias, name=f"stage{stage}_conv{i}"
            )
            x = _normalise_and_activate(conv(x), batch_norm, f"stage{stage}", i)
    x = _head(head)(name="head_pool")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, name="head_dropout")(x)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="small_cnn")


def _normalise_and_activate(x: Any, batch_norm: bool, stage: str, i: int) -> Any:
    if batch_norm:
        x = BatchNormalization(name=f"{stage}_bn{i}")(x)
    return keras.layers.ReLU(name=f"{stage}_relu{i}")(x)


def _head(head: str) -> Any:
    pools = keras.layers
    return pools.GlobalAveragePooling2D if head == "average" else pools.GlobalMaxPooling2D


def _check(
    widths: Sequence[int], convs_per_stage: Sequence[int], downsample: str, head: str
) -> None:
    if len(widths) != len(convs_per_stage) or not widths or min(*widths, *convs_per_stage) < 1:
        raise ValueError(
            "`widths` and `convs_per_stage` must have one positive int per stage each. "
            f"Received: widths={list(widths)}, convs_per_stage={list(convs_per_stage)}"
        )
    if downsample not in ("max_pool", "average_pool", "stride"):
        raise ValueError(
            "`downsample` must be 'max_pool', 'average_pool' or 'stride'. "
            f"Received: downsample={downsample!r}"
        )
    if head not in ("average", "max"):
        raise ValueError(f"`head` must be 'average' or 'max'. Received: head={head!r}")
