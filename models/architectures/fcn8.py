"""FCN-8s: VGG-16 as convolutions, and scores at 1/8, 1/16 and 1/32 of the size, added up.

Long, Shelhamer & Darrell 2015, "Fully convolutional networks for semantic segmentation"
(arXiv:1411.4038), section 4.2. With `width=1` it is the published network, 134,489,759 parameters
for 21 classes ("134M" in Table 1), but for two starts: here the scores and the up-convolutions
begin at random, not at zero and at bilinear interpolation. Pools take up what is left over at the
end of a map, as in Caffe.

The sizes meet in one of two published ways. `"pad100"` pads the first convolution by 100, so that
the smallest picture survives the 7x7 convolution, which has no padding, and crops: the skips at
their pixels 5 and 9, the output at its pixel 31. On a causal axis these 200 pixels, and the 31 that
the five pools look ahead, lie before the picture, and the newest pixels meet. `"same"` pads every
convolution as it is bound, and cuts from the up-convolutions what makes them meet.
"""

from __future__ import annotations

from typing import Any, Literal

import keras

from ..bind import Bound
from .vgg16 import CONVS, FILTERS, UNITS, scaled

KIND = "image"
GIVES = "image"
TINY = {"width": 0.0625, "dropout": 0.1}

BORDER = 100
AHEAD = 31  # pixels by which the last of five pools that halve looks ahead


def build(
    nn: Bound,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    *,
    sizes: Literal["pad100", "same"] = "same",
    width: float = 0.125,
    dropout: float = 0.5,
) -> keras.Model:
    """Build the network.

    Args:
        nn: the bound layers.
        input_shape: (height, width, channels).
        num_classes: channels of the map that is given: logits of each pixel's class.
        sizes: how the sizes meet: `"pad100"`, the first convolution is padded by 100 pixels of the
            bound mode on each side; `"same"`, by the bound padding.
        width: multiplies VGG's filters.
        dropout: rate after each of the two convolutions that were VGG's hidden layers.

    Returns:
        A model from (batch, height, width, channels) to float32 (batch, height, width,
        num_classes); under `valid` of the pixels that are left.

    Raises:
        ValueError: if an option is none of the allowed.
    """
    if sizes not in ("pad100", "same"):
        raise ValueError(f"`sizes` must be 'pad100' or 'same'. Received: sizes={sizes!r}")
    if width <= 0:
        raise ValueError(f"`width` must be positive. Received: width={width!r}")
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout!r}")
    padded = sizes == "pad100"
    inputs = keras.Input(input_shape, name="image")
    x = nn.pad_input(inputs)
    maps = []
    for stage, (convs, filters) in enumerate(zip(CONVS[16], FILTERS, strict=True), start=1):
        for i in range(1, convs + 1):
            amount = _border(nn) if padded and stage == i == 1 else None
            name = f"stage{stage}_conv{i}"
            x = _convolution(nn, x, scaled(filters, width), 3, name, amount)
        x = nn.MaxPooling2D(2, padding="same", name=f"stage{stage}_pool")(x)
        maps.append(x)
    for i, (size, amount) in enumerate(((7, 0 if padded else None), (1, None)), start=6):
        x = _convolution(nn, x, scaled(UNITS, width), size, f"stage{i}_conv", amount)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"stage{i}_dropout")(x)
    x = nn.Conv2D(num_classes, 1, name="stage7_score")(x)
    for stage in (4, 3):
        skip = nn.Conv2D(num_classes, 1, name=f"stage{stage}_score")(maps[stage - 1])
        x = _up(nn, x, 2, skip, num_classes, padded, f"stage{stage}_up")
        branches = nn.align([x, skip], "bound", name=f"stage{stage}_align")
        x = keras.layers.Add(name=f"stage{stage}_add")(branches)
    x = _up(nn, x, 8, inputs, num_classes, padded, "output", dtype="float32")
    x, _ = nn.align([x, inputs], "bound", name="output_align")
    return keras.Model(inputs, x, name="fcn8")


def _border(nn: Bound) -> int | list[int | tuple[int, int]]:
    """The amount of the first convolution where the sizes meet by crops."""
    causal = nn.causal(2)
    before = (2 * BORDER + AHEAD, 0)
    return [before if only_past else BORDER for only_past in causal] if any(causal) else BORDER


def _convolution(nn: Bound, x: Any, filters: int, size: int, name: str, amount: Any) -> Any:
    conv = nn.Conv2D(
        filters,
        size,
        activation="relu",
        kernel_initializer="he_normal",
        amount=amount,
        name=name,
    )
    return conv(x)


def _up(
    nn: Bound, x: Any, factor: int, to: Any, filters: int, whole: bool, name: str, **kwargs: Any
) -> Any:
    """Apply an up-convolution with a kernel of twice its stride.

    All of its output, or without half a stride at each end and, at the end, what the pools took
    up of a size that the stride does not divide.
    """
    half = factor // 2
    cut = [(half, half + -(n or 0) % factor) for n in to.shape[1:-1]]
    up = nn.Conv2DTranspose(
        filters, 2 * factor, factor, use_bias=False, amount=0 if whole else cut, name=name, **kwargs
    )
    return up(x)
