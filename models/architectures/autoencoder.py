"""A convolutional autoencoder: a picture through a smaller map and back, at its own size.

Masci et al. 2011, "Stacked convolutional auto-encoders for hierarchical feature extraction"
(ICANN). Strided convolutions make the map smaller. They round: pictures of several sizes give a map
of one size, so the decoder has to be told which of them to give back. With `upsampling=
"transposed"` each layer is the transposed convolution of its level's convolution, with the output
padding of Dumoulin & Visin (arXiv:1603.07285), relationship 14. With `"resize"` pixels are repeated
and a convolution follows (Odena, Dumoulin & Olah 2016, "Deconvolution and checkerboard artifacts",
Distill); what was repeated too much is cropped. A kernel that the stride of 2 divides covers all
pixels alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import keras

from ..bind import Bound

KIND = "image"
GIVES = "image"
TINY = {"widths": (3, 4)}


def build(
    nn: Bound,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    *,
    widths: Sequence[int] = (16, 32),
    kernel_size: int = 4,
    upsampling: Literal["transposed", "resize"] = "transposed",
) -> keras.Model:
    """Build the network: a strided convolution a level, and as many steps back.

    Args:
        nn: the bound layers.
        input_shape: (height, width, channels).
        num_classes: channels of the picture that is given.
        widths: filters of each level; each halves the map.
        kernel_size: of the strided convolutions, and of the transposed ones.
        upsampling: `"transposed"` convolutions, or `"resize"`, nearest neighbour and a 3x3
            convolution.

    Returns:
        A model from (batch, height, width, channels) to float32 (batch, height, width,
        num_classes). With `"resize"`, paddings that leave pixels at the border out, such as
        `valid`, leave a smaller picture.

    Raises:
        ValueError: if an option is none of the allowed.
    """
    if not widths or min(widths) < 1 or kernel_size < 2:
        raise ValueError(
            "`widths` must be positive ints, one a level, and `kernel_size` at least 2. "
            f"Received: widths={list(widths)}, kernel_size={kernel_size}"
        )
    if upsampling not in ("transposed", "resize"):
        raise ValueError(
            f"`upsampling` must be 'transposed' or 'resize'. Received: upsampling={upsampling!r}"
        )
    given = {"activation": "relu", "kernel_initializer": "he_normal"}
    inputs = keras.Input(input_shape, name="image")
    x = nn.pad_input(inputs)
    levels = []
    for level, width in enumerate(widths, start=1):
        levels.append((f"decoder{level}", x, widths[max(0, level - 2)]))
        x = nn.Conv2D(width, kernel_size, 2, name=f"encoder{level}_conv", **given)(x)
    for name, wanted, width in reversed(levels):
        if upsampling == "transposed":
            sizes = wanted.shape[1:-1]
            up = nn.Conv2DTranspose(width, kernel_size, 2, to=sizes, name=f"{name}_up", **given)
            x, _ = nn.align([up(x), wanted], "bound", name=f"{name}_align")
        else:
            x = keras.layers.UpSampling2D(2, name=f"{name}_up")(x)
            x, _ = nn.align([x, wanted], "bound", name=f"{name}_align")
            x = nn.Conv2D(width, 3, name=f"{name}_conv", **given)(x)
    x, _ = nn.align([x, inputs], name="output_align")
    outputs = nn.Conv2D(num_classes, 1, dtype="float32", name="output")(x)
    return keras.Model(inputs, outputs, name="autoencoder")
