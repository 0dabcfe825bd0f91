"""AlexNet: an 11x11 convolution of stride 4, a 5x5, three 3x3, and pools whose windows overlap.

Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural
networks", section 3. With `first_amount=0`, `groups=2`, `batch_norm=False`, `head="dense"` and
`width=1` it is the paper's network: 60,965,224 parameters for 1000 classes and 227 pixels, and
62,378,344 in one tower (`groups=1`). The paper says 224 pixels, with which its maps of 55 need two
pixels of padding before and one after the image: `first_amount=2` gives them too.

The defaults are a small form: a quarter of the filters, batch normalisation, and logits straight
from the pooled last map, so that the parameter count does not depend on the map's size.
"""

from __future__ import annotations

from typing import Literal

import keras

from ..bind import Bound
from ..layers.normalization import BatchNormalization, LocalResponseNormalization
from .vgg16 import features, scaled

KIND = "image"
TINY = {"width": 0.03125, "dropout": 0.1}

# Section 3.3: divided by (2 + 1e-4 * energy) ** 0.75, which is 2 ** 0.75 times what the layer, with
# its additive constant 1 and its alpha shared out over five channels, divides by for this alpha.
ALPHA, SCALE = 5 * 1e-4 / 2, 2**-0.75


def build(
    nn: Bound,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    *,
    first_amount: int | None = 1,
    groups: Literal[1, 2] = 1,
    width: float = 0.25,
    batch_norm: bool = True,
    head: Literal["pooled", "dense"] = "pooled",
    dropout: float = 0.5,
) -> keras.Model:
    """Build the network.

    Args:
        nn: the bound layers.
        input_shape: (height, width, channels); 65 pixels at least under `same`.
        num_classes: of the logits.
        first_amount: pixels on each side of the image in the first convolution, whatever the
            padding's amount is: 0 for 227 pixels is the paper's, 2 for 224 a common one. None: what
            the padding says.
        groups: 2: the second, fourth and fifth convolution see half of the channels each, as on
            the paper's two GPUs.
        width: multiplies the filters and the dense units.
        batch_norm: whether to normalise after every convolution, which then has no bias, instead
            of the published local response normalisation after the first two.
        head: `"pooled"`: the mean of the last map; `"dense"`: two hidden layers of 4096 units on
            the flattened map, as published.
        dropout: rate before the logits, and after each hidden layer.

    Returns:
        A model from (batch, height, width, channels) to float32 logits (batch, num_classes).

    Raises:
        ValueError: if an option is none of the allowed.
    """
    _check(first_amount, groups, width, dropout)
    inputs = keras.Input(input_shape, name="image")
    x = nn.pad_input(inputs)
    layers = (
        # filters, kernel_size, strides, groups, whether a pool follows
        (96, 11, 4, 1, True),
        (256, 5, 1, groups, True),
        (384, 3, 1, 1, False),
        (384, 3, 1, groups, False),
        (256, 3, 1, groups, True),
    )
    for i, (filters, kernel_size, strides, towers, pooled) in enumerate(layers, start=1):
        conv = nn.Conv2D(
            groups * scaled(filters // groups, width),
            kernel_size,
            strides,
            groups=towers,
            amount=first_amount if i == 1 else None,
            use_bias=not batch_norm,
            kernel_initializer="he_normal",
            name=f"conv{i}",
        )
        x = conv(x)
        if batch_norm:
            x = BatchNormalization(name=f"bn{i}")(x)
        x = keras.layers.ReLU(name=f"relu{i}")(x)
        if i <= 2 and not batch_norm:
            x = LocalResponseNormalization(size=5, alpha=ALPHA, beta=0.75, name=f"lrn{i}")(x)
            x = keras.layers.Rescaling(SCALE, name=f"lrn{i}_scale")(x)
        if pooled:
            x = nn.MaxPooling2D(3, 2, name=f"pool{i}")(x)
    x = features(x, head, width, dropout)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="alexnet")


def _check(first_amount: int | None, groups: int, width: float, dropout: float) -> None:
    if first_amount is not None and first_amount < 0:
        raise ValueError(
            f"`first_amount` must be None or at least 0. Received: first_amount={first_amount}"
        )
    if groups not in (1, 2):
        raise ValueError(f"`groups` must be 1 or 2. Received: groups={groups!r}")
    if width <= 0:
        raise ValueError(f"`width` must be positive. Received: width={width!r}")
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout!r}")
