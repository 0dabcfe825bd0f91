"""Residual networks: blocks whose input is added to their output.

He et al. 2016, "Deep residual learning for image recognition" (arXiv:1512.03385). Depth 20, 32 and
56 are the form of section 4.2, for images of 32 pixels: 16, 32 and 64 filters, and shortcuts
without parameters (option A: every second pixel, and zeros for the channels that are new). They
have 269,722, 464,154 and 853,018 trainable parameters for 3 channels and 10 classes. Depth 18, 34
and 50 are the form of Table 1, for 224 pixels: a 7x7 stem, a pool, and projections where sizes
change (option B). They have 11,689,512, 21,797,672 and 25,557,032 for 1000 classes.

The published networks pad a pixel on each side of every 3x3 window, which is `padding=half`. Where
a block has stride 2, the shortcut takes those pixels on which the windows of its branch are centred
under the padding at hand; a branch that is smaller then meets the shortcut cropped in `align`.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import keras

from ..align import align_for_stride
from ..bind import Bound
from ..layers import PadChannels
from ..layers.normalization import BatchNormalization
from .vgg16 import scaled

KIND = "image"
TINY = {"depth": 20, "width": 0.125}

# Blocks in each stage, by the number of weighted layers; 50 has three of them in a block, not two.
CIFAR = {20: (3, 3, 3), 32: (5, 5, 5), 56: (9, 9, 9)}
IMAGENET = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
BLOCKS = {**CIFAR, **IMAGENET}
BOTTLENECK = 50
EXPANSION = 4


def build(
    nn: Bound,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    *,
    depth: Literal[18, 20, 32, 34, 50, 56] = 20,
    width: float = 1.0,
    shortcut: Literal["subsample", "project"] | None = None,
) -> keras.Model:
    """Build the network: a stem, the stages, a global mean, the logits.

    Args:
        nn: the bound layers.
        input_shape: (height, width, channels).
        num_classes: of the logits.
        depth: weighted layers; 20, 32 and 56 are the form for small images.
        width: multiplies the filters.
        shortcut: what a block adds where its map is smaller or has more channels than its input:
            `"subsample"`: every second pixel and channels of zeros, without parameters;
            `"project"`: a 1x1 convolution. None: what is published for this depth, `"subsample"`
            for 20, 32 and 56, `"project"` for 18, 34 and 50.

    Returns:
        A model from (batch, height, width, channels) to float32 logits (batch, num_classes).

    Raises:
        ValueError: if an option is none of the allowed.
        TraceError: for sizes that are not known, if the padding of a stride depends on them.
    """
    if depth not in BLOCKS:
        raise ValueError(f"`depth` must be one of {sorted(BLOCKS)}. Received: depth={depth!r}")
    if width <= 0:
        raise ValueError(f"`width` must be positive. Received: width={width!r}")
    small = depth in CIFAR
    published = "subsample" if small else "project"
    net = Parts(nn, (shortcut or published) == "project", depth == BOTTLENECK)
    filters = scaled(16 if small else 64, width)
    inputs = keras.Input(input_shape, name="image")
    x = nn.pad_input(inputs)
    if small:
        x = net.relu(net.conv(x, filters, 3, 1, "stem"), "stem")
    else:
        x = net.relu(net.conv(x, filters, 7, 2, "stem"), "stem")
        x = nn.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
    for stage, blocks in enumerate(BLOCKS[depth], start=1):
        for i in range(1, blocks + 1):
            strides = 2 if stage > 1 and i == 1 else 1
            x = net.block(x, filters * 2 ** (stage - 1), strides, f"stage{stage}_block{i}")
    x = keras.layers.GlobalAveragePooling2D(name="head_pool")(x)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="resnet")


class Parts(NamedTuple):
    """The parts of the network, with what all of them share."""

    nn: Bound
    project: bool
    bottleneck: bool

    def block(self, x: Any, filters: int, strides: int, name: str) -> Any:
        """Add a branch to its input, one pixel over the other."""
        y = (self.narrow if self.bottleneck else self.plain)(x, filters, strides, name)
        y, skip = self.nn.align([y, self.shortcut(x, y, strides, name)], name=f"{name}_align")
        return self.relu(keras.layers.Add(name=f"{name}_add")([y, skip]), name)

    def plain(self, x: Any, filters: int, strides: int, name: str) -> Any:
        """Apply two 3x3 convolutions: the left of the paper's Figure 5."""
        x = self.relu(self.conv(x, filters, 3, strides, f"{name}_1"), f"{name}_1")
        return self.conv(x, filters, 3, 1, f"{name}_2")

    def narrow(self, x: Any, filters: int, strides: int, name: str) -> Any:
        """Apply 1x1, 3x3 and 1x1 convolutions, the stride in the first: the right of Figure 5."""
        x = self.relu(self.conv(x, filters, 1, strides, f"{name}_1"), f"{name}_1")
        x = self.relu(self.conv(x, filters, 3, 1, f"{name}_2"), f"{name}_2")
        return self.conv(x, EXPANSION * filters, 1, 1, f"{name}_3")

    def shortcut(self, x: Any, branch: Any, strides: int, name: str) -> Any:
        """Bring a block's input to its branch's stride and channels."""
        more = branch.shape[-1] - x.shape[-1]
        if strides > 1:
            x = align_for_stride(x, branch, name=f"{name}_place")
        if self.project and (more or strides > 1):
            return self.conv(x, branch.shape[-1], 1, strides, f"{name}_project")
        if strides > 1:
            x = self.nn.MaxPooling2D(1, strides, name=f"{name}_subsample")(x)
        return PadChannels(0, more, name=f"{name}_zeros")(x) if more else x

    def conv(self, x: Any, filters: int, kernel_size: int, strides: int, name: str) -> Any:
        """Apply a convolution and batch normalisation."""
        conv = self.nn.Conv2D(
            filters,
            kernel_size,
            strides,
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"{name}_conv",
        )
        return BatchNormalization(name=f"{name}_bn")(conv(x))

    def relu(self, x: Any, name: str) -> Any:
        """Apply the rectifier."""
        return keras.layers.ReLU(name=f"{name}_relu")(x)
